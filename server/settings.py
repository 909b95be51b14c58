"""What an installation decides: one frozen value, read once at start and passed down. Secrets never print."""

import ipaddress
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.db.engine import DatabaseAddressError, file_address, is_embedded
from server.notify.smtp import Tls
from server.notify.texts import DEFAULT, LANGUAGES

# A name with a dot, so that no list lets a whole top-level domain in; or this machine.
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|localhost")


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

    # How people are told. Without a way of its own an installation writes notices to its log.
    public_url: str | None = None  # where people open the pages: links in notices, and receipts of webhooks
    notice_language: str = Field(default=DEFAULT, pattern=f"^({'|'.join(LANGUAGES)})$")
    notices_to_log: bool = False  # everything, whatever people's channels are: for demos
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_tls: Tls = Tls.STARTTLS
    smtp_tls_ca: Path | None = None
    smtp_sender: str | None = None
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    webhook_url: SecretStr | None = None  # takes messages to telephones
    webhook_key: SecretStr | None = None  # what they are signed with
    webhook_tls_ca: Path | None = None
    webhook_confirms_s: int = Field(default=0, ge=0, le=3600)  # how soon it promises to say "delivered"; 0: it does not
    push_contact: str | None = None  # turns web push on: whom the push services may ask, a mailto: or https: address
    push_services: str = "fcm.googleapis.com,push.services.mozilla.com,web.push.apple.com,notify.windows.com"
    push_confirms_s: int = Field(default=60, ge=0, le=3600)  # how soon a browser must say "delivered"; 0: ever
    operations_mail: str | None = None  # who is told, past the outbox, that a part of Varde is silent

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

    @field_validator("public_url")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as https://varde.example")
        return value.rstrip("/")

    @field_validator("webhook_url")
    @classmethod
    def _is_safe_to_post_to(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value()) if value is not None else None
        if parts is None or (parts.scheme == "https" and parts.hostname):
            return value
        if parts.scheme == "http" and is_loopback(parts.hostname or ""):
            return value
        raise ValueError("must be an https address; http only on this machine")

    @field_validator("push_contact")
    @classmethod
    def _can_be_asked(cls, value: str | None) -> str | None:
        if value is None or (value.startswith(("mailto:", "https://")) and value.isascii() and value.isprintable()):
            return value
        raise ValueError("must be an address such as mailto:drift@kommune.example")

    @field_validator("push_services")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        if all(_HOST.fullmatch(each.strip()) for each in value.split(",")):
            return value.lower()
        raise ValueError("must be names of hosts with commas between them, such as push.services.mozilla.com")

    @model_validator(mode="after")
    def _can_tell(self) -> Self:
        if self.smtp_host is not None and not self.smtp_sender:
            raise ValueError("smtp_sender: mail needs a sender, such as varde@kommune.example")
        if self.smtp_host is not None and self.smtp_tls is Tls.NONE and not is_loopback(self.smtp_host):
            raise ValueError("smtp_tls: none is for a mail server on this machine only")
        if self.webhook_url is not None and self.webhook_key is None:
            raise ValueError("webhook_key: messages must be signed, or anybody could send them")
        if self.webhook_confirms_s and self.public_url is None:
            raise ValueError("webhook_confirms_s: needs public_url, where the webhook says what became of a message")
        if self.operations_mail is not None and self.smtp_host is None:
            raise ValueError("operations_mail: needs smtp_host")
        return self

    @model_validator(mode="after")
    def _pushes_go_out(self) -> Self:
        if self.login is not Login.DEMO and any(is_loopback(each) for each in self.known_push_services):
            raise ValueError("push_services: this machine is a push service for tests and the demo only")
        return self

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
    def known_push_services(self) -> frozenset[str]:
        """The hosts that may be asked to carry a push, and those below them."""
        return frozenset(each.strip() for each in self.push_services.split(","))

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
