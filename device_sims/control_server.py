"""The air's ear for orders: `DIR/air.sock`, for the owner of the folder alone."""

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from pathlib import Path
from typing import Any

from device_sims.control import LINE_BYTES_MAX, SOCKET
from device_sims.homes import House
from device_sims.peripherals import Peripheral, Record, RecordRefusedError

_LOG = logging.getLogger(__name__)
_WAIT_MAX_S = 600.0


class OrderError(ValueError):
    """The order cannot be carried out; the message goes back to who gave it."""


class ControlServer:
    """Takes orders for the devices of `houses`."""

    def __init__(self, houses: list[House], data: Path) -> None:
        self._houses = houses
        self._path = data / SOCKET
        self._server: asyncio.Server | None = None
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def start(self) -> None:
        """Listen, in the place of whatever an earlier run left."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=LINE_BYTES_MAX)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self._answer(await reader.readline())
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError) as error:
            _LOG.info("an order was not heard to its end: %s", error)
        except asyncio.CancelledError:
            _LOG.info("an order was still open when the air was stopped")  # and streams do not like to be cancelled
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            order = json.loads(line)
            if order.get("do") == "ping":
                return {"ok": True, "homes": len(self._houses)}
            if order.get("do") == "send":
                return {"ok": True, "said": await self._send(order)}
        except (OrderError, RecordRefusedError) as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, LookupError, AttributeError, TypeError):
            return {"ok": False, "error": "the order is not a JSON object with the right fields"}
        return {"ok": False, "error": f"do: {order.get('do')!r} is unknown; known: ping, send"}

    async def _send(self, order: dict[str, Any]) -> str:
        address = str(order["address"]).upper()
        house = next((each for each in self._houses if address in each.devices), None)
        if house is None:
            raise OrderError(f"no device has the address {address}; known:\n{self._known()}")
        device = house.devices[address]
        wait_s = min(float(order.get("wait_s", 60.0)), _WAIT_MAX_S)
        record: Record | None = None
        try:
            async with asyncio.timeout(wait_s), self._turns[address]:
                # Every order is a measurement of its own, and so has a connection of its own: repeated in one
                # connection, bytes without time or number would be the same record again.
                await device.parted()
                cut = bool(order.get("cut"))
                record = device.store(bytes.fromhex(order["frame"]), order.get("characteristic"), cut=cut)
                await asyncio.shield(record.handed_over)
        except TimeoutError:
            raise OrderError(_not_handed_over(device, record, wait_s, house.home.gateway)) from None
        often = "" if record.sent == 1 else f", sent {record.sent} times because the link was lost in between"
        if device.broadcasts:
            return f"{address} told everybody {len(record.frame)} bytes on {record.characteristic}, and nobody confirms"
        return (
            f"{address} handed {len(record.frame)} bytes over on {record.characteristic} to {house.home.gateway}{often}"
        )

    def _known(self) -> str:
        lines = (
            f"  {device.spec.address}  {device.kind:<11} {house.home.name}"
            for house in self._houses
            for device in house.devices.values()
        )
        return "\n".join(lines)


def _not_handed_over(device: Peripheral, record: Record | None, wait_s: float, gateway: str) -> str:
    """Forget the record and say why nobody has it."""
    if record is None:
        return f"{device.spec.address} was still busy with an earlier record after {wait_s:g} s"
    device.drop(record)
    again = f"it was sent {record.sent} times and never confirmed" if record.sent else "nobody fetched it"
    return (
        f"{device.spec.address} did not hand the record over within {wait_s:g} s: {again}; "
        f"does the gateway {gateway} run, and does it know this device?"
    )
