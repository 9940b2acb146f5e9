"""What frames every page: header, navigation, run and watch list, banners."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import ids, words
from dashboard.ask import Ask
from dashboard.auth import Person
from dashboard.desk import Desk
from dashboard.palette import THEME
from monitor.domain.errors import StoreUnavailable
from monitor.domain.runs import LIVE
from monitor.domain.views import RunView

__all__ = ["NAVIGATION", "layout", "register"]

NAVIGATION = (
    ("/", "Overview"),
    ("/series", "Series"),
    ("/alerts", "Alerts"),
    ("/documents", "Documents"),
    ("/sources", "Sources"),
)
"""Pages of the navigation: path and title."""

STALE_AFTER = timedelta(minutes=10)
"""A live run that has judged nothing for so long is said to stand still: ticks come every ten seconds."""

SIMULATED = "Simulated: the documents of this run are invented"


def layout(person: Person, refresh_s: float) -> Component:
    """Return what is on the screen before anything is read."""
    return dmc.MantineProvider(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Store(id=ids.ASK),
            dcc.Interval(id=ids.TICK, interval=int(refresh_s * 1000)),
            html.A("Skip to content", href="#main", className="bw-skip"),
            _header(person),
            html.Div(
                "No connection to the dashboard. What is shown may be out of date; it is asked for again by itself.",
                className="bw-lost-banner",
                role="alert",
            ),
            html.Div(id=ids.BANNERS, role="status"),
            html.Main(id=ids.PAGE, className="bw-main", **{"tabIndex": "-1"}),
            html.Nav(_links("bottom"), className="bw-bottom", **{"aria-label": "Pages"}),
        ],
        theme=THEME,
        defaultColorScheme="auto",
    )


def _links(where: str) -> list[Component]:
    return [
        dcc.Link(
            [html.Span(className=f"bw-icon bw-icon-{title.lower()}", **{"aria-hidden": "true"}), html.Span(title)],
            id=ids.nav_id(path, where),
            href=path,
            className="bw-nav",
        )
        for path, title in NAVIGATION
    ]


def _header(person: Person) -> Component:
    return html.Header(
        [
            dcc.Link(
                [html.Span(className="bw-mark", **{"aria-hidden": "true"}), "Bellwether"],
                href="/",
                className="bw-brand",
            ),
            html.Nav(_links("top"), className="bw-top", **{"aria-label": "Pages"}),
            html.Div(
                [
                    html.Div(id=ids.RUN_LINE, className="bw-runline"),
                    dmc.Select(
                        id=ids.filter_id("run"),
                        value="",
                        data=[],
                        size="xs",
                        allowDeselect=False,
                        className="bw-run",
                        **{"aria-label": "Run"},
                    ),
                    dmc.Select(
                        id=ids.filter_id("watch"),
                        value="",
                        data=[{"value": "", "label": "All companies"}],
                        size="xs",
                        allowDeselect=False,
                        className="bw-watch",
                        **{"aria-label": "Watch list"},
                    ),
                ],
                className="bw-tools",
            ),
            html.Div(
                [
                    dmc.ColorSchemeToggle(
                        id=ids.SCHEME,
                        lightIcon=html.Span("\u2600", **{"aria-hidden": "true"}),
                        darkIcon=html.Span("\u263e", **{"aria-hidden": "true"}),
                        variant="subtle",
                        color="gray",
                        size="md",
                        **{"aria-label": "Light or dark"},
                    ),
                    _who(person),
                ],
                className="bw-who",
            ),
        ],
        className="bw-header",
    )


def _who(person: Person) -> Component | None:
    """Return who is logged in and the way out; a dashboard without login shows nothing here."""
    if not person.logged_in:
        return None
    return html.Form(
        [
            html.Span([person.name, html.Small(person.role)], className="bw-person"),
            html.Button("Log out", type="submit", className="bw-logout"),
        ],
        action="/logout",
        method="POST",
    )


def register(app: Dash, desk: Desk) -> None:
    """Register what the frame does."""
    space = "bellwether"
    every: dict[str, Any] = {"type": "filter", "name": ALL, "default": ALL, "of": ALL}
    links: dict[str, Any] = {"type": "nav", "path": ALL, "where": ALL}
    app.clientside_callback(
        ClientsideFunction(space, "ask"),
        Output(ids.ASK, "data"),
        Input(ids.TICK, "n_intervals"),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
        Input(ids.SCHEME, "computedColorScheme"),
    )
    app.clientside_callback(
        ClientsideFunction(space, "write"),
        Output(ids.URL, "search"),
        Input(every, "value"),
        State(every, "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction(space, "read"), Input(ids.URL, "search"), State(every, "value"), State(every, "id")
    )
    app.clientside_callback(
        ClientsideFunction(space, "nav"),
        Output(links, "href"),
        Output(links, "className"),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
        State(links, "id"),
    )

    @app.callback(
        Output(ids.filter_id("run"), "data"),
        Output(ids.filter_id("run"), "placeholder"),
        Output(ids.filter_id("watch"), "data"),
        Output(ids.RUN_LINE, "children"),
        Output(ids.BANNERS, "children"),
        Input(ids.ASK, "data"),
        prevent_initial_call=True,
    )
    def frame(asked: dict[str, Any] | None) -> list[Any]:
        ask = Ask.of(asked)
        try:
            run, runs, conditions = desk.run(ask), desk.runs(), desk.conditions()
        except StoreUnavailable:
            return [no_update] * 5
        banners = [*_run_banners(run, runs, desk), *_conditions(conditions)]
        return [_run_choices(runs), run.title or "no run", _watch_choices(desk), _run_line(run), banners]


def _run_choices(runs: tuple[RunView, ...]) -> list[dict[str, str]]:
    return [
        {"value": run.name, "label": words.clip(run.title or run.name, 40) + (" (simulated)" if run.simulated else "")}
        for run in runs
    ]


def _watch_choices(desk: Desk) -> list[dict[str, str]]:
    lists = desk.watch_lists().items()
    named = [{"value": name, "label": f"{name[:1].upper()}{name[1:]} ({len(ids_)})"} for name, ids_ in lists]
    return [{"value": "", "label": "All companies"}, *named]


def _run_line(run: RunView) -> list[Component]:
    """Return the run's own time, and whether it is simulated: said on every page."""
    at = f"{words.day_time(run.as_of)} UTC" if run.as_of else ""
    as_of = [html.Span("as of ", className="bw-dim"), html.Span(at)]
    badge = dmc.Badge("Simulated", color="grape.8", variant="filled", size="sm", radius="sm")
    told = html.Span(
        as_of if at else html.Span("nothing judged yet", className="bw-dim"),
        className="bw-asof",
        title="The time up to which this run has judged. All times are UTC.",
    )
    return [*([badge] if run.simulated else []), told]


def _run_banners(run: RunView, runs: tuple[RunView, ...], desk: Desk) -> list[Component]:
    if run.name and not any(known.name == run.name for known in runs):
        return [
            _banner(
                "bad", f"There is no run named \u201c{words.clip(run.name, 60)}\u201d. Choose another in the header."
            )
        ]
    if run.simulated:
        return [_banner("simulated", f"{SIMULATED}.")]
    if run.name == LIVE and run.as_of is not None and desk.clock() - run.as_of > STALE_AFTER:
        still = (
            f"The live run stands still since {words.day_time(run.as_of)} UTC ({words.ago(run.as_of, desk.clock())})."
        )
        return [_banner("bad", f"{still} What is shown is not the present.")]
    return []


def _conditions(conditions: tuple[Any, ...]) -> list[Component]:
    return [_banner("bad", f"{one.name}: {one.words}") for one in conditions if not one.well]


def _banner(kind: str, text: str) -> Component:
    return html.Div(text, className=f"bw-banner bw-banner-{kind}")
