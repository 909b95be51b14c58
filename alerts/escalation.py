"""Who is told when nobody answers, and again until somebody does.

A ladder runs while an alert is active, from the moment it became active or worsened; the reminders of what was
acknowledged and forgotten run while it is acknowledged. Steps are data; `run` fires what is due, once, in order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.alert import Alert, Dispatch, Ladder, State
from alerts.fact import FactKind, Role
from alerts.memory import Sent
from alerts.plan import Outside
from alerts.priority import Priority
from alerts.service_hours import Service
from alerts.turn import Turn
from vitals.frozen import changed

HELD_BACK = timedelta(minutes=5)  # one patient's alerts tell a role once in so long, unless it is more urgent
LATE = timedelta(minutes=2)  # after a snooze, or because nothing ran: a notice then says when its step was due
_MEDIUM_AFTER = timedelta(hours=4)  # of service


@dataclass(frozen=True, slots=True)
class Rung:
    """One step: so many minutes after the ladder began, this role."""

    minutes: int
    to: Role


@dataclass(frozen=True, slots=True)
class Course:
    """The steps of a ladder; the last one repeats every `again` minutes, if that is given."""

    rungs: tuple[Rung, ...]
    again: int | None = None


COURSES: Mapping[str, Course] = {
    "high": Course(
        (
            Rung(0, Role.PRIMARY),
            Rung(5, Role.PRIMARY),
            Rung(10, Role.PRIMARY),
            Rung(15, Role.SHIFT_LEAD),
            Rung(30, Role.BACKUP),
            Rung(45, Role.DUTY_MANAGER),
        ),
        again=15,
    ),
    "critical": Course(
        (Rung(0, Role.PRIMARY), Rung(0, Role.SHIFT_LEAD), Rung(5, Role.BACKUP), Rung(15, Role.DUTY_MANAGER)), again=15
    ),
    "response": Course(
        (Rung(0, Role.RESPONSE_CENTRE), Rung(10, Role.RESPONSE_CENTRE), Rung(20, Role.RESPONSE_CENTRE)), again=20
    ),
    "kept": Course((Rung(60, Role.OWNER), Rung(120, Role.SHIFT_LEAD))),  # acknowledged, and then forgotten
}
LEVELS = {
    Role.OWNER: 0,
    Role.PRIMARY: 1,
    Role.RESPONSE_CENTRE: 1,
    Role.SHIFT_LEAD: 2,
    Role.BACKUP: 3,
    Role.DUTY_MANAGER: 4,
}


def begun(turn: Turn, priority: Priority) -> Ladder | None:
    """The ladder of an alert that became active, worsened or fell to `priority` now; None for low."""
    if priority is Priority.LOW:
        return None
    if priority is Priority.MEDIUM:
        return _with_due(Ladder(name="medium", started_at=turn.now.at), turn.plan.service)
    return _urgent(turn, priority)


def kept(turn: Turn, alert: Alert) -> Ladder | None:
    """The reminders of an alert that somebody took on now; None below high."""
    if alert.priority < Priority.HIGH:
        return None
    return _with_due(Ladder(name="kept", started_at=turn.now.at), turn.plan.service)


def run(turn: Turn) -> None:
    """Fire every step that is due: by due time, then higher priority, then rule."""
    due = []
    for rule in sorted(turn.alerts):
        alert = turn.alerts[rule]
        if not _is_running(alert) or turn.is_snoozed(alert):
            continue
        missed, alert = _take_over(turn, alert)
        ladder = alert.ladder
        if ladder is None or ladder.due_at is None or not turn.now.reached(ladder.due_at):
            steps = missed
        else:
            newer, ladder = _due_steps(turn, ladder)
            turn.keep(alert, ladder=ladder)
            steps = [*missed, *newer]
        due += [(moment, -alert.priority, rule, at, to) for at, (moment, to) in enumerate(steps)]
    for moment, _, rule, _, to in sorted(due):
        _fire(turn, rule, to, moment)


def _urgent(turn: Turn, priority: Priority) -> Ladder:
    service, now = turn.plan.service, turn.now
    ladder = Ladder(name=priority.word, started_at=now.at)
    if turn.plan.outside is Outside.FULL or service.is_open(now.at):
        return _with_due(ladder, service)
    opens = service.opens(now.at)
    if opens is None:  # a service that never opens must not mean that nobody is ever told
        return _with_due(ladder, service)
    if turn.plan.outside is Outside.NOBODY:
        return _with_due(changed(ladder, started_at=opens), service)
    return _with_due(changed(ladder, name="response", ordinary_at=opens), service)


def _take_over(turn: Turn, alert: Alert) -> tuple[list[tuple[datetime, Role]], Alert]:
    """The alert on its ordinary ladder, where the service has opened since the response centre was asked.

    And the steps to the response centre before that which nobody could take, in a snooze or while nothing ran.
    """
    ladder = alert.ladder
    if ladder is None or ladder.ordinary_at is None or not turn.now.reached(ladder.ordinary_at):
        return [], alert
    missed, _ = _due_steps(turn, ladder, before=ladder.ordinary_at)
    ordinary = Ladder(name=alert.priority.word, started_at=ladder.ordinary_at)
    return missed, turn.keep(alert, ladder=_with_due(ordinary, turn.plan.service))


def _is_running(alert: Alert) -> bool:
    if alert.ladder is None:
        return False
    if alert.ladder.name == "kept":
        return alert.state is State.ACKNOWLEDGED and alert.dispatch is not Dispatch.ACCEPTED
    return alert.state is State.ACTIVE


def _due_steps(
    turn: Turn, ladder: Ladder, before: datetime | None = None
) -> tuple[list[tuple[datetime, Role]], Ladder]:
    """The steps due (`before` a moment, if given), each role once, and the ladder with them behind it."""
    steps: list[tuple[datetime, Role]] = []
    while ladder.due_at is not None and turn.now.reached(ladder.due_at):
        if before is not None and ladder.due_at >= before:
            break
        step = _step(ladder, turn.plan.service)
        if step is not None and step[1] not in {to for _, to in steps}:
            steps.append(step)
        ladder = _with_due(changed(ladder, done=ladder.done + 1), turn.plan.service)
    return steps, ladder


def _with_due(ladder: Ladder, service: Service) -> Ladder:
    step = _step(ladder, service)
    return changed(ladder, due_at=None if step is None else step[0])


def _step(ladder: Ladder, service: Service) -> tuple[datetime, Role] | None:
    """The next step of the ladder."""
    if ladder.name == "medium":
        return next(_medium(ladder, service), None)
    course = COURSES[ladder.name]
    if ladder.done < len(course.rungs):
        rung = course.rungs[ladder.done]
        return ladder.started_at + timedelta(minutes=rung.minutes), rung.to
    if course.again is None:
        return None
    last = course.rungs[-1]
    minutes = last.minutes + course.again * (ladder.done - len(course.rungs) + 1)
    return ladder.started_at + timedelta(minutes=minutes), last.to


def _medium(ladder: Ladder, service: Service) -> Iterator[tuple[datetime, Role]]:
    found = service.after(ladder.started_at, _MEDIUM_AFTER)
    if found is not None:
        yield from ((found[0], Role.PRIMARY), (found[1], Role.SHIFT_LEAD))[ladder.done :]


def _fire(turn: Turn, rule: str, to: Role, due: datetime) -> None:
    alert = turn.alerts[rule]
    by = alert.owner if to is Role.OWNER else None
    if LEVELS[to] > alert.level:
        alert = turn.keep(alert, level=LEVELS[to])
    if any(_covers(turn, each, to, by, alert.priority) for each in turn.sent):
        return
    late = {"due_at": due.isoformat()} if turn.now.since(due) >= LATE else {}
    turn.notify(
        to, rule, by=by, why={"level": alert.level, "ladder": alert.ladder.name if alert.ladder else None, **late}
    )
    recent = [each for each in turn.sent if turn.now.since(each.at) < HELD_BACK]
    turn.sent = [*recent, Sent(to=to, by=by, at=turn.now.at, priority=alert.priority)]
    if to is Role.DUTY_MANAGER and alert.ladder is not None and _is_first_incident(alert.ladder):
        turn.tell(FactKind.INCIDENT, alert, why={"reason": "nobody answered"})


def _covers(turn: Turn, sent: Sent, to: Role, by: str | None, priority: Priority) -> bool:
    """Whether that notice was so recent and so urgent that another to the same role says nothing new."""
    return (sent.to, sent.by) == (to, by) and sent.priority >= priority and turn.now.since(sent.at) < HELD_BACK


def _is_first_incident(ladder: Ladder) -> bool:
    return ladder.done <= len(COURSES[ladder.name].rungs)
