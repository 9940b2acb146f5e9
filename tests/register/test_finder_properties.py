"""What holds for every text: borders, positions, order, and time in line with length."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.documents import Document, SourceClass
from monitor.domain.entities import Company
from monitor.register.finder import CompanyFinder
from monitor.register.folding import fold, joined, plain
from monitor.register.registry import Register

COMPANIES = (
    Company(id="ACME", ticker="ACME", name="Acme Corp", aliases=("Acme", "$ACM.B"), exclude=("acme of", "the acme")),
    Company(id="BOA", ticker="B", name="Bank of Arda", aliases=("Arda",)),
    Company(id="ARDA", ticker="ARDX", name="Arda Steel", aliases=("Société Générale", "gold")),
)
FINDER = CompanyFinder(COMPANIES, ambiguous=["gold", "b"])
PIECES = st.sampled_from(
    [
        *("Acme", "Acme Corp", "ACME", "acme of", "Bank of Arda", "Arda", "Arda Steel", "gold", "Société Générale"),
        *("$ACM.B", "$b", "(NYSE: B)", "(B)", "'s", "-", " ", "\n", ".", ",", "@", "_", "x", "9", "says"),
        *("\u0130", "\u00df", "\u306e", "e\u0301"),
    ]
)
calmly = settings(deadline=None)
"""Other work on the machine must not fail a test."""

TEXTS = st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text(max_size=80))


@calmly
@given(TEXTS)
def test_positions_slice_to_what_was_matched(text: str) -> None:
    for finding in FINDER.explain(text):
        mention = finding.mention
        assert text[mention.start : mention.end] == mention.matched
        assert mention.start < mention.end


@calmly
@given(TEXTS)
def test_mentions_are_in_order_and_never_overlap(text: str) -> None:
    spans = [(f.mention.start, f.mention.end) for f in FINDER.explain(text) if f.accepted]
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@calmly
@given(TEXTS)
def test_mention_never_crosses_the_border_of_a_word(text: str) -> None:
    for finding in FINDER.explain(text):
        if finding.accepted:
            start, end = finding.mention.start, finding.mention.end
            assert start == 0 or not joined(text[start - 1], text[start])
            assert end == len(text) or not joined(text[end - 1], text[end])


@calmly
@given(TEXTS, TEXTS)
def test_find_and_explain_agree(title: str, text: str) -> None:
    title = title.replace("\n", " ")
    if not (title.strip() or text.strip()):
        return
    at = datetime(2024, 6, 3, tzinfo=UTC)
    document = Document(
        id="d",
        source="s",
        source_class=SourceClass.NEWS,
        origin="o",
        title=title,
        text=text,
        url="",
        language="en",
        published_at=at,
        crawled_at=at,
        event_at=at,
        story="d",
    )
    told = FINDER.explain(f"{title}\n{text}", at)
    assert list(FINDER.find(document)) == [finding.mention for finding in told if finding.accepted]


@calmly
@given(st.text())
def test_fold_keeps_every_position(text: str) -> None:
    assert len(fold(plain(text))) == len(text)


@calmly
@given(TEXTS)
def test_what_stands_before_a_line_does_not_change_the_mentions_in_it(text: str) -> None:
    line = "Nothing here\n"
    alone = [f.mention for f in FINDER.explain("\n" + text) if f.accepted]
    after = [f.mention for f in FINDER.explain(line + text) if f.accepted]
    shift = len(line) - 1
    assert [(m.entity, m.start + shift, m.matched) for m in alone] == [(m.entity, m.start, m.matched) for m in after]


def _seconds(work: Callable[[], object]) -> float:
    """Return the least processor time of five runs."""
    times = []
    for _ in range(5):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def test_time_grows_in_line_with_length() -> None:
    for piece in ("Acme of Acme Corp (B) $b Arda, gold ", "A", "$", "(", "@a.", "a@", "ACME ARDA SAYS ", "NYSE:"):
        short, long = piece * (8192 // len(piece)), piece * (65536 // len(piece))
        times = [_seconds(partial(FINDER.explain, text)) for text in (short, long)]
        assert times[1] < 30 * max(times[0], 1e-4), f"{piece!r}: 8 times the text took {times[1] / times[0]:.0f} times"


def test_greatest_document_takes_milliseconds(register: Register, make_document: Callable[..., Document]) -> None:
    finder = CompanyFinder(register.companies)
    text = "Shares in the maker of engines rose after Boeing said it would buy more of them. " * 800
    document = make_document("Engines", text[: 64 * 1024])
    assert len(finder.find(document)) > 700
    assert _seconds(lambda: finder.find(document)) < 0.1
