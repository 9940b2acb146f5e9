"""What an operator tries before trusting it: configuration, a source, a receiver, a text."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from monitor.bootstrap.classifying import open_classifier
from monitor.bootstrap.parts import SystemClock, chosen_sources, open_entities, open_receivers
from monitor.domain.errors import InvalidConfiguration, MonitorError
from monitor.notify.check import ReceiverReport, test_receiver
from monitor.settings import Settings, load_settings
from monitor.store.engine import connect
from streams.sources.check import SourceReport, test_source
from streams.sources.fetch import Fetcher

__all__ = ["faults_of", "print_entities", "print_sources", "test_receiver_named", "test_source_address"]


def faults_of(file: Path | None) -> list[str]:
    """Return every fault of a configuration and of the files it names, each with its field."""
    try:
        settings = load_settings(file)
    except InvalidConfiguration as error:
        return str(error).splitlines()
    checks: dict[str, Callable[[], object]] = {
        "crawler.sources": lambda: chosen_sources(settings),
        "entities": lambda: open_entities(settings),
        "notifier.receivers": lambda: _receivers(settings),
        "classifier": lambda: open_classifier(settings),
        "store.url": lambda: connect(settings.store_url).dispose(),
        "dashboard": lambda: _dashboard(settings),
    }
    faults = []
    for field, check in checks.items():
        try:
            check()
        except MonitorError as error:
            faults += [f"{field}: {line}" for line in str(error).splitlines()]
    return faults


def _receivers(settings: Settings) -> None:
    names = [receiver.name for receiver in open_receivers(settings)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"the name {twice[0]!r} stands there twice"
        raise InvalidConfiguration(msg)
    if settings.notifier.heartbeat and settings.notifier.heartbeat not in names:
        msg = f"`notifier.heartbeat` names {settings.notifier.heartbeat!r}, which is no receiver"
        raise InvalidConfiguration(msg)


def _dashboard(settings: Settings) -> None:
    chosen = settings.dashboard
    if chosen.host not in {"127.0.0.1", "localhost", "::1"} and not chosen.login_required:
        msg = f"`login_required` must be true to listen on {chosen.host}"
        raise InvalidConfiguration(msg)


def test_receiver_named(settings: Settings, name: str) -> ReceiverReport:
    """Send a test message to a receiver of the configuration."""
    receivers = {receiver.name: receiver for receiver in open_receivers(settings)}
    if name not in receivers:
        msg = f"`RECEIVER` {name!r} is not configured; there are {', '.join(receivers) or 'none'}"
        raise InvalidConfiguration(msg)
    return test_receiver(receivers[name], SystemClock(), base_url=settings.notifier.base_url)


def test_source_address(settings: Settings, url: str) -> SourceReport:
    """Look at a source: one of the list by its id, else an address."""
    known = {source.id: source for source in chosen_sources(settings)}
    with closing(Fetcher(allow_private=settings.crawler.allow_private)) as fetcher:
        return test_source(known.get(url, url), fetcher=fetcher, clock=SystemClock())


def print_sources(settings: Settings) -> None:
    """Print the sources of the configuration."""
    table = Table("id", "class", "kind", "title", "address")
    for source in chosen_sources(settings):
        table.add_row(source.id, source.source_class, source.kind, source.title, source.url)
    Console().print(table)


def print_entities(settings: Settings, text: str) -> None:
    """Print what the finder sees in a text, and why."""
    entities = open_entities(settings)
    table = Table("company", "matched", "at", "why", "found")
    for finding in entities.finder.explain(text):
        mention = finding.mention
        verdict = "yes" if finding.accepted else f"no: {finding.reason}"
        name = f"{mention.entity} ({entities.name(mention.entity)})"
        table.add_row(name, mention.matched, f"{mention.start}-{mention.end}", mention.why, verdict)
    Console().print(table if table.row_count else "no company is named")
