"""Commands about history: replay, runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, StateOption
from monitor.settings import load_settings

__all__ = ["attach"]


def attach(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(replay)
    runs = typer.Typer(help="Runs in the store: list, compare, delete.", no_args_is_help=True)
    runs.command("list")(list_runs)
    runs.command("compare")(compare)
    runs.command("delete")(delete)
    app.add_typer(runs, name="runs")


def replay(
    files: Annotated[list[Path] | None, typer.Argument(help="CSV, JSON Lines or Parquet, also .gz.")] = None,
    run: Annotated[str, typer.Option("--run", help="Name of the run; made where it is new.")] = "replay",
    speed: Annotated[str, typer.Option(help="1 is real time, 60 an hour a minute, max as fast as it goes.")] = "max",
    start: Annotated[datetime | None, typer.Option("--from", help="First instant, UTC.")] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="First instant left out, UTC.")] = None,
    in_process: Annotated[bool, typer.Option("--in-process", help="Without Kafka: same windows, same alerts.")] = False,
    classified_of: Annotated[
        str | None, typer.Option(help="With --in-process: take the classified log of this run instead of files.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML file that maps columns; see docs/replay.md.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="field=column, e.g. --column title=headline; repeat for more.")
    ] = None,
    constant: Annotated[list[str] | None, typer.Option(help="field=value for every row, e.g. source=reuters.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone of times that carry none, e.g. Europe/London.")] = None,
    title: Annotated[str, typer.Option(help="What the run chooser shows.")] = "",
    simulated: Annotated[bool, typer.Option(help="Mark the run: its documents are invented.")] = False,
    notifies: Annotated[bool, typer.Option(help="Send the alerts of this run to the receivers.")] = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Send history through the pipeline as a run of its own, with its own times and ticks.

    Through Kafka it needs a worker of the same run: bellwether work --run NAME (`bellwether up` starts one).

    **Examples**

        bellwether replay 2014.csv.gz --run y2014 --column published_at=ts_utc --constant source=wire

        bellwether replay news.csv comments.jsonl --in-process --from 2014-10-01 --to 2014-11-01

        bellwether replay --in-process --classified-of y2014 --run check
    """
    from monitor.bootstrap.history import ReplayRequest, run_replay

    settings = load_settings(config, state=state)
    request = ReplayRequest(
        files=tuple(files or ()),
        run=run,
        title=title,
        speed=speed,
        start=start,
        end=end,
        in_process=in_process,
        classified_of=classified_of,
        mapping=mapping,
        columns=tuple(column or ()),
        constants=tuple(constant or ()),
        zone=zone,
        simulated=simulated,
        notifies=notifies,
    )
    raise typer.Exit(run_replay(settings, request))


def list_runs(state: StateOption = None, config: ConfigOption = None) -> None:
    """List the runs in the store.

    **Example:** bellwether runs list
    """
    from monitor.bootstrap.history import print_runs

    print_runs(load_settings(config, state=state))


def compare(first: str, second: str, state: StateOption = None, config: ConfigOption = None) -> None:
    """Compare the closed windows and the alerts of two runs; exit code 1 where they differ.

    **Example:** bellwether runs compare y2014 check
    """
    from monitor.bootstrap.history import print_comparison

    raise typer.Exit(print_comparison(load_settings(config, state=state), first, second))


def delete(run: str, state: StateOption = None, config: ConfigOption = None) -> None:
    """Delete a run: its rows in the store, and its topics where Kafka answers.

    **Example:** bellwether runs delete check
    """
    from monitor.bootstrap.history import delete_run

    delete_run(load_settings(config, state=state), run)
