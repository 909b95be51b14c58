"""Story and rulebook files that are wrong: each refused with exit 2, naming file and key, never by a traceback."""

from pathlib import Path

import pytest

from alerts.story import WRONG_FILE, tell

STORY = """
story = "One value"
rulebook = "own.toml"
day_1 = 2026-03-02
timezone = "Europe/Oslo"
hours = "08:00-15:30 mon-fri"
closed = [2026-05-17]
outside = "full"

[patient]
age = 71
on_oxygen = false
spo2_scale = 1
baseline = { weight = 80 }
spread = { weight = 0.5 }

[[pause]]
from = "D4 00:00"
to = "D6 00:00"

[[gateway]]
from = "D7 00:00"
to = "D7 12:00"

[[reading]]
at = "D1 08:00"
arrives = "D1 08:00"
id = "a"
quality = "good"
values = { spo2 = 95 }

[[reading]]
at = "D1 08:00"
arrives = "D1 09:00"
id = "a"
values = { spo2 = 95.0 }

[[command]]
at = "D1 09:30"
do = "snooze"
rule = "low"
by = "anna"
until = "D1 10:00"
slot = "open"
outcome = "watch"
refused = true

[[expect]]
at = "D1 10:00"
open = []
raised = { low = 0 }
notices = []
advice = []
zone = "green"
"""

BOOK = """
name = "own"
version = "1"
source = "nobody"
reviewed_on = 2026-01-01
verified = true
ends_after = "14d"

[rules.low]
kind = "threshold"
metric = "spo2"
side = "below"
enabled = true
deadband = 2
clear_readings = 2
max_age = "36h"
rearm_after = "2h"
needs_outcome = true
bands = [
  { limit = 94, priority = "medium" },
  { limit = 92, priority = "high", confirm = { within = "15min" }, unless = 88 },
]

[rules.run]
kind = "threshold"
metric = "glucose"
side = "above"
bands = [{limit = 14, priority = "medium", readings = 2, apart = "2h", most = "24h", silence = "9h", ask_again = "1h"}]

[rules.own]
kind = "threshold"
metrics = ["systolic", "diastolic"]
side = "above"
relative_to = "baseline"
bands = [{ limit = { systolic = 30, diastolic = 20 }, priority = "medium" }]

[rules.slow]
kind = "trend"
metric = "weight"
method = "delta"
days = 3
more_than = 2.0
priority = "medium"

[rules.steps]
kind = "trend"
metric = "weight"
method = "loss"
days = 30
bands = [{ limit = 5, priority = "medium" }, { limit = 10, priority = "high" }]

[rules.week]
kind = "mean"
metrics = ["systolic", "diastolic"]
limits = { systolic = 135, diastolic = 85 }
least = 12
least_days = 3
priority = "medium"

[rules.sum]
kind = "score"
bands = [{ sum = 5, priority = "high" }, { sum = 7, priority = "critical" }]
single = "high"

[rules.owed]
kind = "missing"
metric = "spo2"
slots = ["07:00-10:00", "13:00-16:00"]
days = "mon-fri"
grace = "30min"
remind_at = ["09:30"]
priority = "low"
worse_after = 2
worse_priority = "medium"

[rules.felt]
kind = "compound"
symptom = "symptom_yellow"
any_of = ["slow"]
priority = "high"
"""

