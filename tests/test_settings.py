"""What the operator may set, where it may stand, and how a fault is told."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from monitor.bootstrap.checking import faults_of
from monitor.bootstrap.parts import open_receivers
from monitor.domain.errors import InvalidConfiguration
from monitor.notify.receivers import ChatReceiver, ConsoleReceiver, EmailReceiver, WebhookReceiver
from monitor.settings import ReceiverSettings, Settings, load_settings

ROOT = Path(__file__).parents[1]
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder and an environment that sets nothing."""
    for name in list(os.environ):
        if name.startswith("BELLWETHER_") or name == "KAFKA_BOOTSTRAP_SERVERS":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def refused(path: Path | None = None) -> str:
    with pytest.raises(InvalidConfiguration) as caught:
        load_settings(path)
    return str(caught.value)


def fields_of_settings() -> dict[str, object]:
    """Every setting by name (`section.field`) with its default."""
    found: dict[str, object] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            section = type(field.default).model_fields
            found |= {f"{name}.{leaf}": getattr(field.default, leaf) for leaf in section}
        else:
            found[name] = field.default
    return found


# --- where a setting may stand


def test_without_anything_the_defaults_hold_and_the_store_lies_in_the_state_folder(bare: Path) -> None:
    settings = load_settings()
    assert settings.kafka.port == 9092
    assert settings.store_url == f"sqlite:///{bare / 'state' / 'bellwether.sqlite3'}"


def test_a_bellwether_toml_in_the_present_folder_is_read(bare: Path) -> None:
    written(bare, "[kafka]\nport = 1111\n", "bellwether.toml")
    assert load_settings().kafka.port == 1111


