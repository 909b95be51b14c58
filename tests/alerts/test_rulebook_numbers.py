"""Every number of a shipped rulebook is held by a story: moved by one step, some shipped story must differ."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alerts import rulebook, story_file
from alerts.keys import KeyProblem
from alerts.plan import PlanError
from alerts.priority import Priority
from alerts.rules import AnyRule, Band, BaselineNeed, Mean, Method, Missing, Score, Threshold, Trend
from alerts.story import differences
from alerts.story_file import StoryError, load
from vitals.metrics import METRICS

STORIES = sorted((Path(__file__).parents[2] / "alerts" / "rulebooks" / "stories").glob("*.toml"))
WORDS = tuple(each.word for each in Priority)
DURATION = re.compile(r"(\d+)(s|min|h|d)")
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
COUNTS = ("readings", "clear_readings", "baseline_readings", "baseline_days", "least", "least_days", "days", "sum")
COUNTS += ("worse_after",)

# Moves that no story can show, with the reason.
ONLY_0_AND_1 = "an answer is 0 or 1: 1 is beyond and never back, so 0 is back by nothing as it is by 1"
SILENCE_FIRST = "a run unfinished within an hour is critical after two hours of silence, long before a day is over"
OUT_OF_REACH: Mapping[str, str] = {
    "symptom_red.deadband.symptom_red 1 -> 0": ONLY_0_AND_1,
    "symptom_yellow.deadband.symptom_yellow 1 -> 0": ONLY_0_AND_1,
    "fever.bands[1].most 24h -> 86340s": SILENCE_FIRST,
    "fever.bands[1].most 24h -> 86460s": SILENCE_FIRST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One number of one rule moved by one step."""

    rule: str  # empty: of the rulebook itself
    what: str  # dotted path, old and new value
    book: rulebook.Rulebook


def spelled_out(table: Mapping[str, Any], rule: AnyRule | None) -> dict[str, Any]:
    """The rule's table with the defaults it stands on written into it, so that they can be moved too."""
    full = dict(table)
    if isinstance(rule, Threshold):
        full["deadband"] = dict(zip(rule.metrics, rule.deadband, strict=True))
        full["clear_readings"] = rule.clear_readings
        full["bands"] = [band_spelled_out(each, at, rule) for at, each in enumerate(table["bands"])]
    if isinstance(rule, Trend) and rule.method is Method.DELTA:
        full["clear_readings"] = rule.clear_readings
    own = isinstance(rule, Threshold) and (rule.relative or rule.with_baseline)
    if isinstance(rule, Threshold | Trend) and (own or table.get("method") == Method.MACD_CUSUM):
        full["baseline_readings"], full["baseline_days"] = rule.baseline.readings, rule.baseline.days
    return full


def band_spelled_out(table: Mapping[str, Any], at: int, rule: Threshold) -> dict[str, Any]:
    band, full = rule.bands[at], dict(table)
    assert band.priority.word == table["priority"], "bands stand from mild to severe in the file"
    if band.confirm is not None and "confirm" not in table:
        full["confirm"] = {"within": f"{int(band.confirm.total_seconds())}s"}
    known = {name: value for name, value in zip(rule.metrics, band.unless, strict=False) if value is not None}
    if known:
        full["unless"] = known
    return full


def step_of(key: str, metric: str, method: str | None) -> Decimal:
    """One unit of the last decimal that the number is judged on."""
    if key in COUNTS or method in ("loss", "resid_sd"):
        return Decimal(1)
    return Decimal(1).scaleb(-METRICS[metric].decimals)


