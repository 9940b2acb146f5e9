"""Commands of the operator: topics, dead letters, configuration, database, sources, companies, users, status."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from monitor.cli.options import ConfigOption, RunOption, StateOption
from monitor.domain.runs import LIVE
from monitor.settings import load_settings

__all__ = ["attach"]


NewPassword: TypeAlias = Annotated[
    str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="BELLWETHER_NEW_PASSWORD")
]


def attach(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(topics)
    app.command("check-config")(check_config)
    app.command()(status)
    for name, help_, commands in (
        ("dead-letters", "What could not be taken, with the reason.", (letters_list, letters_show, letters_redrive)),
        ("db", "The database.", (db_upgrade,)),
        ("sources", "What is crawled.", (sources_list, sources_test, sources_import)),
        ("entities", "Companies found in text.", (entities_test,)),
        (
            "users",
            "Who may log in to the dashboard.",
            (users_list, users_add, users_password, users_role, users_remove),
        ),
    ):
        group = typer.Typer(help=help_, no_args_is_help=True)
        for command in commands:
            group.command(command.__name__.rpartition("_")[2])(command)
        app.add_typer(group, name=name)


def topics(run: RunOption = LIVE, state: StateOption = None, config: ConfigOption = None) -> None:
    """Show the topics of a run: partitions, messages, lag of each stage.

    **Example:** bellwether topics --run demo
    """
    from monitor.bootstrap.operations import print_topics

    print_topics(load_settings(config, state=state), run)


def status(state: StateOption = None, config: ConfigOption = None) -> None:
    """Show what `bellwether up` runs, and how far each run has come.

    **Example:** bellwether status
    """
    from monitor.bootstrap.operations import print_status

    print_status(load_settings(config, state=state))


def check_config(
    file: Annotated[Path | None, typer.Argument(help="Your TOML file; default: bellwether.toml.")] = None,
) -> None:
    """Read the configuration and everything it names, and tell every fault by field. Changes nothing.

    **Example:** bellwether check-config bellwether.toml
    """
    from monitor.bootstrap.checking import faults_of

    faults = faults_of(file)
    for fault in faults:
        typer.secho(fault, fg="red", err=True)
    if not faults:
        typer.echo("the configuration is good")
    raise typer.Exit(2 if faults else 0)


def letters_list(run: RunOption = LIVE, state: StateOption = None, config: ConfigOption = None) -> None:
    """List dead letters: number, stage, reason, size, whether re-driven.

    **Example:** bellwether dead-letters list --run live
    """
    from monitor.bootstrap.operations import print_dead_letters

    print_dead_letters(load_settings(config, state=state), run)


def letters_show(letter: int, run: RunOption = LIVE, state: StateOption = None, config: ConfigOption = None) -> None:
    """Print the original bytes of a dead letter, as they came.

    **Example:** bellwether dead-letters show 3
    """
    from monitor.bootstrap.operations import write_dead_letter

    write_dead_letter(load_settings(config, state=state), run, letter)


def letters_redrive(
    letter: Annotated[list[int] | None, typer.Argument(help="Numbers from the list; none: all.")] = None,
    run: RunOption = LIVE,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Send dead letters to their topic again, each once.

    **Example:** bellwether dead-letters redrive 3 4
    """
    from monitor.bootstrap.operations import redrive_dead_letters

    redrive_dead_letters(load_settings(config, state=state), run, tuple(letter or ()))


def db_upgrade(state: StateOption = None, config: ConfigOption = None) -> None:
    """Create or upgrade the database to this release.

    **Example:** bellwether db upgrade
    """
    from monitor.bootstrap.parts import open_store

    settings = load_settings(config, state=state)
    open_store(settings).dispose()
    typer.echo("the database is up to date")


def sources_list(config: ConfigOption = None) -> None:
    """List the sources that the configuration names.

    **Example:** bellwether sources list
    """
    from monitor.bootstrap.checking import print_sources

    print_sources(load_settings(config))


def sources_test(url: str, config: ConfigOption = None) -> None:
    """Fetch one feed and show what is found, or why it is refused. Publishes nothing.

    **Example:** bellwether sources test https://www.federalreserve.gov/feeds/press_all.xml
    """
    from monitor.bootstrap.checking import test_source_address

    report = test_source_address(load_settings(config), url)
    typer.echo("\n".join(report.lines()))
    raise typer.Exit(0 if report.good else 1)


def sources_import(opml: Path) -> None:
    """Print the feeds of an OPML file as TOML, ready for your sources file.

    **Example:** bellwether sources import feeds.opml > sources.toml
    """
    from streams.sources.configuration import as_toml, import_opml

    typer.echo(as_toml(import_opml(opml)))


def entities_test(text: str, config: ConfigOption = None) -> None:
    """Show which companies are found in a text, and why others are not.

    **Example:** bellwether entities test "Barclays beats, $T falls"
    """
    from monitor.bootstrap.checking import print_entities

    print_entities(load_settings(config), text)


def users_list(state: StateOption = None, config: ConfigOption = None) -> None:
    """List who may log in.

    **Example:** bellwether users list
    """
    from monitor.bootstrap.operations import print_users

    print_users(load_settings(config, state=state))


def users_add(
    name: str,
    password: NewPassword,
    role: Annotated[str, typer.Option(help="viewer, analyst or admin.")] = "viewer",
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Add a person; the password is asked for, never given as an argument.

    **Example:** bellwether users add ada --role analyst
    """
    from monitor.bootstrap.operations import add_user

    add_user(load_settings(config, state=state), name, role, password)


def users_password(name: str, password: NewPassword, state: StateOption = None, config: ConfigOption = None) -> None:
    """Give a person another password; it is asked for, never given as an argument.

    **Example:** bellwether users password ada
    """
    from monitor.bootstrap.operations import change_password

    change_password(load_settings(config, state=state), name, password)


def users_role(
    name: str,
    role: Annotated[str, typer.Argument(help="viewer, analyst or admin.")],
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Give a person another role.

    **Example:** bellwether users role ada admin
    """
    from monitor.bootstrap.operations import change_role

    change_role(load_settings(config, state=state), name, role)


def users_remove(name: str, state: StateOption = None, config: ConfigOption = None) -> None:
    """Remove a person.

    **Example:** bellwether users remove ada
    """
    from monitor.bootstrap.operations import remove_user

    remove_user(load_settings(config, state=state), name)