# In the story: (old, new, the key that the refusal names)
IN_STORY = [
    ('story = "One value"\n', "", "story"),
    ('story = "One value"', "story = 1", "story"),
    ('"own.toml"', '"plague"', "rulebook: plague.toml"),
    ('"own.toml"', '"nowhere/own.toml"', "rulebook: own.toml"),
    ('"own.toml"', '"."', "rulebook"),
    ('"own.toml"', "1", "rulebook"),
    ("day_1 = 2026-03-02", "day_1 = 2026-02-30", "day_1"),
    ("day_1 = 2026-03-02", 'day_1 = "monday"', "day_1"),
    ("day_1 = 2026-03-02", "day_1 = 2026-03-02T00:00:00", "day_1"),
    ("day_1 = 2026-03-02", "day_1 = 9999-12-31", "day_1"),
    ("day_1 = 2026-03-02", "day_1 = 0001-01-01", "day_1"),
    ('"Europe/Oslo"', '"Oslo"', "timezone"),
    ('"Europe/Oslo"', '"../zone"', "timezone"),
    ("08:00-15:30 mon-fri", "8-15", "hours"),
    ("08:00-15:30 mon-fri", "15:30-08:00", "hours"),
    ("08:00-15:30 mon-fri", "08:00-15:30 mon-fry", "hours"),
    ("[2026-05-17]", '["17 May"]', "closed[0]"),
    ("[2026-05-17]", "2026-05-17", "closed"),
    ('"full"', '"none"', "outside"),
    ("age = 71", 'age = "old"', "patient.age"),
    ("age = 71", "age = -1", "patient.age"),
    ("age = 71", "agee = 71", "patient.agee"),
    ("on_oxygen = false", "on_oxygen = 0", "patient.on_oxygen"),
    ("spo2_scale = 1", "spo2_scale = 3", "patient.spo2_scale"),
    ("baseline = { weight", "baseline = { wieght", "patient.baseline.wieght"),
    ("spread = { weight = 0.5", "spread = { weight = -0.5", "patient.spread.weight"),
    ('to = "D6 00:00"', 'to = "D3 00:00"', "pause[0].to"),
    ('to = "D6 00:00"', 'to = "never"', "pause[0].to"),
    ('from = "D7 00:00"', 'form = "D7 00:00"', "gateway[0].from"),
    ('at = "D1 08:00"', 'at = "D1 24:00"', "reading[0].at"),
    ('at = "D1 08:00"', 'at = "D0 08:00"', "reading[0].at"),
    ('at = "D1 08:00"', 'at = "D1 8:00"', "reading[0].at"),
    ('at = "D1 08:00"', "at = D1 08:00", "reading.at"),
    ('at = "D1 08:00"', 'at = "2026-03-02T08:00:00"', "reading[0].at"),
    ('at = "D1 08:00"', 'at = "0001-01-01T00:00:00+14:00"', "reading[0].at"),
    ('at = "D1 08:00"', "at = 08:00:00", "reading[0].at"),
    ('at = "D1 08:00"\n', "", "reading[0].at: missing"),
    ('arrives = "D1 08:00"', 'arrives = "D1 07:59:59"', "reading[0].arrives"),
    ('arrives = "D1 08:00"', 'arrive = "D1 08:00"', "reading[0].arrive: unknown key"),
    ('id = "a"', "id = 1", "reading[0].id"),
    ("spo2 = 95.0", "spo2 = 95.1", "reading[1].id"),
    ("spo2 = 95.0", "pulse = 95", "reading[1].id"),
    ('"good"', '"fine"', "reading[0].quality"),
    ('"good"', '"poor"', "reading[1].id"),
    ("{ spo2 = 95 }", "{}", "reading[0].values"),
    ("{ spo2 = 95 }", "95", "reading[0].values"),
    ("spo2 = 95 ", "sp02 = 95 ", "reading[0].values.sp02"),
    ("spo2 = 95 ", 'spo2 = "low" ', "reading[0].values.spo2"),
    ("spo2 = 95 ", "spo2 = nan ", "reading[0].values.spo2"),
    ("spo2 = 95 ", "spo2 = true ", "reading[0].values.spo2"),
    ('"snooze"', '"snore"', "command[0].do"),
    ('"snooze"', '"invalidate"', "command[0].reading"),
    ('"snooze"', '"accept"\nreading = "z"', "command[0].reading"),
    ('rule = "low"', 'rule = "lwo"', "command[0].rule"),
    ('rule = "low"\n', "", "command[0].rule"),
    ('"D1 10:00"\nslot', '"noon"\nslot', "command[0].until"),
    ('slot = "open"', 'slot = "half"', "command[0].slot"),
    ('"watch"', '"fine"', "command[0].outcome"),
    ("refused = true", "refused = 1", "command[0].refused"),
    ('by = "anna"', "by = 1", "command[0].by"),
    ("open = []", "opne = []", "expect[0].opne: unknown key"),
    ("open = []", "open = {}", "expect[0].open"),
    ("open = []", 'open = [{ state = "active" }]', "expect[0].open[0].rule"),
    ("open = []", 'open = [{ rule = "lwo" }]', "expect[0].open[0].rule"),
    ("open = []", 'open = [{ rule = "low", state = "resolved" }]', "expect[0].open[0].state"),
    ("open = []", 'open = [{ rule = "low", priority = "red" }]', "expect[0].open[0].priority"),
    ("open = []", 'open = [{ rule = "low", level = "2" }]', "expect[0].open[0].level"),
    ("open = []", 'open = [{ rule = "low", late = 1 }]', "expect[0].open[0].late"),
    ("open = []", 'open = [{ rule = "low", cause = "cat" }]', "expect[0].open[0].cause"),
    ("open = []", 'open = [{ rule = "low", missing = ["air"] }]', "expect[0].open[0].missing"),
    ("open = []", 'open = [{ rule = "low", colour = 1 }]', "expect[0].open[0].colour: unknown key"),
    ("{ low = 0 }", "{ lwo = 0 }", "expect[0].raised.lwo"),
    ("{ low = 0 }", "{ low = -1 }", "expect[0].raised.low"),
    ("notices = []", 'notices = [{ to = "nurse" }]', "expect[0].notices[0].to"),
    ("notices = []", 'notices = [{ to = "owner", rule = "lwo" }]', "expect[0].notices[0].rule"),
    ("advice = []", 'advice = ["blue"]', "expect[0].advice"),
    ('zone = "green"', 'zone = "pink"', "expect[0].zone"),
    ("[[expect]]", "[[expects]]", "expects: unknown key"),
    ("[patient]", "[rules.lwo]\nenabled = false\n[patient]", "rules.lwo"),
    ("[patient]", '[rules.low]\nenabled = "no"\n[patient]', "rules.low.enabled"),
    ("[patient]", "[rules.low]\nlimits = 1\n[patient]", "rules.low.limits: unknown key"),
]

