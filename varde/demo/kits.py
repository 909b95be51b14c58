"""The settings file of each home's gateway process."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from varde.demo.folder import Folder
from varde.demo.keys import GatewayKeys
from varde.demo.town import Home, KitDevice

BACKEND = "device_sims.bleak_bumble:BumbleBackend"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlace:
    """Where the broker is; `tls_ca` vouches for it and turns TLS on."""

    port: int
    host: str = "127.0.0.1"
    tls_ca: Path | None = None


def write_settings(folder: Folder, home: Home, keys: GatewayKeys, *, broker: BrokerPlace, timezone: str) -> Path:
    """Write the settings of this home's gateway, readable by the owner alone; returns where."""
    place = folder.gateway(home.gateway)
    place.mkdir(parents=True, exist_ok=True)
    path = place / "gateway.toml"
    path.touch(mode=0o600)
    path.chmod(0o600)
    lines = [
        f"id = {_text(home.gateway)}",
        f"key = {_text(keys.key.hex())}",
        f"spool = {_text(place / 'spool.db')}",
        f"clock = {_text(folder.clock)}",
        "[mqtt]",
        f"host = {_text(broker.host)}",
        f"port = {broker.port}",
        f"username = {_text(home.gateway)}",
        f"password = {_text(keys.password)}",
        f"tls = {'false' if broker.tls_ca is None else 'true'}",
        *([] if broker.tls_ca is None else [f"tls_ca = {_text(broker.tls_ca)}"]),
        "[[adapter]]",
        f"name = {_text(home.name)}",
        f"backend = {_text(BACKEND)}",
        f"transport = {_text(f'unix-client:{air_socket(folder, home)}')}",
        *_devices(home.devices, timezone),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def air_socket(folder: Folder, home: Home) -> Path:
    """Where the air of this home offers its adapter."""
    return folder.root / "air" / f"{home.name}.hci"


def _devices(devices: Sequence[KitDevice], timezone: str) -> list[str]:
    lines: list[str] = []
    for device in devices:
        lines += ["[[device]]", f"address = {_text(device.address)}", f"kind = {_text(device.kind)}"]
        if device.model:
            lines.append(f"model = {_text(device.model)}")
        lines.append(f"timezone = {_text(timezone)}")
    return lines


def _text(value: object) -> str:
    """`value` as a TOML text; JSON's escapes are a part of TOML's."""
    return json.dumps(str(value))
