"""What is shown: plain frozen facts, ready to draw. Instants are aware and in UTC.

"Now" in a view is `as_of`, the time up to which its run has judged, never the wall clock: a replay of 2014 has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.domain.alerts import Alert
from monitor.domain.sources import SourceHealth
from monitor.domain.timespans import WindowSize
from monitor.domain.trends import Polarity

__all__ = [
    "AlertDetail",
    "AlertFilter",
    "AlertStep",
    "AlertView",
    "Delivery",
    "DocumentFilter",
    "DocumentPage",
    "DocumentView",
    "HeatCell",
    "Mover",
    "Overview",
    "RunView",
    "SeriesChoice",
    "SeriesView",
    "SourceView",
    "TrendPoint",
    "UserView",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as the chooser shows it."""

    name: str
    title: str
    simulated: bool
    documents: int
    as_of: datetime | None
    last_document_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One window of a series as a point of a chart; `polarity` is None under the minimum sample."""

    start: datetime
    size: WindowSize
    closed: bool
    covered: bool
    documents: int
    stories: int
    sources: int
    negative: int
    neutral: int
    positive: int
    late: int
    polarity: Polarity | None
    surprise: float | None

    @property
    def negative_share(self) -> float | None:
        """Return the share of documents labelled negative, or None without documents."""
        return self.negative / self.documents if self.documents else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """One company within one topic over the span of the overview."""

    entity: str
    entity_name: str
    topic: str
    series: str
    documents: int
    polarity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A company whose polarity moved: the span of the overview against the span before it."""

    entity: str
    entity_name: str
    series: str
    documents: int
    before: float
    after: float

    @property
    def change(self) -> float:
        """Return after - before, in [-2, 2]."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An alert as a row: the alert itself and the names that people read."""

    alert: Alert
    title: str
    series_title: str
    opened_at: datetime
    updated_at: datetime
    probability: str
    """The probability in words: "once in 41 days for this series"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStep:
    """One step in the life of an alert."""

    at: datetime
    decision: str
    severity: str
    actor: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to tell one receiver."""

    at: datetime
    receiver: str
    outcome: str
    reason: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A document as a row. Its text is untrusted: shown as text, never as HTML.

    Attributes:
        effective_at: The minute it counts in, or None (backlog, older than a day, an edit).
        entities: (id, name) of the companies it mentions.
    """

    id: str
    title: str
    text: str
    url: str
    source: str
    source_class: str
    origin: str
    published_at: datetime | None
    crawled_at: datetime
    event_at: datetime
    effective_at: datetime | None
    late: bool
    copy: bool
    label: str
    confidence: float
    polarity: float
    topic: str
    topic_confidence: float
    entities: tuple[tuple[str, str], ...]
    story: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """Some rows of a search, newest first, and how many there are in all."""

    rows: tuple[DocumentView, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """What to look for; an empty field leaves everything in. `start` and `end` bound the effective time, half-open."""

    text: str = ""
    label: str = ""
    topic: str = ""
    entities: tuple[str, ...] = ()
    source: str = ""
    series: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts; an empty field leaves everything in."""

    states: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    series: str = ""
    entities: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetail:
    """An alert with its evidence, its life and who was told."""

    view: AlertView
    against: tuple[DocumentView, ...]
    in_favour: tuple[DocumentView, ...]
    steps: tuple[AlertStep, ...]
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesChoice:
    """A series that can be looked at."""

    series: str
    title: str
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """A series over a span: points in order of time (gaps are gaps, not zeros) and the alerts that opened in it."""

    series: str
    title: str
    size: WindowSize
    points: tuple[TrendPoint, ...]
    alerts: tuple[AlertView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The first page. `mood` is the market over the span that ends at `as_of`; None where there is no data.

    Attributes:
        documents: In the span; `late` of them late.
        before: The market's polarity over the span before, for the arrow.
        pulse: The market's last windows, oldest first, for the small chart.
    """

    as_of: datetime | None
    span_min: int
    documents: int
    late: int
    mood: Polarity | None
    before: Polarity | None
    pulse: tuple[TrendPoint, ...]
    heat: tuple[HeatCell, ...]
    movers: tuple[Mover, ...]
    alerts: tuple[AlertView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source as a row."""

    source: str
    title: str
    url: str
    health: SourceHealth
    last_success_at: datetime | None
    last_document_at: datetime | None
    next_poll_at: datetime | None
    failures: int
    reason: str
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A person who may log in. `role` is ``viewer``, ``analyst`` or ``admin``."""

    name: str
    role: str
    created_at: datetime
