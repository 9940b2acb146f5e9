"""What to write after a time without a crawler: what was found, in order of event time, with ticks between.

Pure. A minute is covered if at least half of the sources that were well before the gap reach back to it; the minutes
before that are marked on the ticks that end them, and are neither judged nor learned from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from monitor.domain.documents import Document, Entry, Tick

__all__ = ["COVERAGE", "entries_in_order", "uncovered_until"]

COVERAGE = 0.5
"""Share of the sources that must reach back to a minute for it to count as covered."""
MINUTE = timedelta(minutes=1)


def uncovered_until(reaches: Iterable[datetime | None], expected: int, gap_from: datetime, now: datetime) -> datetime:
    """Return where the minutes that too few sources cover end; `gap_from` if there are none.

    Args:
        reaches: How far back each answer goes without a hole; None for an answer that says nothing.
        expected: How many sources were well before the gap.
    """
    needed = math.ceil(expected * COVERAGE)
    known = sorted(reach for reach in reaches if reach is not None)
    if expected == 0 or len(known) < needed:
        return now
    reach = known[needed - 1]
    if reach <= gap_from:
        return gap_from
    return min(_minute_end(reach - timedelta(microseconds=1)), now)


def entries_in_order(
    documents: Sequence[Document], gap_from: datetime, uncovered: datetime, now: datetime
) -> list[Entry]:
    """Return documents in order of event time, a tick at the end of each minute that has any, and one at `now`.

    Args:
        documents: In order of event time.
        uncovered: Nobody covered [`gap_from`, `uncovered`).
    """
    ticks = {min(_minute_end(document.event_at), now) for document in documents} | {uncovered, now}
    due = sorted(tick for tick in ticks if tick > gap_from)
    entries: list[Entry] = []
    position, last = 0, gap_from
    for at in due:
        while position < len(documents) and documents[position].event_at < at:
            entries.append(documents[position])
            position += 1
        if at == now:
            # what was seen at this very instant still belongs before the tick that closes the gap
            entries += documents[position:]
            position = len(documents)
        entries.append(Tick(at=at, gap_from=last if at <= uncovered else None))
        last = at
    return [*entries, *documents[position:]]


def _minute_end(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0) + MINUTE
