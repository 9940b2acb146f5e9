"""Structured logs: one line an event, readable on a terminal, JSON where a machine reads (BELLWETHER_LOG=json)."""

from __future__ import annotations

import logging
import os
import sys

import structlog

__all__ = ["start_logging"]

_LOUD = ("kafka", "aiokafka", "faust", "mode", "httpx", "httpcore", "apscheduler", "alembic", "trafilatura", "waitress")
"""Libraries whose ordinary lines say nothing to an operator."""


_VERY_LOUD = (
    "kafka.net",
    "mode.timers",
    "faust.transport.producer",
    "kafka.cluster",
    "kafka.coordinator",
    "aiokafka.consumer.group_coordinator",
    "apscheduler.scheduler",
    "streams.app",
)
"""Call each reconnection an error, or speak in Faust's voice; what matters of it comes out as an error of ours."""


def start_logging() -> None:
    """Send every log line to standard error, ours and the libraries', in one form."""
    level = os.environ.get("BELLWETHER_LOG_LEVEL", "INFO").upper()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    as_json = os.environ.get("BELLWETHER_LOG", "") == "json"
    final: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        final += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        final.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _VERY_LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL)
