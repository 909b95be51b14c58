"""Two plans over the same readings, and what of it can be repeated to the byte."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alerts import rulebook
from alerts.backtest import ASSUMED, Question, Tally, by_week, candidate, cohort, compare, not_carried_over
from alerts.backtest_report import canonical, tally, to_mapping
from alerts.episodes import Span
from alerts.keys import KeyProblem
from alerts.priority import Priority
from alerts.story_file import load
from alerts.zone import Zone

# Readings at 8, 14 and 20 o'clock: one on each yellow limit, between them back to normal; nobody clicks.
THREE_DAYS = """
story    = "Twice below 94, a fever in between"
rulebook = "covid19"
timezone = "UTC"
day_1    = 2026-03-02
[rules.missing_spo2]
enabled = false
[rules.news2]
enabled = false
[rules.spo2_drop]
enabled = false
[[reading]]
at = "D1 08:00"
values = { spo2 = 97, temperature = 37.0 }
[[reading]]
at = "D1 20:00"
values = { spo2 = 94, temperature = 37.0 }
[[reading]]
at = "D2 08:00"
values = { spo2 = 97, temperature = 38.1 }
[[reading]]
at = "D2 09:00"
values = { spo2 = 97, temperature = 37.0 }
[[reading]]
at = "D2 10:00"
values = { spo2 = 97, temperature = 37.0 }
[[reading]]
at = "D3 08:00"
values = { spo2 = 93, temperature = 37.0 }
[[reading]]
at = "D3 08:20"
values = { spo2 = 93, temperature = 38.5 }
"""

STRICTER = {"spo2_low": {"bands": [{"limit": 93, "priority": "medium"}]}}


@pytest.fixture
def story(tmp_path):
    path = tmp_path / "three_days.toml"
    path.write_text(THREE_DAYS)
    return load(path)


def question(story, days=3, **more):
    return Question(span=Span(start=story.plan.starts_at, end=story.plan.starts_at + timedelta(days=days)), **more)


def test_the_candidate_raises_less_and_it_is_said_what(story):
    other = candidate(story.plan, None, STRICTER)
    report = compare("p", (story.plan, other), story.arrivals, question(story))
    assert dict(report.in_force.episodes) == {"spo2_low": 2, "temperature_high": 2}
    assert dict(report.candidate.episodes) == {"spo2_low": 1, "temperature_high": 2}
    (alone,) = report.only_in_force
    assert (alone.rule, alone.began_at) == ("spo2_low", story.plan.starts_at + timedelta(hours=20))
    assert report.only_candidate == ()
    swapped = compare("p", (other, story.plan), story.arrivals, question(story))
    assert [each.rule for each in swapped.only_candidate] == ["spo2_low"]
    assert swapped.only_in_force == ()


def test_alerts_within_half_an_hour_are_one_group(story):
    report = compare("p", (story.plan, story.plan), story.arrivals, question(story))
    assert dict(report.in_force.groups) == {Priority.MEDIUM: 3}  # 20:00, 08:00, and 08:00 with 08:20
    assert report.in_force == report.candidate


def test_the_zones_are_the_stories_hours(story):
    zones = compare("p", (story.plan, story.plan), story.arrivals, question(story)).in_force.zones
    hours = {zone.value: part / timedelta(hours=1) for zone, part in zones.items()}
    # unknown to 08:00; green to 20:00; yellow till 10:00 (two clear readings); green to D3 08:00; yellow to the end
    assert hours == {"unknown": 8, "green": 12 + 22, "yellow": 14 + 16, "blue": 0, "red": 0}


def test_a_past_event_is_caught_by_one_and_how_early(story):
    plan, event = story.plan, story.plan.starts_at + timedelta(days=1, hours=2)
    report = compare("p", (plan, candidate(plan, None, STRICTER)), story.arrivals, question(story, events=(event,)))
    (caught,) = report.events
    assert (caught.in_force, caught.candidate) == (timedelta(hours=6), None)
    short = question(story, events=(event,), window=timedelta(hours=4))
    (caught,) = compare("p", (plan, plan), story.arrivals, short).events
    assert caught.in_force == timedelta(hours=4)  # it held when the window opened
    urgent = question(story, events=(event,), catch_from=Priority.HIGH)
    (caught,) = compare("p", (plan, plan), story.arrivals, urgent).events
    assert caught.in_force is None


def test_only_the_span_is_counted_but_all_is_judged(story):
    start = story.plan.starts_at
    asked = Question(span=Span(start=start + timedelta(days=1), end=start + timedelta(days=2)))
    report = compare("p", (story.plan, story.plan), story.arrivals, asked)
    assert dict(report.in_force.episodes) == {"temperature_high": 1}
    assert report.in_force.zones[Zone.YELLOW] == timedelta(hours=10)  # the alert of the evening before still holds
    other = candidate(story.plan, None, STRICTER)
    assert compare("p", (story.plan, other), story.arrivals, asked).only_in_force == ()  # that evening is not of it
    early = replace(asked, span=Span(start=start - timedelta(days=30), end=start + timedelta(days=1)))
    assert compare("p", (story.plan, story.plan), story.arrivals, early).span.start == start


def test_what_the_last_reading_raises_is_counted(story):
    last = max(each.received_at for each in story.arrivals)
    asked = Question(span=Span(start=story.plan.starts_at, end=last))
    report = compare("p", (story.plan, story.plan), story.arrivals, asked)
    assert dict(report.in_force.episodes) == {"spo2_low": 2, "temperature_high": 2}


def test_another_rulebook_takes_the_place_of_the_individual_limits(story):
    book = rulebook.load("frail")
    other = candidate(story.plan, book, {})
    assert (other.rulebook, other.rulebook_version) == ("frail", book.version)
    assert other.rules == book.rules
    assert other.starts_at == story.plan.starts_at
    assert not_carried_over(story.plan, book) == ("missing_spo2", "news2", "spo2_drop")
    assert not_carried_over(story.plan, None) == ()


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        ({"spo2_lo": {"enabled": False}}, "rules.spo2_lo"),
        ({"spo2_low": {"bands": [{"limit": "x", "priority": "medium"}]}}, "rules.spo2_low.bands[0].limit"),
        ({"spo2_low": 3}, "rules.spo2_low"),
    ],
)
def test_a_wrong_limit_is_named(story, limits, key):
    with pytest.raises(KeyProblem) as problem:
        candidate(story.plan, None, limits)
    assert problem.value.key == key


def test_a_cohort_sums_its_patients_in_any_order(story):
    plans = (story.plan, candidate(story.plan, None, STRICTER))
    reports = [compare(name, plans, story.arrivals, question(story)) for name in ("b", "a", "c")]
    one, other = cohort(reports), cohort(reversed(reports))
    assert [each.patient for each in one.reports] == ["a", "b", "c"]
    assert canonical(to_mapping(one, question(story), ASSUMED, {})) == canonical(
        to_mapping(other, question(story), ASSUMED, {})
    )
    assert dict(one.in_force.episodes) == {"spo2_low": 6, "temperature_high": 6}
    assert one.in_force.length == timedelta(days=9)
    with pytest.raises(ValueError, match="patient b is in the cohort twice"):
        cohort([*reports, reports[0]])


def test_the_canonical_text_knows_no_order_of_keys():
    assert canonical({"b": {"d": 1, "c": "å"}, "a": None}) == '{"a":null,"b":{"c":"å","d":1}}'


def test_rates_come_from_whole_numbers():
    counted = Tally(
        length=timedelta(days=14),
        episodes={"spo2_low": 3},
        zones={Zone.RED: timedelta(days=7)},
        groups={Priority.HIGH: 1, Priority.MEDIUM: 1},
    )
    shown = tally(counted, ASSUMED)
    assert shown["alerts_per_week"] == 1.5
    assert shown["share_in_zone"]["red"] == 0.5
    assert shown["days_in_zone"]["red"] == 7
    assert shown["manual_groups_per_patient_day"] == 0.1429
    assert shown["manual_groups_per_nurse_day"] == 11.4286  # 80 patients
    assert shown["minutes_per_nurse_day"] == 120  # (15 + 6) minutes in 14 days, 80 patients
    dear = replace(ASSUMED, minutes=dict.fromkeys(Priority, Decimal(1)), patients_per_nurse=14)
    assert tally(counted, dear)["minutes_per_nurse_day"] == 2
    assert tally(Tally(), ASSUMED)["alerts_per_week"] is None


_PROGRAM = """
import sys
from datetime import timedelta
from pathlib import Path
from alerts.backtest import ASSUMED, Question, candidate, cohort, compare
from alerts.backtest_report import canonical, to_mapping
from alerts.episodes import Span
from alerts.story_file import load
reports = []
for path in sorted(Path(sys.argv[1]).glob("[a-m]*.toml")):
    story = load(path)
    limits = {name: {"enabled": False} for name in {"pulse_high", "missing_spo2"} & set(story.plan.table)}
    asked = Question(span=Span(start=story.plan.starts_at, end=story.plan.starts_at + timedelta(days=8)))
    plans = (story.plan, candidate(story.plan, None, limits))
    reports.append(compare(path.stem, plans, story.arrivals, asked))
