"""The numbers of the report as Markdown tables."""

from collections.abc import Sequence

from benchmarks.rules import check, stated
from benchmarks.rules.arms import ARMS, Told
from benchmarks.rules.check import CHART, MACD, ONE_DAY, THREE_DAYS, Key
from benchmarks.rules.cohorts import Cohort
from benchmarks.rules.intervals import Figure, figures, quantile
from benchmarks.rules.measures import NAMES, rate
from benchmarks.rules.running import Found

SEED = 20261122  # of the resampling
PATIENTS_A_NURSE = 80
NOTHING = "–"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def percent(figure: Figure) -> str:
    """A share with its interval."""
    if figure.value is None:
        return NOTHING
    return f"{figure.value:.0%}{_interval(figure, '.0f', 100)}".replace("%", " %")


def number(figure: Figure, form: str) -> str:
    """A rate with its interval."""
    return NOTHING if figure.value is None else f"{figure.value:{form}}{_interval(figure, form, 1)}"


def _interval(figure: Figure, form: str, times: float) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f" ({figure.low * times:{form}}–{figure.high * times:{form}})"


def arms(found: Found, cohort: Cohort) -> tuple[str, str]:
    """What each arm catches, and what it costs."""
    catches, costs = [], []
    for arm in ARMS:
        told = found.arms[cohort.name, arm]
        known = figures(told.people, SEED)
        name = f"**{arm}**" if arm.startswith(("shipped", "own")) else arm
        catches.append(
            [
                name,
                *(percent(known["sensitivity"]), percent(known["disturbed"]), lead(told.leads)),
                *(percent(known["ppv"]), number(known["false_a_year"], ".1f")),
            ]
        )
        groups = known["groups_a_day"]
        a_nurse = NOTHING if groups.value is None else f"{groups.value * PATIENTS_A_NURSE:.1f}"
        costs.append(
            [
                name,
                *(number(known["alerts_a_day"], ".2f"), number(known["manual_a_day"], ".2f")),
                *(number(groups, ".3f"), a_nurse, number(known["minutes_a_day"], ".2f")),
            ]
        )
    head = (
        "arm",
        "events caught",
        "quiet stretches disturbed",
        "lead time, days",
        "PPV",
        "false alerts a patient-year",
    )
    cost = ("arm", "alerts", "manual alerts", "**manual groups**", "the same for 80 patients", "nurse minutes")
    return table(head, catches), table(cost, costs)


def summary(found: Found, cohorts: Sequence[Cohort]) -> str:
    """Every arm in every cohort: manual groups a patient-day, and what is caught for them."""
    rows = []
    for arm in ARMS:
        cells = []
        for cohort in cohorts:
            known = figures(found.arms[cohort.name, arm].people, SEED)
            cells += [number(known["groups_a_day"], ".3f"), percent(known["sensitivity"])]
        rows.append([f"**{arm}**" if arm.startswith(("shipped", "own")) else arm, *cells])
    titles = [words for each in cohorts for words in (f"{each.title}: manual groups a patient-day", "events caught")]
    return table(["arm", *titles], rows)


def rules(found: Found, cohort: Cohort, arm: str) -> str:
    """The arm's rules, the dearest first."""
    rows = []
    named = {rule: told for (where, who, rule), told in found.rules.items() if (where, who) == (cohort.name, arm)}
    for rule, told in sorted(named.items(), key=lambda each: (-_manual(each[1]), each[0])):
        known = figures(told.people, SEED)
        days = dict(zip(NAMES, check.total(told.people), strict=True))["days"]
        rows.append(
            [
                *(f"`{rule}`", percent(known["sensitivity"]), lead(told.leads), percent(known["ppv"])),
                *(number(known["false_a_year"], ".2f"), number(known["alerts_a_day"], ".3f")),
                *(number(known["groups_a_day"], ".3f"), f"{told.alone / days:.3f}", f"{_minutes(told):.2f}"),
            ]
        )
    head = ["rule", "events caught", "lead time, days", "PPV", "false alerts a patient-year", "alerts a patient-day"]
    return table([*head, "manual groups a patient-day", "of these on its own", "nurse minutes, alone"], rows)


def dearest(found: Found, cohort: Cohort, arm: str, most: int = 3) -> list[tuple[str, float]]:
    """The rules that cost most manual groups on their own, with the groups a patient-day."""
    named = {rule: told for (where, who, rule), told in found.rules.items() if (where, who) == (cohort.name, arm)}
    costs = [
        (rule, told.alone / dict(zip(NAMES, check.total(told.people), strict=True))["days"])
        for rule, told in named.items()
    ]
    return sorted(costs, key=lambda each: (-each[1], each[0]))[:most]


def _manual(told: Told) -> float:
    return rate("groups_a_day", check.total(told.people)) or 0.0


def _minutes(told: Told) -> float:
    return rate("minutes_a_day", check.total(told.people)) or 0.0


