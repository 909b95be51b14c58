"""`DIR/demo.json`: what a script needs to speak with the running demo, readable by the owner alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from varde.demo.enrol import Enrolled
from varde.demo.folder import Folder, write_private
from varde.demo.keys import GatewayKeys
from varde.demo.town import Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What goes into the file: where the server and its broker are, and a gateway in whose name a script may speak.

    Its account may publish readings under any gateway's topic, on purpose: so the server's own check can be seen.
    """

    url: str
    broker_port: int
    town: Town
    enrolled: Enrolled
    keys: GatewayKeys
    metrics: Sequence[str]  # where the server's processes say what they counted


def write_handover(folder: Folder, handover: Handover) -> None:
    """Write the file, whole or not at all."""
    town = handover.town
    devices = [
        {
            "address": device.address,
            "kind": device.kind,
            "patient": handover.enrolled.patients[town.resident_with(device.address).key],
        }
        for device in town.script_devices()
    ]
    write_private(
        folder.handover,
        {
            "url": handover.url,
            "token": handover.enrolled.token,
            "metrics": list(handover.metrics),
            "mqtt": {
                "host": "127.0.0.1",
                "port": handover.broker_port,
                "gateway": town.script_gateway,
                "username": town.script_gateway,
                "password": handover.keys.password,
                "key": handover.keys.key.hex(),
                "devices": devices,
            },
            "clock": str(folder.clock),
        },
    )
