"""Commands that run: up, crawl, work, notify, serve."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, RunOption, StateOption
from monitor.domain.runs import LIVE
from monitor.settings import load_settings

__all__ = ["attach"]


def attach(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(up)
    app.command()(crawl)
    app.command()(work)
    app.command()(serve)
    notify_app = typer.Typer(invoke_without_command=True)
    notify_app.callback()(notify)
    notify_app.command("test")(notify_test)
    app.add_typer(notify_app, name="notify")


def up(
    feed: Annotated[
        str, typer.Option(help="demo: an invented feed beside the live run; none: only crawl; or a file to replay.")
    ] = "demo",
    speed: Annotated[str, typer.Option(help="Of a replayed file: 1, 60, 3600 or max.")] = "3600",
    crawl: Annotated[bool, typer.Option(help="Crawl the sources into the live run.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every line of every process.")] = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Run everything on this machine: Kafka, crawler, workers, notifier, dashboard. Ctrl-C stops it all.

    **Examples**

        bellwether up

        bellwether up --feed history.csv.gz --speed max

        bellwether up --feed none --config bellwether.toml
    """
    from monitor.bootstrap.up import run_up

    settings = load_settings(config, state=state)
    raise typer.Exit(run_up(settings, feed=feed, speed=speed, crawls=crawl, verbose=verbose, config=config))


def crawl(state: StateOption = None, config: ConfigOption = None) -> None:
    """Crawl the sources into the live run's documents, until stopped.

    **Example:** bellwether crawl --config bellwether.toml
    """
    from monitor.bootstrap.parts import stop_on_signals
    from monitor.bootstrap.roles import crawl as crawl_role

    crawl_role(load_settings(config, state=state), stop_on_signals())


def work(
    run: RunOption = LIVE,
    stage: Annotated[
        list[str] | None, typer.Option(help="Only these stages: classify, pane, window, judge, sink. Default: all.")
    ] = None,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Run the Faust worker of a run: classify, sum, judge and store, until stopped.

    **Example:** bellwether work --run live --stage classify
    """
    from monitor.bootstrap.work import work as work_role

    raise typer.Exit(work_role(load_settings(config, state=state), run, tuple(stage or ())))


def notify(context: typer.Context, state: StateOption = None, config: ConfigOption = None) -> None:
    """Tell the receivers what the outbox holds, until stopped.

    **Examples**

        bellwether notify

        bellwether notify test desk-mail
    """
    if context.invoked_subcommand is not None:
        return
    from monitor.bootstrap.parts import stop_on_signals
    from monitor.bootstrap.roles import notify as notify_role

    notify_role(load_settings(config, state=state), stop_on_signals())


def notify_test(receiver: str, config: ConfigOption = None) -> None:
    """Send a clearly marked test message to one receiver.

    **Example:** bellwether notify test desk-mail
    """
    from monitor.bootstrap.checking import test_receiver_named

    report = test_receiver_named(load_settings(config), receiver)
    typer.echo(report.text)
    raise typer.Exit(0 if report.ok else 1)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback a login is required.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    run: Annotated[str | None, typer.Option(help="Run shown first.")] = None,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Serve the dashboard, until stopped.

    **Example:** bellwether serve --port 8050
    """
    from monitor.bootstrap.roles import serve_dashboard

    settings = load_settings(config, state=state)
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update={"dashboard": settings.dashboard.model_copy(update=changes)})
    serve_dashboard(settings, run)
