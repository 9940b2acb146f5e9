"""What docs/webhook.md promises is what is sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitor.notify import check
from monitor.notify.receivers import WebhookReceiver
from tests.notify.servers import SECRET, HttpStarter, Script, SystemClock

PAGE = Path(__file__).parents[2] / "docs" / "webhook.md"


def test_the_snippet_verifies_what_is_sent_and_nothing_else(web: HttpStarter) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {}
    exec(snippet, names)
    receive: Callable[[str, dict[str, str], bytes], dict[str, Any] | None] = names["receive"]
    script = Script()
    check.test_receiver(WebhookReceiver(name="hook", url=web(script), secret=SECRET, allow_private=True), SystemClock())
    (asked,) = script.asked
    found = receive(SECRET, asked.headers, asked.body)
    assert found is not None
    assert found["type"] == "test"
    assert receive(SECRET, asked.headers, asked.body.replace(b"warning", b"info")) is None


def test_every_link_of_the_page_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert links
    assert all(link.startswith("https://") or (PAGE.parent / link).is_file() for link in links)
