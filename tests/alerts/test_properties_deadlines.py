"""Every deadline fires once, whenever the program is started anew, and however long nobody asked."""

from collections import Counter
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Alert, Ladder, State
from alerts.fact import Fact, FactKind
from tests.alerts import table
from tests.alerts.watched import Asked, Watched, tell
from tests.alerts.worlds import EXAMPLES, World, worlds


@EXAMPLES
@given(worlds(), st.integers(2, 9))
def test_a_restart_at_any_step_changes_nothing(world: World, every: int):
    plain, restarted = tell(world), tell(world, restarts=every)
    assert restarted.facts == plain.facts
    assert restarted.alerts == plain.alerts
    assert restarted.memory == plain.memory


@EXAMPLES
@given(worlds())
def test_every_deadline_fires_once_across_restarts(world: World):
    """Restarts with a while in which nobody asked: what fell due in it comes at its end, each role once, no more."""
    sent: list[Fact] = []

    def follow(_: Watched, asked: Asked) -> None:
        for alert in asked.after.values():
            before = asked.before.get(alert.rule)
            _assert_steps_are_taken(alert, before, asked, sent)
        sent.extend(_ladder_notices(asked))

    replay = tell(world, outages=world.outages, watch=follow)
    _assert_patient_is_told_once(replay)


def _assert_steps_are_taken(alert: Alert, before: Alert | None, asked: Asked, sent: list[Fact]) -> None:
    """The ladder stands after every step that is due and before every other, and each of them was told to its role."""
    ladder, told = alert.ladder, [each for each in _ladder_notices(asked) if each.alert_id == alert.id]
    if ladder is None or ladder.name == "medium":
        return
    assert ladder.started_at == _began(alert, ladder, before, asked), f"{alert.rule}: the ladder began at no event"
    same = before is not None and before.ladder is not None and _is_same(before.ladder, ladder)
    done_before = before.ladder.done if same and before is not None and before.ladder is not None else 0
    wanted = done_before
    if _is_running(alert, asked.at) and not _stops_in(asked, alert):
        while (due := table.step(ladder.name, wanted)) is not None and ladder.started_at + due[0] <= asked.at:
            wanted += 1
        assert ladder.done == wanted, f"{alert.rule}: {ladder} at {asked.at}, {wanted} steps are due"
        coming = table.step(ladder.name, wanted)
        assert ladder.due_at == (None if coming is None else ladder.started_at + coming[0]), f"{alert.rule}: {ladder}"
    roles = [due[1] for number in range(done_before, ladder.done) if (due := table.step(ladder.name, number))]
    roles += _missed_by_the_response_centre(ladder, before, asked)
    counted = Counter(each.to.value for each in told if each.to is not None)
    assert set(counted) <= set(roles), f"{alert.rule}: {counted} were told, due were {roles}"
    for role in set(roles):
        assert counted[role] == 1 or (counted[role] == 0 and _covered(role, alert, asked, sent)), (alert.rule, role)


def _missed_by_the_response_centre(ladder: Ladder, before: Alert | None, asked: Asked) -> list[str]:
    """The steps before the service opened that nobody could take, where the ordinary ladder takes over now."""
    earlier = None if before is None else before.ladder
    opened_at = None if earlier is None else earlier.ordinary_at
    if earlier is None or opened_at is None or opened_at > asked.at or ladder.started_at != opened_at:
        return []
    found, number = [], earlier.done
    while (due := table.step(earlier.name, number)) is not None and earlier.started_at + due[0] < opened_at:
        found.append(due[1])
        number += 1
    return found


def _began(alert: Alert, ladder: Ladder, before: Alert | None, asked: Asked) -> datetime:
    """When the ladder may have begun: as before, now, or when the service opened."""
    opens = (asked.plan.service.opens(asked.at), None if before is None else _opened(before))
    known = [asked.at, *(each for each in opens if each is not None)]
    if before is not None and before.ladder is not None:
        known.append(before.ladder.started_at)
    assert ladder.started_at in known, f"{alert.rule}: {ladder}"
    return ladder.started_at


def _opened(before: Alert) -> datetime | None:
    return None if before.ladder is None else before.ladder.ordinary_at


def _is_same(one: Ladder, other: Ladder) -> bool:
    return (one.name, one.started_at) == (other.name, other.started_at)


def _is_running(alert: Alert, at: datetime) -> bool:
    if alert.snoozed_until is not None and alert.snoozed_until > at:
        return False
    if alert.ladder is not None and alert.ladder.name == "kept":
        return alert.state is State.ACKNOWLEDGED and (alert.dispatch is None or alert.dispatch.value != "accepted")
    return alert.state is State.ACTIVE


def _stops_in(asked: Asked, alert: Alert) -> bool:
    """Whether a click in this very call changed whether the ladder runs, after clocks were looked at."""
    return asked.command is not None and any(
        each.alert_id == alert.id and each.kind is FactKind.SNOOZED for each in asked.facts
    )


def _ladder_notices(asked: Asked) -> list[Fact]:
    return [each for each in asked.facts if each.kind is FactKind.NOTICE and "ladder" in each.why]


def _covered(role: str, alert: Alert, asked: Asked, sent: list[Fact]) -> bool:
    """Whether the role was told of another alert, as urgent, less than five minutes before."""
    by = alert.owner if role == "owner" else None
    return any(
        each.to is not None
        and (each.to.value, each.by) == (role, by)
        and asked.at - each.at < table.HELD_BACK
        and each.priority is not None
        and each.priority >= alert.priority
        for each in (*sent, *asked.facts)
        if each.kind is FactKind.NOTICE
    )


def _assert_patient_is_told_once(replay: Watched) -> None:
    """One reminder a moment, one question a reading and rule; nothing twice."""
    told: Counter[object] = Counter()
    for fact in replay.facts:
        if fact.kind is FactKind.NOTICE and fact.to is not None and fact.to.value == "patient":
            told[
                fact.rule, fact.why["reason"], fact.why.get("reading_id"), fact.why.get("due_at"), "until" in fact.why
            ] += 1
    again = {what: count for what, count in told.items() if count > 1}
    assert not again
