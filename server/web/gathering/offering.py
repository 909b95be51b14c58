"""Which clicks a page offers: what the table of the lifecycle has a way for, and the reader's role may do."""

from datetime import timedelta

from alerts import lifecycle
from alerts.alert import Alert
from alerts.command import Action as Signal
from alerts.command import Outcome
from server.access import Action, Actor, allowed

OUTCOMES = tuple(each.value for each in Outcome)
SPANS = tuple(timedelta(minutes=each) for each in (30, 60, 120, 240))  # to put off; any other end by the clock


def offered(alert: Alert, actor: Actor) -> tuple[str, ...]:
    """The words of the clicks, in the engine's order. To take over is for others, to give back for the owner."""
    is_own = alert.owner == actor.id
    found = [each for each in lifecycle.buttons(alert) if allowed(actor, Action(each.value))]
    idle = Signal.TAKE_OVER if is_own else Signal.RELEASE
    return tuple(each.value for each in found if each is not idle)
