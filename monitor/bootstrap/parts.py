"""Parts that several roles are built from."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from monitor.demo.feed import companies_path
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.runs import LIVE, Run
from monitor.notify.receivers import (
    ChatReceiver,
    ConsoleReceiver,
    EmailReceiver,
    Receiver,
    Security,
    WebhookReceiver,
)
from monitor.register.finder import CompanyFinder
from monitor.register.registry import Register, load_register, read_companies
from monitor.register.watchlists import WatchLists
from monitor.settings import ReceiverSettings, Settings, read_secret
from monitor.store.engine import open_engine
from monitor.store.runs import SqlRuns
from monitor.supervise.state import StateFolder
from streams.sources.configuration import Source, default_sources, load_sources

__all__ = [
    "Entities",
    "SystemClock",
    "bootstrap_servers",
    "chosen_sources",
    "entity_names",
    "find_run",
    "live_run",
    "open_entities",
    "open_entities_of",
    "open_receivers",
    "open_store",
    "state_folder",
    "stop_on_signals",
]


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entities:
    """The register and what is made of it."""

    register: Register
    finder: CompanyFinder
    watch_lists: WatchLists

    def name(self, entity: str) -> str:
        """Return the name of a company, or its id where the register does not know it."""
        company = self.register.find(entity)
        return company.name if company else entity


def state_folder(settings: Settings) -> StateFolder:
    """Return the state folder, made where it is missing."""
    return StateFolder(settings.state).create()


def open_store(settings: Settings) -> Engine:
    """Return the database, created or upgraded where needed."""
    if not settings.store.url:
        state_folder(settings)
    return open_engine(settings.store_url)


def open_entities(settings: Settings) -> Entities:
    """Return the register (shipped, and the user's own), the finder and the watch lists."""
    chosen = settings.entities
    register = load_register(chosen.companies, replaces=not chosen.extend)
    watch_lists = WatchLists(chosen.watch_lists, register, datetime.now(UTC))
    return Entities(register=register, finder=CompanyFinder(register.companies), watch_lists=watch_lists)


def open_entities_of(settings: Settings, run: Run) -> Entities:
    """Return the register of a run: a simulated one speaks of invented companies only."""
    if not run.simulated:
        return open_entities(settings)
    register = load_register(companies_path(), replaces=True)
    watch_lists = WatchLists(None, register, datetime.now(UTC))
    return Entities(register=register, finder=CompanyFinder(register.companies), watch_lists=watch_lists)


def entity_names(settings: Settings) -> Callable[[str], str]:
    """Return what names a company by its id: of the register, or of the invented companies of the demo feed."""
    real = open_entities(settings)
    invented = {company.id: company.name for company in read_companies(companies_path())}
    return lambda entity: invented.get(entity) or real.name(entity)


def chosen_sources(settings: Settings) -> list[Source]:
    """Return the operator's sources, or the shipped ones."""
    return load_sources(settings.crawler.sources) if settings.crawler.sources else default_sources()


def open_receivers(settings: Settings) -> tuple[Receiver, ...]:
    """Return the receivers as configured; raise InvalidConfiguration naming receiver and field."""
    return tuple(_receiver(chosen) for chosen in settings.notifier.receivers)


def _receiver(chosen: ReceiverSettings) -> Receiver:
    fields = dict(chosen.model_extra or {})
    for name in [name for name in fields if name.endswith("_file") and name != "ca_file"]:
        path = fields.pop(name)
        fields[name.removesuffix("_file")] = read_secret(str(path), f"notifier.receivers.{chosen.name}.{name}")
    if "security" in fields:
        fields["security"] = _security(chosen.name, fields["security"])
    for name in ("to", "urls"):
        if isinstance(fields.get(name), str):
            fields[name] = fields[name].split()
        if isinstance(fields.get(name), list):
            fields[name] = tuple(fields[name])
    kinds: dict[str, Callable[..., Receiver]] = {
        "email": EmailReceiver,
        "webhook": WebhookReceiver,
        "chat": ChatReceiver,
        "console": ConsoleReceiver,
    }
    try:
        return kinds[chosen.kind](name=chosen.name, **fields)
    except TypeError as error:
        reason = str(error).partition("() ")[2] or str(error)
        msg = f"`notifier.receivers` {chosen.name!r} of kind {chosen.kind}: {reason}"
        raise InvalidConfiguration(msg) from None


def _security(receiver: str, value: object) -> Security:
    try:
        return Security(str(value))
    except ValueError:
        msg = f"`notifier.receivers` {receiver!r}: `security` must be starttls, tls or none, was {value!r}"
        raise InvalidConfiguration(msg) from None


def live_run(settings: Settings) -> Run:
    """Return the run that crawls."""
    return Run(name=LIVE, title="Live", notifies=True, partitions=settings.kafka.partitions)


def find_run(engine: Engine, settings: Settings, name: str) -> Run:
    """Return a run of the store; live is made where it is missing. Raise InvalidConfiguration for another name."""
    runs = SqlRuns(engine)
    found = runs.find(name)
    if found is not None:
        return found
    if name == LIVE:
        runs.register(live_run(settings))
        return live_run(settings)
    known = ", ".join(run.name for run in runs.list()) or "none yet"
    msg = f"`run` {name!r} is unknown; known: {known}"
    raise InvalidConfiguration(msg)


def bootstrap_servers(settings: Settings) -> str:
    """Return where Kafka listens: the configured cluster, or the embedded broker of `bellwether up`."""
    return settings.kafka.bootstrap or f"127.0.0.1:{settings.kafka.port}"


def stop_on_signals() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
