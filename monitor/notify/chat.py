"""Chat and push services through Apprise."""

from __future__ import annotations

import logging
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.domain.alerts import Severity
from monitor.domain.errors import InvalidConfiguration
from monitor.notify.notices import Evidence, Notice
from monitor.notify.outcomes import Outcome, SendFailed, Sent
from monitor.notify.receivers import ChatReceiver
from monitor.notify.texts import REASON, one_line

if TYPE_CHECKING:
    from apprise import Apprise

__all__ = ["ChatSender", "chat_text"]

_REMEMBERED = 500
"""Notices of which is known, until the process ends, which services have them already."""

_DOCUMENTS = 3
"""Documents in a chat message: it is read on a phone."""

_NO_CALLS = str.maketrans({"@": "@\u200b", "<": "‹", ">": "›", "`": "'", "*": "∗", "[": "(", "]": ")"})
"""What would call everybody, hide a link or change the type in a chat, made harmless in untrusted text."""


class ChatSender:
    """Tells the services of one receiver. A service that has a notice already is left out of later attempts."""

    def __init__(self, receiver: ChatReceiver) -> None:
        self._services = [_service(receiver, number) for number in range(len(receiver.urls))]
        self._accepted: OrderedDict[str, set[int]] = OrderedDict()

    def send(self, notice: Notice, key: str) -> Outcome:
        """Send once, to every service that has not accepted it yet."""
        have = self._accepted.setdefault(key, set())
        while len(self._accepted) > _REMEMBERED:
            self._accepted.popitem(last=False)
        refusals = []
        for number, service in enumerate(self._services):
            if number in have:
                continue
            said = _tell(service, notice)
            if said is None:
                have.add(number)
            else:
                refusals.append(said)
        if refusals:
            words = "; ".join(refusals)
            return SendFailed(reason=one_line(f"{len(have)} of {len(self._services)} accepted it; {words}", REASON))
        return Sent(detail=f"{len(have)} of {len(self._services)} services accepted it")

    def close(self) -> None:
        """Do nothing: each attempt has its own connection."""


def chat_text(notice: Notice) -> str:
    """Return the body of a chat message: the case for, the case against, the link."""
    lines = ["Nothing in here is real." if notice.simulated or notice.test else ""]
    lines += [f"In the {notice.alert.size.label} to {notice.opened_at:%d %b %Y %H:%M} UTC, usually "
              f"{notice.alert.surprise.low} to {notice.alert.surprise.high}."]  # fmt: skip
    lines += [f"- {_line(document)}" for document in notice.evidence[:_DOCUMENTS]]
    lines += [f"Against: {_line(document)}" for document in notice.counter[:1]]
    lines += [notice.alert_link]
    return "\n".join(line for line in lines if line)


def _line(document: Evidence) -> str:
    words = f"{document.title.translate(_NO_CALLS)} ({document.label} {document.confidence:.0%}, {document.source})"
    return f"{words} {document.url}".rstrip()


def _tell(service: Apprise, notice: Notice) -> str | None:
    """Return None if the service accepted the notice, else what it said."""
    from apprise import NotifyFormat, NotifyType

    kinds = {
        Severity.CRITICAL: NotifyType.FAILURE,
        Severity.WARNING: NotifyType.WARNING,
        Severity.INFO: NotifyType.INFO,
    }
    result = service.notify(
        title=notice.subject.translate(_NO_CALLS | {ord("["): "[", ord("]"): "]"}),
        body=chat_text(notice),
        notify_type=NotifyType.SUCCESS if notice.is_resolved else kinds[notice.alert.severity],
        body_format=NotifyFormat.TEXT,
    )
    if result:
        return None
    words = " ".join(entry.message for entry in result.logs())
    return f"{service[0].service_name} did not: {words or 'no reason given'}"


def _service(receiver: ChatReceiver, number: int) -> Apprise:
    """Return one service, alone: of several in one object, a failure would repeat them all."""
    from apprise import Apprise, AppriseAsset

    service = Apprise(asset=AppriseAsset(app_id="Bellwether", app_desc="Bellwether", secure_logging=True))
    with _quiet():
        known = service.add(receiver.urls[number])
    if not known:
        msg = (
            f"receiver {receiver.name!r}: `urls[{number}]` is no address that Apprise knows; "
            "see https://appriseit.com/services/"
        )
        raise InvalidConfiguration(msg)
    return service


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep out of the log what Apprise says while it reads an address: the address itself, with its token."""
    logger = logging.getLogger("apprise")
    logger.addFilter(_nothing)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the hundred other services that it loads here
            yield
    finally:
        logger.removeFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False
