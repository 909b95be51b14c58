"""The sentences of the report that depend on no number."""

from collections.abc import Mapping

OPENING = """
# How good are the rules?

This page is written by `{command}`. Run again it gives the same bytes. Everything in it is about made-up people: it
says how ways of alerting compare under stated circumstances, not what they do for patients. Rulebooks: {books}. Each
cohort was made up {seeds} times, each from another seed, and what follows is all of them together.

**What was asked.** A follow-up service wants to hear of trouble early and not be called for nothing. How many events
does each way of alerting catch, how long before, and how often must a nurse act, for the shipped rulebooks and for
simpler ways? The aim is at most 0.10 *manual alert groups* a patient-day (8 a day for a nurse with 80 patients), with
no smaller a share of events caught than under the limits as shipped.

**Words.** An *alert* is a call for attention: an alert that is raised or comes back, or rises above what it was. It is
*manual* when a person must act: medium priority or more. Alerts of one patient that come within 30 minutes of the
first of them are one *group*: they are met and clicked as one (`alerts/grouping.py`). *Caught*: a manual alert about
the patient came in the window before the event (a missing or doubtful reading catches nothing, but costs). *PPV*: the
share of such alerts with an event within the window after. A *quiet stretch* is as long as the window, with no event
in it or within a window after it. Numbers in brackets are 95 % intervals from drawing people anew, 500 times, out of
all seeds together; for lead times they are the middle half. The intervals say how steady the simulation is; a
study of one cohort of real people would be less sure.
"""

CHANCE = (
    "Read every share of events caught beside the share of quiet stretches disturbed: whoever alerts in nearly every "
    "fortnight catches nearly every event, and has said nothing by it."
)

HOW_TO_READ = """
Up is better, left is cheaper; the scale below is by factors. Bars are 95 % intervals. The 0.10 of the aim is also what
a published service for high blood pressure had left to do by hand (174 patients, 30,184 measurements, 3,646 manual
alerts: 0.10 a patient-day).
"""

PEOPLE = """
## The people

Three cohorts, made up {seeds} times each. In all of them a due measurement is missing with a chance of 10 %, is an
artefact with 3 %, and is somebody else's with 1 %. Where a study gives a figure it is used; the right column is what
the made-up people measure, with all faults in it.
"""

ASSUMED = """
What no study gave and we chose:

- **Heart failure.** Daily weight comes and goes with a standard deviation of 0.8 kg (a free choice between 0.5 and
  0.8), of which 40 % is still there the day after; besides, slow gains and losses of 0.4 kg. The first two numbers
  were settled with the check below alone, not with any rule of ours. Pulse 74 ± 10 between people and ± 5
  from day to day, systolic pressure 124 ± 16 and ± 9; before an admission for heart failure pulse moves by +8 ± 6 and
  pressure by −6 ± 8. One question about breathlessness a day: yes on 3 % of days, on 40 % in the last week before; a
  red answer on 0.1 % of days, on 15 % in the last two. An admission takes seven days without measuring.
- **COPD.** One measurement a day; own saturation 91.5 ± 1.5; scale 2 and floor 84 are prescribed. In the ten days
  before an exacerbation the spread is 4 to 5 points and the level sinks by 1.5 at last; pulse +5 or so. CAT on
  Mondays, in the last week before an exacerbation 6.07 ± 3 points up.
- **Covid-19.** Three rounds a day for 14 days, each a full set. Everybody has some fever at first; 15 of 100 get
  worse over two and a half days as in the project's story (saturation −6, pulse +34, respiration +8, temperature +1.5)
  and are admitted at the end of it. The oximeter's noise is 2 points (a shown 90 may be 86 to 94), anew in each
  measurement; an error that stays with a device is not simulated.
- **Artefacts.** Weight 1 to 4 kg off, mostly up; systolic pressure 15 to 40 off; saturation 4 to 12 too low. Half of
  those of cuff and oximeter are marked poor by the device itself, which only our engine looks at.
- **Who is asked to measure again** does so after 8 minutes in 70 % of cases.
- **The nurse** works Monday to Friday and looks at the list at 8:30, 11:30 and 14:30. What needs a person is
  acknowledged at the next look, and closed at the first look after its condition is over, or after three days if it
  still holds; then it may be raised again. Her time: 2.5 minutes for a low group, 6 for medium, 15 for high and
  critical. These minutes are an assumption, not measured.
"""

