"""Fakes for tests and for looking at the dashboard without a store: invented companies, invented documents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from monitor.domain.alerts import Action, Alert, AlertState, Decision, Feedback, Severity
from monitor.domain.errors import StoreUnavailable
from monitor.domain.sentiment import TOPICS
from monitor.domain.series import MARKET, entity_of, topic_of
from monitor.domain.sources import SourceHealth
from monitor.domain.timespans import DAY_MIN, WindowSize, from_minute, minute_of
from monitor.domain.trends import MIN_SAMPLE, Direction, Family, Polarity, Surprise
from monitor.domain.views import (
    AlertDetail,
    AlertFilter,
    AlertStep,
    AlertView,
    Delivery,
    DocumentFilter,
    DocumentPage,
    DocumentView,
    HeatCell,
    Mover,
    Overview,
    RunView,
    SeriesChoice,
    SeriesView,
    SourceView,
    TrendPoint,
    UserView,
)

__all__ = ["EmptyViewReader", "FakeAccounts", "FakeViewReader", "RecordingFeedback"]

AS_OF = datetime(2026, 3, 12, 14, 37, tzinfo=UTC)
"""The fake's present."""

COMPANIES: tuple[tuple[str, str], ...] = (
    ("ALDR", "Alder & Finch Bank"),
    ("BRCH", "Birchwater Energy"),
    ("CEDR", "Cedar Semiconductor"),
    ("DOGW", "Dogwood Airlines"),
    ("ELMS", "Elmstone Pharmaceuticals International Holdings"),
    ("FIRR", "Firside Motors"),
    ("GINK", "Ginkgo Cloud"),
    ("HAZL", "Hazel Foods"),
    ("IRON", "Ironbark Mining"),
    ("JUNI", "Juniper Rail"),
    ("KAPK", "Kapok Insurance"),
    ("LARC", "Larch Telecom"),
    ("MAPL", "Maple Retail Group"),
    ("NUTM", "Nutmeg Shipping"),
    ("OAKS", "Oakshire Utilities"),
    ("PINE", "Pineholm Properties"),
    ("QUIN", "Quince Biotech"),
    ("ROWN", "Rowan Defence"),
    ("SPRC", "Spruce Payments"),
    ("TEAK", "Teakwood Chemicals"),
    ("ULMO", "Ulmo Robotics"),
    ("VINE", "Vineyard Media"),
    ("WILL", "Willow Health"),
    ("YEWT", "Yewtree Steel"),
)

HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script> **bold** [x](javascript:alert(1))'
"""A title that must be shown as it is."""

