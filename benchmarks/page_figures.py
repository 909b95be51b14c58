"""The figures of the page, in the manner of the rules' figures."""

import math
from collections.abc import Mapping, Sequence

from benchmarks import record, screen
from benchmarks.memory import WARM_SHARE
from benchmarks.results import Figure, Measured
from benchmarks.rules.figure import Axis, Box, Course, Panel, draw

_ROW = 34
_LABELS = {
    record.BARE: "bare subscriber, QoS 1",
    record.BARE_PAHO: "bare subscriber, paho",
    record.BARE_0: "bare subscriber, QoS 0",
    record.REFERENCE: "reference, 60 lines",
    record.SHARED: "Varde, PostgreSQL",
    record.TWO: "Varde, PostgreSQL, two",
    record.EMBEDDED: "Varde, SQLite",
    record.SINGLY: "Varde, receipt each",
}


def every(found: Mapping[str, Measured]) -> Mapping[str, str]:
    """The figures that can be drawn, as SVG text by the end of their file's name."""
    drawn = {}
    if "record" in found:
        rows = [(label, found["record"].figure(name)) for name, label in _LABELS.items()]
        drawn["record"] = _boxes("Readings a second (least, middle half, most)", rows)
    if "judge" in found:
        names = [name for name in found["judge"].figures if name.startswith("processor: ") and "share" not in name]
        rows = [(name.removeprefix("processor: "), found["judge"].figure(name)) for name in names]
        drawn["processor"] = _boxes("Processor time a reading, microseconds", rows)
    if "backtest" in found:
        own = found["backtest"]
        rows = [(name, own.figure(name)) for name in own.figures if not name.startswith("large run")]
        drawn["backtest"] = _boxes("Patient-days a second", rows)
    if "screen" in found:
        waits = [(name, found["screen"].figure(f"{screen.WHAT}, {name}")) for name, _ in screen.SHARES]
        committed = found["screen"].figure("of it until the alert is committed, p95")
        rows = [("committed, p95", committed), *((f"Varde, {name}", each) for name, each in waits)]
        drawn["screen"] = _boxes("Milliseconds from publishing to the open page", rows)
    if "memory" in found:
        drawn["memory"] = _memory(found["memory"])
    return drawn


def _boxes(title: str, rows: Sequence[tuple[str, Figure | None]]) -> str:
    known = [(label, figure) for label, figure in rows if figure is not None]
    top = max(figure.high for _, figure in known)
    boxes = tuple(
        Box(row=row, label=label, quantiles=_five(figure), colour=0 if label.startswith("Varde") else 4)
        for row, (label, figure) in enumerate(known)
    )
    panel = Panel(title=title, x=_axis(title, top), boxes=boxes)
    return draw(title, [panel], height=96 + _ROW * len(known))


def _five(figure: Figure) -> tuple[float, float, float, float, float]:
    ordered = sorted(figure.samples)
    last = len(ordered) - 1
    return (ordered[0], ordered[round(last * 0.25)], figure.median, ordered[round(last * 0.75)], ordered[-1])


def _axis(title: str, high: float) -> Axis:
    """From nothing to a round number above the highest."""
    step = 10.0 ** math.floor(math.log10(max(high, 1e-9)))
    step = next(step * part for part in (0.2, 0.5, 1.0, 2.0) if high / (step * part) <= 6)
    ends = math.ceil(high / step)
    ticks = tuple((step * place, f"{step * place:,.6g}") for place in range(ends + 1))
    return Axis(title=title, low=0.0, high=step * ends, ticks=ticks)


def _memory(measured: Measured) -> str:
    series = {
        name.removeprefix("series: "): points for name, points in measured.notes.items() if name.startswith("series: ")
    }
    high = max(kilobytes for points in series.values() for _, kilobytes in points) / 1024
    longest = max(points[-1][0] for points in series.values()) / 60
    courses = tuple(
        Course(
            through=tuple((second / 60, kilobytes / 1024) for second, kilobytes in points), label=name, colour=place % 5
        )
        for place, (name, points) in enumerate(series.items())
    )
    title = "Resident memory over the run"
    panel = Panel(
        title=f"{title}, MB",
        x=_axis("minutes", longest),
        y=_axis("MB", high),
        courses=courses,
        upright=((longest * WARM_SHARE, "slope from here"),),
    )
    return draw(title, [panel], height=420)