ARMS = """
## The arms

All arms see the same measurements, and the same limits where they have such limits.

- **Traffic light**: every value beyond a limit of the rulebook is an alert, every time. Weight: more than 2.0 kg above
  the lowest of the three days before.
- **OpenTele-like**: each submission takes the colour of its worst value; a missed deadline is blue (low). Green
  submissions are taken to be acknowledged in bulk and cost nothing.
- **ThingsBoard-like**: an alert when a value stays beyond its limit for about one round of measuring (20 hours, covid
  4 hours) with none inside between; one alert while it is open; it closes at a value back by the margin.
- **Shipped rulebook**: our engine as the server runs it, with the rulebook as shipped, readings in the order of
  arrival, second measurements when asked for, missing readings, and the nurse's clicks.
- **Own plan**: the same engine with limits of the person's own, set by a formula that a clinician could use after the
  14 days of start-up. Heart failure: pulse 20 above and 15 below, pressure 25 from the own level; weight gain beyond
  3.5 (3 days) and 4.5 (7 days) times the own spread, not below the shipped limits; the trend rule, whose limit is
  fixed at half a kilogram, off where the own spread is above 0.6 kg. COPD: medium at 2.5 times the own spread below
  the level. Covid: there is no start-up; a yellow value counts when the next is yellow too, a red one as shipped.
  Limits only move away from normal, within bounds. The formulas come from us, not from a study; two of them (the trend
  rule, and covid) were changed once, after a first trial with 20 and 30 people. A clinician decides.
"""

COHORT = """
Event: {event}. An alert counts within {days} days before it.
"""

REMARKS: Mapping[str, str] = {
    "heart_failure": """
Weight rules carry this rulebook and are its weakness: ordinary coming and going of water sets off a rule with a limit
of half a kilogram in most fortnights, and the lowest of seven days is a low bar to be compared with. Limits of
pressure and pulse that are the same for everybody call again and again for those who simply live beyond them. The
rulebook has more rules than the naive arms (the gain over seven days, the trend, the answers, missing weights), and
what it saves by knowing what is open already it spends on them. Own limits buy their saving with events; how many of
these had been caught by chance, by rules that speak in nearly every fortnight, cannot be told apart here. What tells
heart failure from noise in these people is the answer about breathlessness together with a gain; that follows from our
assumption about answers and should be read with it.
""",
    "copd": """
Limits by the person's own level are what separates our engine from the naive arms here: at 92 and 88 for everybody,
people who live at 91 are called about nearly every day. The duration rule saves in another way, by waiting. The
unsteady saturation before an exacerbation is what the study reported of four people; it is built into these people, so
the rule that looks for it must find it.
""",
    "covid19": """
An oximeter whose error is 2 points in each measurement shows a well person at 97 a yellow value in every tenth
measurement or so. The shipped rulebook believes a single yellow value, as the national pathway does, and asks again
only before a red one. That is why it costs not much less than the traffic light. Waiting for a second round takes a
good part of this burden away, and some of the lead; the courses here are slow (two and a half days), and somebody who
gets worse within hours would pay for the wait. A limit that believes a single yellow value should be looked at again
by those who sign the rulebook.
""",
}

LEAD = """
From the first manual alert about the patient in the window to the event; only events that were caught. A long lead of
an arm that nearly always alerts is chance as well: compare with the quiet stretches above. The ThingsBoard-like arm
comes later by construction.
"""

