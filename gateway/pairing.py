"""Who may be bonded now: one device of ours at a time, within a window that a person has opened.

Without an open window every question of the Bluetooth stack about pairing is answered with no: a stranger on the stairs
could otherwise bond in the place of a cuff.
"""

import asyncio
import time
from collections.abc import Callable

WINDOW_MAX_S = 600


class Enrolment:
    """The pairing window of one gateway; seconds are real time, `now` is monotonic."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._device: str | None = None
        self._until = 0.0
        self._passkey: int | None = None
        self._told = asyncio.Event()

    def open(self, device: str, seconds: float, passkey: int | None = None) -> None:
        """Let `device` be bonded for `seconds`; `passkey` is what it shows or has printed on it.

        A second call for the same device adds the passkey that its display shows meanwhile.
        """
        if device != self._device or passkey is not None or not self.allows(device):
            self._passkey = passkey
        self._device = device
        self._until = self._now() + min(seconds, WINDOW_MAX_S)
        self._told.set()

    @property
    def device(self) -> str | None:
        """The device whose window is open now."""
        return self._device if self._device is not None and self.allows(self._device) else None

    def allows(self, device: str) -> bool:
        """Whether `device` may be bonded now."""
        return device == self._device and self._now() < self._until

    async def passkey(self, device: str) -> int | None:
        """The passkey of `device`, waited for as long as its window is open; None when there is none."""
        while self.allows(device):
            if self._passkey is not None:
                return self._passkey
            self._told.clear()
            try:
                async with asyncio.timeout(max(0.0, self._until - self._now())):
                    await self._told.wait()
            except TimeoutError:
                return None
        return None
