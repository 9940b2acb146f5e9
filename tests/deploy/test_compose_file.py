"""The container files: valid, secret-free, and in step with the command line and the settings."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
import yaml
from typer.core import TyperGroup

from monitor.cli.application import app
from monitor.settings import Settings
from monitor.supervise.heartbeat import HEARTBEAT_FILE
from monitor.supervise.kafka_files import server_properties

ROOT = Path(__file__).parents[2]
OWN_VARIABLES = {HEARTBEAT_FILE, "BELLWETHER_LOG", "BELLWETHER_LOG_LEVEL", "BELLWETHER_CONFIG", "BELLWETHER_STATE"}
"""What the product reads from the environment beside the fields of its settings (docs/operations.md)."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(compose["services"])


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text("utf-8")


def ours(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services.items() if service["image"] == "bellwether"}


def refusal_of(words: list[str]) -> str:
    """Return why the command line does not take words, read to the end without running the command; or nothing."""
    command: Any = typer.main.get_command(app)
    rest, context = list(words), None
    while isinstance(command, TyperGroup):
        if not rest or rest[0] not in command.commands:
            return f"{rest[:1]} is no command"
        context = typer.Context(command, parent=context, info_name=rest[0])
        command, rest = command.commands[rest[0]], rest[1:]
        if isinstance(command, TyperGroup) and command.invoke_without_command and not rest:
            return ""
    try:
        command.make_context(words[0], rest, parent=context)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def variables(text: str) -> set[str]:
    return set(re.findall(r"\bBELLWETHER_[A-Z0-9_]+\b", text))


def names_a_setting(variable: str) -> bool:
    section, _, leaf = variable.removeprefix("BELLWETHER_").lower().partition("__")
    field = Settings.model_fields.get(section)
    fields = getattr(type(field.default), "model_fields", {}) if field else {}
    return leaf in fields or leaf.removesuffix("_file") in fields


# --- the compose file


