"""Waiting for an effect, never for a time."""

import asyncio
import time
from collections.abc import Callable


async def until(holds: Callable[[], object], within: float = 20.0) -> None:
    """Return as soon as `holds()`; fails the test after `within` seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"did not come true within {within:g} s"
        await asyncio.sleep(0.01)
