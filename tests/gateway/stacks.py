"""Bluetooth stacks with the troubles of real ones, over the virtual radio; named in settings as "module:attribute"."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from bleak.backends.characteristic import BleakGATTCharacteristic

from device_sims.bleak_bumble import BumbleBackend, BumbleClient, BumbleScanner

scans = 0
quits = 0
connecting = asyncio.Event()


class StuckClient(BumbleClient):
    """A stack that never answers a subscription."""

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: Any, **_bleak: Any) -> None:
        await asyncio.Event().wait()


class CrossingClient(BumbleClient):
    """The device says its last word once more while we are disconnecting, and nobody confirms it."""

    _callback: Callable[[bytearray], None]
    _last = bytearray()

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: Any, **_bleak: Any) -> None:
        def take(data: bytearray) -> None:
            self._last = data
            callback(data)

        self._callback = callback
        await super().start_notify(characteristic, take)

    async def disconnect(self) -> None:
        if self._last:
            last, self._last = self._last, bytearray()
            self._callback(last)
        await super().disconnect()


class DeafClient(BumbleClient):
    """A stack that swallows a cancellation while it connects, as `wait_for` does now and then before Python 3.12."""

    async def connect(self, pair: bool, **_bleak: Any) -> None:
        connecting.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await super().connect(pair)


class QuittingClient(BumbleClient):
    """A stack that lets the cancellation of a future of its own escape, once."""

    async def connect(self, pair: bool, **_bleak: Any) -> None:
        global quits
        quits += 1
        if quits == 1:
            raise asyncio.CancelledError
        await super().connect(pair)


class CountedScanner(BumbleScanner):
    """Counts how often it was started."""

    async def start(self) -> None:
        global scans
        scans += 1
        await super().start()


class StuckBackend(BumbleBackend):
    @property
    def client_args(self) -> Mapping[str, Any]:
        return {**super().client_args, "backend": StuckClient}


class CrossingBackend(BumbleBackend):
    @property
    def client_args(self) -> Mapping[str, Any]:
        return {**super().client_args, "backend": CrossingClient}


class DeafBackend(BumbleBackend):
    @property
    def client_args(self) -> Mapping[str, Any]:
        return {**super().client_args, "backend": DeafClient}


class QuittingBackend(BumbleBackend):
    @property
    def client_args(self) -> Mapping[str, Any]:
        return {**super().client_args, "backend": QuittingClient}


class CountedBackend(BumbleBackend):
    @property
    def scanner_args(self) -> Mapping[str, Any]:
        return {**super().scanner_args, "backend": CountedScanner}
