"""How long the radio waits for what, and waiting that ends when told to."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds of real time.

    `connect`: a device that fell asleep must not hold the adapter. `quiet`: records follow each other within
    milliseconds, some devices think for a second first. `drain`: a stream never gets quiet. `session`: a stack waits
    for an answer that may never come. `records`: a meter's whole memory, over a slow link; on top of `session`.
    `answer`: a meter that says nothing for so long has hung. `farewell`: for a disconnect. `fresh`: an advertisement
    older than this says nothing about now. `silence`: no advertisement from anybody; scanners are known to fall asleep
    after hours. `given_up`: nor from any adapter, though there was somebody before. `again` and `again_max`: between
    two visits to one device, longer when there was nothing to fetch.
    """

    connect: float = 10.0
    quiet: float = 2.0
    drain: float = 40.0
    session: float = 60.0
    records: float = 240.0
    answer: float = 10.0
    farewell: float = 5.0
    fresh: float = 3.0
    silence: float = 90.0
    given_up: float = 900.0
    again: float = 0.5
    again_max: float = 60.0


def stop_if_told() -> None:
    """Ends a run whose cancellation was swallowed on the way: before Python 3.12 `wait_for`, which Bluetooth stacks
    use inside, does so when its result comes at the same moment."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether `event` is set within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
