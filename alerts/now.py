"""The one way to ask the time: has this deadline been reached? What has not been reached becomes the wake-up."""

from datetime import UTC, datetime, timedelta


class Now:
    """The present moment of one step.

    `at` is for stamping facts. Nothing in this package compares with it; it asks `reached`, and so schedules itself.
    """

    __slots__ = ("at", "wake_at")

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)  # facts and ids are made of it: the same moment must read the same
        self.wake_at: datetime | None = None

    def reached(self, deadline: datetime) -> bool:
        """Whether `deadline` is now or past; if not, the step asks to be called again then at the latest."""
        if deadline <= self.at:
            return True
        if self.wake_at is None or deadline < self.wake_at:
            self.wake_at = deadline
        return False

    def since(self, moment: datetime) -> timedelta:
        """How long ago `moment` was: for answers that only matter when something else happens (no wake-up)."""
        return self.at - moment
