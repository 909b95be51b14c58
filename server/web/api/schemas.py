"""The shapes of the API's answers, for its OpenAPI document; the answers themselves are written with exact numbers."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from alerts.alert import State
from alerts.zone import Zone


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


_Item = TypeVar("_Item", bound=_Shape)
_Priority = Literal["low", "medium", "high", "critical"]


class Listed(_Shape, Generic[_Item]):
    """A page of a list; `next` is the `after` of the page that follows, null at the end."""

    items: list[_Item]
    next: str | None


class AlertItem(_Shape):
    """An alert. `why` is structured: rule, value, limit, device, times, and what would have kept it quiet."""

    id: str
    patient: str
    rule: str
    state: State
    priority: _Priority
    highest: _Priority
    condition: bool
    late: bool
    raised_at: datetime | None
    why: dict[str, Any]


class ReadingItem(_Shape):
    """One act of measuring; `unclaimed` says why it is nobody's."""

    id: str
    patient: str | None
    unclaimed: str | None
    gateway: str | None  # null: a person entered it by hand
    device: str
    model: str | None
    taken_at: datetime
    received_at: datetime
    clock: str
    offset_s: int
    values: dict[str, Decimal | Literal["LO", "HI"]]
    quality: Literal["good", "poor"]
    flags: list[str]
    battery: int | None


class ReadingClicked(_Shape):
    """What was done to a reading, and the patient's zone after it."""

    patient: str
    reading: str
    done: Literal["invalidate", "accept"]
    zone: Zone


class CommandItem(_Shape):
    """What was asked of a gateway; `outcome` is null until it says what became of it, or until it is too late."""

    id: str
    gateway: str
    kind: str
    device: str | None
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    outcome: str | None
    told_at: datetime | None


class QuarantineItem(_Shape):
    """A message that was refused; `payload` is its bytes in hex, `payload_bytes` how many there were."""

    id: str
    kind: str
    reason: str
    gateway: str | None
    device: str | None
    message: str | None
    topic: str
    payload: str
    payload_bytes: int
    times: int
    first_at: datetime
    last_at: datetime
    state: Literal["open", "resolved"]
