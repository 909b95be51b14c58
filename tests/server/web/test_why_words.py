"""Every rule of every shipped rulebook, raised by the shipped stories, said to nurse and patient in every language."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from alerts import rulebook
from alerts.replay import Replay, run
from alerts.story_file import load
from server.web.frame.language import Speech
from server.web.frame.rendering import Renderer
from server.web.views import why
from server.web.words.catalogues import LANGUAGES
from vitals.metrics import METRICS

STORIES = Path(__file__).parents[3] / "alerts" / "rulebooks" / "stories"
RENDERER = Renderer(demo=False)
SHOWN = {"raised", "returned", "worsened"}
FOLDERS = ("notices", "quiet", "plain")
# Words of English that are no words of Norwegian; a text that was forgotten has one of them.
ENGLISH = re.compile(
    r"\b(the|and|of|with|was|were|has|would|below|above|measured|measurements?|readings?|missing|days|higher|lower"
    r"|you|your|high|low|oxygen|weight|blood|temperature|outside|from|than|patient's|nothing|score|sum)\b",
    re.IGNORECASE,
)


@cache
def reasons() -> dict[tuple[str, str], tuple[Mapping[str, Any], ...]]:
    """(rulebook, rule) -> why it was raised, returned or worsened, each way of saying it once."""
    found: dict[tuple[str, str], dict[tuple[Any, ...], Mapping[str, Any]]] = {}
    for path in sorted(STORIES.glob("*.toml")):
        told = load(path)
        replay = Replay(plan=told.plan)
        run(replay, told.arrivals, [], told.expects[-1].at)
        for fact in replay.facts:
            if fact.kind.value in SHOWN:
                ways = found.setdefault((told.plan.rulebook, fact.rule), {})
                ways.setdefault(_way(fact.why), fact.why)
    return {key: tuple(ways.values()) for key, ways in found.items()}


def _way(told: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes a sentence another sentence, the numbers aside."""
    keys = ("kind", "priority", "method", "quality", "cause", "limit_from", "readings", "confirm_s", "doubt", "metric")
    return (*(told.get(key) for key in keys), bool(told.get("missing")), bool(told.get("single")))


def say(told: Mapping[str, Any], folder: str, language: str) -> str:
    """The sentence as it is read, five minutes after it was judged."""
    now = datetime.fromisoformat(told["evaluated_at"]) + timedelta(minutes=5)
    speech = Speech(language=language, zone=ZoneInfo("Europe/Oslo"), now=now)
    read = why.read(told)
    return Markup(RENDERER.page(f"{folder}/{read.notice}.html", speech, why=read)).striptags()


def test_the_stories_raise_every_rule_of_every_shipped_rulebook() -> None:
    rules = {(name, rule) for name in rulebook.shipped() for rule in rulebook.load(name).rules}
    assert rules - set(reasons()) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_is_said_to_nurse_and_patient_with_what_would_have_been_quiet(language: str) -> None:
    for (book, rule), ways in reasons().items():
        for told in ways:
            for folder in FOLDERS:
                text = say(told, folder, language)
                at = f"{book} {rule} {folder}: {text}"
                assert text.endswith("."), at
                assert not re.search(r"None|Decimal|True|\+00:00|Infinity|\{\{|_", text), at
                assert len(text) < 260, at
                assert text[0].isupper() or text[0].isdigit(), at


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_no_english_and_no_point_in_a_number_reaches_a_norwegian_reader(language: str) -> None:
    for (book, rule), ways in reasons().items():
        for told in ways:
            for folder in FOLDERS:
                text = say(told, folder, language)
                assert not ENGLISH.search(text), f"{book} {rule} {folder}: {text}"
                assert not re.search(r"\d\.\d", text), f"{book} {rule} {folder}: {text}"
                assert text != say(told, folder, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_value_has_the_decimals_of_its_metric_and_no_idle_ones(language: str) -> None:
    point = "." if language == "en" else ","
    for ways in reasons().values():
        for told in ways:
            metric = told.get("metric")
            if not metric or not METRICS[metric].decimals:
                continue
            for folder in FOLDERS:
                text = say(told, folder, language)
                found = re.findall(rf"\d{re.escape(point)}(\d+)(?=\xa0(?:kg|°C|mmol/L))", text)
                assert all(len(each) == METRICS[metric].decimals for each in found), text
                assert not re.search(rf"{re.escape(point)}\d+0\b", text), text


def test_every_way_of_saying_has_its_own_sentence() -> None:
    """Kinds, runs, second readings, own levels and doubts: none is told as if it were another."""
    seen = {why.read(told).notice for ways in reasons().values() for told in ways}
    assert seen == {"threshold", "missing", "score", "trend", "mean", "compound", "quarantined"}
    methods = {told.get("method") for ways in reasons().values() for told in ways if told.get("kind") == "trend"}
    assert methods == {"delta", "macd_cusum", "resid_sd", "loss"}
    asked = {name for ways in reasons().values() for told in ways for name in ("readings", "confirm_s") if name in told}
    assert asked == {"readings", "confirm_s"}
    causes = {told.get("cause") for ways in reasons().values() for told in ways}
    assert {"gateway", "patient"} <= causes


def test_times_are_told_by_the_patients_clock() -> None:
    (told, *_) = reasons()["covid19", "spo2_low"]
    local = datetime.fromisoformat(told["taken_at"]).astimezone(ZoneInfo("Europe/Oslo"))
    assert f"kl. {local:%H:%M}" in say(told, "notices", "nb")


@pytest.mark.parametrize(
    ("rule", "changed", "folder", "expected"),
    [
        ("spo2_drop", {}, "notices", "grensen er 95 %"),  # of 95.5: where a value can stand
        ("spo2_drop", {}, "quiet", "Med 96 % eller høyere"),
        ("spo2_low", {"value": "LO"}, "plain", "Oksygenmetning: for lav til å måles. Vi ser nærmere på det."),
        ("spo2_low", {"quality": "poor"}, "notices", "Apparatet går ikke god for verdien"),
        ("spo2_low", {"confirm_s": 900}, "quiet", "En ny måling innenfor grensen i løpet av 15 min"),
    ],
)
def test_what_is_special_is_said(rule: str, changed: dict[str, Any], folder: str, expected: str) -> None:
    told = {**reasons()["covid19", rule][0], **changed}
    assert expected in say(told, folder, "nb").replace("\xa0", " ")
