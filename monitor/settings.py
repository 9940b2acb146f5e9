"""What the operator may set: one frozen class per adapter, from environment, TOML file and secret files.

Order, strongest first: command line, environment (``BELLWETHER_STORE__URL``), secret files
(``BELLWETHER_STORE__URL_FILE=/run/secrets/url``), the file (``--config``, else ``BELLWETHER_CONFIG``, else
``bellwether.toml`` if it exists), defaults. A receiver's secret may stand in a file too: ``password_file``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from monitor.domain.errors import InvalidConfiguration

__all__ = [
    "ClassifierSettings",
    "CrawlerSettings",
    "DashboardSettings",
    "EntitySettings",
    "KafkaSettings",
    "NotifierSettings",
    "ReceiverSettings",
    "Settings",
    "StoreSettings",
    "WorkerSettings",
    "load_settings",
    "read_secret",
]

DEFAULT_FILE = Path("bellwether.toml")
_PREFIX = "BELLWETHER_"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Section):
    """The broker. An empty `bootstrap` means: `bellwether up` starts its own."""

    bootstrap: str = Field("", description="host:port[,host:port]; KAFKA_BOOTSTRAP_SERVERS sets it too")
    port: int = Field(9092, ge=0, le=65535, description="of the embedded broker; 0 takes a free one")
    prefix: str = Field("bellwether", pattern=r"^[a-z0-9][a-z0-9.-]{0,40}$", description="before each topic's name")
    partitions: int = Field(4, ge=1, le=64, description="of each topic of a new run; never changes in its life")


class StoreSettings(_Section):
    """The database. An empty `url` means SQLite in the state folder."""

    url: str = Field("", repr=False, description="SQLAlchemy address, e.g. postgresql+psycopg://user@host/bellwether")
    keep_documents_days: int = Field(180, ge=1)
    keep_windows_days: int = Field(730, ge=1)
    keep_alerts_days: int = Field(1825, ge=1)


class CrawlerSettings(_Section):
    """What is crawled, and how politely."""

    sources: Path | None = Field(None, description="TOML file; without it the shipped list")
    tick_every_s: float = Field(10.0, gt=0, le=60)
    host_spacing_s: float = Field(2.0, ge=0, description="least time between two requests to one host")
    allow_private: bool = Field(False, description="let sources lie in private networks")


class ClassifierSettings(_Section):
    """The model. An empty `artefact` means the shipped one."""

    artefact: Path | None = None
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1 ...")
    precision: Literal["auto", "fp32", "bf16"] = "auto"


class EntitySettings(_Section):
    """Companies and watch lists."""

    companies: Path | None = Field(None, description="CSV of your own companies")
    extend: bool = Field(True, description="your companies stand beside the shipped ones; false: instead of them")
    watch_lists: Path | None = Field(None, description="TOML file, re-read when it changes")


class WorkerSettings(_Section):
    """The Faust worker."""

    batch_bundles: int = Field(8, ge=1, le=64, description="bundles (up to 200 documents each) classified at once")
    batch_age_s: float = Field(0.25, gt=0, le=10)
    stall_s: float = Field(30.0, gt=0, description="lag without progress for this long ends the process")
    metrics_port: int = Field(0, ge=0, le=65535, description="Prometheus metrics on loopback; 0 is off")


class ReceiverSettings(BaseModel):
    """One receiver; the fields beside `name` and `kind` are those of its kind (docs/operations.md, "Receivers")."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    kind: Literal["email", "webhook", "chat", "console"]


class NotifierSettings(_Section):
    """Who is told."""

    receivers: tuple[ReceiverSettings, ...] = ()
    base_url: str = Field("", description="address of the dashboard as receivers reach it, for links")
    heartbeat: str = Field("", description="name of a webhook receiver that hears a beat every minute")
    give_up_after_h: float = Field(72.0, gt=0)


class DashboardSettings(_Section):
    """The dashboard."""

    host: str = "127.0.0.1"
    port: int = Field(8050, ge=0, le=65535)
    login_required: bool = Field(False, description="must be true when `host` is not loopback")
    secret: str = Field("", repr=False, description="signs sessions; without it one is kept in the state folder")
    trusted_proxy: str = Field("", description="address of a reverse proxy whose X-Forwarded-* are believed")
    refresh_s: float = Field(5.0, ge=1)
    threads: int = Field(8, ge=1, le=64)


class _Environment(EnvSettingsSource):
    """The environment without the variables that name secret files: those are `_SecretFiles`' affair."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found = super()._load_env_vars()
        return {name: value for name, value in found.items() if not name.lower().endswith("_file")}


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads ``BELLWETHER_A__B_FILE=path`` as the value of ``a.b``."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: the whole is read at once in `__call__`."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values as a tree."""
        tree: dict[str, Any] = {}
        for name, path in os.environ.items():
            if not (name.startswith(_PREFIX) and name.endswith("_FILE") and "__" in name):
                continue
            *sections, leaf = name.removeprefix(_PREFIX).removesuffix("_FILE").lower().split("__")
            branch = tree
            for section in sections:
                branch = branch.setdefault(section, {})
            branch[leaf] = read_secret(path, name)
        return tree


