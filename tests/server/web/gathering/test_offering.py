"""A button is there exactly when the table of the lifecycle has a way for it: every alert that can be, every click."""

import re
from datetime import UTC, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from alerts.alert import Alert, Dispatch, State
from alerts.command import Action as Signal
from alerts.lifecycle import TABLE
from alerts.priority import Priority
from server.access import Actor, Role
from server.web.frame.language import Speech
from server.web.frame.rendering import Renderer
from server.web.gathering.offering import offered
from server.web.views import why
from server.web.views.groups import offered_together
from server.web.views.worklist import AlertRow, Group

NOW = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)
ANNA = Actor(id="anna", role=Role.NURSE, municipality="m", team="t")
ON_ALERTS = [each for each in Signal if each not in (Signal.INVALIDATE, Signal.ACCEPT)]


def alert(
    state: State,
    priority: Priority = Priority.HIGH,
    *,
    condition: bool = True,
    owner: str | None = None,
    dispatch: Dispatch | None = None,
) -> Alert:
    return Alert(
        id="a",
        patient="p",
        rule="spo2_low",
        state=state,
        priority=priority,
        highest=priority,
        condition=condition,
        opened_at=NOW,
        raised_at=NOW,
        why={},
        owner=owner,
        dispatch=dispatch,
    )


def row(given: Alert, actor: Actor = ANNA) -> AlertRow:
    return AlertRow(
        id=given.id,
        patient_id=given.patient,
        patient_name="Gunnar Prøvedal",
        rule=given.rule,
        state=given.state.value,
        priority=given.priority.word,
        highest=given.highest.word,
        condition=given.condition,
        late=False,
        waiting=False,
        raised_at=NOW,
        owner=given.owner,
        why=why.read({}),
        spark=None,
        clicks=offered(given, actor),
    )


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(demo=False)


def buttons(renderer: Renderer, *rows: AlertRow) -> set[str]:
    """The clicks of which the page has a form; a note can be written about anything and changes no alert."""
    group = Group(lead=rows[0], others=rows[1:], clicks=offered_together([each.clicks for each in rows]))
    speech = Speech(language="nb", zone=ZoneInfo("Europe/Oslo"), now=NOW)
    html = renderer.page("parts/clicks.html", speech, group=group, back="/", may=lambda _: True)
    found = re.findall(r'<form method="post" action="/alerts/a/(\w+)"', html)
    assert len(found) == len(set(found))
    return set(found) - {"note"}


def test_the_page_offers_a_click_exactly_when_the_table_has_a_way(renderer: Renderer) -> None:
    seen: set[str] = set()
    every = product(State, Priority, (True, False), (None, "anna", "henrik"), (None, *Dispatch))
    for state, priority, condition, owner, dispatch in every:
        given = alert(state, priority, condition=condition, owner=owner, dispatch=dispatch)
        legal = {
            line.signal.value
            for line in TABLE
            if line.start is state and line.signal.value in set(ON_ALERTS) and line.guard.holds(given)
        }
        # Nobody takes over what is hers, and nobody gives back what another has.
        legal -= {"take_over"} if owner == "anna" else {"release"}
        assert buttons(renderer, row(given)) == legal, given
        seen |= legal
    assert seen == {each.value for each in ON_ALERTS}


@pytest.mark.parametrize(("role", "some"), [(Role.NURSE, True), (Role.COORDINATOR, True), (Role.TECHNICIAN, False)])
def test_a_role_that_may_not_is_offered_nothing(role: Role, some: bool) -> None:
    actor = Actor(id="x", role=role, municipality="m")
    assert bool(offered(alert(State.ACTIVE), actor)) is some


def test_a_group_is_put_off_only_when_all_of_it_can_be(renderer: Renderer) -> None:
    high, mild = row(alert(State.ACTIVE)), row(alert(State.ACTIVE, Priority.MEDIUM))
    assert "snooze" in buttons(renderer, mild)
    assert buttons(renderer, high, mild) == {"acknowledge", "resolve"}
    taken = row(alert(State.ACKNOWLEDGED, owner="anna"))
    assert {"acknowledge", "snooze", "release", "dispatch"} <= buttons(renderer, mild, taken)
