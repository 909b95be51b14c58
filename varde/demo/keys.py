"""The demo's secrets: made once, kept in one private file, the same at every start."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from varde.demo.folder import Folder, write_private
from vitals.reading import GatewayId


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKeys:
    """What one gateway proves itself with: the seal's key to the server, the password to the broker."""

    key: bytes
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Every secret of the demo but the API token."""

    server_password: str
    gateways: dict[GatewayId, GatewayKeys]


def keys_for(folder: Folder, gateways: Sequence[GatewayId]) -> Keys:
    """The stored secrets; those of gateways that have none yet are made and stored first."""
    stored = json.loads(folder.keys.read_text()) if folder.keys.exists() else {"server_password": None, "gateways": {}}
    password: str = stored["server_password"] or secrets.token_urlsafe(16)
    own: dict[GatewayId, dict[str, str]] = {name: stored["gateways"].get(name) or _made() for name in gateways}
    body = {"server_password": password, "gateways": own}
    if body != stored:
        write_private(folder.keys, body)
    return Keys(
        server_password=password,
        gateways={
            name: GatewayKeys(key=bytes.fromhex(each["key"]), password=each["password"]) for name, each in own.items()
        },
    )


def _made() -> dict[str, str]:
    return {"key": secrets.token_hex(32), "password": secrets.token_urlsafe(16)}
