"""A chest belt (Heart Rate Service 1.0): it speaks as long as it is worn, and stores nothing."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

from bumble.gatt import Service

from device_sims import gatt_server as gatt
from device_sims.peripherals.peripheral import Peripheral, in_background

BEATS = 10  # a person who measures wears the belt until so many values were heard
_CHEST = 1  # body sensor location


class PulseBelt(Peripheral):
    """Streams what `wear` was given, a value every `every_s` while somebody listens, until `take_off`."""

    kind = "pulse_belt"
    service_uuids = (0x180D,)
    default_characteristic = "2A37"
    every_s = 1.0

    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        self._beats: Iterator[bytes] | None = None
        self._speaking = {"2A37": voice.speaking(0x2A37, gatt.NOTIFY)}
        return [Service("180D", [*self._speaking.values(), gatt.readable(0x2A38, bytes([_CHEST]))])]

    @property
    def has_news(self) -> bool:
        return self._beats is not None or super().has_news

    def measure(self, frame: bytes, characteristic: str | None = None) -> None:
        self.wear(repeat(frame, BEATS))

    def wear(self, frames: Iterable[bytes]) -> None:
        """Put the belt on; it is taken off when the frames end."""
        self._beats = iter(frames)
        self.press()

    def take_off(self) -> None:
        """A belt that lies on the table hangs up at once."""
        self._beats = None
        if self._connection is not None:
            in_background(self._connection.disconnect())

    async def _hand_over(self, connection: Any) -> None:
        server, pulse = self._device.gatt_server, self._speaking["2A37"]
        await super()._hand_over(connection)
        while self._connection is connection and gatt.is_subscribed(server, connection, pulse):
            frame = None if self._beats is None else next(self._beats, None)
            if frame is None:
                break
            await server.notify_subscriber(connection, pulse, frame)
            await asyncio.sleep(self.every_s)
            await super()._hand_over(connection)
        else:
            return
        if self._beats is not None:
            self.take_off()
