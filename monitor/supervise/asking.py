"""Questions to a child that may take a while: asked in the background, one at a time, no more often than needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from monitor.supervise.children import Check

__all__ = ["Question"]

HTTP_TIMEOUT_S = 2.0


class Question:
    """One check, asked again and again.

    Each asking has a thread of its own that nobody waits for, so that a check that hangs holds up neither the
    others nor the end of the supervisor.

    Args:
        check: What is asked.
        every_s: The least time between two askings.
    """

    def __init__(self, check: Check, every_s: float) -> None:
        self._ask: Callable[[], bool] = (lambda: _answers(check)) if isinstance(check, str) else check
        self._every_s = every_s
        self._asked_at = float("-inf")
        self._pending: Future[bool] | None = None

    def answer(self, now: float) -> bool | None:
        """Return an answer that has come in since the last call, or None; ask anew where it is time.

        A check that raises has answered no.
        """
        if self._pending is None:
            if now - self._asked_at >= self._every_s:
                self._asked_at, self._pending = now, self._asked()
            return None
        if not self._pending.done():
            return None
        done, self._pending = self._pending, None
        return done.result()

    def forget(self) -> None:
        """Drop a question on its way: it was asked of a process that has ended."""
        self._pending = None
        self._asked_at = float("-inf")

    def _asked(self) -> Future[bool]:
        pending: Future[bool] = Future()

        def ask() -> None:
            try:
                pending.set_result(bool(self._ask()))
            except Exception:  # whatever goes wrong while asking, the child did not say yes
                pending.set_result(False)

        threading.Thread(target=ask, name="check", daemon=True).start()
        return pending


def _answers(url: str) -> bool:
    import httpx

    # a proxy of the environment has no business between a supervisor and its child
    with httpx.Client(trust_env=False, timeout=HTTP_TIMEOUT_S) as client:
        return client.get(url).status_code < 400
