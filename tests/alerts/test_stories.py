"""The project's own stories, and the runner that tells them."""

from pathlib import Path

import pytest

from alerts.__main__ import main
from alerts.replay import Timed, run
from alerts.story import differences
from alerts.story_file import load

STORIES = sorted((Path(__file__).parents[2] / "alerts" / "rulebooks" / "stories").glob("*.toml"))

YELLOW = """
story    = "One value on the limit"
rulebook = "covid19"
day_1    = 2026-03-02

[rules.missing_spo2]
enabled = false

[[reading]]
at     = "D1 08:00"
values = { temperature = 38.1 }

[[expect]]
at   = "D1 08:00"
open = [{ rule = "temperature_high", state = "active", priority = "medium" }]
"""


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> tuple[int, str]:
    path = tmp_path / "one.toml"
    path.write_text(text)
    code = main(["story", str(path)])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_own_story_holds(path):
    assert differences(load(path)) == ()


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_repeated_and_reordered_deliveries_tell_the_same_story(path):
    from alerts.replay import Replay

    story = load(path)
    until = max(each.at for each in story.expects)

    def facts(arrivals):
        replay = Replay(plan=story.plan)
        events = [Timed(at=each.at, do=lambda r, each=each: r.click(each.command, each.at)) for each in story.clicks]
        run(replay, arrivals, events, until)
        return replay.facts

    assert facts(story.arrivals) == facts((*reversed(story.arrivals), *story.arrivals))


def test_a_story_that_holds_exits_0(tmp_path, capsys):
    code, out = told(tmp_path, capsys, YELLOW)
    assert code == 0
    assert "holds" in out


def test_a_difference_exits_1_and_says_what_and_when(tmp_path, capsys):
    code, out = told(tmp_path, capsys, YELLOW.replace('priority = "medium" }]', 'priority = "high" }]'))
    assert code == 1
    assert "D1 08:00:00  temperature_high: priority = medium, expected priority = high" in out


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        ("open = []", "temperature_high: state = active, priority = medium is open, expected no alert"),
        ('zone = "red"', "the zone is yellow, expected red"),
        ('advice = ["red"]', "advice was [], expected ['red']"),
        ("raised = { temperature_high = 2 }", "temperature_high was raised 1 times, expected 2"),
        ('notices = [{ to = "backup" }]', "no notice to = backup since the last expect"),
        ('open = [{ rule = "spo2_low" }, { rule = "temperature_high" }]', "spo2_low: no alert is open"),
    ],
)
def test_every_kind_of_expectation_can_fail(tmp_path, capsys, expectation, words):
    code, out = told(tmp_path, capsys, YELLOW + f'\n[[expect]]\nat = "D1 08:01"\n{expectation}\n')
    assert (code, words in out) == (1, True), out


def test_a_click_that_is_done_but_must_be_refused_differs(tmp_path, capsys):
    click = '\n[[command]]\nat = "D1 08:02"\ndo = "acknowledge"\nrule = "temperature_high"\nrefused = true\n'
    code, out = told(tmp_path, capsys, YELLOW + click)
    assert code == 1
    assert "must be refused" in out


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('rulebook = "covid19"', 'rulebook = "plague"', "rulebook: plague.toml"),
        ("day_1    = 2026-03-02", 'day_1 = "monday"', "day_1"),
        ('at     = "D1 08:00"', 'at = "yesterday"', "reading[0].at"),
        ("temperature = 38.1", "temprature = 38.1", "reading[0].values.temprature: unknown metric"),
        ("temperature = 38.1", 'temperature = "hot"', "reading[0].values.temperature"),
        ('state = "active"', 'state = "ringing"', "expect[0].open[0].state"),
        ('rule = "temperature_high"', 'rule = "temperature_hihg"', "expect[0].open[0].rule"),
        ("enabled = false", "enabled = 0", "rules.missing_spo2.enabled: must be true or false"),
        ("enabled = false", 'slots = ["10:00-07:00"]', "rules.missing_spo2.slots"),
        ("[rules.missing_spo2]", "[rules.missing_weight]", "rules.missing_weight"),
        ("[rules.missing_spo2]\nenabled = false", "[rules.news2]\nsingle = 2", "rules.news2"),
        ("[[reading]]", "[[readings]]", "readings: unknown key"),
        ("[[reading]]", "[[reading]]\ncolour = 1", "reading[0].colour: unknown key"),
        ('story    = "One', 'story    = "One\n', "is not TOML"),
        (
            "[rules.missing_spo2]\nenabled = false",
            '[rules.temperature_high]\nkind = "oracle"',
            "rules.temperature_high.kind",
        ),
    ],
)
def test_a_wrong_file_exits_2_and_names_the_key(tmp_path, capsys, old, new, key):
    assert old in YELLOW
    code, out = told(tmp_path, capsys, YELLOW.replace(old, new, 1))
    assert code == 2
    assert "one.toml: " in out
    assert key in out


def test_the_worst_code_of_several_files_counts_and_all_are_run(tmp_path, capsys):
    for name, text in {
        "a": YELLOW,
        "b": YELLOW.replace("38.1", "38.0"),
        "c": YELLOW.replace("at     =", "when   ="),
        "d": YELLOW,
    }.items():
        (tmp_path / f"{name}.toml").write_text(text)
    paths = [str(tmp_path / f"{name}.toml") for name in "abcd"]
    assert main(["story", *paths]) == 2
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if "toml" in line] == [
        "holds",
        "differs",
        "WRONG",
        "holds",
    ]
    assert main(["story", paths[0], paths[1]]) == 1


def test_the_same_id_twice_is_a_second_delivery_and_must_be_the_same_reading(tmp_path, capsys):
    again = '\n[[reading]]\nid = "1"\nat = "D1 08:00"\narrives = "D1 09:00"\nvalues = { temperature = 38.1 }\n'
    assert told(tmp_path, capsys, YELLOW + again)[0] == 0
    code, out = told(tmp_path, capsys, YELLOW + again.replace("38.1", "38.2"))
    assert code == 2
    assert "reading[1].id" in out


def test_a_rulebook_may_lie_beside_the_story(tmp_path, capsys):
    (tmp_path / "own.toml").write_text(
        'name = "own"\nversion = "3"\nsource = "me"\nreviewed_on = 2026-01-01\nverified = true\n'
        '[rules.temperature_high]\nkind = "threshold"\nmetric = "temperature"\nside = "above"\n'
        'bands = [{ limit = 38.1, priority = "medium" }]\n'
    )
    text = YELLOW.replace('"covid19"', '"own.toml"').replace("[rules.missing_spo2]\nenabled = false\n", "")
    assert told(tmp_path, capsys, text)[0] == 0
