"""What a receiver is told: one alert change, its evidence and its links, ready for any kind of receiver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.domain.alerts import Alert, Decision
from monitor.domain.runs import LIVE
from monitor.domain.series import kind_of
from monitor.domain.timespans import from_minute
from monitor.domain.trends import Direction
from monitor.domain.views import AlertDetail, DocumentView, RunView
from monitor.domain.wording import alert_title, evidence_words, probability_words, series_title
from monitor.notify.links import DashboardLinks
from monitor.notify.texts import ALERT_TITLE, DOCUMENT_TITLE, NAME, one_line, site_of, web_link
from monitor.ports import Clock, OutboxRow, ViewReader

__all__ = ["Evidence", "Notice", "NoticeWriter", "notice_of"]

_LATE = timedelta(minutes=10)
"""A notice older than this says that it comes late, and by how much."""

_RESOLVED = {Decision.RESOLVED, Decision.RESOLVED_BY_HAND}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One document as a message shows it: untrusted text, made one line; `url` is empty unless it is a web address."""

    id: str
    title: str
    url: str
    site: str
    source: str
    label: str
    confidence: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One alert change to tell.

    Attributes:
        simulated: The run's documents are invented.
        test: Sent by hand to see whether a receiver works; the alert in it is invented.
        title: "Negative opinion on NAME: 41 of 58 stories negative, 12 expected".
        probability: "once in 41 days for this series".
        evidence: The documents that speak for the alert, the strongest first; `counter`: those that speak against it.
        alert_link, series_link: Into the dashboard at the alert's own time; empty without a base address.
        late: How long after its decision this is sent, if that is long; else None.
    """

    run: str
    run_title: str
    simulated: bool
    test: bool
    decision: Decision
    alert: Alert
    title: str
    series_title: str
    probability: str
    evidence: tuple[Evidence, ...]
    counter: tuple[Evidence, ...]
    alert_link: str
    series_link: str
    late: timedelta | None

    @property
    def is_resolved(self) -> bool:
        """Return whether it tells the end of an episode."""
        return self.decision in _RESOLVED

    @property
    def opened_at(self) -> datetime:
        """End of the window that fired."""
        return from_minute(self.alert.opened_at)

    @property
    def updated_at(self) -> datetime:
        """When the decision was made, in the time of its run."""
        return from_minute(self.alert.updated_at)

    @property
    def window_start(self) -> datetime:
        """Start of the window that fired."""
        return from_minute(self.alert.opened_at - self.alert.size.value)

    @property
    def marks(self) -> tuple[str, ...]:
        """What nobody may overlook: a test, invented documents, history instead of today."""
        marks = ["TEST"] if self.test else []
        if self.simulated:
            marks.append("simulated")
        elif self.run != LIVE and not self.test:
            marks.append(f"replay {self.run}")
        return tuple(marks)

    @property
    def status(self) -> str:
        """Return ``critical``, ``critical, escalated`` or ``resolved``."""
        if self.is_resolved:
            return "resolved"
        escalated = ", escalated" if self.decision is Decision.ESCALATED else ""
        return f"{self.alert.severity}{escalated}"

    @property
    def figures(self) -> str:
        """Return observed against expected: "41 of 58 stories negative, 12 expected"."""
        return evidence_words(self.alert.surprise)

    @property
    def expected_figure(self) -> str:
        """Return the expected number as `figures` writes it: "12"."""
        return self.figures.rpartition(", ")[2].removesuffix(" expected")

    @property
    def actor(self) -> str:
        """Return who resolved it by hand, or an empty string."""
        return one_line(self.alert.actor, NAME)

    @property
    def note(self) -> str:
        """Return what that person said, or an empty string."""
        return one_line(self.alert.note, ALERT_TITLE)

    @property
    def headline(self) -> str:
        """Return the title without its figures: "Negative opinion on NAME"."""
        return self.title.removesuffix(f": {self.figures}")

    @property
    def rarity(self) -> str:
        """Return the probability where the series is named already: "once in 41 days"."""
        return self.probability.removesuffix(" for this series")

    @property
    def lasted(self) -> str:
        """Return how long the episode has lasted so far: "3 h 20 min"."""
        return _span_words(timedelta(minutes=self.alert.updated_at - self.alert.opened_at))

    @property
    def late_words(self) -> str:
        """Return by how much it comes late in words, or an empty string."""
        return _span_words(self.late) if self.late else ""

    @property
    def subject(self) -> str:
        """Return direction, name, size and rarity in one line, the marks first."""
        marks = "".join(f"[{mark}] " for mark in (*self.marks, self.status))
        if self.is_resolved:
            return f"{marks}{self.headline}: over after {self.lasted}; at its strongest {self.figures}"
        return f"{marks}{self.title}, {self.rarity}"


class NoticeWriter:
    """Makes notices out of outbox rows, with the evidence from the store."""

    def __init__(self, reader: ViewReader, links: DashboardLinks, clock: Clock) -> None:
        self._reader = reader
        self._links = links
        self._clock = clock

    def write(self, row: OutboxRow) -> Notice:
        """Return what a row tells.

        Raises:
            StoreUnavailable: The evidence could not be read now.
        """
        run = next((run for run in self._reader.runs() if run.name == row.run), None)
        detail = self._reader.alert(row.run, row.change.alert.id)
        return notice_of(row, run, detail, self._links, self._clock.now())


def notice_of(
    row: OutboxRow, run: RunView | None, detail: AlertDetail | None, links: DashboardLinks, now: datetime
) -> Notice:
    """Return the notice of a row: figures of the revision that is told, documents as the store has them now."""
    alert = row.change.alert
    known = detail.view.series_title if detail else ""
    name = _namer(one_line(known, NAME) if kind_of(alert.series) == "entity" else "")
    against = _evidence(detail.against, alert.against) if detail else ()
    in_favour = _evidence(detail.in_favour, alert.in_favour) if detail else ()
    evidence, counter = _sides(alert.direction, against, in_favour)
    late = now - row.created_at
    return Notice(
        run=row.run,
        run_title=one_line(run.title if run else row.run, ALERT_TITLE),
        simulated=run.simulated if run else False,
        test=False,
        decision=row.change.decision,
        alert=alert,
        title=one_line(alert_title(alert, name), ALERT_TITLE),
        series_title=one_line(series_title(alert.series, name), ALERT_TITLE),
        probability=probability_words(alert.surprise.once_in_days),
        evidence=evidence,
        counter=counter,
        alert_link=links.alert(row.run, alert),
        series_link=links.series(row.run, alert),
        late=late if late > _LATE else None,
    )


def _namer(known: str) -> Callable[[str], str]:
    """Return what names companies: the name that the store gave, else the id itself."""
    return lambda entity: known or entity


def _sides(
    direction: Direction, negative: tuple[Evidence, ...], positive: tuple[Evidence, ...]
) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """Return the documents for and against an alert; nothing that was said speaks against a burst of attention."""
    if direction is Direction.ATTENTION:
        return (*negative[:3], *positive[:2]), ()
    return (positive, negative) if direction is Direction.POSITIVE else (negative, positive)


def _evidence(documents: tuple[DocumentView, ...], told: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Return documents of the told revision, in its order; all there are if none of those is left in the store."""
    by_id = {document.id: document for document in documents}
    chosen = [by_id[each] for each in told if each in by_id] or list(documents)
    return tuple(_shown(document) for document in chosen)


def _shown(document: DocumentView) -> Evidence:
    return Evidence(
        id=document.id,
        title=one_line(document.title or document.text, DOCUMENT_TITLE) or "(without a title)",
        url=web_link(document.url),
        site=one_line(site_of(document.url), 60),
        source=one_line(document.source, 60),
        label=document.label,
        confidence=document.confidence,
        at=document.event_at,
    )


def _span_words(span: timedelta) -> str:
    """Return a span in words of at most two units: "3 h 20 min"."""
    minutes = max(0, round(span.total_seconds() / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    units = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(units[:2]) or "under a minute"
