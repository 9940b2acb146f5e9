from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.classifier import TransformerClassifier, load_classifier
from models.parts import MOST_PARTS
from models.rounding import NOTHING_TO_READ
from models.training import TrainReport
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.sentiment import MICRO, Label
from monitor.ports import Classifier, Text

ODD = (
    Text("", ""),
    Text("   ", "\x00\u200b\n"),
    Text("\ud800\udfff", "broken \ud83d surrogate"),
    Text("株価が急落", "市場は大荒れとなった。" * 300),
    Text("أسهم ترتفع", "Акции упали 😱😱😱"),
    Text("x" * 50_000, ""),
    Text("", "한국 증시 " * 3000),
    Text("Quantara", "\x1b[2J" + "\r\n" * 1000),
    Text("<script>alert(1)</script>", "&lt;b&gt; &#0; &#xD800; &#1114112;"),
)


@pytest.fixture(scope="module")
def classifier(tiny_report: TrainReport) -> TransformerClassifier:
    return load_classifier(tiny_report.artefact, device="cpu", precision="fp32")


def some_texts(count: int) -> list[Text]:
    chance = random.Random(9)
    words = ["quantara", "plunges", "surges", "profit", "tea", "zorin", "warning", "calendar", "meeting", "3.5%"]
    return [
        Text(" ".join(chance.choices(words, k=chance.randint(1, 9))), " ".join(chance.choices(words, k=number % 150)))
        for number in range(count)
    ]


def test_it_is_a_classifier(classifier: TransformerClassifier, tiny_report: TrainReport) -> None:
    port: Classifier = classifier
    assert port.digest == tiny_report.digest[:12]


def test_a_batch_gives_what_one_by_one_gives(classifier: TransformerClassifier) -> None:
    texts = some_texts(60)
    together = classifier.probabilities(texts)
    for place, text in enumerate(texts):
        alone = classifier.probabilities([text])
        assert np.abs(alone.sentiment[0] - together.sentiment[place]).max() < 1e-4
        assert np.abs(alone.topic[0] - together.topic[place]).max() < 1e-4
        assert alone.parts[0] == together.parts[place]


def test_scores_come_back_in_the_order_of_the_texts(classifier: TransformerClassifier) -> None:
    texts = [Text("Quantara plunges after profit warning", ""), Text("Quantara surges after record profit", "")]
    forth = [scores.label for scores in classifier.classify(texts)]
    back = [scores.label for scores in classifier.classify(texts[::-1])]
    assert forth == [Label.NEGATIVE, Label.POSITIVE] == back[::-1]


def test_identical_texts_go_through_the_network_once(classifier: TransformerClassifier) -> None:
    rows: list[int] = []

    def count(_module: object, arguments: tuple[object, ...]) -> None:
        rows.append(len(arguments[0]))  # type: ignore[arg-type]

    hook = classifier.network.register_forward_pre_hook(count)
    try:
        found = classifier.classify([Text("Quantara plunges", "")] * 500 + [Text("", "Quantara plunges")])
    finally:
        hook.remove()
    assert sum(rows) == 1
    assert len(set(found)) == 1


def test_rounded_scores_sum_to_exactly_one_million(classifier: TransformerClassifier) -> None:
    for scores in classifier.classify(some_texts(200)):
        assert scores.negative + scores.neutral + scores.positive == MICRO
        assert 0 < scores.topic_confidence <= MICRO


def test_odd_texts_are_scored(classifier: TransformerClassifier) -> None:
    found = classifier.classify(ODD)
    assert len(found) == len(ODD)
    assert found[0] == found[1] == NOTHING_TO_READ


def test_no_text_gives_no_scores(classifier: TransformerClassifier) -> None:
    assert classifier.classify([]) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(st.characters(codec=None)), st.text(st.characters(codec=None), max_size=600))))
def test_no_text_can_raise(classifier: TransformerClassifier, pairs: list[tuple[str, str]]) -> None:
    texts = [Text(*pair) for pair in pairs]
    assert len(classifier.classify(texts)) == len(texts)


def test_five_megabytes_are_read_in_part_and_say_so(classifier: TransformerClassifier) -> None:
    begin = time.perf_counter()
    scores = classifier.classify([Text("Quantara plunges", "Zorin Tea publishes calendar. " * 180_000)])[0]
    assert scores.parts > 10_000
    assert time.perf_counter() - begin < 20


def test_a_long_text_is_read_to_its_end(classifier: TransformerClassifier) -> None:
    quiet = "Quantara publishes calendar. " * 60
    loud = quiet + "Quantara plunges after profit warning. " * 30
    before, after = classifier.classify([Text("", quiet), Text("", loud)])
    assert 1 < before.parts < after.parts <= MOST_PARTS
    assert after.negative > before.negative + 50_000


def test_a_part_over_the_token_limit_is_split_again(classifier: TransformerClassifier) -> None:
    """Four words of which each letter is a token, 360 in all, are more than the network reads at once."""
    scores = classifier.classify([Text("", " ".join(["qzx" * 30] * 4))])[0]
    assert scores.parts == 2


def test_the_title_of_a_long_text_weighs_half(classifier: TransformerClassifier) -> None:
    body = "Quantara publishes calendar. " * 60
    title = "Quantara plunges after profit warning"
    whole, alone, rest = classifier.probabilities([Text(title, body), Text(title, ""), Text("", body)]).sentiment
    assert whole == pytest.approx((alone + rest) / 2, abs=0.02)


def test_an_unknown_precision_or_device_names_the_way_out(tiny_report: TrainReport) -> None:
    with pytest.raises(InvalidConfiguration, match="auto, fp32 or bf16"):
        load_classifier(tiny_report.artefact, precision="fp8")
    with pytest.raises(InvalidConfiguration, match="try auto or cpu"):
        load_classifier(tiny_report.artefact, device="abacus")


def test_bf16_gives_the_same_labels(tiny_report: TrainReport, classifier: TransformerClassifier) -> None:
    brief = load_classifier(tiny_report.artefact, device="cpu", precision="bf16")
    texts = [
        Text(f"{name} {deed}", "") for name in ("Quantara", "Zorin Tea") for deed in ("plunges", "surges", "rises")
    ]
    assert brief.bf16
    assert [one.label for one in brief.classify(texts)] == [one.label for one in classifier.classify(texts)]
