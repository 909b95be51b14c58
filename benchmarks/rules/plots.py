"""The figures of the report."""

from collections.abc import Mapping

from benchmarks.rules import check
from benchmarks.rules.arms import ARMS
from benchmarks.rules.cohorts import COHORTS, Cohort
from benchmarks.rules.figure import Axis, Box, Panel, Point, draw
from benchmarks.rules.intervals import Figure, figures, quantile
from benchmarks.rules.measures import rate
from benchmarks.rules.running import Found
from benchmarks.rules.tables import SEED, check_keys

AIM = 0.10  # manual groups a patient-day
_COLOURS = dict(zip(ARMS, (1, 3, 4, 0, 2), strict=True))
_SHARES = ((0.0, "0 %"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %"))

# Published figures for heart failure: words, events caught, false alerts a patient-year (implants but for the first).
_FALSE_A_YEAR = (
    ("scale, rule of thumb (Abraham)", 0.21, 4.3),
    ("impedance, implant (Abraham)", 0.764, 1.9),
    ("pressure, implant (Adamson)", 0.831, 4.1),
    ("several signals, implant (Gilliam)", 0.41, 2.0),
)
# Published true and false share of weight rules besides those of `check.PUBLISHED`: words, true, false.
_SHARES_ELSEWHERE = (
    ("Gyllensten rule of thumb", 0.20, 0.10),
    ("Gyllensten MACD", 0.33, 0.09),
    ("Ledwidge 2 kg in 2-3 d", 0.21, 0.14),
    ("Ledwidge HeartPhone", 0.82, 0.32),
)


def every(found: Found) -> Mapping[str, str]:
    """The figures as SVG text by the end of their file's name."""
    return {"plane": plane(found), "lead": lead(found), "false": false_a_year(found), "check": shares(found)}


def plane(found: Found) -> str:
    """Sensitivity against burden, one panel a cohort."""
    panels = []
    for cohort in COHORTS.values():
        points = []
        for arm in ARMS:
            known = figures(found.arms[cohort.name, arm].people, SEED)
            points.append(_point(arm, known["groups_a_day"], known["sensitivity"], _COLOURS[arm]))
        panels.append(
            Panel(
                title=f"{cohort.title}: events caught within {cohort.window.days} days, against what it costs",
                x=_log("manual alert groups a patient-day (fewer is to the left)", 0.01, 1.0),
                y=_share_axis("events caught"),
                points=tuple(points),
                upright=((AIM, "aim 0.10"),),
            )
        )
    return draw("Share of events caught against manual alert groups a patient-day, by arm and cohort", panels)


def lead(found: Found) -> str:
    """How long before the event the first alert came, one panel a cohort."""
    panels = [_lead_panel(found, cohort) for cohort in COHORTS.values()]
    return draw("Lead time from the first alert of the window to the event, by arm and cohort", panels, height=290)


def _lead_panel(found: Found, cohort: Cohort) -> Panel:
    boxes = []
    for row, arm in enumerate(ARMS):
        told = found.arms[cohort.name, arm]
        ordered = sorted(told.leads)
        if ordered:
            five = tuple(quantile(ordered, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95))
            caught = rate("sensitivity", check.total(told.people)) or 0.0
            label = f"{arm} ({caught:.0%})".replace("%", " %")
            boxes.append(Box(row=row, label=label, quantiles=five, colour=_COLOURS[arm]))  # type: ignore[arg-type]
    days = cohort.window.days
    step = 2 if days > 7 else 1
    ticks = tuple((float(day), str(day)) for day in range(0, days + 1, step))
    return Panel(
        title=f"{cohort.title}: days from the first alert to the event (in brackets: events caught)",
        x=Axis(title="days before (5 %, 25 %, middle, 75 %, 95 %)", low=0, high=days, ticks=ticks),
        boxes=tuple(boxes),
    )


def false_a_year(found: Found) -> str:
    """Heart failure: events caught against false alerts a year, beside published figures."""
    points = []
    for arm in ARMS:
        known = figures(found.arms["heart_failure", arm].people, SEED)
        points.append(_point(arm, known["false_a_year"], known["sensitivity"], _COLOURS[arm]))
    for name, true, false in _FALSE_A_YEAR:
        points.append(Point(x=false, y=true, label=name, colour=4, hollow=True))
    panel = Panel(
        title="Heart failure: events caught against false alerts (hollow: published, real people)",
        x=_log("false alerts a patient-year", 1.0, 300.0),
        y=_share_axis("events caught"),
        points=tuple(points),
    )
    return draw("Events caught against false alerts a patient-year in heart failure", [panel], height=460)


def shares(found: Found) -> str:
    """The reproduction check: true against false share, beside the published."""
    points = []
    for name, key in check_keys(found):
        if "gross" in name:
            continue
        known = figures(found.check[key], SEED)
        colour = {check.ONE_DAY: 1, check.THREE_DAYS: 1, check.MACD: 3}.get(key[0], 0)
        points.append(_point(name, known["disturbed"], known["sensitivity"], colour))
    for each in check.PUBLISHED:
        label = f"{each.source}: {each.rule}"
        points.append(Point(x=each.false, y=each.true, label=label, colour=4, hollow=True))
    for name, true, false in _SHARES_ELSEWHERE:
        points.append(Point(x=false, y=true, label=name, colour=4, hollow=True))
    panel = Panel(
        title="Weight rules: events caught against quiet fortnights disturbed (hollow: published)",
        x=_share_axis("quiet fortnights with an alert"),
        y=_share_axis("events caught"),
        points=tuple(points),
        diagonal="no better than chance",
    )
    return draw("Weight rules on made-up people beside published figures", [panel], height=520)


def _point(label: str, x: Figure, y: Figure, colour: int) -> Point:
    return Point(x=x.value or 0.0, y=y.value or 0.0, label=label, colour=colour, wide=_ends(x), tall=_ends(y))


def _ends(figure: Figure) -> tuple[float, float] | None:
    return None if figure.low is None or figure.high is None else (figure.low, figure.high)


def _share_axis(title: str) -> Axis:
    return Axis(title=title, low=0.0, high=1.0, ticks=_SHARES)


def _log(title: str, low: float, high: float) -> Axis:
    steps = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
    return Axis(
        title=title, low=low, high=high, ticks=tuple((x, f"{x:g}") for x in steps if low <= x <= high), log=True
    )