def lead(leads: Sequence[float]) -> str:
    """The median with the middle half."""
    if not leads:
        return NOTHING
    ordered = sorted(leads)
    return f"{quantile(ordered, 0.5):.1f} ({quantile(ordered, 0.25):.1f}–{quantile(ordered, 0.75):.1f})"


def checked(found: Found) -> str:
    """The published weight rules on the made-up people, beside what was published."""
    published = {each.rule: each for each in check.PUBLISHED}
    rows = []
    for name, key in check_keys(found):
        known = figures(found.check[key], SEED)
        other = published.get(key[0])
        shown = NOTHING if other is None or name.endswith("kg") else f"{other.true:.0%} / {other.false:.0%}"
        rows.append(
            [
                *(name, percent(known["sensitivity"]), percent(known["disturbed"]), shown.replace("%", " %")),
                *(percent(known["ppv"]), number(known["false_a_year"], ".1f")),
            ]
        )
    return table(
        ["rule", "true alerts", "false alerts", "published: true / false", "PPV", "false alerts a patient-year"], rows
    )


def check_keys(found: Found) -> list[tuple[str, Key]]:
    """The rows of the check: the rules of thumb on all weights, the others with gross errors left out."""
    macd = check.at_false_share(found.check, MACD, screened=True)
    chart = check.at_false_share(found.check, CHART, screened=True)
    return [
        (ONE_DAY, (ONE_DAY, 1.36, False)),
        (THREE_DAYS, (THREE_DAYS, 2.27, False)),
        (f"{ONE_DAY}, gross errors left out", (ONE_DAY, 1.36, True)),
        (f"{THREE_DAYS}, gross errors left out", (THREE_DAYS, 2.27, True)),
        (f"{MACD} at about 9 % false ({macd[1]} kg)", macd),
        (f"{MACD} at 0.5 kg", (MACD, 0.5, True)),
        (f"{CHART} at about 9 % false (width {chart[1]:g})", chart),
        (f"{CHART} at the usual width 3", (CHART, 3.0, True)),
    ]


def noises(found: Found) -> str:
    """How the check would read with other noise of weight."""
    wanted = ((ONE_DAY, 1.36, False), (THREE_DAYS, 2.27, False), (MACD, 0.5, True), (CHART, 3.0, True))
    every = {"**0.8 kg, 40 % persists (used)**": found.check, **found.noises}
    rows = []
    for words, counted in every.items():
        cells = []
        for key in wanted:
            sums = check.total(counted[key])
            cells.append(
                f"{rate('sensitivity', sums) or 0:.0%} / {rate('disturbed', sums) or 0:.0%}".replace("%", " %")
            )
        rows.append([words, *cells])
    return table(["daily noise of weight", ONE_DAY, THREE_DAYS, f"{MACD} at 0.5 kg", f"{CHART}, width 3"], rows)


def people(found: Found) -> str:
    """What was stated and what the made-up people measure."""
    rows = []
    for name, words in (("heart_failure", "Heart failure"), ("copd", "COPD"), ("covid19", "Covid-19")):
        samples = found.samples[name]
        mean, _ = stated.mean_and_spread(samples["readings a due one"])
        seeds = found.asked.seeds
        rows.append([f"{words}: people, events a seed", *_people_row(name, samples, seeds)])
        rows.append([f"{words}: due measurements that are missing", "10 %", f"{1 - mean:.1%}".replace("%", " %")])
    heart = found.samples["heart_failure"]
    for words, name, stated_as in (
        ("Weight change in the 14 days before heart failure, kg", "kg before", "+0.9 ± 2.1"),
        ("Weight change in the 14 days before other admissions, kg", "kg before others", "−0.2 ± 1.1"),
    ):
        mean, spread = stated.mean_and_spread(heart[name])
        rows.append([words, stated_as, f"{mean:+.1f} ± {spread:.1f} (noise included)".replace("-", "−")])
    _, spread = stated.mean_and_spread(heart["kg day to day"])
    rows.append(["Change of weight from one day to the next, while well, kg", "noise 0.5–0.8", f"± {spread:.2f}"])
    copd = found.samples["copd"]
    well, before = (stated.mean_and_spread(copd[name])[0] for name in ("spread well", "spread before"))
    rows.append(["COPD: standard deviation of saturation while well, before", "≤ 2, ≥ 4", f"{well:.1f}, {before:.1f}"])
    return table(["what", "stated", "as the made-up people measure it"], rows)


def _people_row(name: str, samples: stated.Samples, seeds: int) -> list[str]:
    stated_as = {
        "heart_failure": "168; 45 heart failure, 76 other",
        "copd": "100; 40 (ours)",
        "covid19": "100; 15 (ours)",
    }[name]
    counts = [f"{sum(samples['people']) / seeds:.0f}; {sum(samples['events']) / seeds:.0f}"]
    if "others" in samples:
        counts.append(f"{sum(samples['others']) / seeds:.0f}")
    return [stated_as, ", ".join(counts)]
