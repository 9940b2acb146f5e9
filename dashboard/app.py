"""The dashboard as one Dash application, and how it is served."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import structlog
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component
from flask import Response

from dashboard import ids, shell
from dashboard.ask import Ask
from dashboard.auth import guard_requests, person
from dashboard.desk import Condition, Desk, Recorder
from dashboard.pages import alert, alerts, documents, overview, series, sources
from dashboard.security import guard_answers
from dashboard.squeeze import squeeze_answers
from monitor.domain.errors import InvalidConfiguration, StoreUnavailable
from monitor.ports import Accounts, FeedbackSender, ViewReader

__all__ = ["create_app", "serve"]

log = structlog.get_logger(__name__)

_PAGES: tuple[ModuleType, ...] = (overview, series, alerts, documents, sources)

_INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <title>{%title%}</title>
    <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%230f172a'/%3E%3Cpath d='M2 10l3-4 3 3 5-6' fill='none' stroke='%23f2853d' stroke-width='2'/%3E%3C/svg%3E">
    {%css%}
  </head>
  <body>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>
"""  # noqa: E501 - the icon is one address, which cannot be broken


def create_app(
    reader: ViewReader,
    feedback: FeedbackSender,
    accounts: Accounts | None,
    *,
    watch_lists: Callable[[], dict[str, tuple[str, ...]]],
    secret: bytes,
    status: Callable[[], Sequence[Condition]] | None = None,
    login_required: bool,
    default_run: str | None = None,
    refresh_s: float = 5,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Dash:
    """Build the dashboard; nothing listens yet.

    Args:
        accounts: Who may log in, and the audit log; None only without login.
        watch_lists: Companies by the name of their list; asked often, so that a changed file shows.
        secret: Signs sessions; the same in every process that serves the dashboard.
        status: How the parts of the monitor do; what is not well is said on every page.
        default_run: The run that is shown where the address names none; else the first.
        refresh_s: Seconds between two refreshes of an open page.

    Raises:
        InvalidConfiguration: Login is required without accounts, or `refresh_s` or `secret` is unfit.
    """
    if not 1 <= refresh_s <= 3600:
        msg = f"`refresh_s` must be from 1 to 3600 seconds, was {refresh_s}"
        raise InvalidConfiguration(msg)
    desk = Desk(reader, feedback, watch_lists, default_run, clock, status)
    app = Dash(
        "dashboard.app",
        title="Bellwether",
        update_title="",
        index_string=_INDEX,
        serve_locally=True,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        enable_mcp=False,
        on_error=_failed,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = lambda: shell.layout(person(), refresh_s)
    _register(app, desk, _recorder(accounts))
    server = app.server
    server.config["LOGIN_REQUIRED"] = login_required
    guard_requests(server, accounts, secret, login_required=login_required)
    squeeze_answers(server)
    guard_answers(server, app.csp_hashes())
    _add_health(server, desk)
    return app


def _recorder(accounts: Accounts | None) -> Recorder:
    def record(actor: str, action: str, subject: str, detail: str) -> None:
        if accounts is not None:
            accounts.audit(actor, action, subject, detail)

    return record


def _register(app: Dash, desk: Desk, recorder: Recorder) -> None:
    shell.register(app, desk)
    for page in _PAGES:
        page.register(app, desk)
    alert.register(app, desk, recorder)

    @app.callback(Output(ids.PAGE, "children"), Input(ids.URL, "pathname"), State(ids.URL, "search"))
    def show(path: str | None, search: str | None) -> Component:
        return _page(path or "/")(Ask.of({"path": path, "search": search}))


def _page(path: str) -> Callable[[Ask], Component]:
    """Return the layout of the page at a path."""
    if path.startswith(alert.PATH) and path != alert.PATH:
        return alert.layout
    bare = path.rstrip("/") or "/"
    for page in _PAGES:
        if bare == page.PATH:
            layout: Callable[[Ask], Component] = page.layout
            return layout
    return lambda ask: html.Div([html.H1("No such page"), html.P("Choose one above.")], className="bw-page")


def _failed(error: Exception) -> None:
    """Log what no callback expected; the page keeps what it shows, and asks again with the next tick."""
    log.error("callback failed", error=repr(error), exc_info=error)


def _add_health(server: Any, desk: Desk) -> None:
    @server.get("/healthz")
    def healthz() -> Response:
        return Response("alive\n", mimetype="text/plain")

    @server.get("/readyz")
    def readyz() -> Response:
        try:
            desk.reader.runs()
        except StoreUnavailable:
            return Response("the store does not answer\n", status=503, mimetype="text/plain")
        return Response("ready\n", mimetype="text/plain")


def serve(app: Dash, host: str, port: int, threads: int = 8, trusted_proxy: str = "") -> None:
    """Listen until the process is told to stop.

    Args:
        trusted_proxy: Address of a reverse proxy whose X-Forwarded-Proto, -Host and -For are believed.

    Raises:
        InvalidConfiguration: It would listen beyond this machine without a login.
    """
    from waitress import serve as listen

    refuse_open_door(app, host)
    headers = {"x-forwarded-proto", "x-forwarded-host", "x-forwarded-for"}
    proxy: dict[str, Any] = (
        {"trusted_proxy": trusted_proxy, "trusted_proxy_count": 1, "trusted_proxy_headers": headers}
        if trusted_proxy
        else {}
    )
    log.info("dashboard listens", host=host, port=port)
    listen(
        app.server,
        host=host,
        port=port,
        threads=threads,
        ident="bellwether",
        clear_untrusted_proxy_headers=True,
        **proxy,
    )


def refuse_open_door(app: Dash, host: str) -> None:
    """Refuse to listen where others can reach it without a login."""
    if app.server.config["LOGIN_REQUIRED"] or _is_loopback(host):
        return
    msg = (
        f"`host` {host!r} can be reached from other machines, and `login_required` is off: "
        "turn the login on and create a user, or listen on 127.0.0.1"
    )
    raise InvalidConfiguration(msg)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