# In the rulebook, with the key under `rules.` where there is one.
IN_BOOK = [
    ('name = "own"\n', "", "name"),
    ('"1"', "true", "version"),
    ("2026-01-01", '"new year"', "reviewed_on"),
    ("verified = true", 'verified = "yes"', "verified"),
    ('"14d"', '"14 days"', "ends_after"),
    ("source =", "sauce =", "source"),
    ("[rules.low]", "[rules.low]]", "TOML"),
    ('kind = "threshold"', 'kind = "limit"', "low.kind"),
    ('metric = "spo2"\nside', 'metric = "sp02"\nside', "low.metric"),
    ('"below"', '"under"', "low.side"),
    ("deadband = 2", "deadband = -2", "low.deadband"),
    ("deadband = 2", "dead_band = 2", "low.dead_band: unknown key"),
    ("clear_readings = 2", "clear_readings = 0", "low.clear_readings"),
    ('"36h"', "36", "low.max_age"),
    ('rearm_after = "2h"', 'rearm_after = "soon"', "low.rearm_after"),
    ("needs_outcome = true", "needs_outcome = 1", "low.needs_outcome"),
    ("limit = 94", "limit = 91", "low.bands"),
    ("limit = 94", "limit = 92", "low.bands"),
    ("limit = 94", 'limit = "94"', "low.bands[0].limit"),
    ("limit = 94, ", "", "low.bands[0].limit"),
    ('limit = 94, priority = "medium"', "limit = 94", "low.bands[0].priority"),
    ('limit = 94, priority = "medium"', 'limit = 94, priority = "mild"', "low.bands[0].priority"),
    ('{ within = "15min" }', '"15min"', "low.bands[1].confirm"),
    ('{ within = "15min" }', "true", "low.bands[1].confirm"),
    ('{ within = "15min" }', '{ within = "15 min" }', "low.bands[1].confirm.within"),
    ('{ within = "15min" }', '{ wihtin = "15min" }', "low.bands[1].confirm.within"),
    ("unless = 88", 'unless = "88"', "low.bands[1].unless"),
    ("readings = 2, apart", "readings = 0, apart", "run.bands[0].readings"),
    ("readings = 2, apart", "apart", "run.bands[0].apart"),
    ('apart = "2h"', 'apart = "25h"', "run.bands[0].apart"),
    ('silence = "9h"', 'silence = "long"', "run.bands[0].silence"),
    ('ask_again = "1h"', "ask_again = 60", "run.bands[0].ask_again"),
    ('["systolic", "diastolic"]\nside', '["systolic", "systolic"]\nside', "own.metrics"),
    ('relative_to = "baseline"', 'relative_to = "normal"', "own.relative_to"),
    ("{ systolic = 30, diastolic = 20 }", "30", "own.bands[0].limit"),
    ("systolic = 30", "pulse = 30", "own.bands[0].limit.pulse"),
    ('"delta"', '"gamma"', "slow.method"),
    ("days = 3\n", "", "slow.days"),
    ("more_than = 2.0", "more_than = 2.0\nlimit = 2", "slow.limit"),
    ("more_than = 2.0", "more_than = 0", "slow.more_than"),
    ('more_than = 2.0\npriority = "medium"', "more_than = 2.0", "slow.bands"),
    ("limit = 5", "limit = 11", "steps.bands"),
    ("systolic = 135, ", "", "week.limits.systolic"),
    ("least = 12", "least = 0", "week.least"),
    ("least_days = 3", 'least_days = "3"', "week.least_days"),
    ("sum = 5", "sum = 8", "sum.bands"),
    ("sum = 5", "sum = 5.5", "sum.bands[0].sum"),
    ('single = "high"', "single = 3", "sum.single"),
    ('"13:00-16:00"', '"09:59-16:00"', "owed.slots"),
    ('"13:00-16:00"', '"22:00-02:00"', "owed.slots"),
    ('"13:00-16:00"', '"13-16"', "owed.slots"),
    ('"mon-fri"', '"mon-funday"', "owed.days"),
    ('grace = "30min"', 'grace = "half"', "owed.grace"),
    ('"09:30"', '"9:30"', "owed.remind_at"),
    ("worse_after = 2", "worse_after = 0", "owed.worse_after"),
    ('worse_priority = "medium"', 'worse_priority = "bad"', "owed.worse_priority"),
    ('["slow"]', '["slwo"]', "felt.any_of"),
    ('["slow"]', '["owed"]', "felt.any_of"),
    ('["slow"]', "[]", "felt.any_of"),
    ('"symptom_yellow"', '"symptom_green"', "felt.symptom"),
]


def told(folder: Path, story: str, book: str) -> tuple[int, str]:
    (folder / "own.toml").write_text(book)
    (folder / "one.toml").write_text(story)
    lines: list[str] = []
    return tell([folder / "one.toml"], lines.append), "\n".join(lines)


def test_the_files_are_right_before_they_are_wrong(tmp_path):
    assert told(tmp_path, STORY, BOOK)[0] == 0


@pytest.mark.parametrize(("old", "new", "key"), IN_STORY)
def test_a_wrong_story_names_file_and_key(tmp_path, old, new, key):
    assert old in STORY
    code, out = told(tmp_path, STORY.replace(old, new, 1), BOOK)
    assert code == WRONG_FILE
    assert "one.toml: " in out
    assert key in out


@pytest.mark.parametrize(("old", "new", "key"), IN_BOOK)
def test_a_wrong_rulebook_names_file_and_key(tmp_path, old, new, key):
    assert old in BOOK
    code, out = told(tmp_path, STORY, BOOK.replace(old, new, 1))
    assert code == WRONG_FILE
    assert "own.toml: " in out
    assert key in out
