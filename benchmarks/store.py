"""What the store takes per second, and how long the dashboard's questions take: `python -m benchmarks.store`.

Facts are invented, seeds fixed. SQLite unless --url names another database, which must be empty.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from monitor.domain.documents import Document, SourceClass
from monitor.domain.entities import Mention
from monitor.domain.runs import Run
from monitor.domain.sentiment import MICRO, Classified, Scores
from monitor.domain.series import series_of
from monitor.domain.timespans import WindowSize, from_minute, minute_of
from monitor.domain.trends import Trend
from monitor.domain.views import AlertFilter, DocumentFilter
from monitor.domain.windows import Counts
from monitor.ports import Position, StoredDocument
from monitor.store.engine import open_engine
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
from monitor.store.views import SqlViewReader

BEGIN = datetime(2014, 10, 1, tzinfo=UTC)
RUN = Run(name="bench", title="Benchmark")
COMPANIES = 500
BUNDLE = 200
T = TypeVar("T")
WORDS = (
    "bank",
    "profit",
    "oil",
    "court",
    "shares",
    "bond",
    "rate",
    "merger",
    "debt",
    "sales",
    "strike",
    "loss",
    "fund",
)


def documents(number: int, days: int) -> Iterator[StoredDocument]:
    random_ = random.Random(1)
    step = timedelta(days=days) / number
    for index in range(number):
        at = BEGIN + index * step
        negative = random_.randrange(MICRO)
        neutral = random_.randrange(MICRO - negative + 1)
        named = {f"C{min(int(random_.paretovariate(0.9)), COMPANIES)}" for _ in range(random_.choice((0, 1, 1, 2)))}
        what = Document(
            id=f"{index:024x}",
            source=f"source-{random_.randrange(60)}",
            source_class=SourceClass.NEWS,
            origin="origin",
            title=" ".join(random_.choices(WORDS, k=10)),
            text=" ".join(random_.choices(WORDS, k=30)),
            url=f"https://example.org/{index}",
            language="en",
            published_at=at,
            crawled_at=at,
            event_at=at,
            story=f"{index:024x}",
        )
        scores = Scores(
            negative=negative,
            neutral=neutral,
            positive=MICRO - negative - neutral,
            topic=random_.randrange(20),
            topic_confidence=900_000,
        )
        mentions = tuple(Mention(entity=entity, start=-1, end=-1, matched=entity, why="hint") for entity in named)
        classified = Classified(document=what, scores=scores, mentions=mentions, model="bench", classified_at_ms=0)
        yield StoredDocument(classified, minute_of(at), late=False)


def trends(number: int, days: int) -> Iterator[Trend]:
    """Windows of every size and series, in order of the documents that make them."""
    sums: dict[tuple[WindowSize, int, str], list[int]] = {}
    for what in documents(number, days):
        scores = what.classified.scores
        for series in series_of(scores.topic, what.classified.entities):
            for size in WindowSize:
                total = sums.setdefault((size, size.start_of(what.effective or 0), series), [0, 0, 0, 0, 0, 0])
                total[0] += 1
                total[1 + scores.label] += 1
                total[4] += scores.polarity
                total[5] += (scores.polarity // 1000) ** 2
    until = minute_of(BEGIN) + days * 1440
    for (size, start, series), (count, negative, neutral, positive, polarity, squares) in sums.items():
        counts = Counts(
            documents=count,
            negative=negative,
            neutral=neutral,
            positive=positive,
            polarity=polarity,
            squares=squares,
            originals=count,
            stories=count,
            sources=min(count, 60),
        )
        yield Trend(
            series=series,
            size=size,
            start=start,
            closed=start + size <= until,
            covered=True,
            counts=counts,
            polarity=None,
        )


def bundles(facts: Iterator[T], size: int) -> Iterator[list[T]]:
    while some := list(islice(facts, size)):
        yield some


def written(what: str, facts: Sequence[T], write: Callable[[Sequence[T], Sequence[Position]], None], size: int) -> None:
    """Time the writing of facts in bundles, each its own transaction with a position."""
    begin = time.perf_counter()
    for offset, bundle in enumerate(bundles(iter(facts), size)):
        write(bundle, [Position(what, 0, offset, None)])
    took = time.perf_counter() - begin
    print(f"write {what:<34} {len(facts):>9,} rows {len(facts) / took:>11,.0f} rows/s (bundles of {size})")


def asked(what: str, ask: Callable[[], Any], times: int = 5) -> None:
    """Time a question: the median and the worst of a few."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        ask()
        took.append((time.perf_counter() - begin) * 1e3)
    print(f"read  {what:<34} {statistics.median(took):>9.1f} ms median {max(took):>9.1f} ms worst")


def read_all(reader: SqlViewReader, end: datetime) -> None:
    name, day = RUN.name, timedelta(days=1)
    own = tuple(f"C{number}" for number in range(1, 31))
    asked("runs", reader.runs)
    asked("overview, a day", lambda: reader.overview(name))
    asked("overview, 30 days", lambda: reader.overview(name, 30 * 1440))
    asked("overview, a day, 30 companies", lambda: reader.overview(name, 1440, own))
    asked("choices", lambda: reader.choices(name))
    asked("series, 7 days of 5m", lambda: reader.series(name, "market", WindowSize.M5, end - 7 * day, end))
    asked("series, 30 days of 1h", lambda: reader.series(name, "entity:C1", WindowSize.H1, end - 30 * day, end))
    for what, filter_ in {
        "documents, all": DocumentFilter(),
        "documents, a label": DocumentFilter(label="negative"),
        "documents, label, topic, source": DocumentFilter(label="negative", topic="Earnings", source="source-3"),
        "documents, a company": DocumentFilter(entities=("C1",)),
        "documents, a rare company": DocumentFilter(entities=("C450",)),
        "documents, a window": DocumentFilter(series="entity:C1", start=end - day, end=end),
        "documents, two words": DocumentFilter(text="merger strike"),
        "documents, a word not there": DocumentFilter(text="zebra"),
    }.items():
        asked(what, lambda chosen=filter_: reader.documents(name, chosen))
    asked("alerts", lambda: reader.alerts(name, AlertFilter()))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--url", help="an empty database; a SQLite file in a temporary folder unless given")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bellwether-bench-") as folder:
        engine = open_engine(chosen.url or f"sqlite:///{folder}/store.db")
        try:
            SqlRuns(engine).register(RUN)
            sink = SqlSink(engine, RUN, ())
            print(
                f"{engine.dialect.name}: {chosen.documents:,} documents over {chosen.days} days, {COMPANIES} companies"
            )
            written("documents", list(documents(chosen.documents, chosen.days)), sink.write_documents, BUNDLE)
            windows = list(trends(chosen.documents, chosen.days))
            written("windows", windows, sink.write_trends, 1_000)
            again = [trend for trend in windows if trend.closed][:50_000]
            written("windows that are closed already", again, sink.write_trends, 1_000)
            del windows, again
            read_all(SqlViewReader(engine, str), from_minute(minute_of(BEGIN) + chosen.days * 1440))
        finally:
            engine.dispose()


if __name__ == "__main__":
    main()