def test_it_agrees_with_the_compose_specification() -> None:
    docker = shutil.which("docker")
    found = shutil.which("docker-compose")
    if found is None and docker is None:
        pytest.skip("neither docker-compose nor docker is installed; Debian: apt-get install docker-compose")
    command = [found] if found else [str(docker), "compose"]
    ran = subprocess.run([*command, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_it_has_the_services_of_the_flow(services: dict[str, Any]) -> None:
    assert set(services) == {"kafka", "postgres", "migrate", "worker", "crawler", "notifier", "dashboard"}


def test_every_command_of_it_is_one_of_the_command_line(services: dict[str, Any]) -> None:
    assert ours(services)
    for service in ours(services).values():
        assert refusal_of(service["command"]) == ""


def test_a_command_that_is_none_would_be_noticed() -> None:
    assert "downgrade" in refusal_of(["db", "downgrade"])
    assert "--runn" in refusal_of(["work", "--runn", "live"])


def test_every_variable_of_it_names_a_setting(dockerfile: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8") + dockerfile
    found = variables(text) - OWN_VARIABLES
    assert found
    assert [name for name in sorted(found) if not names_a_setting(name)] == []


def test_what_never_ends_is_asked_how_it_does(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name == "migrate":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert {"test", "interval", "timeout", "retries", "start_period"} == set(service["healthcheck"]), name


def test_health_checks_use_only_what_is_in_the_image(services: dict[str, Any]) -> None:
    for service in ours(services).values():
        check = service.get("healthcheck")
        if check is not None:
            assert check["test"][:3] == ["CMD", "python", "-c"]
            compile(check["test"][3], "healthcheck", "exec")


def test_a_heartbeat_check_looks_at_the_file_that_the_process_touches(services: dict[str, Any], tmp_path: Path) -> None:
    for name in ("worker", "crawler", "notifier"):
        path = services[name]["environment"][HEARTBEAT_FILE]
        code = services[name]["healthcheck"]["test"][3]
        assert f"'{path}'" in code
        beat = tmp_path / name
        here = code.replace(path, str(beat))
        with pytest.raises(FileNotFoundError):
            exec(here, {})
        beat.touch()
        exec(here, {})
        old = json.loads(re.search(r"< (\d+)", code)[1]) + 5  # type: ignore[index]
        import os
        import time

        os.utime(beat, (time.time() - old,) * 2)
        with pytest.raises(AssertionError):
            exec(here, {})


def test_services_wait_for_what_they_need(services: dict[str, Any]) -> None:
    for name in ("worker", "crawler", "dashboard"):
        needs = services[name]["depends_on"]
        assert needs["kafka"] == {"condition": "service_healthy"}
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_the_worker_scales(services: dict[str, Any]) -> None:
    assert not {"container_name", "ports", "hostname"} & set(services["worker"])


def test_only_the_dashboard_is_published_and_on_this_machine_alone_behind_a_login(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["dashboard"]
    assert all(port.startswith("127.0.0.1:") for port in services["dashboard"]["ports"])
    assert services["dashboard"]["environment"]["BELLWETHER_DASHBOARD__LOGIN_REQUIRED"] == "true"


def test_everything_of_ours_runs_without_rights_on_a_read_only_root(services: dict[str, Any]) -> None:
    for name, service in ours(services).items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
    for name, service in services.items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "memory" in service["deploy"]["resources"]["limits"], name


def test_secrets_come_from_files_that_git_passes_over(compose: dict[str, Any], services: dict[str, Any]) -> None:
    passed_over = (ROOT / "deploy" / ".gitignore").read_text("utf-8").split()
    assert "/secrets/" in passed_over
    for secret in compose["secrets"].values():
        assert secret["file"].startswith("./deploy/secrets/")
    for name, service in services.items():
        environment = service.get("environment", {})
        for variable, value in environment.items():
            if re.search(r"PASSWORD|SECRET|URL", variable):
                assert variable.endswith("_FILE"), (name, variable)
                assert Path(value).parent == Path("/run/secrets")
                assert Path(value).name in service["secrets"], (name, variable)


def test_kafka_is_set_up_as_the_embedded_one(services: dict[str, Any]) -> None:
    lines = server_properties(Path("/x"), 1, 2).splitlines()
    embedded = dict(line.split("=", 1) for line in lines)
    settings = services["kafka"]["environment"]
    for name in (
        "auto.create.topics.enable",
        "log.message.timestamp.type",
        "message.max.bytes",
        "replica.fetch.max.bytes",
        "offsets.retention.minutes",
        "offsets.topic.replication.factor",
    ):
        assert settings["KAFKA_" + name.replace(".", "_").upper()] == embedded[name], name


# --- the image


def test_the_image_is_built_in_stages_and_runs_as_nobody_of_the_host(dockerfile: str, services: dict[str, Any]) -> None:
    assert len(re.findall(r"^FROM ", dockerfile, re.MULTILINE)) == 2
    user = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)[-1]
    assert user[0] != "0"
    folder = re.search(r"BELLWETHER_STATE=(\S+)", dockerfile)[1]  # type: ignore[index]
    for service in ours(services).values():
        assert any(mount.startswith(f"{folder}:uid={user[0]},gid={user[1]},") for mount in service["tmpfs"])


def test_the_image_names_no_index_and_no_host(dockerfile: str) -> None:
    assert "://" not in dockerfile
    assert "index-url" not in dockerfile


def test_the_image_starts_the_command_line(dockerfile: str) -> None:
    assert 'ENTRYPOINT ["bellwether"]' in dockerfile
    assert "requirements.lock" in dockerfile


def test_what_the_image_copies_is_let_through_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.*)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    wanted = {source for copy in copies for source in copy.split()[:-1]}
    assert "*" in lines
    assert wanted == let_through
    assert all((ROOT / source).exists() for source in wanted)


def package_files() -> Iterator[Path]:
    for package in ("monitor", "streams", "models", "dashboard"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix not in {".py", ".pyc"} and "__pycache__" not in path.parts:
                yield path


def test_every_file_that_the_packages_read_is_packed() -> None:
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    patterns = settings["package-data"]["*"]
    found = list(package_files())
    assert found
    assert [path for path in found if not any(fnmatch(path.name, pattern) for pattern in patterns)] == []
