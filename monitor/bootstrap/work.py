"""The Faust worker of a run."""

from __future__ import annotations

from contextlib import ExitStack

from prometheus_client import start_http_server

from monitor.bootstrap.classifying import open_classifier
from monitor.bootstrap.parts import (
    SystemClock,
    bootstrap_servers,
    find_run,
    open_entities_of,
    open_receivers,
    open_store,
    state_folder,
)
from monitor.domain.errors import InvalidConfiguration
from monitor.settings import Settings
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
from monitor.supervise.heartbeat import heartbeat_from_environment
from streams.admin import prepare_topics
from streams.worker import Worker, stages_in_order

__all__ = ["work"]


def work(settings: Settings, run_name: str, stages: tuple[str, ...]) -> int:
    """Run stages of a run until stopped; return the exit code.

    Raises:
        InvalidConfiguration: The run or a stage is unknown, or the topics are not the run's own.
        InvalidArtefact: The classifier must not be used.
    """
    try:
        chosen = stages_in_order(stages)
    except ValueError as error:
        msg = f"`--stage`: {error}"
        raise InvalidConfiguration(msg) from None
    beat = heartbeat_from_environment()
    with ExitStack() as stack:
        engine = open_store(settings)
        stack.callback(engine.dispose)
        run = find_run(engine, settings, run_name)
        bootstrap, prefix = bootstrap_servers(settings), settings.kafka.prefix
        prepare_topics(bootstrap, run, prefix, SqlRuns(engine))
        folder = state_folder(settings).root / "faust" / run.name
        worker = Worker(
            run, bootstrap=bootstrap, prefix=prefix, folder=folder, beat=beat.beat, stall_s=settings.worker.stall_s
        )
        for stage in chosen:
            if stage == "classify":
                finder = open_entities_of(settings, run).finder
                worker.add_classify(
                    finder,
                    open_classifier(settings),
                    SystemClock(),
                    most_bundles=settings.worker.batch_bundles,
                    age_s=settings.worker.batch_age_s,
                )
            elif stage == "sink":
                worker.add_sink(SqlSink(engine, run, [receiver.name for receiver in open_receivers(settings)]))
            else:
                worker.add_stateful(stage)
        if settings.worker.metrics_port:
            start_http_server(settings.worker.metrics_port, addr="127.0.0.1")
        return worker.run()
