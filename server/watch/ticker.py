"""The doorbell of time: once a real second it says "who is due?". It remembers nothing, the slate does."""

from apscheduler.schedulers.background import BackgroundScheduler

from server.nudge import Nudge

EVERY_SECONDS = 1


class Ticker:
    """Rings the nudge while it runs. Rings that were missed count as one."""

    def __init__(self, nudge: Nudge) -> None:
        # The scheduler's own clock and zone are of no consequence: only the interval is used.
        self._scheduler = BackgroundScheduler(timezone="UTC", daemon=True)
        self._scheduler.add_job(
            nudge.hear,
            "interval",
            seconds=EVERY_SECONDS,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # by default it drops a job that is one second late
        )

    def start(self) -> None:
        """Begin to ring."""
        self._scheduler.start()

    def stop(self) -> None:
        """Ring no more."""
        self._scheduler.shutdown(wait=False)
