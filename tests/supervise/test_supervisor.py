"""Children are started in order, restarted with a reason, limited, watched, and all ended together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from monitor.supervise.children import Child, ChildState, RestartPolicy, read_children
from monitor.supervise.ports import free_port
from monitor.supervise.state import StateFolder, StateFolderTaken, StateLock, supervisor_pid
from monitor.supervise.supervisor import Supervisor

FOREVER = "import time\nwhile True: time.sleep(60)"
STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "grandchild = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])\n"
    "print('grandchild', grandchild.pid)\n"
    "while True: time.sleep(60)"
)
BEATS_THEN_IS_SILENT = (
    "import os, pathlib, time\n"
    "pathlib.Path(os.environ['BELLWETHER_HEARTBEAT_FILE']).touch()\n"
    "while True: time.sleep(60)"
)
BEATS = (
    "import sys, time\n"
    "from monitor.supervise.heartbeat import heartbeat_from_environment\n"
    "heartbeat = heartbeat_from_environment()\n"
    "while True: heartbeat.beat(); time.sleep(0.05)"
)


def test_a_child_starts_only_when_what_it_depends_on_is_ready(run_children, python, eventually, tmp_path):
    gate = tmp_path / "open"
    first = Child(name="first", command=python(FOREVER), ready=gate.exists)
    second = Child(name="second", command=python(FOREVER), depends_on=("first",))
    running = run_children([second, first])

    eventually(lambda: running.is_in("first", ChildState.STARTING))
    assert running.is_in("second", ChildState.WAITING)
    gate.touch()

    def named() -> list[tuple[str, ChildState]]:
        return [(event.status.name, event.status.state) for event in running.events]

    eventually(lambda: ("second", ChildState.RUNNING) in named())  # the state is set a moment before it is told
    assert named().index(("first", ChildState.RUNNING)) < named().index(("second", ChildState.RUNNING))


def test_a_child_is_ready_once_its_address_answers(run_children, python, eventually):
    port = free_port()
    serve = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), " \
        "http.server.SimpleHTTPRequestHandler).serve_forever()"  # fmt: skip
    running = run_children([Child(name="web", command=python(serve, port), ready=f"http://127.0.0.1:{port}/")])
    eventually(lambda: running.is_in("web", ChildState.RUNNING))


def test_a_child_that_dies_is_restarted_with_its_exit_code_and_last_words_as_the_reason(
    run_children, python, eventually, tmp_path
):
    once = "import pathlib, sys\nmark = pathlib.Path(sys.argv[1])\n" \
        "if not mark.exists(): mark.touch(); print('no space left'); sys.exit(3)\n" + FOREVER  # fmt: skip
    running = run_children([Child(name="worker", command=python(once, tmp_path / "mark"))])

    eventually(lambda: running.states("worker")[-1:] == [ChildState.RUNNING] and len(running.states("worker")) == 3)
    status = running.status("worker")
    assert running.states("worker") == [ChildState.RUNNING, ChildState.BACKING_OFF, ChildState.RUNNING]
    assert (status.restarts, status.last_reason) == (1, "exit code 3: no space left")
    assert running.events[1].last_lines == ("no space left",)
    assert running.events[1].pause_s > 0


def test_a_child_that_was_killed_is_restarted_with_the_name_of_the_signal(run_children, python, eventually):
    running = run_children([Child(name="worker", command=python(FOREVER))])
    eventually(lambda: running.is_in("worker", ChildState.RUNNING))
    killed = running.status("worker").pid
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: running.status("worker").restarts == 1 and running.is_in("worker", ChildState.RUNNING))
    assert running.status("worker").last_reason == "killed by SIGKILL"
    assert running.status("worker").pid != killed


def test_a_child_that_dies_too_often_is_given_up_and_the_rest_goes_on(run_children, python, eventually):
    policy = RestartPolicy(limit=2, within_s=600, first_pause_s=0.01, longest_pause_s=0.01)
    children = [
        Child(name="broken", command=python("raise SystemExit(1)")),
        Child(name="good", command=python(FOREVER)),
    ]
    running = run_children(children, policy)

    eventually(lambda: running.is_in("broken", ChildState.GIVEN_UP))
    assert running.status("broken").restarts == 2
    assert running.is_in("good", ChildState.RUNNING)
    assert running.thread.is_alive()


def test_a_supervisor_with_nothing_left_to_run_ends_with_an_error(run_children, python):
    policy = RestartPolicy(limit=0)
    broken = Child(name="broken", command=python("raise SystemExit(1)"), ready=lambda: False)
    waits = Child(name="waits", command=python(FOREVER), depends_on=("broken",))
    running = run_children([broken, waits], policy)
    running.thread.join(15)
    assert running.code == 1
    assert running.states("waits") == [ChildState.STOPPED]


def test_a_child_that_runs_once_and_succeeds_is_not_restarted(run_children, python, eventually):
    demo = Child(name="demo", command=python("print('done')"), once=True)
    after = Child(name="after", command=python(FOREVER), depends_on=("demo",))
    running = run_children([demo, after])
    eventually(lambda: running.is_in("after", ChildState.RUNNING))
    assert running.states("demo") == [ChildState.RUNNING, ChildState.FINISHED]
    running.stop()
    assert running.states("demo") == [ChildState.RUNNING, ChildState.FINISHED]


def test_a_child_that_runs_once_and_fails_is_restarted(run_children, python, eventually):
    running = run_children([Child(name="demo", command=python("raise SystemExit(2)"), once=True)])
    eventually(lambda: running.status("demo") and running.status("demo").restarts >= 1)
    assert running.status("demo").last_reason == "exit code 2"


def test_a_child_that_beat_once_and_falls_silent_is_killed_and_restarted(run_children, python, eventually):
    quiet = Child(name="quiet", command=python(BEATS_THEN_IS_SILENT), heartbeat=True, silent_after_s=0.5)
    running = run_children([quiet])
    eventually(lambda: running.status("quiet") and running.status("quiet").restarts >= 1)
    assert running.status("quiet").last_reason.startswith("silent for ")


def test_a_stopped_process_is_a_silent_one(run_children, eventually, is_alive):
    command = (sys.executable, "-c", BEATS)
    running = run_children([Child(name="worker", command=command, heartbeat=True, silent_after_s=0.8)])
    beat = running.folder.heartbeats / "worker"
    eventually(beat.exists)
    frozen = running.status("worker").pid
    os.kill(frozen, signal.SIGSTOP)
    eventually(lambda: running.status("worker").restarts == 1)
    assert "silent for" in running.status("worker").last_reason
    assert not is_alive(frozen)


def test_a_child_that_never_beat_is_left_alone(run_children, python, eventually):
    slow = Child(name="slow", command=python(FOREVER), heartbeat=True, silent_after_s=0.05)
    other = Child(name="other", command=python(BEATS_THEN_IS_SILENT), heartbeat=True, silent_after_s=0.3)
    running = run_children([slow, other])
    eventually(lambda: running.status("other") and running.status("other").restarts >= 1)
    assert running.states("slow") == [ChildState.RUNNING]


def test_a_child_that_stops_answering_is_restarted(run_children, python, eventually):
    answers = iter([True])
    child = Child(name="web", command=python(FOREVER), alive=lambda: next(answers, False), silent_after_s=0.3)
    running = run_children([child])
    eventually(lambda: running.status("web") and running.status("web").restarts >= 1)
    assert running.status("web").last_reason.startswith("silent for")


def test_a_child_that_is_never_ready_is_restarted(run_children, python, eventually):
    child = Child(name="stuck", command=python(FOREVER), ready=lambda: False, ready_within_s=0.3)
    running = run_children([child])
    eventually(lambda: running.status("stuck") and running.status("stuck").restarts >= 1)
    assert running.status("stuck").last_reason == "not ready within 0.3 s"


def test_children_stop_in_reverse_order_and_the_stubborn_one_is_killed(run_children, python, eventually, is_alive):
    kafka = Child(name="kafka", command=python(FOREVER))
    worker = Child(name="worker", command=python(STUBBORN), depends_on=("kafka",))
    running = run_children([kafka, worker], stop_within_s=4.0)
    eventually(lambda: any("grandchild" in line for _, line in running.lines))
    grandchild = int(next(line for _, line in running.lines if "grandchild" in line).split()[1])
    pids = [running.status(name).pid for name in ("kafka", "worker")] + [grandchild]

    before = time.monotonic()
    running.stop()
    assert time.monotonic() - before < 6
    assert running.code == 0
    assert [event.status.name for event in running.events if event.status.state is ChildState.STOPPED] == [
        "worker",
        "kafka",
    ]
    assert not any(map(is_alive, pids))


def test_output_goes_to_a_log_file_and_to_the_listener(run_children, python, eventually):
    source = "import sys\nprint('to stdout')\nprint('to stderr', file=sys.stderr)\n" + FOREVER
    running = run_children([Child(name="talker", command=python(source))])
    eventually(lambda: len(running.lines) == 2)
    assert {("talker", "to stdout"), ("talker", "to stderr")} == set(running.lines)
    running.stop()
    written = (running.folder.logs / "talker.log").read_text().splitlines()
    assert sorted(written) == ["to stderr", "to stdout"]


def test_what_is_known_of_the_children_is_written_down(run_children, python, eventually):
    running = run_children([Child(name="worker", command=python(FOREVER))])
    path = running.folder.children
    eventually(lambda: [each.state for each in read_children(path)] == [ChildState.RUNNING])
    assert read_children(path) == running.supervisor.statuses()
    running.stop()
    assert [(each.state, each.pid) for each in read_children(path)] == [(ChildState.STOPPED, None)]


def test_unreadable_children_file_reads_as_nothing_known(tmp_path):
    (tmp_path / "children.json").write_text("{")
    assert read_children(tmp_path / "children.json") == ()
    (tmp_path / "children.json").write_text(json.dumps({"version": 99, "children": [1]}))
    assert read_children(tmp_path / "children.json") == ()


def test_a_command_that_does_not_exist_is_a_reason(run_children, eventually):
    running = run_children([Child(name="ghost", command=("no-such-program-anywhere",))])
    eventually(lambda: running.status("ghost") and running.status("ghost").last_reason)
    assert "cannot run no-such-program-anywhere" in running.status("ghost").last_reason


def test_a_second_supervisor_in_one_folder_is_refused(run_children, python, eventually):
    running = run_children([Child(name="worker", command=python(FOREVER))])
    eventually(lambda: running.is_in("worker", ChildState.RUNNING))
    assert supervisor_pid(running.folder) == os.getpid()
    with pytest.raises(StateFolderTaken, match=rf"process {os.getpid()}\) runs in .* `--state`"):
        Supervisor(running.folder, []).run()
    running.stop()
    assert supervisor_pid(running.folder) is None


def test_a_lock_that_the_caller_holds_is_used_and_stays_held(python, tmp_path):
    folder = StateFolder(tmp_path).create()
    done = Child(name="done", command=python("print('done')"), once=True)
    with StateLock(folder) as lock:
        assert Supervisor(folder, [done]).run(lock) == 0
        assert supervisor_pid(folder) == os.getpid()
    assert supervisor_pid(folder) is None


@pytest.mark.parametrize(
    ("children", "fault"),
    [
        ([("a", ("b",))], "names no child"),
        ([("a", ()), ("a", ())], "must be its own"),
    ],
    ids=["a stranger", "the same name twice"],
)
def test_children_that_cannot_be_ordered_are_refused(children, fault, tmp_path):
    made = [Child(name=name, command=("true",), depends_on=needs) for name, needs in children]
    with pytest.raises(ValueError, match=fault):
        Supervisor(StateFolder(tmp_path), made)


PROGRAM = f"""
import sys
from pathlib import Path
from monitor.supervise.children import Child
from monitor.supervise.state import StateFolder
from monitor.supervise.supervisor import Supervisor

