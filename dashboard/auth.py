"""Who may look and who may act: login, sessions, and the checks that every request passes.

A session is a signed cookie with a name and a time; role and existence of the user are asked of the accounts with
every request, so that who was removed is out at once.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic, time
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, has_request_context, redirect, render_template, request, session
from flask.sessions import SecureCookieSessionInterface
from werkzeug.wrappers import Response as BaseResponse

from monitor.domain.errors import InvalidConfiguration, StoreUnavailable
from monitor.ports import Accounts

__all__ = ["Attempts", "Person", "guard_requests", "person"]

log = structlog.get_logger(__name__)

SESSION_S = 12 * 3600
"""A session ends so long after the login."""

OPEN_PATHS = ("/login", "/healthz", "/readyz", "/assets/", "/_favicon.ico")
"""What needs no login."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
ACTING_ROLES = frozenset({"analyst", "admin"})
LONGEST_FIELD = 200
"""Characters of a name or password beyond which nothing is verified: hashing is expensive on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks. Without login everybody is ``local`` and may do everything."""

    name: str = "local"
    role: str = "admin"
    logged_in: bool = False

    @property
    def may_act(self) -> bool:
        """Return whether this person may acknowledge and resolve."""
        return self.role in ACTING_ROLES


def person() -> Person:
    """Return who makes the present request."""
    found = g.get("person") if has_request_context() else None
    return found if isinstance(found, Person) else Person(name="", role="viewer")


class Attempts:
    """Counts failed logins in a sliding window; bounded in memory.

    Args:
        most: Failures of one key within `window_s` after which it must wait.
        now: Seconds, monotonic.
    """

    def __init__(
        self, most: int, window_s: float = 300.0, now: Callable[[], float] = monotonic, kept: int = 10_000
    ) -> None:
        self._most = most
        self._window_s = window_s
        self._now = now
        self._kept = kept
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def wait_s(self, key: str) -> float:
        """Return the seconds until `key` may try again; 0 if it may now."""
        with self._lock:
            times = self._failures.get(key)
            if not times:
                return 0.0
            self._forget(key, times)
            return max(0.0, times[0] + self._window_s - self._now()) if len(times) >= self._most else 0.0

    def failed(self, key: str) -> None:
        """Count a failure."""
        with self._lock:
            times = self._failures.setdefault(key, deque(maxlen=self._most))
            times.append(self._now())
            self._failures.move_to_end(key)
            while len(self._failures) > self._kept:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        with self._lock:
            self._failures.pop(key, None)

    def _forget(self, key: str, times: deque[float]) -> None:
        while times and times[0] + self._window_s <= self._now():
            times.popleft()
        if not times:
            self._failures.pop(key, None)


