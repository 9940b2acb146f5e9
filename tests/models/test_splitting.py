from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from models.datasets.splitting import Split, clusters_of, deal

WORDS = (
    "shares",
    "rise",
    "fall",
    "profit",
    "bank",
    "mine",
    "rail",
    "tea",
    "warns",
    "beats",
    "cuts",
    "guidance",
    "bond",
)
sentences = st.lists(st.sampled_from(WORDS), min_size=3, max_size=12).map(" ".join)


@st.composite
def texts_with_copies(draw: st.DrawFn) -> list[str]:
    texts = draw(st.lists(sentences, min_size=1, max_size=25))
    for text in draw(st.lists(st.sampled_from(texts), max_size=10)):
        texts.append(draw(st.sampled_from((f"RT @desk: {text}", f"{text.upper()}!", f"{text} http"))))
    return draw(st.permutations(texts))


@settings(max_examples=60, deadline=None)
@given(texts_with_copies())
def test_no_cluster_is_on_two_sides(texts: list[str]) -> None:
    clusters = clusters_of(texts)
    sides = defaultdict(set)
    for cluster, split in zip(clusters, deal(texts, clusters), strict=True):
        sides[cluster].add(split)
    assert all(len(found) == 1 for found in sides.values())


@settings(max_examples=60, deadline=None)
@given(texts_with_copies())
def test_copies_are_in_one_cluster(texts: list[str]) -> None:
    by_text = defaultdict(set)
    for text, cluster in zip(texts, clusters_of(texts), strict=True):
        by_text[text.removeprefix("RT @desk: ").removesuffix(" http").removesuffix("!").lower()].add(cluster)
    assert all(len(found) == 1 for found in by_text.values())


def test_a_headline_with_one_word_changed_is_a_near_duplicate() -> None:
    first = "Orbital Foods to report second quarter results before the opening bell on Thursday"
    second = "Quantara to report second quarter results before the opening bell on Thursday"
    other = "Central bank leaves its key rate unchanged and sees inflation easing next year"
    assert clusters_of([first, other, second]) == [0, 1, 0]


def test_one_more_text_moves_no_other_cluster() -> None:
    texts = [f"{first} {second} {third}" for first in WORDS for second in WORDS[:6] for third in WORDS[6:9]]
    lots = dict(zip(texts, deal(texts, range(len(texts))), strict=True))
    more = ["an entirely new headline", *texts]
    again = dict(zip(more, deal(more, range(len(more))), strict=True))
    assert all(again[text] is lots[text] for text in texts)


def test_eight_tenths_train_and_a_tenth_each_is_held_out() -> None:
    texts = [f"text number {number}" for number in range(5000)]
    found = Counter(deal(texts, range(5000)))
    assert 0.78 < found[Split.TRAIN] / 5000 < 0.82
    assert 0.08 < found[Split.VALIDATION] / 5000 < 0.12
    assert 0.08 < found[Split.TEST] / 5000 < 0.12
