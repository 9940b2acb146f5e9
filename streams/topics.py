"""The topics of a run, in one table, and their names."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.domain.closing import TRENDS
from monitor.domain.judging import ALERTS
from monitor.domain.runs import Run
from monitor.domain.summing import PANES
from monitor.pipeline import CLASSIFIED, DOCUMENTS, STAGES

__all__ = ["DEAD_LETTERS", "FEEDBACK", "TOPICS", "TopicSpec", "app_id", "changelog_name", "specs_of", "topic_name"]

FEEDBACK = "feedback"
DEAD_LETTERS = "dead-letters"
TABLE = "records"
"""Name of the one table of each stage with state."""

_DAY_MS = 24 * 3600 * 1000
_MAX_LETTER = 8 * 1024 * 1024
_MAX_MESSAGE = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic.

    Attributes:
        key: What decides the partition of a message.
        retention_days: How long messages stay, by the broker's time; None keeps them for ever.
        single: True for one partition, whatever the run's number.
    """

    name: str
    key: str
    holds: str
    retention_days: int | None = 30
    cleanup: str = "delete"
    max_bytes: int = _MAX_MESSAGE
    single: bool = False
    extra: dict[str, str] = field(default_factory=dict)

    def partitions(self, run: Run) -> int:
        """Return the number of partitions in a run."""
        return 1 if self.single else run.partitions

    def config(self) -> dict[str, str]:
        """Return the topic's settings as Kafka names them."""
        retention = -1 if self.retention_days is None else self.retention_days * _DAY_MS
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(retention),
            "max.message.bytes": str(self.max_bytes),
            "message.timestamp.type": "LogAppendTime",
            **self.extra,
        }


TOPICS: tuple[TopicSpec, ...] = (
    TopicSpec(name=DOCUMENTS, key="document id", holds="documents and ticks", retention_days=30),
    TopicSpec(name=CLASSIFIED, key="partition of documents", holds="classified documents and ticks", retention_days=90),
    TopicSpec(name=PANES, key="series", holds="pane totals and watermarks", retention_days=7),
    TopicSpec(name=TRENDS, key="partition of panes; judgements in 0", holds="windows, judgements", retention_days=30),
    TopicSpec(name=ALERTS, key="none", holds="alert changes", retention_days=None, single=True),
    TopicSpec(name=FEEDBACK, key="none", holds="what people did to alerts", retention_days=None, single=True),
    TopicSpec(
        name=DEAD_LETTERS,
        key="none",
        holds="original bytes, reason in the headers",
        retention_days=None,
        max_bytes=_MAX_LETTER,
        single=True,
    ),
)
"""Every topic of a run but the changelogs."""


def topic_name(prefix: str, run: str, topic: str) -> str:
    """Return a topic's full name.

    >>> topic_name("bellwether", "live", "panes")
    'bellwether.live.panes'
    """
    return f"{prefix}.{run}.{topic}"


def app_id(prefix: str, run: str, stage: str) -> str:
    """Return the Faust app id (the consumer group) of a stage."""
    return f"{prefix}.{run}.{stage}"


def changelog_name(prefix: str, run: str, stage: str) -> str:
    """Return the changelog of a stage's table, as Faust names it."""
    return f"{app_id(prefix, run, stage)}-{TABLE}-changelog"


def specs_of(prefix: str, run: Run) -> dict[str, TopicSpec]:
    """Return every topic of a run by full name: those of the table, and a changelog for each stage with state.

    A changelog is compacted, but not within an hour: a worker that wakes after its session has ended appends older
    records behind newer ones, and recovery must still find both.
    """
    found = {topic_name(prefix, run.name, spec.name): spec for spec in TOPICS}
    for stage in STAGES:
        name = changelog_name(prefix, run.name, stage.name)
        found[name] = TopicSpec(
            name=name,
            key="partition and key of a record",
            holds=f"records of the {stage.name} stage",
            retention_days=None,
            cleanup="compact",
            extra={"min.compaction.lag.ms": str(3600 * 1000), "max.compaction.lag.ms": str(_DAY_MS)},
        )
    return found
