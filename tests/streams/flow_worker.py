"""A worker over all stages with a scripted classifier: run as a process of its own, so that it can be killed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor.domain.runs import Run
from monitor.domain.sentiment import Scores
from monitor.store.engine import open_engine
from monitor.store.sink import SqlSink
from streams.worker import ALL_STAGES, Worker


class ScriptedClassifier:
    """Negative where the title says so; breaks on poison."""

    digest = "scripted"

    def classify(self, texts):
        return [self._scores(text.title) for text in texts]

    def _scores(self, title):
        if "poison" in title:
            raise ValueError(title)
        negative = 800_000 if "falls" in title else 100_000
        scores = {"negative": negative, "neutral": 900_000 - negative, "positive": 100_000}
        return Scores(**scores, topic=len(title) % 20, topic_confidence=900_000)


class NoEntities:
    """Finds no company."""

    def find(self, _document):
        return ()


class Clock:
    """The machine's clock."""

    def now(self):
        return datetime.now(UTC)


def main(bootstrap: str, run_name: str, folder: str) -> int:
    run = Run(name=run_name, title=run_name, partitions=2)
    worker = Worker(run, bootstrap=bootstrap, prefix="flow", folder=Path(folder) / "faust")
    worker.add_classify(NoEntities(), ScriptedClassifier(), Clock())
    for name in ALL_STAGES[1:-1]:
        worker.add_stateful(name)
    worker.add_sink(SqlSink(open_engine(f"sqlite:///{folder}/store.sqlite3"), run, []))
    return worker.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
