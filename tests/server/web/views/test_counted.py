"""A score, a trend, a mean and a compound are said in a sentence, in every language, from what the rules wrote."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.fact import FactKind
from alerts.replay import Replay, run
from alerts.story_file import load
from server.web.frame.language import Speech
from server.web.frame.rendering import Renderer
from server.web.views import why
from server.web.words.catalogues import LANGUAGES

STORIES = Path(__file__).parents[4] / "alerts" / "rulebooks" / "stories"
PAGES = Renderer(demo=False)


def reasons(story: str, rule: str) -> dict[str, Any]:
    """Why the first alert of the rule in that story was raised."""
    told = load(STORIES / f"{story}.toml")
    replay = Replay(plan=told.plan)
    run(replay, told.arrivals, [], told.expects[-1].at)
    return dict(next(each.why for each in replay.facts if each.rule == rule and each.kind is FactKind.RAISED))


def said(language: str, mapping: dict[str, Any]) -> str:
    """The sentence of a row in the worklist."""
    speech = Speech(language=language, zone=ZoneInfo("Europe/Oslo"), now=datetime(2026, 3, 9, 12, tzinfo=UTC))
    read = why.read(mapping)
    return " ".join(PAGES.page(f"notices/{read.notice}.html", speech, why=read).split())


@pytest.mark.parametrize(
    ("story", "rule", "words"),
    [
        ("score_needs_five", "news2", ("NEWS2-skår", ">3<", "3 poeng alene: Pustefrekvens", "Ikke kjent: Bevissthet")),
        ("gain_in_three_days", "weight_gain_3d", ("82,6", "2,1", "mer enn 3. mars, målt")),
        ("loss_in_a_month", "weight_loss_1m", ("57,0", "5 prosent under 60,0", "2. mars, målt")),
        ("unsteady_saturation", "spo2_unstable", ("varierer med 4", "grensen er 4")),
        ("drift_resolved_starts_the_sum_again", "weight_trend", ("stigende over flere dager", "Det vanlige er 80,0")),
        ("mean_on_the_limit", "bp_mean_high", ("ukens gjennomsnitt", "135", "12 målinger på 3 dager")),
        ("gain_and_felt", "gain_with_symptoms", ("ja", "Samtidig: Vekt")),
    ],
)
def test_the_sentence_says_what_was_found(story: str, rule: str, words: tuple[str, ...]) -> None:
    sentence = said("nb", reasons(story, rule))
    assert [each for each in words if each not in sentence] == [], sentence
    for language in LANGUAGES:
        assert "None" not in said(language, reasons(story, rule))


@pytest.mark.parametrize("kind", ["score", "trend", "mean", "compound"])
def test_a_strange_mapping_takes_no_page_down(kind: str) -> None:
    for strange in (
        {},
        {"value": "x", "taken_at": 3},
        {"change": [], "compared_on": "soon", "single": 4, "days": True},
    ):
        assert why.read({"kind": kind, **strange}).notice == "other"
    half = {"kind": kind, "value": "3", "taken_at": "2026-03-02T07:00:00+00:00", "metric": "weight"}
    assert said("nb", half)


def test_a_limit_of_what_moved_is_not_shown_as_one_of_the_value() -> None:
    read = why.read(reasons("loss_in_a_month", "weight_loss_1m"))
    assert (read.limit, read.counted and read.counted.limit) == (None, 5)
    assert why.read({"kind": "oracle"}).counted is None