class Settings(BaseSettings):
    """Everything the operator may set."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    state: Path = Field(Path("state"), description="folder that holds everything that lasts")
    kafka: KafkaSettings = KafkaSettings()
    store: StoreSettings = StoreSettings()
    crawler: CrawlerSettings = CrawlerSettings()
    classifier: ClassifierSettings = ClassifierSettings()
    entities: EntitySettings = EntitySettings()
    worker: WorkerSettings = WorkerSettings()
    notifier: NotifierSettings = NotifierSettings()
    dashboard: DashboardSettings = DashboardSettings()

    @property
    def store_url(self) -> str:
        """Return the address of the database."""
        return self.store.url or f"sqlite:///{(self.state / 'bellwether.sqlite3').resolve()}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before secret files before the arguments, which hold the file."""
        return _Environment(settings_cls), _SecretFiles(settings_cls), init_settings


def load_settings(path: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings of a file (or of the default places) with overrides of the command line on top.

    Args:
        path: The operator's file; without it BELLWETHER_CONFIG, else bellwether.toml where it exists.
        overrides: Whole sections or top-level fields; None is left out.

    Raises:
        InvalidConfiguration: Every fault, one a line, each with its field and the way out.
    """
    named = path or (Path(os.environ["BELLWETHER_CONFIG"]) if os.environ.get("BELLWETHER_CONFIG") else None)
    chosen = named or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    values = _read_toml(chosen) if chosen else {}
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    _refuse_unknown_sections()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise InvalidConfiguration(_faults(error, chosen)) from None
    except SettingsError as error:
        msg = f"environment: {error}; write BELLWETHER_SECTION__FIELD=value"
        raise InvalidConfiguration(msg) from None
    changed: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    if bootstrap and not settings.kafka.bootstrap:
        changed["kafka"] = settings.kafka.model_copy(update={"bootstrap": bootstrap})
    settings = settings.model_copy(update=changed)
    return _anchored(settings, chosen.parent if chosen else Path())


def read_secret(path: str, field: str) -> str:
    """Return a secret file's text without the last newline; raise InvalidConfiguration naming the field."""
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        msg = f"`{field}` names {path}, which cannot be read: {error.strerror}"
        raise InvalidConfiguration(msg) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"configuration file {path} cannot be read: {error.strerror}"
        raise InvalidConfiguration(msg) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"configuration file {path} is not valid TOML: {error}"
        raise InvalidConfiguration(msg) from None


def _anchored(settings: Settings, folder: Path) -> Settings:
    """Return the settings with relative files taken from the folder of the configuration file."""

    def anchor(section: Any, *names: str) -> Any:
        found = {name: folder / path for name in names if (path := getattr(section, name)) is not None}
        return section.model_copy(update=found)

    def anchor_files(receiver: ReceiverSettings) -> ReceiverSettings:
        extra = receiver.model_extra or {}
        named = {name: value for name, value in extra.items() if name.endswith("_file") and isinstance(value, str)}
        files = {name: str(folder / value) for name, value in named.items() if value}
        return receiver.model_validate({**receiver.model_dump(), **files})

    receivers = tuple(anchor_files(receiver) for receiver in settings.notifier.receivers)
    return settings.model_copy(
        update={
            "notifier": settings.notifier.model_copy(update={"receivers": receivers}),
            "crawler": anchor(settings.crawler, "sources"),
            "classifier": anchor(settings.classifier, "artefact"),
            "entities": anchor(settings.entities, "companies", "watch_lists"),
        }
    )


def _faults(error: ValidationError, path: Path | None) -> str:
    lines = []
    for fault in error.errors(include_url=False):
        field = ".".join(str(part) for part in fault["loc"])
        was = "" if fault["type"] in {"missing", "extra_forbidden"} else f", was {_shown(field, fault['input'])}"
        what = "no such field" if fault["type"] == "extra_forbidden" else fault["msg"][:1].lower() + fault["msg"][1:]
        lines.append(f"`{field}`: {what}{was}")
    return f"{path or 'environment'}: " + "\n".join(lines)


def _shown(field: str, value: Any) -> str:
    """Return a value that was refused, where it cannot be a secret: a number, or one short word of the open fields."""
    from_file = f"{_PREFIX}{field.upper().replace('.', '__')}_FILE" in os.environ
    secret = any(word in field for word in ("secret", "password", "url", "receivers"))
    if isinstance(value, str):
        open_word = "." in field and len(value) <= 40 and "://" not in value
        return repr(value) if open_word and not (secret or from_file) else "(not shown)"
    return repr(value) if isinstance(value, int | float) and not (secret or from_file) else "(not shown)"


def _refuse_unknown_sections() -> None:
    """Refuse a variable whose section does not exist: a mistyped name must not be a setting that is silently lost."""
    for name in sorted(os.environ):
        section, nested, _ = name.removeprefix(_PREFIX).lower().partition("__")
        if name.startswith(_PREFIX) and nested and section not in Settings.model_fields:
            msg = f"`{name}` names no section; there are {', '.join(Settings.model_fields)}"
            raise InvalidConfiguration(msg)
