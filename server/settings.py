"""What an installation decides: one frozen value, read once at start and passed down. Secrets never print."""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.db.engine import DatabaseAddressError, file_address, is_embedded


class RoleName(StrEnum):
    """The parts of the server that can run as processes of their own."""

    ALL = "all"
    WEB = "web"
    INGEST = "ingest"
    WATCH = "watch"
    NOTIFY = "notify"


class Login(StrEnum):
    """How staff prove who they are."""

    NONE = "none"  # nobody can log in; tokens work
    DEMO = "demo"  # one button a person who does not exist


class SettingsError(ValueError):
    """A setting that cannot be; the text names it and says why."""


class Settings(BaseSettings):
    """Every setting, with its default; from the environment as VARDE_NAME or given by name."""

    model_config = SettingsConfigDict(env_prefix="VARDE_", frozen=True, extra="forbid")

    role: RoleName = RoleName.ALL
    data: Path = Path("varde-data")
    database: str | None = None  # an address; without one, a file in the data folder
    clock: Path | None = None  # a shared fast clock, for demos
    login: Login = Login.NONE

    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8000, ge=0, le=65535)
    metrics_port: int | None = Field(default=None, ge=1, le=65535)  # on web_host; of a process without pages

    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = Field(default=1883, ge=1, le=65535)
    mqtt_username: str | None = None
    mqtt_password: SecretStr | None = None
    mqtt_client_id: str = "varde-ingest"  # fixed: the broker keeps what arrives while the server is away
    mqtt_tls_ca: Path | None = None  # the certificate authority that vouches for the broker; turns TLS on
    mqtt_shared: bool = False  # the broker understands $share, so several ingest processes may divide the load

    # Asked for every 20 seconds while everything is alive; whoever answers there alarms when it stays out.
    deadman_url: SecretStr | None = None

    # A blood pressure in quarantine is about 1 kB; this is some 100 MB, and months of ordinary trouble.
    quarantine_rows_max: int = Field(default=100_000, ge=10)
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    @field_validator("database")
    @classmethod
    def _address_is_usable(cls, value: str | None) -> str | None:
        if value is not None:
            is_embedded(value)
        return value

    @field_validator("deadman_url")
    @classmethod
    def _can_be_pinged(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value()) if value is not None else None
        if parts is not None and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must be an address such as https://alarm.example/ping")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.role is not RoleName.ALL and is_embedded(self.database_address):
            raise ValueError(
                f"role: {self.role} cannot run alone on the embedded database, because it is a file that one process "
                "serves and only there can the watch be nudged; run --role all"
            )
        if self.login is Login.DEMO and not is_loopback(self.web_host):
            raise ValueError(
                f"login: demo lets in anyone with a click, so it is served on this machine only, not on {self.web_host}"
            )
        return self

    @property
    def database_address(self) -> str:
        """Where the data are."""
        return self.database or file_address(self.data / "varde.db")

    @property
    def vault_path(self) -> Path:
        """The file with the key that opens names and gateway keys."""
        return self.data / "vault.key"


def settings_from(given: Mapping[str, Any]) -> Settings:
    """The settings given by name (None: not given) over those of the environment; raises `SettingsError`."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(_words(each) for each in error.errors(include_input=False))) from None
    except DatabaseAddressError as error:
        raise SettingsError(str(error)) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _words(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    return text if not where or text.startswith(where) else f"{where}: {text}"
