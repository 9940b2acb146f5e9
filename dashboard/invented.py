"""Invented companies, documents, alerts and sources for the fakes in `dashboard.testing`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from monitor.domain.alerts import Alert, AlertState, Decision, Severity
from monitor.domain.sentiment import TOPICS
from monitor.domain.series import MARKET, TOPIC_SLUGS, entity_of, topic_of
from monitor.domain.sources import SourceHealth
from monitor.domain.timespans import WindowSize, from_minute, minute_of
from monitor.domain.trends import MIN_SAMPLE, Direction, Family, Polarity, Surprise
from monitor.domain.views import (
    AlertDetail,
    AlertStep,
    AlertView,
    Delivery,
    DocumentView,
    HeatCell,
    Mover,
    SourceView,
    TrendPoint,
)

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


def heat(seed: int, chosen: Sequence[tuple[str, str]]) -> list[HeatCell]:
    """Return companies within topics."""
    random = Random(seed)  # noqa: S311 - invented figures
    cells = []
    for rank, (entity, name) in enumerate(chosen):
        for topic in random.sample(TOPICS, 11):
            documents = max(1, int(random.expovariate(1 / 14)) + 20 - rank)
            polarity = max(-1.0, min(1.0, random.gauss(-0.08, 0.3))) if documents > 6 else None
            series = f"entity:{entity}/topic:{TOPIC_SLUGS[TOPICS.index(topic)]}"
            cell = HeatCell(
                entity=entity, entity_name=name, topic=topic, series=series, documents=documents, polarity=polarity
            )
            cells.append(cell)
    return cells


def movers(seed: int, chosen: Sequence[tuple[str, str]]) -> list[Mover]:
    """Return how companies moved."""
    random = Random(seed + 1)  # noqa: S311 - invented figures
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


def point(seed: int, as_of: datetime, series: str, size: WindowSize, minute: int) -> TrendPoint | None:
    """Return one window of a series; None where nothing was said."""
    random = Random(f"{seed}/{series}/{size}/{minute}")  # noqa: S311 - invented figures
    hours = minute / 60
    per_hour = (160 if series == MARKET else 14) * (1 + 0.6 * math.sin(hours / 24 * 2 * math.pi))
    documents = int(random.gauss(per_hour, per_hour**0.5) * size / 60)
    gap = 400 <= (minute_of(as_of) - minute) < 520 and series != MARKET
    if documents <= 0 or gap:
        return None
    crisis = max(0.0, 1 - abs(minute_of(as_of) - 900 - minute) / 240)
    share = min(0.9, max(0.05, random.gauss(0.26 + 0.45 * crisis, 0.05)))
    negative = round(documents * share)
    positive = round((documents - negative) * 0.4)
    half = 0.6 / max(documents, 1) ** 0.5
    mean = (positive - negative) / documents * 0.8
    enough = documents >= MIN_SAMPLE
    return TrendPoint(
        start=from_minute(minute),
        size=size,
        closed=minute + size <= minute_of(as_of),
        covered=not 1500 <= (minute_of(as_of) - minute) < 1560,
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


def documents(seed: int, as_of: datetime) -> list[DocumentView]:
    """Return documents, newest first; the first is hostile."""
    random = Random(seed + 2)  # noqa: S311 - invented figures
    found = []
    for i in range(640):
        entity, name = random.choice(COMPANIES)
        label = random.choices(("negative", "neutral", "positive"), (3, 5, 2))[0]
        titles = {"negative": _NEGATIVE, "neutral": _NEUTRAL, "positive": _POSITIVE}[label]
        title = HOSTILE if i == 0 else random.choice(titles).format(name)
        at = as_of - timedelta(minutes=1 + 6 * i)
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


def alerts(as_of: datetime, documents: Sequence[DocumentView]) -> list[AlertDetail]:
    """Return alerts of every severity and state."""
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
    return [_alert(as_of, documents, i, *spec) for i, spec in enumerate(specs)]


def _alert(
    as_of: datetime,
    documents: Sequence[DocumentView],
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
    at = size.start_of(minute_of(as_of) - age_min)
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
    mine = [one for one in documents if not entity_of(series) or one.entities[0][0] == entity_of(series)]
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
        f"Volume on {title_of(series)}: {observed} stories in {size.label}, {expected:.1f} expected"
        if family is Family.VOLUME
        else f"{str(direction).capitalize()} shift on {title_of(series)}: {observed} of {observed + 20} stories "
        f"{direction} in {size.label}, {expected:.1f} expected"
    )
    view = AlertView(
        alert=alert,
        title=title,
        series_title=title_of(series),
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


def sources(as_of: datetime) -> list[SourceView]:
    """Return sources in every state of health."""
    return [
        SourceView(
            source=source,
            title=title,
            url="javascript:window.pwned=1" if health is SourceHealth.REFUSED else f"https://{source}.example/rss",
            health=health,
            last_success_at=None if health is SourceHealth.NEW else as_of - timedelta(minutes=3 + 50 * i),
            last_document_at=None if health is SourceHealth.NEW else as_of - timedelta(minutes=9 + 70 * i),
            next_poll_at=as_of + timedelta(minutes=2 + i),
            failures={SourceHealth.FAILING: 4, SourceHealth.REFUSED: 12}.get(health, 0),
            reason={
                SourceHealth.FAILING: "HTTP 503 Service Unavailable from the server, tried again later",
                SourceHealth.REFUSED: "the address leads to a private network, which is not allowed",
            }.get(health, ""),
            documents=0 if health is SourceHealth.NEW else 12_345 - 1_500 * i,
        )
        for i, (source, title, health) in enumerate(_SOURCES)
    ]


def title_of(series: str) -> str:
    """Return what an invented series is called; its key if there is no such series."""
    if series == MARKET:
        return "Market"
    name = dict(COMPANIES).get(entity_of(series), entity_of(series))
    try:
        topic = topic_of(series)
    except ValueError:
        topic = series.rpartition("topic:")[2]
    return " \u00b7 ".join(part for part in (name, topic) if part) or series