def test_a_named_file_is_stronger_than_the_environments_and_that_than_the_present_folder(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(bare, "[kafka]\nport = 1111\n", "bellwether.toml")
    monkeypatch.setenv("BELLWETHER_CONFIG", str(written(bare, "[kafka]\nport = 2222\n", "other.toml")))
    assert load_settings().kafka.port == 2222
    assert load_settings(written(bare, "[kafka]\nport = 3333\n")).kafka.port == 3333


def test_environment_goes_before_secret_file_before_file_before_default(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(bare, '[store]\nurl = "sqlite:///file.db"\nkeep_alerts_days = 7\n')
    assert load_settings(path).store.url == "sqlite:///file.db"
    monkeypatch.setenv("BELLWETHER_STORE__URL_FILE", str(written(bare, "sqlite:///secret.db\n", "url")))
    assert load_settings(path).store.url == "sqlite:///secret.db"
    monkeypatch.setenv("BELLWETHER_STORE__URL", "sqlite:///environment.db")
    settings = load_settings(path)
    assert settings.store.url == "sqlite:///environment.db"
    assert (settings.store.keep_alerts_days, settings.store.keep_windows_days) == (7, 730)


def test_options_of_the_command_line_are_the_strongest_and_none_is_no_option(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_STATE", "there")
    assert load_settings(state=Path("here")).state == Path("here")
    assert load_settings(state=None).state == Path("there")


def test_kafka_bootstrap_servers_counts_where_nothing_else_names_a_cluster(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "usual:9092")
    assert load_settings().kafka.bootstrap == "usual:9092"
    monkeypatch.setenv("BELLWETHER_KAFKA__BOOTSTRAP", "ours:9092")
    assert load_settings().kafka.bootstrap == "ours:9092"


def test_files_named_in_a_file_are_taken_from_its_folder_and_whole_paths_stay(bare: Path) -> None:
    folder = bare / "etc"
    folder.mkdir()
    whole = bare / "elsewhere" / "companies.csv"
    text = f'[crawler]\nsources = "mine.toml"\n[entities]\nwatch_lists = "w.toml"\ncompanies = "{whole}"\n'
    settings = load_settings(written(folder, text))
    assert settings.crawler.sources == folder / "mine.toml"
    assert settings.entities.watch_lists == folder / "w.toml"
    assert settings.entities.companies == whole


def test_receivers_may_stand_in_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_NOTIFIER__RECEIVERS", '[{"name": "screen", "kind": "console"}]')
    assert open_receivers(load_settings()) == (ConsoleReceiver(name="screen"),)


# --- faults


def test_every_fault_of_a_file_is_named_by_field_at_once(bare: Path) -> None:
    text = "nonsense = 1\n[kafka]\nport = 70000\nprot = 1\n[classifier]\nprecision = 'fp8'\n"
    text += "[store]\nkeep_alerts_days = 0\n"
    told = refused(written(bare, text))
    for field in ("nonsense", "kafka.port", "kafka.prot", "classifier.precision", "store.keep_alerts_days"):
        assert f"`{field}`" in told
    assert "70000" in told
    assert "mine.toml" in told


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("BELLWETHER_KAFKA__PORT", "abc", "`kafka.port`"),
        ("BELLWETHER_KAFKA__PROT", "1", "`kafka.prot`: no such field"),
        ("BELLWETHER_KAFKA", "no json", "kafka"),
        ("BELLWETHER_STORE__URL_FILE", "/nowhere/at/all", "`BELLWETHER_STORE__URL_FILE` names /nowhere/at/all"),
        ("BELLWETHER_CONFIG", "/nowhere/at.toml", "/nowhere/at.toml cannot be read"),
        ("BELLWETHER_KAFK__PORT", "1", "`BELLWETHER_KAFK__PORT`"),
    ],
    ids=[
        "a value of another type",
        "a mistyped field",
        "a section that is no JSON",
        "a secret file that is missing",
        "a configuration file that is missing",
        "a mistyped section",
    ],
)
def test_a_fault_in_the_environment_is_named(
    variable: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert named in refused()


def test_a_file_that_is_no_toml_is_named_with_the_place_of_the_fault(bare: Path) -> None:
    told = refused(written(bare, "[kafka\nport = 1\n"))
    assert "mine.toml is not valid TOML" in told
    assert "line 1" in told


@pytest.mark.parametrize(
    "text",
    [
        "[dashboard]\nsecret = ['hunter2']\n",
        "[store]\nurl = ['postgresql://u:hunter2@host/db']\n",
        "store = 'postgresql://u:hunter2@host/db'\n",
        "[notifier]\nreceivers = {name = 'a', kind = 'email', password = 'hunter2'}\n",
        "[[notifier.receivers]]\nname = 'a'\nkind = 'pigeon'\npassword = 'hunter2'\n",
    ],
    ids=["a secret", "an address", "an address in the place of its section", "receivers", "one receiver"],
)
def test_no_refusal_shows_a_secret(text: str, bare: Path) -> None:
    assert "hunter2" not in refused(written(bare, text))


def test_what_stands_in_a_secret_file_is_not_shown_where_it_is_refused(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_KAFKA__PORT_FILE", str(written(bare, "hunter2\n", "secret")))
    told = refused()
    assert "`kafka.port`" in told
    assert "hunter2" not in told


def test_settings_do_not_show_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_STORE__URL", "postgresql://u:hunter2@host/db")
    monkeypatch.setenv("BELLWETHER_DASHBOARD__SECRET", "hunter2")
    settings = load_settings()
    assert settings.dashboard.secret == "hunter2"
    assert "hunter2" not in repr(settings)


# --- check-config


def test_check_config_has_nothing_to_say_about_the_defaults() -> None:
    assert faults_of(None) == []


def test_check_config_tells_every_fault_of_what_the_file_names_by_field(bare: Path) -> None:
    (bare / "empty").mkdir()
    written(bare, '[own]\nentities = ["NOBODY-KNOWS"]\n', "watch.toml")
    told = faults_of(
        written(
            bare,
            """
            [kafka]
            bootstrap = "somewhere"
            [store]
            url = "mysql://host/db"
            [crawler]
            sources = "none.toml"
            [classifier]
            artefact = "empty"
            [entities]
            watch_lists = "watch.toml"
            [dashboard]
            host = "0.0.0.0"
            [notifier]
            heartbeat = "nobody"
            [[notifier.receivers]]
            name = "mail"
            kind = "email"
            host = "smtp.example.com"
            [[notifier.receivers]]
            name = "hook"
            kind = "webhook"
            url = "https://example.com/"
            secret_file = "nowhere"
            [[notifier.receivers]]
            name = "hook"
            kind = "console"
            """,
        )
    )
    expected = {
        "kafka": "`bootstrap`",
        "store.url": "`store.url` must be",
        "crawler.sources": "none.toml",
        "classifier": "manifest.json",
        "entities.watch_lists": "NOBODY-KNOWS",
        "dashboard": "`login_required`",
        "notifier.heartbeat": "'nobody'",
    }
    for field, words in expected.items():
        assert [line for line in told if line.startswith(f"{field}: ") and words in line], (field, told)
    receivers = [line for line in told if line.startswith("notifier.receivers: ")]
    assert len(receivers) == 3
    for words in ("'port', 'sender', and 'to'", "notifier.receivers.hook.secret_file", "twice"):
        assert any(words in line for line in receivers), words


def test_check_config_names_rows_of_a_companies_file_that_are_wrong(bare: Path) -> None:
    written(bare, "id,name,colour\nX,X Corp,red\n", "companies.csv")
    told = faults_of(written(bare, '[entities]\ncompanies = "companies.csv"\n'))
    assert told
    assert all(line.startswith("entities.companies: ") for line in told)
    assert "`colour`" in told[0]


def test_check_config_tells_what_the_settings_refuse(bare: Path) -> None:
    told = faults_of(written(bare, "[dashboard]\nport = -1\ncolour = 'red'\n"))
    assert any("`dashboard.port`" in line for line in told)
    assert any("`dashboard.colour`: no such field" in line for line in told)


# --- the example and the page of the operator


def uncommented() -> str:
    text = (ROOT / "bellwether.example.toml").read_text("utf-8")
    return re.sub(r"^#(?=\[\[|[a-z_]+ = )", "", text, flags=re.MULTILINE)


def test_the_example_sets_nothing_as_it_is_shipped() -> None:
    assert load_settings(ROOT / "bellwether.example.toml") == load_settings()


def test_the_example_shows_every_setting_and_its_default() -> None:
    shown = tomllib.loads(uncommented())
    for name, default in fields_of_settings().items():
        section, _, leaf = name.rpartition(".")
        there = shown[section] if section else shown
        assert leaf in there, name
        if default not in ("", None, ()):
            assert there[leaf] == (str(default) if isinstance(default, Path) else default), name


def test_the_example_uncommented_is_good_with_every_kind_of_receiver_and_secrets_in_files(bare: Path) -> None:
    secrets = {
        "smtp_password": "a password",
        "watchdog_url": "https://watch.example.com/a-token",
        "watchdog_secret": SECRET,
        "orders_secret": SECRET,
        "chat_urls": "slack://TokenA/TokenB/TokenC\nntfy://a-topic",
    }
    for name, text in secrets.items():
        written(bare, text + "\n", name)
    settings = load_settings(written(bare, uncommented().replace("/run/secrets", str(bare))))
    kinds = [type(receiver) for receiver in open_receivers(settings)]
    assert set(kinds) == {EmailReceiver, WebhookReceiver, ChatReceiver, ConsoleReceiver}
    assert set(ReceiverSettings.model_fields["kind"].annotation.__args__) == {"email", "webhook", "chat", "console"}  # type: ignore[union-attr]
    shown = repr(open_receivers(settings))
    assert not [text for text in secrets.values() if text in shown]


def test_the_operators_page_lists_every_setting_with_its_default() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.*?) \|", page, flags=re.MULTILINE))
    for name, default in fields_of_settings().items():
        if default in ("", None, ()):
            shown = "none"
        else:
            shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
        assert rows.get(name) == shown, name


def test_files_of_a_receiver_are_taken_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("quite secret\n")
    named = tmp_path / "bellwether.toml"
    receiver = (
        'name = "desk"\nkind = "email"\nhost = "mail"\nport = 25\nsender = "a@example.org"\nto = "b@example.org"\n'
    )
    named.write_text(f'[[notifier.receivers]]\n{receiver}user = "u"\npassword_file = "pw"\nca_file = ""\n')
    settings = load_settings(named)
    assert settings.notifier.receivers[0].model_extra is not None
    assert settings.notifier.receivers[0].model_extra["password_file"] == str(tmp_path / "pw")
    (desk,) = open_receivers(settings)
    assert getattr(desk, "password", "") == "quite secret"
    assert "quite secret" not in repr(desk)
