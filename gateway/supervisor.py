"""What systemd is told (sd_notify(3)): that we are ready, that the loop still turns, that we stop.

A loop that hangs, in a library or on a disk, stops telling; systemd then ends the process and starts it anew.
"""

import asyncio
import os
import socket

_TURNS = 3  # within the time systemd waits


def tell(word: str) -> bool:
    """Send `word` to systemd; False when nobody supervises us so."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        try:
            out.sendto(word.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError:  # it has gone away: nobody to tell, and nothing to stop for
            return False
    return True


async def keep_telling() -> None:
    """Say that we are ready, then that we are alive as often as systemd asks for, until cancelled."""
    tell("READY=1")
    try:
        every = int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000 / _TURNS
        while True:
            await asyncio.sleep(every or 3600.0)
            tell("WATCHDOG=1")
    finally:
        tell("STOPPING=1")
