"""An answer stands until its rule's state changes or its first deadline comes.

That asking less changes nothing is what the property of restarts says: whoever restarts has no outlook.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.engine import step
from alerts.plan import Plan
from alerts.view import PatientView

START, HOUR = datetime(2026, 3, 2, tzinfo=UTC), timedelta(hours=1)


def _plan() -> Plan:
    settings = {"plan_id": "made up", "timezone": "UTC", "starts_at": START.isoformat()}
    return rulebook.draft(rulebook.load("covid19"), settings)


def _measured(plan: Plan) -> PatientView:
    """A view whose outlook was made by a normal saturation at nine o'clock."""
    at = START + 9 * HOUR
    reading = Arrival(reading_id="r", taken_at=at, received_at=at, values={"spo2": Decimal(97)})
    done = step(PatientView(patient="p", plan=plan, arrivals=(reading,), complete=True), at)
    return PatientView(patient="p", plan=plan, memory=done.memory, outlook=done.outlook)


def test_no_rule_is_asked_again_while_all_answers_stand():
    view = _measured(_plan())
    assert view.outlook is not None
    assert view.outlook.until is not None
    before = step(view, view.outlook.until - timedelta(minutes=1))
    assert before.outlook is view.outlook
    assert before.wake_at is not None
    assert before.wake_at <= view.outlook.until


def test_only_the_rule_whose_deadline_came_is_asked_again():
    view = _measured(_plan())
    assert view.outlook is not None
    assert view.outlook.until is not None
    after = step(view, view.outlook.until).outlook
    assert after is not None
    asked = {name for name, answer in after.answers.items() if answer is not view.outlook.answers[name]}
    assert asked == {name for name, each in view.outlook.answers.items() if each.until == view.outlook.until}
    assert 0 < len(asked) < len(after.answers)


def test_an_outlook_of_another_plan_or_of_later_is_worth_nothing():
    view = _measured(_plan())
    assert view.outlook is not None
    other = step(replace(view, plan=_plan()), view.outlook.at)
    earlier = step(view, view.outlook.at - timedelta(minutes=1))
    for done in (other, earlier):
        assert done.outlook is not None
        assert not any(answer is view.outlook.answers[name] for name, answer in done.outlook.answers.items())
