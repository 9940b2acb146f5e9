"""E-mail: text and HTML in one message, over a verified connection, each refused mailbox named."""

from __future__ import annotations

import hashlib
import smtplib
import socket
import ssl
from collections import OrderedDict
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache

import jinja2
import structlog

from monitor.domain.alerts import Severity
from monitor.notify.notices import Notice
from monitor.notify.outcomes import Outcome, SendFailed, Sent
from monitor.notify.receivers import EmailReceiver, Security
from monitor.notify.texts import REASON, one_line
from monitor.ports import Clock

__all__ = ["EmailSender", "compose"]

_log = structlog.get_logger(__name__)

_REMEMBERED = 500
"""Notices of which is known, until the process ends, which mailboxes have them already."""

_COLOURS = {Severity.CRITICAL: "#b42318", Severity.WARNING: "#b54708", Severity.INFO: "#175cd3"}
_RESOLVED_COLOUR = "#067647"
_LABEL_COLOURS = {"negative": "#b42318", "neutral": "#475467", "positive": "#067647"}

Refusals = dict[str, tuple[int, bytes]]
"""What an SMTP server said of each mailbox that it refused: code and text."""


class EmailSender:
    """Tells the mailboxes of one receiver. A mailbox that has a notice already is left out of later attempts."""

    def __init__(self, receiver: EmailReceiver, clock: Clock) -> None:
        self._receiver = receiver
        self._clock = clock
        self._accepted: OrderedDict[str, set[str]] = OrderedDict()

    def send(self, notice: Notice, key: str) -> Outcome:
        """Send once, to every mailbox that has not accepted it yet."""
        message = compose(notice, key, self._receiver)
        message["Date"] = format_datetime(self._clock.now())
        have = self._accepted.setdefault(key, set())
        while len(self._accepted) > _REMEMBERED:
            self._accepted.popitem(last=False)
        wanted = [mailbox for mailbox in map(_bare, self._receiver.to) if mailbox not in have]
        try:
            refused = _hand_over(self._receiver, message, wanted)
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except (smtplib.SMTPException, OSError) as error:
            return _failure(error, self._receiver)
        have.update(mailbox for mailbox in wanted if mailbox not in refused)
        return self._outcome(have, refused)

    def close(self) -> None:
        """Do nothing: each attempt has its own connection."""

    def _outcome(self, have: set[str], refused: Refusals) -> Outcome:
        """Return what acceptance and refusals amount to."""
        accepted = f"{self._receiver.host} accepted it for {', '.join(sorted(have)) or 'nobody'}"
        if not refused:
            return Sent(detail=accepted)
        words = "; ".join(f"{mailbox} was refused: {_answer(*answer)}" for mailbox, answer in sorted(refused.items()))
        said = one_line(f"{accepted}; {words}", REASON)
        if any(code < 500 for code, _ in refused.values()):
            return SendFailed(reason=said)
        if have:
            _log.warning("mailboxes refused a notice", receiver=self._receiver.name, reason=said)
            return Sent(detail=said)
        return SendFailed(reason=said, permanent=True)


def compose(notice: Notice, key: str, receiver: EmailReceiver) -> EmailMessage:
    """Return the message that tells a notice, all but its Date. The same key gives the same Message-ID."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = notice.subject
    message["From"] = _mailbox(receiver.sender)
    message["To"] = [_mailbox(mailbox) for mailbox in receiver.to]
    domain = _bare(receiver.sender).rpartition("@")[2]
    message["Message-ID"] = f"<{_digest(key)}@{domain}>"
    message["References"] = f"<{_digest(f'{notice.run} {notice.alert.id}')}@{domain}>"  # one thread per episode
    message["Auto-Submitted"] = "auto-generated"
    if notice.alert.severity is Severity.CRITICAL and not notice.is_resolved:
        message["Importance"] = "high"
    words = {"notice": notice, "receiver": receiver.name}
    message.set_content(_templates().get_template("email.txt.j2").render(words), cte="quoted-printable")
    colour = _RESOLVED_COLOUR if notice.is_resolved else _COLOURS[notice.alert.severity]
    html = _templates().get_template("email.html.j2").render(words, colour=colour, label_colours=_LABEL_COLOURS)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


@cache
def _templates() -> jinja2.Environment:
    """Return the templates beside this file; what is not HTML is not escaped, and a missing word is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("monitor.notify", ""),
        autoescape=jinja2.select_autoescape(("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _hand_over(receiver: EmailReceiver, message: EmailMessage, mailboxes: list[str]) -> Refusals:
    """Give the message to the server and return whom it refused; raise if it refused all."""
    client = _connected(receiver)
    try:
        if receiver.user:
            client.login(receiver.user, receiver.password)
        return client.send_message(message, _bare(receiver.sender), mailboxes)
    finally:
        with suppress(smtplib.SMTPException, OSError):  # accepted is accepted, however the goodbye goes
            client.quit()
        client.close()


def _connected(receiver: EmailReceiver) -> smtplib.SMTP:
    """Return a connection as safe as configured; a server without STARTTLS is never spoken to in the clear."""
    if receiver.security is Security.NONE:
        return smtplib.SMTP(receiver.host, receiver.port, timeout=receiver.timeout_s)
    context = ssl.create_default_context(cafile=receiver.ca_file or None)
    if receiver.security is Security.TLS:
        return smtplib.SMTP_SSL(receiver.host, receiver.port, timeout=receiver.timeout_s, context=context)
    client = smtplib.SMTP(receiver.host, receiver.port, timeout=receiver.timeout_s)
    try:
        client.starttls(context=context)
    except (smtplib.SMTPException, OSError):
        client.close()
        raise
    return client


def _failure(error: Exception, receiver: EmailReceiver) -> SendFailed:
    """Return what an error means: a refused message is final, a refused login or connection can be mended."""
    where = f"{receiver.host}:{receiver.port}"
    permanent = False
    match error:
        case smtplib.SMTPAuthenticationError():
            said = _answer(error.smtp_code, error.smtp_error)
            reason = f"{where} refused the login of {receiver.user}: {said}; check `user` and `password`"
        case smtplib.SMTPSenderRefused() | smtplib.SMTPDataError():
            reason = f"{where} refused the message: {_answer(error.smtp_code, error.smtp_error)}"
            permanent = error.smtp_code >= 500
        case smtplib.SMTPResponseException():
            reason = f"{where} did not go on: {_answer(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPNotSupportedError():
            reason = f"{where} cannot do what is asked: {_words(error)}; check `security` and `user`"
        case ssl.SSLCertVerificationError():
            reason = f"the certificate of {where} is not trusted: {error.verify_message}; check `host` and `ca_file`"
        case ssl.SSLError():
            reason = f"no safe connection to {where}: {_words(error)}; check `security` and `port`"
        case TimeoutError():
            reason = f"{where} gave no answer in {receiver.timeout_s:g} s"
        case socket.gaierror():
            reason = f"host {receiver.host} was not found: {_words(error)}"
        case _:
            reason = f"no connection to {where}: {_words(error)}"
    return SendFailed(reason=reason, permanent=permanent)


def _answer(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return one_line(f"{code} {words}", REASON)


def _words(error: Exception) -> str:
    return one_line(str(error), REASON) or type(error).__name__


def _bare(mailbox: str) -> str:
    return parseaddr(mailbox)[1]


def _mailbox(mailbox: str) -> Address:
    name, address = parseaddr(mailbox)
    return Address(display_name=name, addr_spec=address)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