def moved(key: str, value: Any, metric: str, method: str | None) -> Iterator[Any]:
    """The neighbours of a number, a duration, a priority or a slot; nothing for other values."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | Decimal):
        step = step_of(key, metric, method)
        for other in (value - step, value + step):
            yield int(other) if key in COUNTS else Decimal(other)
    elif isinstance(value, str) and value in WORDS:
        at = WORDS.index(value)
        yield from (WORDS[other] for other in (at - 1, at + 1) if 0 <= other < len(WORDS))
    elif isinstance(value, str) and (match := DURATION.fullmatch(value)):
        seconds = int(match[1]) * SECONDS[match[2]]
        yield from (f"{seconds + by}s" for by in (-60, 60))
    elif isinstance(value, str) and key == "slots":
        start, end = value.split("-")
        for by in (-1, 1):
            yield f"{a_minute(start, by)}-{end}"
            yield f"{start}-{a_minute(end, by)}"


def a_minute(wall: str, by: int) -> str:
    return a_wall(int(wall[:2]) * 60 + int(wall[3:]) + by)


def a_wall(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def neighbours(value: Any, key: str, metric: str, method: str | None) -> Iterator[tuple[str, Any]]:
    """Every copy of a table with one number in it moved, and what was moved."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            of = name if name in METRICS else metric
            for what, other in neighbours(inner, key if name in METRICS else name, of, method):
                yield f".{name}{what}", {**value, name: other}
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            for what, other in neighbours(inner, key, metric, method):
                yield f"[{at}]{what}", [*value[:at], other, *value[at + 1 :]]
    else:
        for other in moved(key, value, metric, method):
            yield f" {value} -> {other}", other


def moves(book: rulebook.Rulebook) -> Iterator[Move]:
    """Every move of one step that the rulebook's own reading does not refuse."""
    if book.ends_after is not None:
        for by in (-1, 1):
            other = book.ends_after + timedelta(days=by)
            yield Move(rule="", what=f"ends_after {by:+} day", book=replace(book, ends_after=other))
    for name, table in book.table.items():
        full = spelled_out(table, book.rules.get(name))
        metric = table.get("metric") or "spo2"
        for what, other in neighbours(full, "", metric, table.get("method")):
            changed = replace(book, table={**book.table, name: other})
            try:
                assert changed.rules
            except KeyProblem:
                continue  # refused, nobody can ship it
            yield Move(rule=name, what=f"{name}{what}", book=changed)


@cache
def text_of(path: Path) -> str:
    return path.read_text()


@pytest.fixture(scope="module", autouse=True)
def parsed_once() -> Iterator[None]:
    """A story is read under every move of a number; its text says the same each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story_file, "_table", cache(story_file._table))
        yield


@cache
def holds(path: Path) -> bool:
    """Whether the story holds as shipped; one that does not is no witness."""
    return differences(load(path)) == ()


def witnesses(name: str, rule: str) -> list[Path]:
    """The stories of a rulebook, those first that expect something of the rule, short ones before long ones."""
    own = [path for path in STORIES if re.search(rf'^rulebook\s*=\s*"{name}"', text_of(path), re.MULTILINE)]
    return sorted(own, key=lambda path: (f'"{rule}"' not in text_of(path), len(text_of(path))))


def is_noticed(move: Move, patch: pytest.MonkeyPatch) -> bool:
    """Whether a story that held differs under the moved rulebook; one that cannot be read under it tells nothing."""
    for path in witnesses(move.book.name, move.rule):
        if not holds(path):
            continue
        with patch.context() as only_here:
            only_here.setattr(rulebook, "load", lambda _: move.book)
            with suppress(StoryError, PlanError):
                if differences(load(path)):
                    return True
    return False


@pytest.mark.parametrize("name", rulebook.shipped())
def test_no_number_of_a_shipped_rulebook_moves_unnoticed(name, monkeypatch):
    every = list(moves(rulebook.load(name)))
    assert every
    survivors = [each.what for each in every if not is_noticed(each, monkeypatch)]
    print(f"{name}: {len(every)} moves, {len(survivors)} unnoticed", *survivors, sep="\n  ")
    # Equal, not only contained: a move that a story has come to notice leaves the list of exceptions.
    assert survivors == [each.what for each in every if each.what in OUT_OF_REACH]


def test_every_exception_is_a_number_of_some_rulebook():
    known = {each.what for name in rulebook.shipped() for each in moves(rulebook.load(name))}
    assert set(OUT_OF_REACH) <= known


# Source: the rulebooks' common page (clinical sign-off per municipality), its defaults written out where they apply.
# A line a rule: bands from mild to severe, `again 15min`: measured again in that time, `unless`: rings at once; then
# what counts as back, on how many readings.
NUMBERS = """
cancer
  fever: temperature above; 38.0 high ask 1h; 38.0 critical 2x 1h to 1d or 2h silence; 38.3 critical; back 0.3 x2
  pulse_high: pulse above; 100 medium; 111 high again 15min unless 150; back 5 x2
  spo2_low: spo2 below; 94 medium; 92 high again 15min unless 88; back 2 x2
  symptom_red: symptom_red above; 1 high; back 1 x1
  weight_loss: weight loss 30 days; over 5 medium
