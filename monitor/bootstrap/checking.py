"""What an operator tries before trusting it: configuration, a source, a receiver, a text."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from monitor.bootstrap.classifying import open_classifier
from monitor.bootstrap.parts import SystemClock, chosen_sources, open_entities, open_receivers
from monitor.domain.addresses import is_loopback_host
from monitor.domain.errors import InvalidConfiguration, MonitorError
from monitor.notify.check import ReceiverReport, test_receiver
from monitor.register.registry import Register, load_register
from monitor.register.watchlists import WatchLists
from monitor.settings import ReceiverSettings, Settings, load_settings
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
    checks: list[tuple[str, Callable[[], object]]] = [
        ("kafka", lambda: _bootstrap(settings)),
        ("crawler.sources", lambda: chosen_sources(settings)),
        ("entities.companies", lambda: _register(settings)),
        ("entities.watch_lists", lambda: _watch_lists(settings)),
        *(("notifier.receivers", partial(_receiver, settings, one)) for one in settings.notifier.receivers),
        ("notifier.receivers", lambda: _names(settings)),
        ("notifier.heartbeat", lambda: _heartbeat(settings)),
        ("classifier", lambda: open_classifier(settings)),
        ("store.url", lambda: connect(settings.store_url).dispose()),
        ("dashboard", lambda: _dashboard(settings)),
    ]
    faults = []
    for field, check in checks:
        try:
            check()
        except MonitorError as error:
            faults += [f"{field}: {line}" for line in str(error).splitlines()]
    return faults


def _bootstrap(settings: Settings) -> None:
    for place in filter(None, settings.kafka.bootstrap.split(",")):
        host, _, port = place.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            msg = f"`bootstrap` must be host:port, several with commas between, was {settings.kafka.bootstrap!r}"
            raise InvalidConfiguration(msg)


def _register(settings: Settings) -> Register:
    return load_register(settings.entities.companies, replaces=not settings.entities.extend)


def _watch_lists(settings: Settings) -> None:
    """Check the watch lists against the register; a register that is wrong is told of by itself."""
    try:
        register = _register(settings)
    except MonitorError:
        return
    WatchLists(settings.entities.watch_lists, register, SystemClock().now())


def _receiver(settings: Settings, one: ReceiverSettings) -> None:
    """Open one receiver alone, so that each is told of."""
    alone = settings.notifier.model_copy(update={"receivers": (one,)})
    open_receivers(settings.model_copy(update={"notifier": alone}))


def _names(settings: Settings) -> None:
    names = [receiver.name for receiver in settings.notifier.receivers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"the name {twice[0]!r} stands there twice"
        raise InvalidConfiguration(msg)


def _heartbeat(settings: Settings) -> None:
    named = settings.notifier.heartbeat
    webhooks = [receiver.name for receiver in settings.notifier.receivers if receiver.kind == "webhook"]
    if named and named not in webhooks:
        msg = f"must name a webhook receiver, was {named!r}; there are {', '.join(webhooks) or 'none'}"
        raise InvalidConfiguration(msg)


def _dashboard(settings: Settings) -> None:
    chosen = settings.dashboard
    if not is_loopback_host(chosen.host) and not chosen.login_required:
        msg = f"`login_required` must be true to listen on {chosen.host}, which other machines may reach"
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
