"""Finding alerts, and one alert with all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, select

from monitor.domain.alerts import Alert, AlertState, Decision
from monitor.domain.timespans import from_minute, minute_of
from monitor.domain.views import AlertDetail, AlertFilter, AlertStep, AlertView, Delivery
from monitor.domain.wording import alert_title, probability_words, series_title
from monitor.store import schema
from monitor.store.columns import from_us
from monitor.store.document_views import documents_by_id
from monitor.store.rows import alert_of

__all__ = ["OPEN_STATES", "alert_detail", "find_alerts"]

OPEN_STATES = tuple(state.value for state in AlertState if state is not AlertState.RESOLVED)
"""States of alerts that still want attention or watching."""

_alert = schema.alerts.c


def find_alerts(
    connection: Connection, run: str, filter_: AlertFilter, limit: int, names: Callable[[str], str]
) -> tuple[AlertView, ...]:
    """Return what `filter_` leaves in: open ones first, then the newest."""
    settled = case((_alert.state == AlertState.RESOLVED.value, 1), else_=0)
    query = (
        select(_alert.body)
        .where(_alert.run == run, *_conditions(filter_))
        .order_by(settled, _alert.opened_min.desc(), _alert.id)
        .limit(limit)
    )
    return tuple(_view(alert_of(row.body), names) for row in connection.execute(query))


def alert_detail(connection: Connection, run: str, alert: str, names: Callable[[str], str]) -> AlertDetail | None:
    """Return an alert with its evidence, its life and who was told; None for an unknown one."""
    body = connection.execute(select(_alert.body).where(_alert.run == run, _alert.id == alert)).scalar()
    if body is None:
        return None
    found = alert_of(body)
    return AlertDetail(
        view=_view(found, names),
        against=documents_by_id(connection, run, found.against, names),
        in_favour=documents_by_id(connection, run, found.in_favour, names),
        steps=_steps(connection, run, alert),
        deliveries=_deliveries(connection, run, alert),
    )


def _steps(connection: Connection, run: str, alert: str) -> tuple[AlertStep, ...]:
    step = schema.alert_steps.c
    query = select(schema.alert_steps).where(step.run == run, step.alert == alert).order_by(step.revision)
    steps = [
        AlertStep(
            at=from_minute(row.at_min),
            decision=row.decision,
            severity=row.severity,
            actor=row.actor,
            note=row.note,
        )
        for row in connection.execute(query)
    ]
    return tuple(_folded(steps))


def _folded(steps: list[AlertStep]) -> Iterator[AlertStep]:
    """Yield steps in order, a row of "still firing" at one severity as its last with the number in the note."""
    for (decision, _), some in groupby(steps, key=lambda step: (step.decision, step.severity)):
        alike = list(some)
        if decision != Decision.STILL_FIRING or len(alike) == 1:
            yield from alike
        else:
            yield replace(alike[-1], note=f"in {len(alike)} windows since {alike[0].at:%Y-%m-%d %H:%M} UTC")


def _deliveries(connection: Connection, run: str, alert: str) -> tuple[Delivery, ...]:
    told = schema.deliveries.c
    query = select(schema.deliveries).where(told.run == run, told.alert == alert).order_by(told.id)
    return tuple(
        Delivery(
            at=from_us(row.at_us), receiver=row.receiver, outcome=row.outcome, reason=row.reason, attempt=row.attempt
        )
        for row in connection.execute(query)
    )


def _conditions(filter_: AlertFilter) -> list[ColumnElement[bool]]:
    chosen: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (_alert.state, filter_.states),
        (_alert.severity, filter_.severities),
        (_alert.family, filter_.families),
        (_alert.entity, filter_.entities),
        (_alert.series, (filter_.series,) if filter_.series else ()),
    )
    conditions: list[ColumnElement[bool]] = [column.in_(values) for column, values in chosen if values]
    if filter_.start is not None:
        conditions.append(_alert.opened_min >= minute_of(filter_.start))
    if filter_.end is not None:
        conditions.append(_alert.opened_min < minute_of(filter_.end))
    return conditions


def _view(alert: Alert, names: Callable[[str], str]) -> AlertView:
    return AlertView(
        alert=alert,
        title=alert_title(alert, names),
        series_title=series_title(alert.series, names),
        opened_at=from_minute(alert.opened_at),
        updated_at=from_minute(alert.updated_at),
        probability=probability_words(alert.surprise.once_in_days),
    )
