"""A glucose meter (Glucose Service 1.0.1): it says nothing by itself and keeps everything it was asked for.

The memory is asked through the record access control point (0x2A52). Reporting deletes nothing, and deleting is not
offered; a meter advertises while it has records that nobody has asked for.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from bumble import att
from bumble.gatt import Service

from device_sims import gatt_server as gatt
from device_sims.encode import access_ended, number_of_records
from device_sims.encode.glucose import Answer, OpCode
from device_sims.peripherals.peripheral import Peripheral
from device_sims.peripherals.record import Moment, Record
from device_sims.record_access import AccessError, Request, read_request

MEMORY = 480  # records; the oldest makes room


class Glucometer(Peripheral):
    """A meter with a memory. `pace_s` is how long it thinks before each record; `requests` is what it was asked."""

    kind = "glucometer"
    service_uuids = (0x1808,)
    default_characteristic = "2A18"
    has_clock = True
    pace_s = 0.0

    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        self.requests: list[bytes] = []
        self._speaking = {
            "2A18": voice.speaking(0x2A18, gatt.NOTIFY),
            "2A34": voice.speaking(0x2A34, gatt.NOTIFY),
        }
        asked = att.AttributeValueV2(write=self._asked)
        self._control_point = voice.speaking(0x2A52, gatt.WRITE | gatt.INDICATE, asked)
        # Low battery, sensor malfunction, sample size, strip type, high and low results (bits 0, 1, 2, 4, 5).
        features = gatt.readable(0x2A51, (0x0037).to_bytes(2, "little"))
        return [Service("1808", [*self._speaking.values(), features, self._control_point])]

    @property
    def has_news(self) -> bool:
        return any(not record.handed_over.done() for record in self.records)

    def store(self, frame: bytes, characteristic: str | None = None, *, cut: bool = False) -> Record:
        record = super().store(frame, characteristic, cut=cut)
        while len(self.records) > MEMORY:
            self.records.popleft().handed_over.cancel()
        return record

    def _begin_handover(self) -> None:
        """A meter waits to be asked."""

    def _asked(self, bearer: Any, frame: bytes) -> None:
        frame = bytes(frame)
        server = self._device.gatt_server
        busy = self._handover is not None and not self._handover.done()
        if not gatt.is_subscribed(server, bearer, self._control_point):
            raise att.ATT_Error(error_code=att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED)
        if busy and frame[:1] != bytes([OpCode.ABORT]):
            raise att.ATT_Error(error_code=att.ErrorCode.PROCEDURE_ALREADY_IN_PROGRESS)
        reports = frame[:1] == bytes([OpCode.REPORT])
        if reports and not gatt.is_subscribed(server, bearer, self._speaking["2A18"]):
            raise att.ATT_Error(error_code=att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED)
        self.requests.append(frame)
        if busy and self._handover is not None:
            self._handover.cancel()
        self._handover = asyncio.get_running_loop().create_task(
            self._carry_out(self._connection, frame, aborts=busy), name=f"records of {self.spec.address}"
        )

    async def _carry_out(self, connection: Any, frame: bytes, *, aborts: bool) -> None:
        if self._passes(Moment.ASKED):
            return
        reported: list[Record] = []
        try:
            request = read_request(frame)
            if request.op is OpCode.ABORT:
                answer = access_ended(request.op, Answer.SUCCESS if aborts else Answer.ABORT_UNSUCCESSFUL)
            elif request.op is OpCode.COUNT:
                chosen = [each for each in self._chosen(request) if each.characteristic == "2A18"]
                answer = number_of_records(len(chosen))
            else:
                reported = self._chosen(request)
                answer = access_ended(request.op, Answer.SUCCESS if reported else Answer.NO_RECORDS)
        except AccessError as error:
            answer = access_ended(error.request, error.answer)
        await self._report(connection, reported, answer)

    async def _report(self, connection: Any, records: Sequence[Record], answer: bytes) -> None:
        for record in records:
            await asyncio.sleep(self.pace_s)
            if self._hears(connection, record) and not await self._say(connection, record):
                return
        if self._passes(Moment.ANSWERED):
            return
        try:
            await self._device.gatt_server.indicate_subscriber(connection, self._control_point, answer)
        except TimeoutError:
            self.cut_link()
            return
        for record in records:
            if self._connection is connection:
                record.done()
        self._hang_up_when_idle(connection)

    def _chosen(self, request: Request) -> list[Record]:
        """Records and what belongs to them, oldest first; bytes without a number count as the newest."""
        numbers = list(dict.fromkeys(_sequence(record) for record in self.records))
        meant = set(request.chosen(numbers))
        return [record for record in self.records if _sequence(record) in meant]


def _sequence(record: Record) -> int:
    return int.from_bytes(record.frame[1:3], "little") if len(record.frame) >= 3 else 0xFFFF
