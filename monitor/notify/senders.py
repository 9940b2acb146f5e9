"""From a receiver's configuration to what sends."""

from __future__ import annotations

from typing import assert_never

from monitor.domain.errors import InvalidConfiguration
from monitor.notify.chat import ChatSender
from monitor.notify.console import ConsoleSender
from monitor.notify.email import EmailSender
from monitor.notify.outcomes import Sender
from monitor.notify.receivers import ChatReceiver, ConsoleReceiver, EmailReceiver, Receiver, WebhookReceiver
from monitor.notify.webhook import WebhookSender
from monitor.ports import Clock

__all__ = ["open_sender"]


def open_sender(receiver: Receiver, clock: Clock) -> Sender:
    """Return what tells a receiver. Connects to nothing yet.

    Raises:
        InvalidConfiguration: A chat address is unknown to Apprise, or a `ca_file` cannot be read.
    """
    try:
        match receiver:
            case EmailReceiver():
                return EmailSender(receiver, clock)
            case WebhookReceiver():
                return WebhookSender(receiver, clock)
            case ChatReceiver():
                return ChatSender(receiver)
            case ConsoleReceiver():
                return ConsoleSender()
    except OSError as error:  # an SSL error is one
        msg = f"receiver {receiver.name!r}: `ca_file` cannot be read as PEM certificates: {error}"
        raise InvalidConfiguration(msg) from error
    assert_never(receiver)