def child(name, source, *needs):
    return Child(name=name, command=(sys.executable, "-S", "-u", "-c", source), depends_on=needs)

children = [child("kafka", {FOREVER!r}), child("worker", {STUBBORN!r}, "kafka")]
sys.exit(Supervisor(StateFolder(Path(sys.argv[1])), children, stop_within_s=4).run())
"""


@pytest.fixture
def program(tmp_path, eventually):
    """A supervisor in a process of its own, and all its descendants."""
    folder = StateFolder(tmp_path / "state")
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder.root)], stderr=subprocess.DEVNULL)
    log = folder.logs / "worker.log"
    eventually(lambda: log.exists() and "grandchild" in log.read_text())
    family = [each.pid for each in psutil.Process(process.pid).children(recursive=True)]
    assert len(family) == 5  # two leashes, two children, one grandchild
    yield process, folder, family
    process.kill()
    process.wait()


def test_a_supervisor_killed_by_sigkill_leaves_nothing_behind(program, eventually, is_alive, run_children, python):
    process, folder, family = program
    process.kill()
    process.wait()
    # the next one in the same folder waits for what is left of the last one, and only then starts
    running = run_children([Child(name="kafka", command=python(FOREVER))])
    assert running.folder == folder
    eventually(lambda: running.is_in("kafka", ChildState.RUNNING))
    assert not any(map(is_alive, family))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_stop_signal_ends_the_supervisor_and_all_its_family(program, number, is_alive):
    process, folder, family = program
    process.send_signal(number)
    assert process.wait(15) == 0
    assert not any(map(is_alive, family))
    assert {each.state for each in read_children(folder.children)} == {ChildState.STOPPED}


def test_a_leash_killed_by_sigkill_takes_its_child_with_it(run_children, python, eventually, is_alive):
    running = run_children([Child(name="worker", command=python(FOREVER))])
    eventually(lambda: running.is_in("worker", ChildState.RUNNING))
    child = running.status("worker").pid
    psutil.Process(child).parent().kill()
    eventually(lambda: running.status("worker").restarts == 1)
    assert not is_alive(child)


def test_the_log_file_of_a_child_is_kept_small(run_children, python, eventually, tmp_path):
    source = "line = 'x' * 9999\nfor _ in range(1800): print(line)\n"
    running = run_children([Child(name="loud", command=python(source), once=True)])
    eventually(lambda: running.is_in("loud", ChildState.FINISHED))
    sizes = {path.name: path.stat().st_size for path in Path(running.folder.logs).iterdir()}
    assert set(sizes) == {"loud.log", "loud.log.1", "loud.log.2"}
    assert max(sizes.values()) <= 5 * 1024 * 1024
