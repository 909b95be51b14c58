"""Other limits on stored readings: what is read, what is left out, and that nothing is written."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from alerts import rulebook
from alerts.backtest import ASSUMED, Question, candidate, compare
from alerts.backtest_report import canonical, tally
from alerts.episodes import Span
from alerts.story_file import load
from server.access import Actor, Role, system
from server.care import plans
from server.care.people import NotFoundError
from server.db import tables
from server.reports import inputs
from server.reports.backtest import Candidate, CandidateError, backtest, events_of, limits_of, moment
from tests.server.plans import covid_plan
from tests.server.reports.living import live
from tests.server.world import START, World, make_world

LENIENT = {"spo2_low": {"bands": [{"limit": Decimal("85.5"), "priority": "medium"}]}}


def tried(world: World, candidate: Candidate, *patients: str) -> dict[str, Any]:
    with world.database.read() as connection:
        every = inputs.patients(connection, system())
    return backtest(world.database, system(), candidate, patients or every)


def test_lenient_limits_leave_out_what_was_raised_and_write_nothing(world: World) -> None:
    live(world)
    everything = (tables.alert, tables.fact, tables.outbox, tables.due, tables.evaluation, tables.memory, tables.audit)
    before = [world.rows(table) for table in everything]
    report = tried(world, Candidate(limits=LENIENT, limits_file="l.toml"))
    assert [world.rows(table) for table in everything] == before
    (patient,) = report["patients"]
    assert patient["patient"] == world.patient
    raised = [row for row in world.rows(tables.fact) if row["kind"] in ("raised", "returned")]
    assert sum(report["in_force"]["episodes_by_rule"].values()) == len(raised)  # nobody clicked in life either
    assert "spo2_low" in report["in_force"]["episodes_by_rule"]
    assert "spo2_low" not in report["candidate"]["episodes_by_rule"]
    assert {each["rule"] for each in patient["only_in_force"]} == {"spo2_low"}
    digest = report.pop("digest")
    assert hashlib.sha256(canonical(report).encode()).hexdigest() == digest
    assert json.loads(canonical(report))["asked"]["limits"]["spo2_low"]["bands"] == [
        {"limit": 85.5, "priority": "medium"}
    ]


def test_all_that_is_stored_is_the_span_and_may_be_narrowed(world: World) -> None:
    end = live(world)
    last = max(row["at"] for row in world.rows(tables.evaluation))
    assert last >= end
    (whole,) = tried(world, Candidate(limits=LENIENT))["patients"]
    assert datetime.fromisoformat(whole["from"]) == START - timedelta(hours=12)
    assert datetime.fromisoformat(whole["to"]) == last
    narrow = Candidate(limits=LENIENT, start=START - timedelta(hours=1), end=START)
    (part,) = tried(world, narrow)["patients"]
    assert (part["from"], part["to"]) == ("2026-03-02T06:00:00Z", "2026-03-02T07:00:00Z")
    far = tried(world, Candidate(limits=LENIENT, end=START + timedelta(days=900)))["patients"]
    assert far == [whole]  # nothing is known of later days, so they are nobody's missing readings
    never = tried(world, Candidate(limits=LENIENT, start=START + timedelta(days=9)))
    assert never["patients"] == []
    assert never["asked"]["left_out"] == {world.patient: "nothing is stored in that time"}


def test_a_cohort_is_the_sum_of_its_patients_in_the_order_of_ids(world: World) -> None:
    live(world)
    other = make_world(world.database, world.folder, name="Dalen", number="9992", gateway="gw-dalen-1")
    live(other, (97, 90, 90))
    planless = make_world(world.database, world.folder, name="Vik", number="9993", gateway="gw-vik-1")
    report = tried(world, Candidate(limits=LENIENT))
    assert [each["patient"] for each in report["patients"]] == sorted([world.patient, other.patient])
    alone = [
        tried(world, Candidate(limits=LENIENT), each)["in_force"]["episodes"] for each in (world.patient, other.patient)
    ]
    assert report["in_force"]["episodes"] == sum(alone)
    assert all(alone)
    backwards = tried(world, Candidate(limits=LENIENT), *sorted([world.patient, other.patient], reverse=True))
    assert canonical(backwards) == canonical(report)
    named = tried(world, Candidate(limits=LENIENT), planless.patient)
    assert named["asked"]["left_out"] == {planless.patient: "no plan in force"}
    told = canonical(report)
    assert not [name for name in ("Fjordvik", "Dalen", "13897404089") if name in told]


def test_individual_limits_are_dropped_aloud_by_another_rulebook(world: World) -> None:
    with world.database.write() as connection:
        own = rulebook.merge(rulebook.load("covid19"), LENIENT)
        settings = {"plan_id": "own", "starts_at": (START - timedelta(hours=12)).isoformat()}
        plans.activate(connection, world.patient, rulebook.draft(own, settings), world.nurse, START)
    world.record(world.reading(number=1))
    report = tried(world, Candidate(book=rulebook.load("copd")))
    assert report["asked"]["individual_not_carried_over"] == {world.patient: ["spo2_low"]}
    assert report["asked"]["rulebook"] == {"name": "copd", "version": rulebook.load("copd").version}


def test_a_rule_that_nobody_has_is_an_error_and_one_that_some_lack_is_told(world: World) -> None:
    live(world, (97,))
    weight = {"weight_gain_3d": {"more_than": Decimal(1)}}
    with pytest.raises(CandidateError, match=r"l\.toml: rules\.weight_gain_3d: the rulebook covid19 has no such rule"):
        tried(world, Candidate(limits=weight, limits_file="l.toml"))
    other = make_world(world.database, world.folder, name="Dalen", number="9992", gateway="gw-dalen-1")
    with world.database.write() as connection:
        settings = {"plan_id": "hf", "starts_at": (START - timedelta(hours=12)).isoformat()}
        plan = rulebook.draft(rulebook.load("heart_failure"), settings)
        plans.activate(connection, other.patient, plan, other.nurse, START)
    other.record(other.reading(number=1))
    report = tried(world, Candidate(limits=weight, limits_file="l.toml"))
    assert [each["patient"] for each in report["patients"]] == [other.patient]
    assert report["asked"]["left_out"] == {world.patient: "the rulebook has no rule weight_gain_3d"}


def test_past_events_are_caught_or_not_or_outside(world: World) -> None:
    live(world)
    events = {world.patient: (START + timedelta(minutes=30), START + timedelta(days=30)), "somebody else": (START,)}
    report = tried(world, Candidate(limits=LENIENT, events=events))
    assert report["events"] == {"known": 1, "caught_in_force": 1, "caught_candidate": 0}
    assert report["asked"]["events_outside"] == 2
    (event,) = report["patients"][0]["events"]
    assert event["lead_hours"]["candidate"] is None
    assert 0 < event["lead_hours"]["in_force"] < 2


def test_a_wrong_number_is_named_and_a_stranger_sees_nothing(world: World) -> None:
    live(world, (97,))
    wrong = {"spo2_low": {"bands": [{"limit": "low", "priority": "medium"}]}}
    with pytest.raises(CandidateError, match=r"l\.toml: rules\.spo2_low\.bands\[0\]\.limit: must be a number"):
        tried(world, Candidate(limits=wrong, limits_file="l.toml"))
    stranger = Actor(id="x", role=Role.COORDINATOR, municipality="elsewhere")
    with pytest.raises(NotFoundError):
        backtest(world.database, stranger, Candidate(limits=LENIENT), [world.patient])
    with world.database.read() as connection:
        assert inputs.patients(connection, stranger) == ()


def test_files_are_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"

    def wrong(text: str, read: Any, words: str) -> None:
        path.write_text(text)
        with pytest.raises(CandidateError) as error:
            read(path)
        assert str(error.value).startswith(f"f.toml: {words}")

    path.write_text("[rules.spo2_low]\nbands = [{ limit = 91.5, priority = 'medium' }]")
    assert limits_of(path) == {"spo2_low": {"bands": [{"limit": Decimal("91.5"), "priority": "medium"}]}}
    wrong("[rules]\nspo2_low = 3", limits_of, "rules.spo2_low: must be a table")
    wrong("[rule.spo2_low]\nenabled = false", limits_of, "rules: missing")
    wrong("rules = {}\nextra = 1", limits_of, "extra: unknown key")
    wrong("rules = ", limits_of, "is not TOML")
    path.write_text(
        "[[event]]\npatient = 'p'\nat = 2026-03-02T08:00:00+01:00\n[[event]]\npatient = 'p'\nat = '2026-03-03'"
    )
    assert events_of(path) == {"p": (datetime(2026, 3, 2, 7, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))}
    wrong("[[event]]\npatient = 'p'\nat = 2026-03-02T08:00:00", events_of, "event[0].at: must be a time")
    wrong("[[event]]\nat = '2026-03-03'", events_of, "event[0].patient: missing")
    with pytest.raises(CandidateError, match="cannot be read"):
        limits_of(tmp_path / "nowhere.toml")
    with pytest.raises(ValueError, match="no time zone"):
        moment("2026-03-02T08:00:00")


def test_readings_before_the_plan_are_not_judged(world: World) -> None:
    with world.database.write() as connection:
        plans.activate(connection, world.patient, covid_plan(), world.nurse, START)
    world.record(world.reading(number=1), world.reading(number=2, taken_at=START - timedelta(hours=20)))
    with world.database.read() as connection:
        plan = inputs.plan_in_force(connection, world.patient)
        assert plan is not None
        found = inputs.arrivals(connection, world.patient, plan)
    assert len(found) == 1
    assert not found[0].judged


def test_what_was_judged_in_life_is_judged_anew(world: World) -> None:
    live(world, (97, 96))
    assert all(row["evaluation_seq"] for row in world.rows(tables.reading))
    with world.database.read() as connection:
        plan = inputs.plan_in_force(connection, world.patient)
        assert plan is not None
        assert not any(each.judged for each in inputs.arrivals(connection, world.patient, plan))


@pytest.mark.parametrize("name", ["deadband_and_count", "missed_in_a_row", "late_and_long_over", "red_through_a_pause"])
def test_a_story_told_through_the_tables_is_the_story(world: World, name: str) -> None:
    told = load(Path(rulebook.__file__).parent / "rulebooks" / "stories" / f"{name}.toml")
    born = told.plan.starts_at - timedelta(days=1)
    with world.database.write() as connection:
        connection.execute(update(tables.assignment).values(starts_at=born))
        plans.activate(connection, world.patient, told.plan, world.nurse, told.plan.starts_at)
    for each in sorted(told.arrivals, key=lambda arrival: arrival.received_at):
        sent = world.reading(number=each.key, values=each.values, taken_at=each.taken_at, quality=each.quality)
        world.record(sent, now=each.received_at)
    end = max(each.received_at for each in told.arrivals)
    (found,) = tried(world, Candidate(book=rulebook.load("covid19")))["patients"]
    question = Question(span=Span(start=told.plan.starts_at, end=end))
    other = candidate(told.plan, rulebook.load("covid19"), {})
    pure = compare(world.patient, (told.plan, other), told.arrivals, question)
    assert found["in_force"] == tally(pure.in_force, ASSUMED)
    assert found["candidate"] == tally(pure.candidate, ASSUMED)
    assert found["in_force"]["episodes"] > 0
