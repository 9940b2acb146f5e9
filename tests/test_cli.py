"""The command line as people and scripts meet it."""

from __future__ import annotations

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

from monitor.cli.application import app
from monitor.domain.errors import InvalidConfiguration
from streams.sources.configuration import read_sources

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "faust", "dash", "plotly", "pandas", "pyarrow", "sqlalchemy", "kafka", "trafilatura")
"""What must not be loaded before a command needs it."""


def leaves(group: TyperGroup, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give every command that does something, with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            if command.invoke_without_command:
                yield (*words, name), command
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


TREE = typer.main.get_command(app)
assert isinstance(TREE, TyperGroup)
COMMANDS = dict(leaves(TREE))


def spoken(words: tuple[str, ...]) -> str:
    return " ".join(words)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in list(os.environ):
        if name.startswith("BELLWETHER_") or name == "KAFKA_BOOTSTRAP_SERVERS":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Give the test runner its signal handlers back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def called(*words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **more}
    command = [sys.executable, "-m", "monitor", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_the_commands_of_the_product_are_there() -> None:
    wanted = [
        "up",
        "crawl",
        "work",
        "notify",
        "serve",
        "replay",
        "train",
        "evaluate",
        "topics",
        "check-config",
        "status",
    ]
    wanted += [
        "dead-letters list",
        "dead-letters redrive",
        "db upgrade",
        "entities test",
        "sources test",
        "notify test",
    ]
    assert set(wanted) <= set(map(spoken, COMMANDS))


@pytest.mark.parametrize("words", COMMANDS, ids=spoken)
def test_help_of_a_command_ends_well_and_has_an_example(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert re.search(r"Examples?\b", shown.output)
    assert f"bellwether {spoken(words)}" in re.sub(r"\s+", " ", shown.output)


@pytest.mark.parametrize("words", COMMANDS, ids=spoken)
def test_the_example_of_a_command_is_one_that_the_command_line_takes(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_NEW_PASSWORD", "correct horse battery")
    text = COMMANDS[words].help or ""
    found = re.findall(rf"(bellwether {spoken(words)}\b.*)$", text, re.MULTILINE)
    assert found
    for line in found:
        rest = shlex.split(line.partition(" > ")[0])[1 + len(words) :]
        COMMANDS[words].make_context(spoken(words), rest)


@pytest.mark.parametrize("words", COMMANDS, ids=spoken)
def test_every_command_stands_in_the_docs(words: tuple[str, ...]) -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    assert re.search(rf"bellwether {spoken(words)}\b", text)


def test_every_command_that_the_docs_name_is_there() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        for line in page.read_text("utf-8").splitlines():
            for named in re.findall(r"(?:^ {4}|`)bellwether ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", line):
                known = {word for words in COMMANDS for word in words[:1]}
                assert named[0] in known, (page.name, line)
                groups = {words[0] for words in COMMANDS if len(words) == 2} - {"notify"}
                if named[0] in groups and named[1]:
                    assert named in COMMANDS, (page.name, line)


def test_help_loads_nothing_heavy(bare: Path) -> None:
    code = f"import sys; import monitor.cli.application; print([name for name in {HEAVY!r} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=bare,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ast.literal_eval(ran.stdout) == [], ran.stderr


def test_a_configuration_fault_is_one_sentence_and_exit_code_2(bare: Path) -> None:
    (bare / "bellwether.toml").write_text("[kafka]\nport = 99999\n", "utf-8")
    ran = called("db", "upgrade", folder=bare)
    assert ran.returncode == 2
    assert "`kafka.port`" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (bare / "state").exists()


def test_a_store_that_does_not_answer_is_exit_code_1_and_shows_no_password(bare: Path) -> None:
    from monitor.supervise.ports import free_port

    place = f"127.0.0.1:{free_port()}"
    ran = called("runs", "list", folder=bare, BELLWETHER_STORE__URL=f"postgresql://ada:hunter2@{place}/bellwether")
    assert ran.returncode == 1
    assert place in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "hunter2" not in ran.stderr


def test_check_config_says_good_or_tells_the_faults_and_ends_with_2(bare: Path) -> None:
    (bare / "bad.toml").write_text('[dashboard]\nhost = "0.0.0.0"\n', "utf-8")
    runner = CliRunner()
    bad = runner.invoke(app, ["check-config", "bad.toml"])
    assert bad.exit_code == 2
    assert "login_required" in bad.output
    (bare / "bad.toml").write_text('[dashboard]\nhost = "0.0.0.0"\nlogin_required = true\n', "utf-8")
    good = runner.invoke(app, ["check-config", "bad.toml"])
    assert good.exit_code == 0
    assert "the configuration is good" in good.output


def test_users_are_added_changed_and_removed_without_a_password_on_the_command_line(bare: Path) -> None:
    runner = CliRunner(env={"BELLWETHER_NEW_PASSWORD": "correct horse battery"})

    def said(*words: str) -> str:
        result = runner.invoke(app, ["users", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert "nobody yet" in said("list")
    said("add", "ada", "--role", "analyst")
    assert "analyst" in said("list")
    said("role", "ada", "admin")
    assert "admin" in said("list")
    said("password", "ada")
    said("remove", "ada")
    assert "nobody yet" in said("list")
    assert not any("password" in option for option in COMMANDS["users", "add"].params[0].opts)


def test_a_password_that_is_asked_for_must_be_said_twice(bare: Path) -> None:
    words = ["users", "add", "ada"]
    refused = CliRunner().invoke(app, words, input="correct horse\nbattery staple\n\n\n")
    assert refused.exit_code != 0
    taken = CliRunner().invoke(app, words, input="correct horse battery\ncorrect horse battery\n")
    assert taken.exit_code == 0, taken.output
    assert "correct horse" not in taken.output


def test_an_opml_list_becomes_a_sources_file(bare: Path) -> None:
    (bare / "feeds.opml").write_text(
        '<opml version="2.0"><body><outline text="Example Wire" xmlUrl="https://example.com/feed.xml"/></body></opml>',
        "utf-8",
    )
    shown = CliRunner().invoke(app, ["sources", "import", "feeds.opml"])
    assert [source.url for source in read_sources(shown.output, "printed")] == ["https://example.com/feed.xml"]


def test_entities_test_tells_what_is_found_and_why_not() -> None:
    text = "Barclays beats, T falls at Barclays Center"
    shown = CliRunner().invoke(app, ["entities", "test", text], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "BCS (Barclays" in shown.output
    assert "no:" in shown.output


def test_a_small_history_is_replayed_in_process_listed_compared_and_deleted(bare: Path, own_signals: None) -> None:
    (bare / "feed.csv").write_text(
        "when,headline\n2025-03-03T08:00:00Z,Barclays profit falls\n2025-03-03T08:30:00Z,Toyota wins a large order\n",
        "utf-8",
    )
    replay = ["replay", "feed.csv", "--in-process", "--column", "published_at=when", "--run"]
    runner = CliRunner(env={"COLUMNS": "200"})
    for run in ("one", "two"):
        ran = runner.invoke(app, [*replay, run], catch_exceptions=False)
        assert ran.exit_code == 0
        assert "2 documents" in ran.output
    assert {"one", "two"} <= set(re.findall(r"\w+", runner.invoke(app, ["runs", "list"]).output))
    assert runner.invoke(app, ["runs", "compare", "one", "two"]).exit_code == 0
    assert runner.invoke(app, ["runs", "delete", "two"]).exit_code == 0
    unknown = runner.invoke(app, ["runs", "compare", "one", "two"])
    assert isinstance(unknown.exception, InvalidConfiguration)
    assert "'two' is unknown" in str(unknown.exception)
