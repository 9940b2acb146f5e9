"""What an operator looks at and mends while it runs."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from monitor.bootstrap.parts import bootstrap_servers, find_run, open_store, state_folder
from monitor.domain.errors import InvalidConfiguration, MonitorError
from monitor.domain.timespans import utc_text
from monitor.settings import Settings
from monitor.store.accounts import SqlAccounts
from monitor.store.views import SqlViewReader
from monitor.supervise.children import read_children
from monitor.supervise.state import supervisor_pid
from streams.admin import describe_topics
from streams.deadletters import read_dead_letters, redrive

__all__ = [
    "add_user",
    "change_password",
    "change_role",
    "print_dead_letters",
    "print_status",
    "print_topics",
    "print_users",
    "redrive_dead_letters",
    "remove_user",
    "write_dead_letter",
]


def print_topics(settings: Settings, run_name: str) -> None:
    """Print the topics of a run with the lag of each stage that reads them."""
    run = find_run(open_store(settings), settings, run_name)
    table = Table("topic", "partitions", "messages", "lag", "holds")
    for row in describe_topics(bootstrap_servers(settings), run, settings.kafka.prefix):
        lag = ", ".join(f"{stage} {number:,}" for stage, number in row.lag.items())
        table.add_row(row.name, str(row.partitions), f"{row.messages:,}", lag, row.holds)
    Console().print(table)


def print_status(settings: Settings) -> None:
    """Print the processes of `bellwether up`, the runs, and their lag."""
    console, folder = Console(), state_folder(settings)
    pid = supervisor_pid(folder)
    console.print(f"supervisor runs as process {pid}" if pid else f"nothing runs in {folder.root}")
    processes = Table("process", "state", "pid", "restarts", "since", "last reason")
    for child in read_children(folder.children) if folder.children.exists() else ():
        shown = (child.name, child.state, str(child.pid or ""), str(child.restarts), utc_text(child.since))
        processes.add_row(*shown, child.last_reason or "")
    if processes.row_count:
        console.print(processes)
    engine = open_store(settings)
    runs = Table("run", "documents", "as of", "lag (messages)")
    for view in SqlViewReader(engine, str).runs():
        try:
            found = describe_topics(
                bootstrap_servers(settings), find_run(engine, settings, view.name), settings.kafka.prefix
            )
            lag = f"{sum(sum(row.lag.values()) for row in found):,}"
        except MonitorError:
            lag = "Kafka does not answer"
        runs.add_row(view.name, f"{view.documents:,}", utc_text(view.as_of) if view.as_of else "no data", lag)
    console.print(runs)


def print_dead_letters(settings: Settings, run: str) -> None:
    """Print the dead letters of a run."""
    letters = read_dead_letters(bootstrap_servers(settings), run, settings.kafka.prefix)
    table = Table("number", "at", "stage", "from", "bytes", "re-driven", "reason")
    for letter in letters:
        place = f"{letter.topic}/{letter.partition}/{letter.offset}"
        again = "yes" if letter.redriven else ""
        size = f"{len(letter.original):,}"
        table.add_row(str(letter.number), utc_text(letter.at), letter.stage, place, size, again, letter.reason)
    Console().print(table if letters else f"run {run} has no dead letters")


def write_dead_letter(settings: Settings, run: str, number: int) -> None:
    """Write the original bytes of a dead letter to standard output."""
    for letter in read_dead_letters(bootstrap_servers(settings), run, settings.kafka.prefix):
        if letter.number == number:
            sys.stdout.buffer.write(letter.original)
            return
    msg = f"`LETTER` {number} is no dead letter of run {run!r}; bellwether dead-letters list shows them"
    raise InvalidConfiguration(msg)


def redrive_dead_letters(settings: Settings, run: str, numbers: tuple[int, ...]) -> None:
    """Send dead letters again and say how many."""
    sent = redrive(bootstrap_servers(settings), run, settings.kafka.prefix, numbers)
    Console().print(f"{len(sent)} dead letters sent again")


def print_users(settings: Settings) -> None:
    """Print who may log in."""
    table = Table("name", "role", "since")
    for user in SqlAccounts(open_store(settings)).list():
        table.add_row(user.name, user.role, utc_text(user.created_at))
    Console().print(table if table.row_count else "nobody yet: bellwether users add NAME --role admin")


def add_user(settings: Settings, name: str, role: str, password: str) -> None:
    """Add a person who may log in."""
    user = SqlAccounts(open_store(settings)).create(name, role, password)
    Console().print(f"{user.name} may log in as {user.role}")


def change_password(settings: Settings, name: str, password: str) -> None:
    """Give a person another password."""
    SqlAccounts(open_store(settings)).set_password(name, password)
    Console().print(f"{name} has a new password")


def change_role(settings: Settings, name: str, role: str) -> None:
    """Give a person another role."""
    SqlAccounts(open_store(settings)).set_role(name, role)
    Console().print(f"{name} is {role} now")


def remove_user(settings: Settings, name: str) -> None:
    """Remove a person."""
    SqlAccounts(open_store(settings)).remove(name)
    Console().print(f"{name} may not log in any more")
