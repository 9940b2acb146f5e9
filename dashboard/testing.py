"""Fakes for tests and for looking at the dashboard without a store: invented companies, invented documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from dashboard import invented
from dashboard.invented import AS_OF, COMPANIES, title_of
from monitor.domain.alerts import Action, AlertState, Decision, Feedback
from monitor.domain.errors import StoreUnavailable
from monitor.domain.series import MARKET, entity_of
from monitor.domain.timespans import DAY_MIN, WindowSize, minute_of
from monitor.domain.trends import Polarity
from monitor.domain.views import (
    AlertDetail,
    AlertFilter,
    AlertStep,
    AlertView,
    DocumentFilter,
    DocumentPage,
    DocumentView,
    Overview,
    RunView,
    SeriesChoice,
    SeriesView,
    SourceView,
    TrendPoint,
    UserView,
)

__all__ = ["EmptyViewReader", "FakeAccounts", "FakeViewReader", "RecordingFeedback"]


class FakeViewReader:
    """Answers like a store that holds two runs: a simulated one with much in it, and a live one without anything.

    Args:
        seed: The same seed gives the same answers.
        as_of: The fake's present.
    """

    def __init__(self, seed: int = 7, as_of: datetime = AS_OF) -> None:
        self.as_of = as_of
        self.available = True
        self.asked = 0
        self._seed = seed
        self._documents = invented.documents(seed, as_of)
        self._alerts: dict[str, AlertDetail] = {}
        for detail in invented.alerts(as_of, self._documents):
            self.put(detail)

    def put(self, detail: AlertDetail) -> None:
        """Add an alert, or replace it."""
        self._alerts[detail.view.alert.id] = detail

    def new_alert(self, name: str, title: str) -> None:
        """Let an alert fire now."""
        sample = next(iter(self._alerts.values()))
        now = minute_of(self.as_of)
        alert = replace(sample.view.alert, id=name, opened_at=now, updated_at=now, state=AlertState.FIRING)
        self.put(replace(sample, view=replace(sample.view, alert=alert, title=title, opened_at=self.as_of)))

    def runs(self) -> tuple[RunView, ...]:
        """Return both runs."""
        self._ask()
        live = RunView(name="live", title="Live", simulated=False, documents=0, as_of=None, last_document_at=None)
        demo = RunView(
            name="demo",
            title="Demo feed",
            simulated=True,
            documents=len(self._documents),
            as_of=self.as_of,
            last_document_at=self.as_of - timedelta(minutes=1),
        )
        return (live, demo)

    def overview(self, run: str, span_min: int = DAY_MIN, entities: tuple[str, ...] = ()) -> Overview:
        """Return the first page."""
        self._ask()
        if run != "demo":
            return nothing(span_min)
        start = self.as_of - timedelta(minutes=span_min)
        size = next(s for s in WindowSize if span_min / s <= 60 or s is WindowSize.D1)
        chosen = [one for one in COMPANIES if not entities or one[0] in entities]
        return Overview(
            as_of=self.as_of,
            span_min=span_min,
            documents=4_812,
            late=37,
            mood=Polarity(mean=-0.117, low=-0.148, high=-0.086),
            before=Polarity(mean=-0.041, low=-0.07, high=-0.012),
            pulse=self._points(MARKET, size, start, self.as_of),
            heat=tuple(invented.heat(self._seed, chosen)),
            movers=tuple(invented.movers(self._seed, chosen)),
            alerts=tuple(one for one in self._views() if one.alert.is_open and _concerns(one, entities)),
        )

    def choices(self, run: str, entities: tuple[str, ...] = ()) -> tuple[SeriesChoice, ...]:
        """Return the series."""
        self._ask()
        if run != "demo":
            return ()
        keys = [MARKET] if not entities else []
        keys += [f"entity:{key}" for key, _ in COMPANIES if not entities or key in entities]
        keys += [] if entities else [f"topic:{slug}" for slug in ("earnings", "legal-regulation", "m-a-investments")]
        counts = enumerate(keys)
        return tuple(SeriesChoice(series=key, title=title_of(key), documents=9_000 - 300 * i) for i, key in counts)

    def series(self, run: str, series: str, size: WindowSize, start: datetime, end: datetime) -> SeriesView:
        """Return windows of a series."""
        self._ask()
        known = run == "demo" and title_of(series) != series
        points = self._points(series, size, start, end) if known else ()
        alerts = tuple(v for v in self._views() if known and v.alert.series == series and start <= v.opened_at < end)
        return SeriesView(series=series, title=title_of(series), size=size, points=points, alerts=alerts)

    def documents(self, run: str, filter_: DocumentFilter, limit: int = 100, offset: int = 0) -> DocumentPage:
        """Return documents that fit."""
        self._ask()
        fit = [one for one in self._documents if run == "demo" and _fits(one, filter_)]
        return DocumentPage(rows=tuple(fit[offset : offset + limit]), total=len(fit))

    def alerts(self, run: str, filter_: AlertFilter, limit: int = 500) -> tuple[AlertView, ...]:
        """Return alerts that fit."""
        self._ask()
        fit = [
            one
            for one in self._views()
            if run == "demo"
            and (not filter_.states or one.alert.state in filter_.states)
            and (not filter_.severities or one.alert.severity in filter_.severities)
            and (not filter_.families or one.alert.family in filter_.families)
            and (not filter_.series or one.alert.series == filter_.series)
            and (filter_.start is None or one.opened_at >= filter_.start)
            and (filter_.end is None or one.opened_at < filter_.end)
            and _concerns(one, filter_.entities)
        ]
        return tuple(sorted(fit, key=lambda one: (not one.alert.is_open, -one.alert.opened_at))[:limit])

    def alert(self, run: str, alert: str) -> AlertDetail | None:
        """Return one alert."""
        self._ask()
        return self._alerts.get(alert) if run == "demo" else None

    def sources(self) -> tuple[SourceView, ...]:
        """Return the sources."""
        self._ask()
        return tuple(sorted(invented.sources(self.as_of), key=lambda one: -one.failures))

    def _ask(self) -> None:
        self.asked += 1
        if not self.available:
            msg = "the fake store was told not to answer"
            raise StoreUnavailable(msg)

    def _views(self) -> list[AlertView]:
        return [detail.view for detail in self._alerts.values()]

    def _points(self, series: str, size: WindowSize, start: datetime, end: datetime) -> tuple[TrendPoint, ...]:
        first, last = minute_of(start), min(minute_of(end), minute_of(self.as_of) + 1)
        first = -(-first // size) * size
        return tuple(
            p
            for m in range(first, last, size)
            if (p := invented.point(self._seed, self.as_of, series, size, m)) is not None
        )


class EmptyViewReader(FakeViewReader):
    """Answers like a store on its first day: no run, no document, no source."""

    def runs(self) -> tuple[RunView, ...]:
        """Return no run."""
        self._ask()
        return ()

    def sources(self) -> tuple[SourceView, ...]:
        """Return no source."""
        self._ask()
        return ()


class RecordingFeedback:
    """Keeps what is sent; with a reader, lets it take effect at once."""

    def __init__(self, reader: FakeViewReader | None = None) -> None:
        self.sent: list[tuple[str, Feedback]] = []
        self.fails_with: Exception | None = None
        self._reader = reader

    def send(self, run: str, feedback: Feedback) -> None:
        """Keep, or fail as told."""
        if self.fails_with is not None:
            raise self.fails_with
        self.sent.append((run, feedback))
        detail = self._reader.alert(run, feedback.alert) if self._reader else None
        if self._reader is None or detail is None:
            return
        resolves = feedback.action is Action.RESOLVE
        state = AlertState.RESOLVED if resolves else AlertState.ACKNOWLEDGED
        decision = Decision.RESOLVED_BY_HAND if resolves else Decision.ACKNOWLEDGED
        alert = replace(detail.view.alert, state=state, actor=feedback.actor, note=feedback.note)
        step = AlertStep(
            at=detail.view.updated_at,
            decision=decision,
            severity=alert.severity,
            actor=feedback.actor,
            note=feedback.note,
        )
        view = replace(detail.view, alert=alert)
        self._reader.put(replace(detail, view=view, steps=(*detail.steps, step)))


class FakeAccounts:
    """Knows three people, one per role, each with the password ``password of NAME``."""

    def __init__(self) -> None:
        roles = {"vera": "viewer", "anna": "analyst", "adam": "admin"}
        self.users = {name: UserView(name=name, role=role, created_at=AS_OF) for name, role in roles.items()}
        self.audited: list[tuple[str, str, str, str]] = []
        self.available = True

    def verify(self, name: str, password: str) -> UserView | None:
        """Return the user if the password is right."""
        self._ask()
        return self.users.get(name) if password == f"password of {name}" else None

    def find(self, name: str) -> UserView | None:
        """Return a user."""
        self._ask()
        return self.users.get(name)

    def audit(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Keep an entry."""
        self._ask()
        self.audited.append((actor, action, subject, detail))

    def _ask(self) -> None:
        if not self.available:
            msg = "the fake accounts were told not to answer"
            raise StoreUnavailable(msg)


def nothing(span_min: int) -> Overview:
    """Return the first page of a run without documents."""
    return Overview(
        as_of=None,
        span_min=span_min,
        documents=0,
        late=0,
        mood=None,
        before=None,
        pulse=(),
        heat=(),
        movers=(),
        alerts=(),
    )


def _concerns(view: AlertView, entities: tuple[str, ...]) -> bool:
    return not entities or entity_of(view.alert.series) in entities


def _fits(one: DocumentView, wanted: DocumentFilter) -> bool:
    mine = {entity for entity, _ in one.entities}
    entity = entity_of(wanted.series)
    at = one.effective_at
    return (
        wanted.text.lower() in f"{one.title} {one.text}".lower()
        and wanted.label in {"", one.label}
        and wanted.topic in {"", one.topic}
        and wanted.source in {"", one.source}
        and (not wanted.entities or bool(mine & set(wanted.entities)))
        and (not entity or entity in mine)
        and (wanted.start is None or (at is not None and at >= wanted.start))
        and (wanted.end is None or (at is not None and at < wanted.end))
    )