copd
  cat_rise: cat above own; 4 medium; back 2 x2
  missing_spo2: spo2 07:00-12:00 grace 1h; low, 2 in a row medium
  news2: 5 high; 7 critical; single high; only with a scale
  pulse_high: pulse above; 110 medium; 130 high again 15min unless 150; back 5 x2
  spo2_low: spo2 below; 92 medium (own -3 again 15min); 88 high again 15min unless 85 (own -6 or floor <= 88); back 2 x2
  spo2_unstable: spo2 resid_sd; 4 medium
  symptom_red: symptom_red above; 1 high; back 1 x1
  temperature_high: temperature above; 38.1 medium; 39.1 high; back 0.3 x2
covid19 ends after 14d
  missing_spo2: spo2 07:00-10:00 13:00-16:00 19:00-22:00 grace 30min; low, 2 in a row medium
  news2: 5 high; 7 critical; single high
  pulse_high: pulse above; 100 medium; 111 high again 15min unless 150; back 5 x2
  respiration_high: respiration above; 22 medium; 25 high; back 2 x2
  spo2_drop: spo2 below own of 6 readings; -3 medium 2x; back 2 x2
  spo2_low: spo2 below; 94 medium; 92 high again 15min unless 88; back 2 x2
  symptom_red: symptom_red above; 1 high; back 1 x1
  temperature_high: temperature above; 38.1 medium; 39.1 high; back 0.3 x2
diabetes
  glucose_high: glucose above; 14.0 medium 2x 2h to 1d; 16.8 high 2x 2h to 1d; back 0.5 x2
  glucose_low: glucose below; 3.8 medium; 2.9 high; back 0.5 x2
  missing_glucose: glucose by plan; low
  symptom_red: symptom_red above; 1 high; back 1 x1
frail
  news2: 5 high; 7 critical; single high
  temperature_high: temperature above; 37.3 medium 2x; 37.8 medium; 39.1 high; back 0.3 x2
  temperature_rise: temperature above own; 1.1 medium; back 0.3 x2
  weight_loss_1m: weight loss 30 days; 5 medium; 10 high
heart_failure
  gain_with_symptoms: symptom_yellow with weight_gain_3d weight_gain_7d weight_trend; high
  missing_weight: weight 06:00-11:00 grace 1h; low, 2 in a row medium
  pulse_high: pulse above; 100 medium; 120 high again 15min unless 150; back 5 x2
  pulse_low: pulse below; 50 medium; 40 high again 15min unless 35; back 5 x2
  symptom_red: symptom_red above; 1 high; back 1 x1
  systolic_high: systolic above; 160 medium; 180 high again 15min unless 200; back 10 x2
  systolic_low: systolic below; 100 medium; 90 high again 15min unless 80; back 10 x2
  weight_gain_3d: weight delta 3 days; over 2.0 medium; back 0.3 x2
  weight_gain_7d: weight delta 7 days; over 2.2 medium; back 0.3 x2
  weight_trend: weight macd_cusum; medium
hypertension
  bp_crisis: systolic diastolic above; 180 110 high again 15min or symptom_red unless 200 -; back 10 5 x2
  bp_mean_high: systolic 135 diastolic 85; 12 readings on 3 days; medium
  missing_pressure: systolic by plan; low
  symptom_red: symptom_red above; 1 high; back 1 x1
  systolic_low: systolic below; 100 medium; 90 high again 15min unless 80; back 10 x2
nutrition
  missing_weight: weight every week grace 2d; low
  weight_loss_1m: weight loss 30 days; 5 medium; 10 high
  weight_loss_6m: weight loss 182 days; 10 medium