_NEGATIVE = (
    "{} cuts its outlook for the second time this year as orders dry up",
    "Regulator opens an inquiry into {} over disclosure of losses",
    "{} recalls a product line after reports of failures",
    "Analysts turn cautious on {} after a weak quarter",
    "honestly done with {} after this quarter \U0001f621",
)
_NEUTRAL = (
    "{} to present at an industry conference next week",
    "{} names the date of its annual meeting",
    "What to watch as {} reports",
)
_POSITIVE = (
    "{} beats expectations and lifts its dividend",
    "{} wins a long contract with a national operator \U0001f680",
    "Upgrade for {}: margins recover faster than thought",
)
_SOURCES = (
    ("morning-ledger", "The Morning Ledger", SourceHealth.OK),
    ("harbour-wire", "Harbour Wire", SourceHealth.OK),
    ("central-bank", "Central Bank of Arboria: press releases and speeches", SourceHealth.OK),
    ("street-talk", "Street Talk (comments)", SourceHealth.OK),
    ("exchange-notices", "Exchange Notices", SourceHealth.FAILING),
    ("old-feed", "A feed that moved", SourceHealth.REFUSED),
    ("new-feed", "Just added", SourceHealth.NEW),
)


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
        self._documents = self._all_documents()
        self._alerts: dict[str, AlertDetail] = {}
        for detail in self._all_alerts():
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
            heat=tuple(self._heat(chosen)),
            movers=tuple(self._movers(chosen)),
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
        return tuple(SeriesChoice(series=key, title=_title(key), documents=9_000 - 300 * i) for i, key in counts)

    def series(self, run: str, series: str, size: WindowSize, start: datetime, end: datetime) -> SeriesView:
        """Return windows of a series."""
        self._ask()
        known = run == "demo" and _title(series) != series
        points = self._points(series, size, start, end) if known else ()
        alerts = tuple(v for v in self._views() if known and v.alert.series == series and start <= v.opened_at < end)
        return SeriesView(series=series, title=_title(series), size=size, points=points, alerts=alerts)

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
        return tuple(sorted(self._all_sources(), key=lambda one: -one.failures))

    def _ask(self) -> None:
        self.asked += 1
        if not self.available:
            msg = "the fake store was told not to answer"
            raise StoreUnavailable(msg)

    def _views(self) -> list[AlertView]:
        return [detail.view for detail in self._alerts.values()]

    def _heat(self, chosen: Sequence[tuple[str, str]]) -> list[HeatCell]:
        random = Random(self._seed)  # noqa: S311 - invented figures
        cells = []
        for rank, (entity, name) in enumerate(chosen):
            for topic in random.sample(TOPICS, 11):
                documents = max(1, int(random.expovariate(1 / 14)) + 20 - rank)
                polarity = max(-1.0, min(1.0, random.gauss(-0.08, 0.3))) if documents > 6 else None
                series = f"entity:{entity}/topic:{topic}"
                cell = HeatCell(
                    entity=entity, entity_name=name, topic=topic, series=series, documents=documents, polarity=polarity
                )
                cells.append(cell)
        return cells

    def _movers(self, chosen: Sequence[tuple[str, str]]) -> list[Mover]:
        random = Random(self._seed + 1)  # noqa: S311 - invented figures
        return [
            Mover(
                entity=entity,
                entity_name=name,
                series=f"entity:{entity}",
                documents=random.randint(12, 240),
                before=random.uniform(-0.3, 0.4),
                after=random.uniform(-0.6, 0.5),
            )
            for entity, name in chosen
        ]

    def _points(self, series: str, size: WindowSize, start: datetime, end: datetime) -> tuple[TrendPoint, ...]:
        first, last = minute_of(start), min(minute_of(end), minute_of(self.as_of) + 1)
        first = -(-first // size) * size
        return tuple(p for m in range(first, last, size) if (p := self._point(series, size, m)) is not None)

    def _point(self, series: str, size: WindowSize, minute: int) -> TrendPoint | None:
        random = Random(f"{self._seed}/{series}/{size}/{minute}")  # noqa: S311 - invented figures
        hours = minute / 60
        per_hour = (160 if series == MARKET else 14) * (1 + 0.6 * math.sin(hours / 24 * 2 * math.pi))
        documents = int(random.gauss(per_hour, per_hour**0.5) * size / 60)
        gap = 400 <= (minute_of(self.as_of) - minute) < 520 and series != MARKET
        if documents <= 0 or gap:
            return None
        crisis = max(0.0, 1 - abs(minute_of(self.as_of) - 900 - minute) / 240)
        share = min(0.9, max(0.05, random.gauss(0.26 + 0.45 * crisis, 0.05)))
        negative = round(documents * share)
        positive = round((documents - negative) * 0.4)
        half = 0.6 / max(documents, 1) ** 0.5
        mean = (positive - negative) / documents * 0.8
        enough = documents >= MIN_SAMPLE
        return TrendPoint(
            start=from_minute(minute),
            size=size,
            closed=minute + size <= minute_of(self.as_of),
            covered=not 1500 <= (minute_of(self.as_of) - minute) < 1560,
            documents=documents,
            stories=max(1, int(documents * 0.8)),
            sources=min(7, documents),
            negative=negative,
            neutral=documents - negative - positive,
            positive=positive,
            late=random.choice([0, 0, 0, 2]),
            polarity=Polarity(mean=mean, low=max(-1, mean - half), high=min(1, mean + half)) if enough else None,
            surprise=None,
        )

    def _all_documents(self) -> list[DocumentView]:
        random = Random(self._seed + 2)  # noqa: S311 - invented figures
        found = []
        for i in range(640):
            entity, name = random.choice(COMPANIES)
            label = random.choices(("negative", "neutral", "positive"), (3, 5, 2))[0]
            titles = {"negative": _NEGATIVE, "neutral": _NEUTRAL, "positive": _POSITIVE}[label]
            title = HOSTILE if i == 0 else random.choice(titles).format(name)
            at = self.as_of - timedelta(minutes=1 + 6 * i)
            source = random.choice(_SOURCES[:4])
            confidence = random.uniform(0.46, 0.99)
            tone = {"negative": -1, "neutral": 0, "positive": 1}[label]
            found.append(
                DocumentView(
                    id=f"doc{i:04d}",
                    title=title,
                    text=HOSTILE if i == 0 else f"{title}. An invented text that says a little more about {name}. " * 4,
                    url="javascript:window.pwned=1" if i == 0 else f"https://news.example/{entity.lower()}/{i}",
                    source=source[0],
                    source_class="comment" if source[0] == "street-talk" else "news",
                    origin=source[1],
                    published_at=at - timedelta(seconds=40),
                    crawled_at=at + timedelta(seconds=20),
                    event_at=at,
                    effective_at=at.replace(second=0, microsecond=0),
                    late=i % 23 == 5,
                    copy=i % 17 == 3,
                    label=label,
                    confidence=confidence,
                    polarity=tone * confidence,
                    topic=random.choice(TOPICS),
                    topic_confidence=random.uniform(0.5, 0.99),
                    entities=((entity, name),),
                    story=f"story{i // 2:04d}",
                )
            )
        return found

    def _all_alerts(self) -> list[AlertDetail]:
        specs = (
            ("entity:ALDR", Severity.CRITICAL, AlertState.FIRING, Direction.NEGATIVE, 900, WindowSize.H1, 48, 11.4),
            ("entity:DOGW", Severity.WARNING, AlertState.FIRING, Direction.NEGATIVE, 240, WindowSize.M15, 14, 3.2),
            (
                "topic:legal-regulation",
                Severity.WARNING,
                AlertState.ACKNOWLEDGED,
                Direction.NEGATIVE,
                400,
                WindowSize.H4,
                61,
                31.0,
            ),
            ("entity:CEDR", Severity.INFO, AlertState.FIRING, Direction.ATTENTION, 130, WindowSize.M5, 33, 6.1),
            ("entity:GINK", Severity.INFO, AlertState.RESOLVED, Direction.POSITIVE, 1900, WindowSize.H1, 22, 7.5),
            ("market", Severity.WARNING, AlertState.RESOLVED, Direction.NEGATIVE, 2500, WindowSize.H1, 118, 74.0),
            ("entity:IRON", Severity.WARNING, AlertState.RESOLVED, Direction.NEGATIVE, 3100, WindowSize.D1, 40, 18.0),
        )
        return [self._alert_detail(i, *spec) for i, spec in enumerate(specs)]

    def _alert_detail(
        self,
        i: int,
        series: str,
        severity: Severity,
        state: AlertState,
        direction: Direction,
        age_min: int,
        size: WindowSize,
        observed: int,
        expected: float,
    ) -> AlertDetail:
        at = size.start_of(minute_of(self.as_of) - age_min)
        family = Family.VOLUME if direction is Direction.ATTENTION else Family.SENTIMENT
        surprise = Surprise(
            family=family,
            direction=direction,
            score=9.1,
            threshold=5.0,
            observed=observed,
            total=observed + 20,
            expected=expected,
            low=max(0, int(expected * 0.4)),
            high=int(expected * 1.8) + 2,
            once_in_days=41.0,
        )
        mine = [one for one in self._documents if not entity_of(series) or one.entities[0][0] == entity_of(series)]
        against = tuple(one for one in mine if one.label == "negative")[:5]
        in_favour = tuple(one for one in mine if one.label == "positive")[:3]
        alert = Alert(
            id=f"{i:016x}",
            series=series,
            family=family,
            direction=direction,
            severity=severity,
            state=state,
            revision=3,
            opened_at=at,
            updated_at=at + 90,
            last_above=at + 60,
            size=size,
            surprise=surprise,
            stories=observed - 3,
            origins=2 if i == 3 else 9,
            against=tuple(one.id for one in against),
            in_favour=tuple(one.id for one in in_favour),
            flags=("few origins",) if i == 3 else (),
            actor="maria" if state is AlertState.ACKNOWLEDGED else "",
            note="Known: the inquiry was announced yesterday." if state is AlertState.ACKNOWLEDGED else "",
        )
        title = (
            f"Volume on {_title(series)}: {observed} stories in {size.label}, {expected:.1f} expected"
            if family is Family.VOLUME
            else f"{str(direction).capitalize()} shift on {_title(series)}: {observed} of {observed + 20} stories "
            f"{direction} in {size.label}, {expected:.1f} expected"
        )
        view = AlertView(
            alert=alert,
            title=title,
            series_title=_title(series),
            opened_at=from_minute(at),
            updated_at=from_minute(alert.updated_at),
            probability="once in 41 days for this series",
        )
        fired = AlertStep(at=from_minute(at), decision=Decision.FIRED, severity=severity, actor="", note="")
        last = {
            AlertState.FIRING: Decision.STILL_FIRING,
            AlertState.ACKNOWLEDGED: Decision.ACKNOWLEDGED,
            AlertState.RESOLVED: Decision.RESOLVED,
        }[state]
        later = replace(fired, at=view.updated_at, decision=last, actor=alert.actor, note=alert.note)
        deliveries = (
            Delivery(at=view.opened_at, receiver="desk e-mail", outcome="delivered", reason="", attempt=1),
            Delivery(
                at=view.opened_at,
                receiver="risk webhook",
                outcome="failed",
                reason="HTTP 503 Service Unavailable; tried again after 30 s",
                attempt=1,
            ),
        )
        return AlertDetail(
            view=view,
            against=against,
            in_favour=in_favour,
            steps=(fired, later),
            deliveries=deliveries if i < 4 else (),
        )

    def _all_sources(self) -> list[SourceView]:
        return [
            SourceView(
                source=source,
                title=title,
                url="javascript:window.pwned=1" if health is SourceHealth.REFUSED else f"https://{source}.example/rss",
                health=health,
                last_success_at=None if health is SourceHealth.NEW else self.as_of - timedelta(minutes=3 + 50 * i),
                last_document_at=None if health is SourceHealth.NEW else self.as_of - timedelta(minutes=9 + 70 * i),
                next_poll_at=self.as_of + timedelta(minutes=2 + i),
                failures={SourceHealth.FAILING: 4, SourceHealth.REFUSED: 12}.get(health, 0),
                reason={
                    SourceHealth.FAILING: "HTTP 503 Service Unavailable from the server, tried again later",
                    SourceHealth.REFUSED: "the address leads to a private network, which is not allowed",
                }.get(health, ""),
                documents=0 if health is SourceHealth.NEW else 12_345 - 1_500 * i,
            )
            for i, (source, title, health) in enumerate(_SOURCES)
        ]


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


def _title(series: str) -> str:
    if series == MARKET:
        return "Market"
    name = dict(COMPANIES).get(entity_of(series), entity_of(series))
    try:
        topic = topic_of(series)
    except ValueError:
        topic = series.rpartition("topic:")[2]
    return " \u00b7 ".join(part for part in (name, topic) if part) or series


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
