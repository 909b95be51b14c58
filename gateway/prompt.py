"""How this home is asked to measure again: a program of its own, for a lamp, a bell or a display.

The settings name it (`prompt`); it gets the device's kind and address as words, and nothing of a person. A gateway
without one has no way to tell anybody and says so, instead of writing into a log that nobody at home reads.
"""

import asyncio
import logging
from collections.abc import Sequence

from gateway.radio import KnownDevice

log = logging.getLogger(__name__)

_LIMIT_S = 60.0  # then it is ended: a lamp that blinks for longer is for the program to leave on


class Prompt:
    """Starts the program; one at a time, for the last wish is the one that counts."""

    def __init__(self, command: Sequence[str], limit_s: float = _LIMIT_S) -> None:
        self._command = tuple(command)
        self._limit_s = limit_s
        self._running: asyncio.Task[None] | None = None

    def start(self, device: KnownDevice) -> None:
        """Start it and return at once; from the event loop's thread."""
        self.end()
        self._running = asyncio.get_running_loop().create_task(self._run(device))

    def end(self) -> None:
        """End the one that runs."""
        if self._running is not None:
            self._running.cancel()

    async def _run(self, device: KnownDevice) -> None:
        quiet = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, device.kind, device.address, stdin=quiet, stdout=quiet, stderr=quiet
            )
        except OSError as error:
            log.error("prompt_failed device=%s reason=%r", device.address, str(error))  # noqa: TRY400
            return
        try:
            async with asyncio.timeout(self._limit_s):
                code = await process.wait()
        except TimeoutError:
            log.warning("prompt_too_long device=%s", device.address)
        else:
            log.info("prompt device=%s code=%d", device.address, code)
        finally:
            if process.returncode is None:
                process.kill()
                await asyncio.shield(process.wait())