class _Sessions(SecureCookieSessionInterface):
    """Marks the cookie Secure whenever the request came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(request.is_secure)


def guard_requests(server: Flask, accounts: Accounts | None, secret: bytes, *, login_required: bool) -> None:
    """Put the checks of origin and login before every request of a server, and add login and logout.

    Raises:
        InvalidConfiguration: Login is required without accounts, or the secret is too short.
    """
    if login_required and accounts is None:
        msg = "`login_required` needs accounts: create a user first, or listen on 127.0.0.1 only"
        raise InvalidConfiguration(msg)
    if login_required and len(secret) < 16:
        msg = f"`secret` must have at least 16 bytes, had {len(secret)}: let the program make one"
        raise InvalidConfiguration(msg)
    server.secret_key = secret
    server.session_interface = _Sessions()
    server.config.update(
        SESSION_COOKIE_NAME="bellwether",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=4 * 1024 * 1024,
    )
    server.before_request(lambda: _refuse_strangers(login_required=login_required))
    if not login_required or accounts is None:
        server.before_request(_everybody)
        return
    known = accounts
    server.before_request(lambda: _let_in(known))
    _add_login(server, known)


def _refuse_strangers(*, login_required: bool) -> Response | None:
    """Refuse what another site sends (forged requests) or asks under another name (rebinding of names)."""
    if not login_required and (urlsplit(f"//{request.host}").hostname or "") not in LOOPBACK_HOSTS:
        return _refusal(421, "without a login this dashboard answers only as localhost or 127.0.0.1")
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return None
    site = request.headers.get("Sec-Fetch-Site", "")
    if site not in {"", "same-origin", "none"}:
        return _refusal(403, "the request came from another site")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
        return _refusal(403, "the request came from another site")
    if request.path not in {"/login", "/logout"} and not request.is_json:
        return _refusal(415, "the request must be JSON")
    return None


def _refusal(status: int, reason: str) -> Response:
    log.warning("request refused", status=status, reason=reason, path=request.path[:200])
    return Response(reason, status=status, mimetype="text/plain")


def _everybody() -> None:
    g.person = Person()


def _let_in(accounts: Accounts) -> BaseResponse | None:
    found = _session_person(accounts)
    if found is not None:
        g.person = found
        return None
    if request.path == "/login" or request.path.startswith(OPEN_PATHS[1:]):
        return None
    if request.method == "GET" and not request.path.startswith("/_"):
        return redirect(f"/login?next={_quoted(request.full_path.rstrip('?'))}")
    return Response("log in first", status=401, mimetype="text/plain")


def _session_person(accounts: Accounts) -> Person | None:
    """Return who the session names. While the accounts cannot be read, nobody has more than a viewer's rights."""
    name, since = session.get("name"), session.get("since")
    if not isinstance(name, str) or not isinstance(since, int) or not 0 <= time() - since < SESSION_S:
        return None
    try:
        user = accounts.find(name)
    except StoreUnavailable:
        return Person(name=name, role="viewer", logged_in=True)
    return Person(name=user.name, role=user.role, logged_in=True) if user else None


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="")


def own_path(path: str) -> str:
    """Return a path of this dashboard to go to after the login; the first page for anything else.

    >>> own_path("//evil.example/")
    '/'
    """
    ours = path.startswith("/") and not path.startswith(("//", "/\\", "/_", "/login", "/logout"))
    return path if ours and all(32 < ord(sign) < 127 and sign != "\\" for sign in path) else "/"


def _add_login(server: Flask, accounts: Accounts) -> None:
    by_both, by_address, by_name = Attempts(5), Attempts(30), Attempts(100)

    def page(next_: str, fault: str = "", status: int = 200) -> Response:
        return Response(render_template("login.html.j2", next=next_, fault=fault), status=status, mimetype="text/html")

    @server.get("/login")
    def login_form() -> Any:
        next_ = own_path(request.args.get("next", "/"))
        return redirect(next_) if g.get("person") else page(next_)

    @server.post("/login")
    def login() -> Any:
        name, password = request.form.get("name", "").strip(), request.form.get("password", "")
        next_ = own_path(request.form.get("next", "/"))
        address = request.remote_addr or "?"
        counters = ((by_both, f"{address}\0{name}"), (by_address, address), (by_name, name))
        wait_s = max(counter.wait_s(key) for counter, key in counters)
        if wait_s:
            return page(next_, f"Too many attempts. Try again in {int(wait_s // 60) + 1} min.", 429)
        try:
            fits = len(name) <= LONGEST_FIELD and len(password) <= LONGEST_FIELD
            user = accounts.verify(name, password) if fits else None
            if user is None:
                for counter, key in counters:
                    counter.failed(key)
                accounts.audit(name[:LONGEST_FIELD], "login failed", "", address)
                return page(next_, "Name or password is wrong.", 401)
            accounts.audit(user.name, "login", "", address)
        except StoreUnavailable:
            return page(next_, "The accounts cannot be read at the moment. Try again shortly.", 503)
        by_both.succeeded(counters[0][1])
        session.clear()
        session["name"] = user.name
        session["since"] = int(time())
        return redirect(next_)

    @server.post("/logout")
    def logout() -> Any:
        session.clear()
        return redirect("/login")