sys.stdout.write(canonical(to_mapping(cohort(reports), asked, ASSUMED, {})))
"""


def test_the_same_input_gives_the_same_bytes_in_any_process():
    stories = Path(rulebook.__file__).parent / "rulebooks" / "stories"
    texts = set()
    for seed in ("0", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        words = [sys.executable, "-c", _PROGRAM, str(stories)]
        done = subprocess.run(words, env=environment, capture_output=True, timeout=120, check=True)
        texts.add(done.stdout)
    (text,) = texts
    assert text.count(b'"patient":') > 15
    assert b'"digest":"' in text
    assert b'"only_in_force":[{' in text  # the candidate did leave something out


def test_the_weeks_add_up_to_the_whole(story):
    """Each begins where the one before ends, and an alert belongs to one of them."""
    other = candidate(story.plan, None, STRICTER)
    end = story.plan.starts_at + timedelta(days=13)
    span = Span(start=story.plan.starts_at, end=end)
    found = by_week("p", (story.plan, other), story.arrivals, span)
    report = compare("p", (story.plan, other), story.arrivals, Question(span=span))
    assert (found.in_force, found.candidate) == (report.in_force, report.candidate)
    assert len(found.weeks) == 2
    for side in ("in_force", "candidate"):
        whole = getattr(found, side)
        parts = [getattr(week, side) for week in found.weeks]
        assert sum((each.episodes.total() for each in parts), 0) == whole.episodes.total() > 0
        assert sum((each.groups.total() for each in parts), 0) >= whole.groups.total()
    assert found.weeks[-1].span.end == end
    assert found.weeks[-1].span.start > found.weeks[0].span.end