CHECK = """
Simple weight rules have been tried on real people. If they behaved otherwise on these, the people would be wrong. The
rules here are written from their published descriptions and see one weight a day; "gross errors left out" drops
weights more than 5 kg from the one before, as an analyst would. *True alerts* is the share of admissions for heart
failure with an alert in the 14 days before; *false alerts* the share of quiet fortnights with one. The study's
abstract [Zhang 2009, 168 people] does not say how its false alert rate was counted; this is our reading of it. It
gives a point for the moving average and not its limit: the row "at about 9 % false" takes the limit that comes
nearest.
"""

CHECK_DIFFERENCES = """
**What differs, and why.** The study's two rules of thumb alert about equally often. With noise in which each day
stands for itself that cannot be: more than 2.27 kg in three days is then much rarer than 1.36 kg in one. Real weight
drifts over days. A part of our noise persists for this reason, and still the one-day rule says a little too much here
and the three-day rule a little too little. We left that. The study also counted worsening breathlessness or swelling
as events, not only admissions, and its drift of +0.9 ± 2.1 kg is most likely of measured weights, with noise in it;
ours is put under the noise. The usual moving average (0.5 kg) is far less specific here than in the study: its limit
in the study is not in the abstract, and 0.5 kg can hardly have been it for people whose weight varies so. The table
shows the other choices of noise that we tried (true / false, two seeds); no single one meets all the published
figures.
"""

BESIDE = """
| study | people | rule | caught | false or specificity |
| --- | --- | --- | ---: | ---: |
| Zhang 2009 (TEN-HMS) | 168 | 1.36 kg in 1 day · 2.27 kg in 3 days · MACD | 58 · 65 · 20 % | false 54 · 58 · 9 % |
| Gyllensten 2016 | 91 | weight: rule of thumb · MACD · CUSUM | 20 · 33 · 13 % | spec. 90 · 91 · 91 % |
| Ledwidge 2013 | 87, 28 events | 2 kg in 2–3 d · 1.36 kg in 1 d · HeartPhone | 21 · 46 · 82 % | spec. 86 · – · 68 % |
| Moazeni 2023 | 74, 64 episodes | weight: personal chart · MACD · rule of thumb | F1 10 · 3 · 7 % | PPV 16 · 0 · 6 % |
| Abraham | 156 | weight · impedance (implant) | 21 · 76 % | 4.3 · 1.9 false a patient-year |
| Adamson | 274 | pressure CUSUM (implant) | 83 % | 4.1 false a patient-year |
| Gilliam | 201 | several signals (implant) | 41 % | 2 false a patient-year |
| hypertension service | 174, 207 days | limits, most handled by program | – | 0.48 alerts, 0.10 manual a patient-day |
| Current Health | 76 | depends on rules | – | 65 to 3,113 alerts in all |

The implants measure pressure or water inside the body and are not to be had from a scale. Our arms have far more
false alerts a year than any of these, for three reasons: they judge several metrics and not one; every rule is set to
be heard (some studies chose theirs on the same events); and a study counts an alert once where a service meets it
again after every closing. PPV here is held down by rarity as well: events come about 0.8 times a patient-year in the
heart failure cohort, and 14 days is a small part of it.
"""

LIMITS = """
## What this does not say

- These are made-up people. Who is made up by simple laws is easier to tell apart, or harder, than who is not.
- Events come whether or not anybody acts: what an alert prevents cannot be seen here.
- Nurse minutes and the nurse's habits are assumptions. Another nurse gives our two arms another
  burden; the naive arms do not know of her.
- Sudden events are not simulated: no arm is rewarded for being quick within hours, and waiting is not punished.
- Late and doubled deliveries, dead batteries and lost gateways are left out; other tests are about those.
- The naive arms are drawn from descriptions of the programs after which they are named, with our limits. They are not
  those programs.
- The rulebooks' numbers are defaults that no municipality has signed. Nothing in a rulebook was changed because of
  this page.
"""
