from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.datasets import DATA_SETS, Split, load_corpus
from models.datasets.finentity import FINENTITY
from models.datasets.records import EntityLabel, agreed_label
from models.datasets.sentfin import SENTFIN, parse_decisions
from models.datasets.twitter_financial_news import SENTIMENT, TOPIC
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.sentiment import Label


def test_bearish_bullish_neutral_become_columns_in_label_order(tmp_path: Path) -> None:
    folder = tmp_path / "twitter_financial_news"
    folder.mkdir()
    (folder / "sentiment_train.csv").write_text("text,label\nAcme sinks,0\nAcme soars,1\nAcme meets,2\n")
    found = [example.sentiment for example in SENTIMENT.load(tmp_path, verify=False)]
    assert found == [Label.NEGATIVE, Label.POSITIVE, Label.NEUTRAL]


def test_another_edition_of_a_file_is_refused_by_name(tiny_sets: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"sentiment_train\.csv.*any_edition"):
        SENTIMENT.load(tiny_sets)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"finentity/finentity\.json.*--data"):
        FINENTITY.load(tmp_path)


def test_topics_in_another_order_are_refused(tiny_sets: Path, tmp_path: Path) -> None:
    folder = tmp_path / "twitter_financial_news"
    folder.mkdir()
    (folder / "topic_train.csv").write_text("text,label\nAcme,0\n")
    names = (tiny_sets / "twitter_financial_news/topic_classes.txt").read_text().splitlines()
    (folder / "topic_classes.txt").write_text("\n".join(reversed(names)))
    with pytest.raises(InvalidConfiguration, match="order of TOPICS"):
        TOPIC.load(tmp_path, verify=False)


def test_labels_with_an_apostrophe_in_the_name_are_read() -> None:
    found = parse_decisions("{'Pell's Harbour': 'positive', 'Quantara': 'negative'}")
    assert [(one.name, one.label) for one in found] == [
        ("Pell's Harbour", Label.POSITIVE),
        ("Quantara", Label.NEGATIVE),
    ]


def test_a_headline_has_a_label_only_where_its_entities_agree() -> None:
    rise, fall = EntityLabel(name="A", label=Label.POSITIVE), EntityLabel(name="B", label=Label.NEGATIVE)
    assert agreed_label([rise, rise]) is Label.POSITIVE
    assert agreed_label([rise, fall]) is None
    assert agreed_label([]) is None


def test_spans_of_entities_refer_to_the_original_text(tiny_sets: Path) -> None:
    for example in FINENTITY.load(tiny_sets, verify=False):
        for entity in example.entities:
            assert example.original[entity.start : entity.end] == entity.name


def test_texts_that_may_not_train_released_weights_never_do(tiny_sets: Path) -> None:
    barred = replace(SENTFIN, may_train=False)
    corpus = load_corpus(tiny_sets, (SENTIMENT, TOPIC, barred), verify=False)
    assert any(example.source == barred.name for example in corpus.of(Split.TRAIN))
    sources = {example.source for example in corpus.trainable()}
    assert sources == {SENTIMENT.name, TOPIC.name}


def test_every_set_states_licence_origin_and_digests() -> None:
    for chosen in DATA_SETS:
        assert chosen.licence
        assert chosen.origin
        assert all(len(file.sha256) == 64 for file in chosen.files)


def test_trainable_texts_are_all_of_the_train_split(tiny_sets: Path) -> None:
    corpus = load_corpus(tiny_sets, verify=False)
    held_out = {id(example) for split in (Split.VALIDATION, Split.TEST) for example in corpus.of(split)}
    assert held_out
    assert not held_out & {id(example) for example in corpus.trainable()}
