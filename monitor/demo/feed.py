"""Generates the demo feed: rows as a replay reads them, in order of time, the same for the same arguments."""

from __future__ import annotations

import csv
import gzip
import heapq
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import count
from pathlib import Path
from random import Random

from monitor.demo.phrasing import phrasebook
from monitor.demo.rhythm import event_factor, intensity, poisson, tone_weight
from monitor.demo.script import ScriptedEvent, script
from monitor.domain.documents import SourceClass

__all__ = ["COLUMNS", "FeedRow", "companies_path", "generate", "write_feed"]

COLUMNS = ("id", "published_at", "source", "source_class", "origin", "title", "text", "url")
"""The keys of a line of a written feed, in order."""

PER_DAY = 2650
"""Documents of a working day before copies; with copies about a fifth more."""

_NEWS_SHARE = 0.3
_MARKET_SHARE = 0.08
_COPIED_SHARE = 0.35
"""Share of the wire's stories that other outlets take over, nearly word for word."""

_AUTHORS = 1800
_WIRE = "Meridian Wire"
_OUTLETS = (
    "Harbour Ledger",
    "Northgate Business Daily",
    "Lantern Finance",
    "Bourse Gazette",
    "Quayside Post",
    "Ravensea Times",
)
_FORUMS = ("tradefloor", "stockyard-talk")
_FIRST = (
    "amber",
    "brisk",
    "candle",
    "delta",
    "ember",
    "fjord",
    "granite",
    "hazel",
    "ivory",
    "juniper",
    "kelp",
    "lunar",
)
_SECOND = ("badger", "comet", "dune", "finch", "gull", "heron", "ibis", "lynx", "marten", "otter", "raven", "wren")
_TONES = ("negative", "neutral", "positive")
_USUAL = (0.19, 0.51, 0.30)
"""Usual shares of the tones."""

_EVENT_TONES = {"negative": (0.84, 0.12, 0.04), "positive": (0.03, 0.17, 0.80), "": _USUAL}
"""Shares of the tones among what is said of an event, by the event's own tone."""

_WEIGHTS = {"HLVBK": 1.3, "BMOOR": 1.1, "LUMRW": 1.2, "OXBRD": 1.2, "TVDLM": 1.2, "DRVMT": 1.1}
"""How much is said of a company, relative to the others (1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One document of the feed, as a replay reads it."""

    id: str
    published_at: datetime
    source: str
    source_class: SourceClass
    origin: str
    title: str
    text: str
    url: str
    language: str = "en"
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Company:
    id: str
    name: str
    short: str
    ticker: str
    sector: str
    weight: float
    event: ScriptedEvent | None


def companies_path() -> Path:
    """Return the CSV file that registers the fictional companies, for `monitor.register.registry.read_companies`."""
    return Path(str(resources.files("monitor.demo").joinpath("companies.csv")))


def generate(seed: int, end: datetime, days: int = 6) -> Iterator[FeedRow]:
    """Yield the rows of [end - days, end) in order of time; the same arguments always give the same rows.

    Args:
        seed: Chooses words, authors and moments; the script of events depends on `end` and `days` alone.
        end: An aware instant; whole minutes count.
        days: Length of the feed, at least 5.

    Raises:
        InvalidConfiguration: `days` is too small, or `end` is not aware.
    """
    events = script(end, days)
    end = end.astimezone(UTC).replace(second=0, microsecond=0)
    rng = Random(seed)  # noqa: S311 - chooses the words of a demo, keeps no secret
    return _numbered(seed, _Writer(rng, events).rows(end - timedelta(days=days), end))


def write_feed(path: Path, *, seed: int, end: datetime, days: int = 6) -> int:
    """Write a feed as JSON Lines with the keys `COLUMNS` (gzip if the name ends in ``.gz``); return its rows.

    The file is complete or not there, and the same arguments give the same bytes.
    """
    rows = 0
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as raw:
            out = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
            for row in generate(seed, end, days):
                out.write(_line(row))
                rows += 1
            out.close()
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return rows


def _line(row: FeedRow) -> bytes:
    cells = {column: getattr(row, column) for column in COLUMNS}
    cells["published_at"] = row.published_at.isoformat().replace("+00:00", "Z")
    return json.dumps(cells, ensure_ascii=False).encode() + b"\n"


def _numbered(seed: int, rows: Iterator[FeedRow]) -> Iterator[FeedRow]:
    for number, row in enumerate(rows):
        id_ = f"demo-{seed}-{number:06d}"
        place = "".join(char if char.isalnum() else "-" for char in row.source)
        yield replace(row, id=id_, url=f"https://demo.invalid/{place}/{id_}")


def _companies(events: tuple[ScriptedEvent, ...]) -> list[_Company]:
    happening = {event.company: event for event in events}
    with companies_path().open(encoding="utf-8", newline="") as file:
        return [
            _Company(
                id=row["id"],
                name=row["name"],
                short=row["aliases"].split("|")[0],
                ticker=row["ticker"],
                sector=row["sector"],
                weight=_WEIGHTS.get(row["id"], 1.0),
                event=happening.get(row["id"]),
            )
            for row in csv.DictReader(file)
        ]


