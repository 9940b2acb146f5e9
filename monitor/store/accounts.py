"""Who may log in, and what was done."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, Engine, delete, select, update

from monitor.domain.errors import InvalidConfiguration
from monitor.domain.views import UserView
from monitor.ports import Clock
from monitor.store import schema
from monitor.store.columns import from_us, to_us
from monitor.store.engine import reading, writing
from monitor.store.wallclock import WallClock

__all__ = ["MIN_PASSWORD", "ROLES", "AuditEntry", "SqlAccounts"]

ROLES = ("viewer", "analyst", "admin")
"""What a person may be, each including the one before."""

MIN_PASSWORD = 10
"""Characters a password must have."""

_MAX_PASSWORD = 1_024
"""Longer ones are refused, so that nobody makes us hash megabytes."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_SHELL = "command line"


class AuditEntry(NamedTuple):
    """One line of the audit log."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


class SqlAccounts:
    """The `Accounts` in the store. Names are lower-case; passwords are kept as Argon2id hashes only.

    Args:
        engine: From `open_engine`.
        clock: Stamps users and the audit log.
        hasher: Cost of a password; the library's default (RFC 9106, low memory) unless given.
    """

    def __init__(self, engine: Engine, clock: Clock | None = None, hasher: PasswordHasher | None = None) -> None:
        self._engine = engine
        self._clock = clock or WallClock()
        self._hasher = hasher or PasswordHasher()
        self._decoy: str | None = None

    def verify(self, name: str, password: str) -> UserView | None:
        """Return the user if the password is right; takes as long for an unknown name."""
        if len(password) > _MAX_PASSWORD:
            return None
        row = self._row(name)
        hashed = self._nobody() if row is None else row.password_hash
        try:
            self._hasher.verify(hashed, password.encode("utf-8", "surrogatepass"))
        except (Argon2Error, InvalidHashError):
            return None
        if row is None:
            return None
        if self._hasher.check_needs_rehash(hashed):
            self._change(row.name, password_hash=self._hash(password))
        return _user_of(row)

    def find(self, name: str) -> UserView | None:
        """Return a user, or None."""
        row = self._row(name)
        return None if row is None else _user_of(row)

    def list(self) -> tuple[UserView, ...]:
        """Return all users by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(schema.users).order_by(schema.users.c.name)).all()
        return tuple(_user_of(row) for row in rows)

    def create(self, name: str, role: str, password: str, *, actor: str = _SHELL) -> UserView:
        """Add a user.

        Raises:
            InvalidConfiguration: The name is taken or malformed, the role unknown, or the password too short.
        """
        name, now = _folded(name), self._clock.now()
        if not _NAME.fullmatch(name):
            msg = f"`name` must be up to 64 letters, digits and any of . _ @ + -, was {name!r}"
            raise InvalidConfiguration(msg)
        row = {
            "name": name,
            "role": _checked_role(role),
            "password_hash": self._hash(_checked_password(password)),
            "created_us": to_us(now),
        }
        with writing(self._engine) as connection:
            if connection.execute(select(schema.users.c.name).where(schema.users.c.name == name)).first():
                msg = f"`name` {name} is taken; set a new password or role for it, or remove it first"
                raise InvalidConfiguration(msg)
            connection.execute(schema.users.insert(), row)
            self._log(connection, actor, "user created", name, role)
        return UserView(name=name, role=role, created_at=now)

    def remove(self, name: str, *, actor: str = _SHELL) -> None:
        """Remove a user.

        Raises:
            InvalidConfiguration: There is no such user.
        """
        name = _folded(name)
        with writing(self._engine) as connection:
            gone = connection.execute(delete(schema.users).where(schema.users.c.name == name)).rowcount
            _must_exist(name, gone)
            self._log(connection, actor, "user removed", name, "")

    def set_role(self, name: str, role: str, *, actor: str = _SHELL) -> None:
        """Give a user another role.

        Raises:
            InvalidConfiguration: There is no such user or role.
        """
        self._change(name, role=_checked_role(role), logged=(actor, "role set", role))

    def set_password(self, name: str, password: str, *, actor: str = _SHELL) -> None:
        """Give a user another password.

        Raises:
            InvalidConfiguration: There is no such user, or the password is too short.
        """
        hashed = self._hash(_checked_password(password))
        self._change(name, password_hash=hashed, logged=(actor, "password set", ""))

    def audit(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Append to the audit log."""
        with writing(self._engine) as connection:
            self._log(connection, actor, action, subject, detail)

    def audited(self, limit: int = 200) -> tuple[AuditEntry, ...]:
        """Return the last lines of the audit log, newest first."""
        query = select(schema.audit_log).order_by(schema.audit_log.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return tuple(
                AuditEntry(from_us(row.at_us), row.actor, row.action, row.subject, row.detail)
                for row in connection.execute(query)
            )

    def _row(self, name: str) -> Any:
        query = select(schema.users).where(schema.users.c.name == _folded(name))
        with reading(self._engine) as connection:
            return connection.execute(query).one_or_none()

    def _nobody(self) -> str:
        if self._decoy is None:
            self._decoy = self._hash("nobody has this password")
        return self._decoy

    def _hash(self, password: str) -> str:
        return self._hasher.hash(password.encode("utf-8", "surrogatepass"))

    def _change(self, name: str, *, logged: tuple[str, str, str] | None = None, **values: str) -> None:
        name = _folded(name)
        with writing(self._engine) as connection:
            changed = connection.execute(update(schema.users).where(schema.users.c.name == name).values(values))
            _must_exist(name, changed.rowcount)
            if logged is not None:
                actor, action, detail = logged
                self._log(connection, actor, action, name, detail)

    def _log(self, connection: Connection, actor: str, action: str, subject: str, detail: str) -> None:
        values = {"actor": actor, "action": action, "subject": subject, "detail": detail}
        connection.execute(schema.audit_log.insert(), values | {"at_us": to_us(self._clock.now())})


def _folded(name: str) -> str:
    return name.strip().casefold()


def _user_of(row: Any) -> UserView:
    return UserView(name=row.name, role=row.role, created_at=from_us(row.created_us))


def _checked_role(role: str) -> str:
    if role not in ROLES:
        msg = f"`role` must be one of {', '.join(ROLES)}, was {role!r}"
        raise InvalidConfiguration(msg)
    return role


def _checked_password(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= _MAX_PASSWORD:
        msg = f"`password` must have {MIN_PASSWORD} to {_MAX_PASSWORD} characters, had {len(password)}"
        raise InvalidConfiguration(msg)
    return password


def _must_exist(name: str, rows: int) -> None:
    if rows == 0:
        msg = f"there is no user {name!r}; see the list of users"
        raise InvalidConfiguration(msg)
