"""Which of several adapters visits a device that more than one of them hears. Pure.

A bond lies in one adapter: a bonded device is visited by that one as long as it hears anybody at all. Any other device
stays with the adapter that visited it last, for choices that flap between two ears of the same loudness cost visits;
another takes over when it hears the device much better, when the first does not hear it, or after a visit that failed.
"""

from dataclasses import dataclass

BETTER_DB = 16  # as habluetooth has it, with its weight of a new value and its age of an old one
_WEIGHT = 0.3
STALE_S = 195.0
_WAKE_S = 10.0  # a device that was not heard for so long and is heard again has woken anew
HEAD_START_S = 1.0  # in a new wake, for the adapter that had the device before


@dataclass(slots=True)
class _Signal:
    """How one adapter hears one device: smoothed strength (dBm; None: not said), and the wake it is in."""

    strength: float | None
    at: float
    awake_since: float


class Receivers:
    """The choice of all adapters of one gateway; monotonic seconds come in as `now`."""

    def __init__(self) -> None:
        self._signals: dict[tuple[str, str], _Signal] = {}
        self._alive: dict[str, float] = {}
        self._keeper: dict[str, str] = {}
        self._bonded: dict[str, str] = {}

    def alive(self, adapter: str, now: float) -> None:
        """The adapter heard somebody, known or not."""
        self._alive[adapter] = now

    def heard(self, adapter: str, device: str, strength: int | None, now: float) -> None:
        """The adapter heard this device of ours."""
        self.alive(adapter, now)
        known = self._signals.get((adapter, device))
        if known is None or now - known.at > STALE_S or known.strength is None or strength is None:
            smooth: float | None = strength
        else:
            smooth = known.strength + _WEIGHT * (strength - known.strength)
        is_new = known is None or now - known.at > _WAKE_S
        since = now if is_new or known is None else known.awake_since
        self._signals[adapter, device] = _Signal(smooth, now, since)

    def may_visit(self, adapter: str, device: str, now: float) -> bool:
        """Whether this adapter, which hears the device now, is the one to visit it."""
        bonded = self._bonded.get(device)
        if bonded is not None and bonded != adapter and self._is_alive(bonded, now):
            return False
        keeper = self._keeper.get(device)
        return keeper in (None, adapter) or not self._is_alive(keeper, now) or self._beats(adapter, keeper, device, now)

    def visited(self, adapter: str, device: str, *, bonded: bool) -> None:
        """A visit succeeded; `bonded`: this adapter has the keys."""
        self._keeper[device] = adapter
        if bonded:
            self._bonded[device] = adapter

    def failed(self, device: str, *, no_keys: bool = False) -> None:
        """A visit failed, so whoever hears the device may try next; also a bonded one whose keys do not work."""
        self._keeper.pop(device, None)
        if no_keys:
            self._bonded.pop(device, None)

    def _is_alive(self, adapter: str | None, now: float) -> bool:
        return adapter is not None and now - self._alive.get(adapter, float("-inf")) <= STALE_S

    def _beats(self, adapter: str, keeper: str | None, device: str, now: float) -> bool:
        mine, its = self._signals.get((adapter, device)), self._signals.get((str(keeper), device))
        if mine is None:
            return False
        if its is None or now - its.at > _WAKE_S:
            return now - mine.awake_since >= HEAD_START_S
        if mine.strength is None or its.strength is None:
            return False
        return mine.strength - its.strength >= BETTER_DB
