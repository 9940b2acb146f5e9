"""Standard output: one clear line for each notice."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console
from rich.text import Text

from monitor.domain.alerts import Severity
from monitor.domain.timespans import utc_text
from monitor.notify.notices import Notice
from monitor.notify.outcomes import Outcome, SendFailed, Sent

__all__ = ["ConsoleSender"]

_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


class ConsoleSender:
    """Tells whoever watches the terminal, or the file that standard output goes to."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, notice: Notice, key: str) -> Outcome:
        """Print one line. Nothing in it is taken for markup."""
        stream = self._stream or sys.stdout
        style = "green" if notice.is_resolved else _STYLES[notice.alert.severity]
        link = f" {notice.alert_link}" if notice.alert_link else ""
        line = f"{notice.subject}{link}"
        printable = line.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8")
        text = Text.assemble((f"{utc_text(notice.updated_at)} ", "dim"), (printable, style))
        try:
            Console(file=stream, soft_wrap=True, highlight=False).print(text)
            stream.flush()
        except (OSError, ValueError) as error:
            return SendFailed(reason=f"standard output is closed: {error}")
        return Sent(detail="printed")

    def close(self) -> None:
        """Leave the stream open: it is not ours."""
