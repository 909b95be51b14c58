"""Small figures as SVG text: axes, points with error bars, bars and labels. Readable on white, on black and in print.

Colours follow the reader's light or dark page; every mark has a shape and a label of its own, so that none is needed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

_STYLE = """
svg{font:13px system-ui,"Segoe UI",Roboto,sans-serif}
.paper{fill:#fff}.ink{fill:#1c1c1c}.line{stroke:#1c1c1c}.faint{stroke:#dcdcdc}.soft{fill:#5a5a5a}.aim{stroke:#5a5a5a}
.c0{fill:#0058a3;stroke:#0058a3}.c1{fill:#b3470b;stroke:#b3470b}.c2{fill:#00735c;stroke:#00735c}
.c3{fill:#8a3a78;stroke:#8a3a78}.c4{fill:#4d4d4d;stroke:#4d4d4d}.hollow{fill:none;stroke-width:2}text{stroke:none}
text.on{stroke:#fff;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}
@media (prefers-color-scheme:dark){
.paper{fill:#15181c}.ink{fill:#ececec}.line{stroke:#ececec}.faint{stroke:#343a40}.soft{fill:#b4b4b4}.aim{stroke:#b4b4b4}
.c0{fill:#6db3f2;stroke:#6db3f2}.c1{fill:#f2a069;stroke:#f2a069}.c2{fill:#54c9a8;stroke:#54c9a8}
.c3{fill:#d993c8;stroke:#d993c8}.c4{fill:#b8b8b8;stroke:#b8b8b8}.hollow{fill:none}
text.on{stroke:#15181c}}
""".strip()
SHAPES = ("circle", "square", "triangle", "diamond", "cross")
_OUTLINES: Mapping[str, Sequence[tuple[float, float]]] = {
    "triangle": ((0, -6), (6, 5), (-6, 5)),
    "diamond": ((0, -6.5), (6.5, 0), (0, 6.5), (-6.5, 0)),
    "cross": (
        *((-1.5, -6), (1.5, -6), (1.5, -1.5), (6, -1.5), (6, 1.5), (1.5, 1.5)),
        *((1.5, 6), (-1.5, 6), (-1.5, 1.5), (-6, 1.5), (-6, -1.5), (-1.5, -1.5)),
    ),
}
_Box = tuple[float, float, float, float]  # left, top, right, bottom
_LETTER = 6.6  # pixels of an average letter
_LINE = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """From `low` to `high`; with `log` the steps are factors. `ticks` are value and words."""

    title: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def share(self, value: float) -> float:
        """Where the value lies between the ends, 0 to 1; what lies outside is put on the end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A mark with its label; `wide` and `tall` are the ends of its error bars."""

    x: float
    y: float
    label: str
    colour: int
    hollow: bool = False
    wide: tuple[float, float] | None = None
    tall: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A distribution on one line: the ends of the line, the box, the middle."""

    row: int
    label: str
    quantiles: tuple[float, float, float, float, float]
    colour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A line through (x, y), with its label at the end."""

    through: tuple[tuple[float, float], ...]
    label: str
    colour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes. `upright`: values of x with a dashed line and words; `diagonal`: a line of equal shares."""

    title: str
    x: Axis
    y: Axis | None = None
    points: tuple[Point, ...] = ()
    boxes: tuple[Box, ...] = ()
    courses: tuple[Course, ...] = ()
    upright: tuple[tuple[float, str], ...] = ()
    diagonal: str = ""


@dataclass(slots=True)
class _Room:
    """Where a panel lies, and what is already taken by labels."""

    left: float
    top: float
    width: float
    height: float
    taken: list[_Box] = field(default_factory=list)
    bars: list[_Box] = field(default_factory=list)  # better not covered, but rather than a mark or a label

    def x(self, axis: Axis, value: float) -> float:
        return self.left + axis.share(value) * self.width

    def y(self, axis: Axis, value: float) -> float:
        return self.top + (1 - axis.share(value)) * self.height


def draw(title: str, panels: Sequence[Panel], *, width: int = 760, height: int = 360) -> str:
    """The panels below one another as one SVG text; `title` is for those who cannot see it."""
    total = height * len(panels)
    said = escape(title, {'"': "&quot;"})
    size = f'width="{width}" height="{total}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {total}" role="img" aria-label="{said}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" {size}/>',
    ]
    for number, panel in enumerate(panels):
        left = 190 if panel.boxes else 64
        parts += _panel(panel, _Room(left, number * height + 40, width - left - 30, height - 96))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, room: _Room) -> list[str]:
    parts = [_text((16, room.top - 16), panel.title, "ink", extra=' font-weight="600"')]
    parts += _x_axis(panel.x, room)
    if panel.y is not None:
        parts += _y_axis(panel.y, room)
    for value, words in panel.upright:
        x = room.x(panel.x, value)
        parts.append(_line((x, room.top), (x, room.top + room.height), "aim", extra=' stroke-dasharray="4 4"'))
        bottom = room.top + room.height
        parts.append(_text((x + 5, bottom - 6), words, "soft"))
        room.taken.append((x, bottom - _LINE, x + 5 + len(words) * _LETTER, bottom))
    if panel.diagonal and panel.y is not None:
        parts += _diagonal(panel, room)
    if panel.y is not None:
        placed = [_place(point, panel.x, panel.y, room) for point in panel.points]
        room.taken += [each.covers() for each in placed]
        room.bars += [box for each in placed for box in each.bars()]
        parts += [part for each in placed for part in _mark_and_bars(each)]
        parts += [part for each in placed for part in _label(each, room)]
        parts += [part for each in panel.courses for part in _course(each, panel.x, panel.y, room)]
    for box in panel.boxes:
        parts += _drawn(box, panel, room)
    return parts


def _x_axis(axis: Axis, room: _Room) -> list[str]:
    bottom = room.top + room.height
    parts = [_line((room.left, bottom), (room.left + room.width, bottom), "line")]
    for value, words in axis.ticks:
        x = room.x(axis, value)
        parts.append(_line((x, room.top), (x, bottom), "faint"))
        parts.append(_text((x, bottom + 18), words, "soft", anchor="middle"))
    parts.append(_text((room.left + room.width / 2, bottom + 38), axis.title, "ink", anchor="middle"))
    return parts


def _y_axis(axis: Axis, room: _Room) -> list[str]:
    parts = [_line((room.left, room.top), (room.left, room.top + room.height), "line")]
    for value, words in axis.ticks:
        y = room.y(axis, value)
        parts.append(_line((room.left, y), (room.left + room.width, y), "faint"))
        parts.append(_text((room.left - 8, y + 4), words, "soft", anchor="end"))
    middle = room.top + room.height / 2
    turn = f' transform="rotate(-90 16 {middle:.1f})"'
    parts.append(_text((16, middle), axis.title, "ink", anchor="middle", extra=turn))
    return parts


def _diagonal(panel: Panel, room: _Room) -> list[str]:
    assert panel.y is not None
    high = min(panel.x.high, panel.y.high)
    start, end = (room.x(panel.x, 0), room.y(panel.y, 0)), (room.x(panel.x, high), room.y(panel.y, high))
    words = (room.x(panel.x, high * 0.8) + 8, room.y(panel.y, high * 0.8) + 22)
    room.taken.append((words[0], words[1] - 12, words[0] + len(panel.diagonal) * _LETTER, words[1] + 4))
    return [_line(start, end, "aim", extra=' stroke-dasharray="4 4"'), _text(words, panel.diagonal, "soft")]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A point where it lies on the page, with the ends of its bars."""

    point: Point
    x: float
    y: float
    wide: tuple[float, float]
    tall: tuple[float, float]

    def covers(self) -> _Box:
        """What the mark covers."""
        return (self.x - 7, self.y - 7, self.x + 7, self.y + 7)

    def bars(self) -> tuple[_Box, _Box]:
        """What the bars cover."""
        return (
            (self.wide[0], self.y - 1, self.wide[1], self.y + 1),
            (self.x - 1, self.tall[1], self.x + 1, self.tall[0]),
        )


def _place(point: Point, x_axis: Axis, y_axis: Axis, room: _Room) -> _Placed:
    low, high = point.wide or (point.x, point.x)
    under, over = point.tall or (point.y, point.y)
    wide = (room.x(x_axis, low), room.x(x_axis, high))
    tall = (room.y(y_axis, under), room.y(y_axis, over))
    return _Placed(point, room.x(x_axis, point.x), room.y(y_axis, point.y), wide, tall)


def _mark_and_bars(placed: _Placed) -> list[str]:
    point, x, y = placed.point, placed.x, placed.y
    name = f"c{point.colour}"
    return [
        _line((placed.wide[0], y), (placed.wide[1], y), name),
        _line((x, placed.tall[0]), (x, placed.tall[1]), name),
        _mark(x, y, SHAPES[point.colour % len(SHAPES)], f"{name} hollow" if point.hollow else name),
    ]


def _label(placed: _Placed, room: _Room) -> list[str]:
    """The label, and a thread to it where it had to go further away."""
    point = placed.point
    left, base = _free(placed.x, placed.y, point.label, room)
    right = left + len(point.label) * _LETTER
    words = _text((left, base), point.label, f"c{point.colour} on")
    if abs(base - 4 - placed.y) < _LINE:
        return [words]
    end = (min(max(placed.x, left), right), base - 12 if base > placed.y else base + 2)
    return [_line((placed.x, placed.y), end, f"c{point.colour}", extra=' stroke-width="0.7"'), words]


def _mark(x: float, y: float, shape: str, name: str) -> str:
    if shape == "circle":
        return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    if shape == "square":
        return f'<rect class="{name}" x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9"/>'
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in _OUTLINES[shape])
    return f'<polygon class="{name}" points="{points}"/>'


def _free(x: float, y: float, label: str, room: _Room) -> tuple[float, float]:
    """Where the label covers nothing: right of the mark, left of it, then further and further up and down."""
    long = len(label) * _LETTER
    steps = (4, -11, 19, -26, 34, -41, 49, -56, 64, -71, 79)
    places = [(x + dx, y + dy) for dy in steps for dx in (10.0, -10.0 - long)]
    for taken in ([*room.taken, *room.bars], room.taken):
        for left, base in places:
            box = (left, base - 11, left + long, base + 3)
            is_inside = room.left <= box[0] and box[2] <= room.left + room.width + 26
            is_inside = is_inside and room.top - 6 <= box[1] and box[3] <= room.top + room.height
            if is_inside and not any(_overlap(box, other) for other in taken):
                room.taken.append(box)
                return left, base
    return x + 10, y + 4


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _drawn(box: Box, panel: Panel, room: _Room) -> list[str]:
    y = room.top + 16 + box.row * 34
    low, first, middle, third, high = (room.x(panel.x, value) for value in box.quantiles)
    name = f"c{box.colour}"
    left, right = min(first, third), max(first, third)
    return [
        _text((room.left - 12, y + 4), box.label, "ink", anchor="end"),
        _line((low, y), (high, y), name, extra=' stroke-width="2"'),
        f'<rect class="{name}" x="{left:.1f}" y="{y - 7:.1f}" width="{max(right - left, 1):.1f}" height="14"/>',
        _line((middle, y - 11), (middle, y + 11), "line", extra=' stroke-width="3"'),
    ]


def _course(course: Course, x_axis: Axis, y_axis: Axis, room: _Room) -> list[str]:
    places = [(room.x(x_axis, x), room.y(y_axis, y)) for x, y in course.through]
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    left, base = _free(*places[-1], course.label, room)
    name = f"c{course.colour}"
    return [f'<polyline class="{name} hollow" points="{text}"/>', _text((left, base), course.label, f"{name} on")]


def _line(start: tuple[float, float], end: tuple[float, float], name: str, extra: str = "") -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{extra}/>'


def _text(at: tuple[float, float], words: str, name: str, *, anchor: str = "start", extra: str = "") -> str:
    x, y = at
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'
