"""Asking a meter for its memory, through the record access control point of the glucose service (GLS 1.0.1, 3.4).

Only reports are asked for; nothing here can delete. A meter that was read before is asked from the newest record that
was kept, that one included: when it comes again, byte for byte, the memory is the one that is known, and whatever is
newer came behind it. When it does not, the memory was cleared or counts anew, and everything is asked for. Too much is
harmless, for a record's number and bytes make its id; too little would be a lost measurement.
"""

import logging
from enum import StrEnum

from gateway.ears import Ears
from gateway.link import Link
from gateway.profiles import DecodeError
from gateway.profiles.glucose import ALL_RECORDS, AccessResponse, access_response, records_from
from gateway.radio import Recall
from gateway.waits import Waits

log = logging.getLogger(__name__)

_SEQUENCE = slice(1, 3)  # of a 2A18 frame, little-endian


class Access(StrEnum):
    """How it came out."""

    DONE = "done"
    REFUSED = "refused"  # the meter does not want to be asked so
    UNANSWERED = "unanswered"  # the link went, or the meter took too long


class RecordAccess:
    """One session's questions to the control point `uuid`, and what came of them."""

    def __init__(self, uuid: str, recall: Recall | None, ears: Ears) -> None:
        self._uuid = uuid
        self._recall = recall
        self._ears = ears
        self._answers: list[AccessResponse] = []
        self._known_again = False
        self.refusal = ""

    def record(self, frame: bytes) -> None:
        """Note a record that came."""
        if self._recall is not None and frame == self._recall.frame:
            self._known_again = True

    def answer(self, frame: bytes) -> None:
        """Note what the control point says."""
        try:
            self._answers.append(access_response(frame))
        except DecodeError as error:
            log.warning("records_answer_unread reason=%r", error.reason)
        self._ears.prick()

    async def fetch(self, link: Link, waits: Waits) -> Access:
        """Have everything new sent, and return when the meter says that this was all."""
        if self._recall is not None:
            outcome = await self._ask(link, records_from(self._recall.sequence), waits)
            if outcome is Access.UNANSWERED or (outcome is Access.DONE and self._known_again):
                return outcome
            log.info("records_anew reason=%r", self.refusal or "the newest known record is gone")
        return await self._ask(link, ALL_RECORDS, waits)

    async def _ask(self, link: Link, request: bytes, waits: Waits) -> Access:
        self._answers.clear()
        self.refusal = ""
        await link.write(self._uuid, request)
        if not await self._ears.until(lambda: bool(self._answers), waits.answer, waits.records):
            return Access.UNANSWERED
        if self._answers[0].done:
            return Access.DONE
        self.refusal = f"request {request.hex()} answered with code {self._answers[0].code}"
        return Access.REFUSED


def sequence_of(frame: bytes) -> int | None:
    """The number of the record in a 2A18 frame; None when there is none to be read."""
    number = frame[_SEQUENCE]
    return int.from_bytes(number, "little") if len(number) == 2 else None
