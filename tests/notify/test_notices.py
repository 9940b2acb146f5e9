from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.alerts import Decision
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.trends import Direction, Family
from monitor.domain.views import AlertDetail, RunView
from monitor.notify.links import DashboardLinks
from monitor.notify.notices import Notice, notice_of
from monitor.notify.texts import one_line, web_link
from monitor.ports import OutboxRow
from tests.contracts.alert_examples import NOON, a_change, a_detail, a_document, an_alert


def a_notice(
    change: object = None, detail: AlertDetail | str | None = "given", run: str = "live", simulated: bool = False,
    after: timedelta = timedelta(0), base_url: str = "https://watch.example.com/bw/",
) -> Notice:  # fmt: skip
    told = change or a_change()
    row = OutboxRow(1, run, "key", "desk", told, 0, NOON)  # type: ignore[arg-type]
    view = RunView(name=run, title="A run", simulated=simulated, documents=1, as_of=NOON, last_document_at=NOON)
    found = a_detail(row.change.alert) if isinstance(detail, str) else detail
    return notice_of(row, view, found, DashboardLinks(base_url), NOON + after)


def test_the_subject_names_direction_series_size_and_rarity() -> None:
    assert a_notice().subject == (
        "[critical] Negative opinion on Acme Works: 41 of 58 stories negative, 12 expected, once in 41 days"
    )


def test_an_escalation_and_an_end_are_told_apart() -> None:
    assert a_notice(a_change(decision=Decision.ESCALATED)).subject.startswith("[critical, escalated] Negative")
    over = a_notice(a_change(decision=Decision.RESOLVED, lasts_min=200)).subject
    assert over == (
        "[resolved] Negative opinion on Acme Works: over after 3 h 20 min; "
        "at its strongest 41 of 58 stories negative, 12 expected"
    )


def test_invented_documents_and_history_are_marked() -> None:
    assert a_notice(run="demo", simulated=True).subject.startswith("[simulated] [critical] ")
    assert a_notice(run="oct-2014").subject.startswith("[replay oct-2014] [critical] ")
    assert a_notice().marks == ()


def test_a_burst_counts_stories_of_any_kind() -> None:
    change = a_change(direction=Direction.ATTENTION, family=Family.VOLUME)
    assert a_notice(change).subject.startswith("[critical] Burst of attention on Acme Works: 41 stories, 12 expected")


def test_documents_come_in_the_order_of_the_alert() -> None:
    assert [document.id for document in a_notice().evidence] == ["n1", "n2"]
    assert [document.id for document in a_notice().counter] == ["p1"]


def test_for_a_positive_alert_the_case_against_is_negative() -> None:
    notice = a_notice(a_change(direction=Direction.POSITIVE))
    assert {document.label for document in notice.evidence} == {"positive"}
    assert {document.label for document in notice.counter} == {"negative"}


def test_a_burst_shows_both_sides_and_no_case_against() -> None:
    notice = a_notice(a_change(direction=Direction.ATTENTION, family=Family.VOLUME))
    assert [document.id for document in notice.evidence] == ["n1", "n2", "p1"]
    assert notice.counter == ()


def test_an_alert_that_left_the_store_is_still_told() -> None:
    notice = a_notice(detail=None)
    assert notice.evidence == notice.counter == ()
    assert "Negative opinion on ACME" in notice.subject


def test_links_open_the_alert_at_its_own_time() -> None:
    link = urlsplit(a_notice().alert_link)
    assert (link.netloc, link.path) == ("watch.example.com", "/bw/alerts/a1")
    query = parse_qs(link.query)
    assert query["run"] == ["live"]
    assert query["from"][0] < "2026-03-02T11:00:00Z" < query["to"][0] < "2026-03-03"
    series = parse_qs(urlsplit(a_notice().series_link).query)
    assert (series["series"], series["size"]) == (["entity:ACME"], ["1h"])
    assert series["at"] == ["2026-03-02T11:00:00Z"]


def test_without_a_base_address_there_are_no_links() -> None:
    assert a_notice(base_url="").alert_link == ""
    with pytest.raises(InvalidConfiguration, match="`base_url`"):
        DashboardLinks("javascript:alert(1)")


def test_a_late_notice_says_so() -> None:
    assert a_notice(after=timedelta(minutes=9)).late_words == ""
    assert a_notice(after=timedelta(hours=26, minutes=5)).late_words == "1 d 2 h"


def test_a_dangerous_address_is_no_link() -> None:
    detail = a_detail(an_alert())
    hostile = [a_document("n1", "t", "negative", url) for url in ("javascript:alert(1)", "data:text/html,x", "//x.y/z")]
    for document in hostile:
        found = AlertDetail(view=detail.view, against=(document,), in_favour=(), steps=(), deliveries=())
        assert a_notice(detail=found).evidence[0].url == ""


@given(st.text(), st.integers(2, 80))
def test_one_line_is_one_line_of_a_length_that_can_be_encoded(text: str, limit: int) -> None:
    line = one_line(text, limit)
    line.encode()
    assert len(line) <= limit
    assert not any(ord(character) < 32 or character in "\x7f\x85\u2028\u2029\u202e\ud800" for character in line)
    assert one_line(line, limit) == line


@given(st.text())
def test_only_web_addresses_pass(text: str) -> None:
    assert web_link(text) in {"", text}
    assert web_link("javascript:" + text) == ""