class _Writer:
    """Writes what is said, minute by minute; copies of a story wait until their own minute."""

    def __init__(self, rng: Random, events: tuple[ScriptedEvent, ...]) -> None:
        self._rng = rng
        self._phrases = phrasebook()
        self._companies = _companies(events)
        self._authors = [f"{_handle(rng)}{number}" for number in range(_AUTHORS)]
        self._waiting: list[tuple[datetime, int, FeedRow]] = []
        self._order = count()

    def rows(self, start: datetime, end: datetime) -> Iterator[FeedRow]:
        total = sum(company.weight for company in self._companies)
        per_minute = PER_DAY / 1440
        mood = 1.0
        for number in range(int((end - start) / timedelta(minutes=1))):
            minute = start + timedelta(minutes=number)
            if number % 60 == 0:  # hours differ a little, as they do
                mood = self._rng.lognormvariate(0, 0.1)
            usual = per_minute * intensity(minute) * mood
            for _ in range(poisson(self._rng, usual * _MARKET_SHARE)):
                self._speak(None, minute)
            for company in self._companies:
                factor = event_factor(company.event, minute) if company.event else 1.0
                mean = usual * (1 - _MARKET_SHARE) * company.weight / total * factor
                for _ in range(poisson(self._rng, mean)):
                    self._speak(company, minute)
            yield from self._until(minute + timedelta(minutes=1))

    def _until(self, instant: datetime) -> Iterator[FeedRow]:
        while self._waiting and self._waiting[0][0] < instant:
            yield heapq.heappop(self._waiting)[2]

    def _speak(self, company: _Company | None, minute: datetime) -> None:
        """Add one document, and the copies of it that other outlets print."""
        rng = self._rng
        at = minute + timedelta(seconds=rng.randrange(60))
        family, shares = "market", _USUAL
        if company is not None:
            family = "background"
            if company.event and rng.random() < tone_weight(company.event, minute):
                family, shares = company.event.kind, _EVENT_TONES[company.event.tone]
        tone = rng.choices(_TONES, shares)[0]
        if rng.random() < _NEWS_SHARE:
            self._print(company, family, tone, at)
        else:
            self._post(company, family, tone, at)

    def _print(self, company: _Company | None, family: str, tone: str, at: datetime) -> None:
        rng = self._rng
        bound = self._bound(company, rng.choice((True, True, False)))
        title = self._phrases.say(rng, (family, "headlines", tone), bound)
        place = self._phrases.say(rng, ("dateline", "sentences", "neutral"), bound)
        sentences = self._phrases.say_some(rng, (family, "sentences", tone), bound, rng.randint(2, 3))
        if tone != "neutral" and rng.random() < 0.4:
            sentences.append(self._phrases.say(rng, (family, "sentences", "neutral"), bound))
        body = f"{title}. " + " ".join(sentences)
        outlet = _WIRE if rng.random() < 0.4 else rng.choice(_OUTLETS)
        self._add(at, outlet, title, f"{place} - {body}")
        if outlet == _WIRE and rng.random() < _COPIED_SHARE:
            for taker in rng.sample(_OUTLETS, rng.randint(1, len(_OUTLETS) - 1)):
                delay = timedelta(seconds=int(min(rng.expovariate(1 / 1500), 14_400)) + 60)
                self._add(at + delay, taker, *self._retold(title, place, body))

    def _retold(self, title: str, place: str, body: str) -> tuple[str, str]:
        """Return title and text as an outlet prints what the wire sent: nearly word for word."""
        headline = self._rng.choice((title, title, f"{title} - {_WIRE}", f"Update: {title}"))
        return headline, self._rng.choice((f"{place} ({_WIRE}) - {body}", f"{place} - {body}", f"{body} ({_WIRE})"))

    def _post(self, company: _Company | None, family: str, tone: str, at: datetime) -> None:
        rng = self._rng
        bound = self._bound(company, rng.choice((True, False, False)))
        text = self._phrases.say(rng, (family, "comments", tone), bound)
        if company is not None and rng.random() < 0.04:
            text += f" Also watching ${rng.choice(self._companies).ticker}."
        author = self._authors[int(len(self._authors) * rng.random() ** 2)]  # some speak more often than others
        row = FeedRow(
            id="",
            published_at=at,
            source=rng.choices(_FORUMS, (3, 1))[0],
            source_class=SourceClass.COMMENT,
            origin=author,
            title="",
            text=text,
            url="",
        )
        heapq.heappush(self._waiting, (at, next(self._order), row))

    def _add(self, at: datetime, outlet: str, title: str, text: str) -> None:
        row = FeedRow(
            id="",
            published_at=at,
            source=outlet.lower().replace(" ", "-"),
            source_class=SourceClass.NEWS,
            origin=outlet,
            title=title,
            text=text,
            url="",
        )
        heapq.heappush(self._waiting, (at, next(self._order), row))

    @staticmethod
    def _bound(company: _Company | None, full: bool) -> dict[str, str]:
        if company is None:
            return {}
        name = company.name if full else company.short
        return {"c": name, "t": f"${company.ticker}", "sector": company.sector}


def _handle(rng: Random) -> str:
    """Return the beginning of an author's name."""
    return rng.choice(_FIRST) + rng.choice(_SECOND)