palliative
  symptom_red: symptom_red above; 1 medium; back 1 x1
  symptom_yellow: symptom_yellow above; 1 medium; back 1 x1
"""


def span(time: timedelta) -> str:
    for word in ("d", "h", "min"):
        if time % timedelta(seconds=SECONDS[word]) == timedelta(0):
            return f"{time // timedelta(seconds=SECONDS[word])}{word}"
    return str(time)


def numbers(values: tuple[Decimal | None, ...]) -> str:
    return " ".join("-" if value is None else str(value) for value in values)


def told_band(band: Band) -> str:
    words = [numbers(band.limits), band.priority.word]
    words += [f"{band.readings}x"] if band.is_run else []
    words += [f"{span(band.apart)} to {span(band.most)}"] if band.apart and band.most else []
    words += [f"or {span(band.silence)} silence"] if band.silence else []
    words += [f"ask {span(band.ask_again)}"] if band.ask_again else []
    words += [f"again {span(band.confirm)}"] if band.confirm else []
    words += [f"or {band.symptom}"] if band.symptom else []
    words += [f"unless {numbers(band.unless)}"] if any(each is not None for each in band.unless) else []
    if band.own is not None:
        own = f"(own {band.own.offset}" + (" or floor" if band.own.at_floor else "")
        own += f" <= {band.own.at_most}" if band.own.at_most is not None else ""
        words.append(own + (f" again {span(band.own.confirm)})" if band.own.confirm else ")"))
    return " ".join(words)


def told_threshold(rule: Threshold) -> str:
    head = f"{' '.join(rule.metrics)} {rule.side}" + (" own" if rule.relative else "")
    if rule.baseline != BaselineNeed():
        head += f" of {rule.baseline.readings} readings"
    back = f"back {numbers(rule.deadband)} x{rule.clear_readings}"
    return "; ".join([head, *(told_band(each) for each in rule.bands), back])


def told_missing(rule: Missing) -> str:
    slots = [f"{a_wall(each.start)}-{a_wall(each.end)}" for each in rule.slots]
    when = "every week" if rule.weekly else " ".join(slots) or "by plan"
    worse = f", {rule.worse_after} in a row {rule.worse_priority.word}" if rule.worse_after else ""
    grace = f" grace {span(rule.grace)}" if rule.grace else ""
    return f"{rule.metric} {when}{grace}; {rule.priority.word}{worse}"


def told_trend(rule: Trend) -> str:
    head = f"{rule.metric} {rule.method}" + (f" {rule.days} days" if rule.days else "")
    bands = []
    for band in rule.bands:
        limit = "" if band.limit is None else f"{'over ' if band.is_past else ''}{band.limit} "
        bands.append(limit + band.priority.word)
    back = [f"back {rule.deadband} x{rule.clear_readings}"] if rule.method is Method.DELTA else []
    return "; ".join([head, *bands, *back])


def told(rule: AnyRule) -> str:
    """A rule's numbers in a line."""
    if isinstance(rule, Threshold):
        return told_threshold(rule)
    if isinstance(rule, Missing):
        return told_missing(rule)
    if isinstance(rule, Trend):
        return told_trend(rule)
    if isinstance(rule, Score):
        bands = "; ".join(f"{each.sum} {each.priority.word}" for each in rule.bands)
        single = "" if rule.single is None else f"; single {rule.single.word}"
        return bands + single + ("; only with a scale" if rule.needs_scale else "")
    if isinstance(rule, Mean):
        limits = " ".join(f"{metric} {limit}" for metric, limit in zip(rule.metrics, rule.limits, strict=True))
        return f"{limits}; {rule.least} readings on {rule.least_days} days; {rule.priority.word}"
    return f"{rule.symptom} with {' '.join(rule.any_of)}; {rule.priority.word}"


def test_every_number_is_the_one_of_the_common_page():
    lines = []
    for name in rulebook.shipped():
        book = rulebook.load(name)
        lines.append(name + (f" ends after {span(book.ends_after)}" if book.ends_after else ""))
        lines += [f"  {rule}: {told(each)}" for rule, each in sorted(book.rules.items())]
    assert lines == NUMBERS.strip().splitlines()
