"""The web role's sign of life, given by the loop that answers: a server that hangs gives none."""

import asyncio

import structlog
from sqlalchemy.exc import DBAPIError

from server.parts import Parts
from server.watch.beat import EVERY_SECONDS, Pulse
from server.watch.silence import Part

_log = structlog.get_logger("varde.web")


async def beat(parts: Parts) -> None:
    """Beat until cancelled."""
    pulse = Pulse(parts, Part.WEB)
    failed = False
    while True:
        try:
            await asyncio.to_thread(pulse.beat)
            failed = False
        except DBAPIError as error:
            if not failed:
                _log.error("cannot say that web lives", error=type(error.orig).__name__)
            failed = True
        await asyncio.sleep(EVERY_SECONDS)
