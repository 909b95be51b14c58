"""The stream that tells open pages to look again. It carries a number and the time, nobody's data."""

import json
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from server.access import Action, needs
from server.web.frame.visit import HOME_ZONE, LoggedIn

router = APIRouter(include_in_schema=False)
_BEAT_S = 2  # a sign of life; the page calls itself stale after four of them
_BEATS_MAX = 150  # then the browser connects again, and whether it is still logged in is asked anew


@router.get("/live", response_class=EventSourceResponse)
@needs(Action.ENTER)
async def live(visit: LoggedIn) -> AsyncIterator[ServerSentEvent]:
    """The number of the newest change, and of the newest that people must hear of; every few seconds as a sign of life.

    No sign while changes cannot be seen: the page then calls itself stale.
    """
    changes, clock = visit.web.changes, visit.web.parts.clock
    async with changes.listening():
        number = -1
        for _ in range(_BEATS_MAX):
            number = await changes.after(number, 0 if number < 0 else _BEAT_S)
            if changes.is_closed:
                return
            if changes.is_blind:
                continue
            at = clock.now().astimezone(ZoneInfo(HOME_ZONE))
            told = {"number": number, "urgent": changes.urgent, "at": f"{at:%H:%M:%S}"}
            yield ServerSentEvent(raw_data=json.dumps(told), retry=2000)
