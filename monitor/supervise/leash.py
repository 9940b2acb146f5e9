"""Run one command so that it cannot outlive whoever started it: a program of its own, light on purpose.

Called as `python -I -S leash.py SOCKET GRACE COMMAND...` in a session of its own. SOCKET is an inherited file
descriptor whose other end the owner holds: it tells the owner the pid of the command, and reads as ended once the
owner is gone, however it died and however early. Then the command gets SIGTERM, and after GRACE seconds everything
left in the session's process group gets SIGKILL. Signals sent to the leash are passed on; its exit is the command's.
Only the standard library's lightest modules are imported: there is one leash for each child.
"""

import contextlib
import os
import select
import signal
import sys
import time

__all__ = ["main"]

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT)
HIGHEST_DESCRIPTOR = 1024
PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal that the kernel sends to a process whose parent has died."""


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process with its parent; elsewhere the owner kills the process group instead."""
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the request was made
        os._exit(1)


def _spawn(command: list[str]) -> int:
    leash = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        _die_with(leash)
        os.closerange(3, HIGHEST_DESCRIPTOR)  # what the leash holds open is not the command's
        for number in (*PASSED_ON, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606 the owner's own list, never a shell line
    except OSError as error:
        os.write(2, f"cannot run {command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _leave_as(status: int) -> None:
    """Exit as the command did, so that the owner sees its exit code or its signal."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def _end_group(child: int, grace_s: float) -> None:
    """Nobody is left to report to: ask the command to stop, then kill the whole group, this leash with it."""
    os.kill(child, signal.SIGTERM)
    until = time.monotonic() + grace_s
    while time.monotonic() < until and os.waitpid(child, os.WNOHANG) == (0, 0):
        time.sleep(0.02)
    os.killpg(0, signal.SIGKILL)


def main(arguments: list[str]) -> None:
    """Run the command; never returns."""
    owner, grace_s, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (*PASSED_ON, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    child = _spawn(command)
    with contextlib.suppress(OSError):  # an owner that is gone already is noticed below
        os.write(owner, f"{child}\n".encode())
    while True:
        readable, _, _ = select.select([owner, woken], [], [])
        if woken in readable:
            for caught in os.read(woken, 64):
                if caught != signal.SIGCHLD:
                    os.kill(child, caught)
            reaped, status = os.waitpid(child, os.WNOHANG)
            if reaped:
                _leave_as(status)
        if owner in readable and not os.read(owner, 64):
            _end_group(child, grace_s)


if __name__ == "__main__":
    main(sys.argv[1:])
