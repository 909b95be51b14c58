"""The sections of the page: what each part asked, its tables, and the limits that it is held against."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks import judge, latency, record, restart, saturation, screen, worklist
from benchmarks.results import Figure, Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One line of what is wanted. `least`: the figure must be at least so much, otherwise at most."""

    part: str
    what: str
    limit: float
    aim: float | None
    of: Callable[[Measured], Figure | None]
    unit: str = ""
    least: bool = False

    def holds(self, value: float, wanted: float) -> bool:
        """Whether the value is as wanted."""
        return value >= wanted if self.least else value <= wanted

    def said(self, value: float | None) -> str:
        """The limit or the aim in words."""
        return "" if value is None else f"{'at least' if self.least else 'at most'} {number(value)} {self.unit}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part's place on the page."""

    title: str
    words: str
    tables: Callable[[Measured], Iterator[str]]
    figures: tuple[tuple[str, str], ...] = ()


def _figure(what: str) -> Callable[[Measured], Figure | None]:
    return lambda measured: measured.figure(what)


def _ratio(what: str) -> Callable[[Measured], Figure | None]:
    return lambda measured: measured.by_round(what, record.BARE)


def _steepest(measured: Measured) -> Figure | None:
    """Of the server's roles, the least slope that is still within its bound, at its highest."""
    slopes = {name.removesuffix(": slope"): each for name, each in measured.figures.items() if name.endswith(": slope")}
    ours = [name for name in slopes if name in ("ingest", "watch", "notify", "web")]
    if not ours:
        return None
    low = max(slopes[name].median - measured.figures[f"{name}: slope's 95 % bound"].median for name in ours)
    return Figure((max(low, 0.0),), "MB/h")


_LOOKS = worklist.Size().looks
_GROWTH = worklist.GROWTH.format(*_LOOKS)

LIMITS = (
    Limit(part="record", what="recording on PostgreSQL / the broker feeding a bare subscriber", limit=0.3, aim=0.5,
          of=_ratio(record.SHARED), least=True),
    Limit(part="record", what="recording on SQLite / the broker feeding a bare subscriber", limit=0.2, aim=0.4,
          of=_ratio(record.EMBEDDED), least=True),
    Limit(part="judge", what="recording and judging, 20,000 patients with two weeks of history", limit=1_500,
          aim=10_000, of=_figure(judge.RATE), unit="readings/s", least=True),
    Limit(part="latency", what="publish to committed alert at 500/s, p95", limit=25, aim=5,
          of=_figure(f"{latency.WHAT}, p95"), unit="ms"),
    Limit(part="backlog", what="fresh alert while 72 h of 500 gateways drain, p95", limit=2, aim=None,
          of=_figure("kits: live alert p95"), unit="s"),
    Limit(part="restart", what=restart.WHAT, limit=10, aim=3, of=_figure(restart.WHAT), unit="s"),
    Limit(part="screen", what="publish to alert on an open worklist at 50/s, p95", limit=1_000, aim=None,
          of=_figure(f"{screen.WHAT}, p95"), unit="ms"),
    Limit(part="worklist", what="first page of 10,000 open alerts on PostgreSQL, p95", limit=200, aim=None,
          of=_figure(f"PostgreSQL: {worklist.PAGE}, p95 of all rounds"), unit="ms"),
    Limit(part="worklist", what="first page of 10,000 open alerts on SQLite, p95", limit=200, aim=None,
          of=_figure(f"SQLite: {worklist.PAGE}, p95 of all rounds"), unit="ms"),
    Limit(part="worklist", what="growth of the web server from the 50th to the 200th such page, PostgreSQL", limit=8,
          aim=None, of=_figure(f"PostgreSQL: {_GROWTH}"), unit="MB"),
    Limit(part="worklist", what="growth of the whole server from the 50th to the 200th such page, SQLite", limit=8,
          aim=None, of=_figure(f"SQLite: {_GROWTH}"), unit="MB"),
    Limit(part="memory", what="growth of the server's roles that the noise cannot explain", limit=2, aim=0,
          of=_steepest, unit="MB/h"),
)  # fmt: skip


def number(value: float) -> str:
    """Three figures that count, or whole thousands."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{round(value, -1 if abs(value) < 10_000 else -2):,.0f}"
    return f"{value:.3g}"


def cell(figure: Figure, unit: str = "") -> str:
    """The median, and the range where there is one."""
    spread = f" ({number(figure.low)}-{number(figure.high)})" if len(figure.samples) > 1 else ""
    return f"{number(figure.median)}{spread} {unit}".strip()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all but the first column lean right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _rows(measured: Measured, names: Sequence[str], unit: str = "") -> list[tuple[str, str]]:
    found = [(name, measured.figure(name)) for name in names]
    return [(name, cell(each, unit or each.unit)) for name, each in found if each is not None]


def _record(measured: Measured) -> Iterator[str]:
    systems = (
        record.BARE,
        record.BARE_PAHO,
        record.BARE_0,
        record.REFERENCE,
        record.SHARED,
        record.TWO,
        record.EMBEDDED,
        record.SINGLY,
    )
    rows = []
    for name in systems:
        own, ratio = measured.figure(name), measured.by_round(name, record.BARE)
        reference = measured.by_round(name, record.REFERENCE)
        if own and ratio and reference:
            rows.append((name, cell(own), cell(ratio), cell(reference)))
    yield table(("system", "readings/s", "/ bare subscriber, QoS 1", "/ reference"), rows)
    yield "What the machine itself can do, in the same run:"
    limits = [name for name in measured.figures if name not in systems]
    yield table(("limit", "median (range)"), _rows(measured, limits))


def _judge(measured: Measured) -> Iterator[str]:
    history = measured.notes.get("history", {})
    yield table(("", "median (range)"), _rows(measured, (judge.RATE, judge.RECORDED)))
    parts = [name for name in measured.figures if name.startswith("processor: ") and "share" not in name]
    total = sum(measured.figures[name].median for name in parts) or 1
    rows = [
        (name.removeprefix("processor: "), cell(measured.figures[name]), f"{measured.figures[name].median / total:.0%}")
        for name in parts
    ]
    said = ", ".join(f"{count:,} rows in `{name}`" for name, count in history.items())
    yield f"Before the first round there were {said}. Where the time goes, as processor time from /proc:"
    yield table(("part", "us a reading", "share"), rows)


def _latency(measured: Measured) -> Iterator[str]:
    names = [f"{latency.WHAT}, {name}" for name, _ in latency.SHARES]
    yield table(("", "median (range)"), _rows(measured, [*names, "alerts seen", "alerts missing"]))
    rounds = zip(*(measured.figures[name].samples for name in (latency.PACE, *names)), strict=True)
    yield table(
        ("each round: a fixed piece of work", "p50", "p95", "p99"),
        [tuple(f"{number(each)} ms" for each in one) for one in sorted(rounds)],
    )


def _saturation(measured: Measured) -> Iterator[str]:
    yield table(("", ""), _rows(measured, (saturation.KNEE, saturation.PAST)))
    names = ("offered", saturation.P95, "receipts behind the last sending", "alerts missing", "receipts missing")
    found = [measured.figures[name] for name in names]
    head = [f"{name}, {each.unit}".rstrip(", ") for name, each in zip(names, found, strict=True)]
    steps = zip(*(each.samples for each in found), strict=True)
    yield table(head, [[number(value) for value in step] for step in steps])


def _backlog(measured: Measured) -> Iterator[str]:
    rows = []
    for what in (
        "readings", "until all have receipts", "until nobody is due", "drained", "live alert p50", "live alert p95",
        "live alert max", "live alerts seen", "live alerts missing",
    ):  # fmt: skip
        both = [measured.figure(f"{name}: {what}") for name in ("wave", "kits")]
        unit = next((each.unit for each in both if each), "")
        rows.append((f"{what}, {unit}".rstrip(", "), *(cell(each) if each else "" for each in both)))
    yield table(("", "everybody at once", "500 gateways with 72 h"), rows)


def _screen(measured: Measured) -> Iterator[str]:
    names = [f"{screen.WHAT}, {name}" for name, _ in screen.SHARES]
    more = ["of it until the alert is committed, p95", "alerts on the page", "alerts missing"]
    yield table(("", "median (range)"), _rows(measured, [*names, *more]))


def _plain(measured: Measured) -> Iterator[str]:
    yield table(("", "median (range)"), _rows(measured, list(measured.figures)))


def _worklist(measured: Measured) -> Iterator[str]:
    rows = []
    lines = (
        f"{worklist.PAGE}, p50", f"{worklist.PAGE}, max", worklist.SQL, f"{worklist.SSE}, p50", f"{worklist.SSE}, p95",
        "queries a page", worklist.BEFORE, *(worklist.AFTER.format(count) for count in _LOOKS), _GROWTH,
        worklist.STREAM,
    )  # fmt: skip
    for line in lines:
        both = [measured.figure(f"{name}: {line}") for name in ("PostgreSQL", "SQLite")]
        unit = next((each.unit for each in both if each), "")
        rows.append((f"{line}, {unit}".rstrip(", "), *(cell(each) if each else "" for each in both)))
    yield table(("", "PostgreSQL", "SQLite"), rows)
    few = measured.figure("queries a page with 20 open alerts")
    if few:
        yield f"With 20 open alerts of 20 patients the page asks {number(few.median)} queries."


def _memory(measured: Measured) -> Iterator[str]:
    rows = []
    for name in [each.removesuffix(": slope") for each in measured.figures if each.endswith(": slope")]:
        slope = measured.figures[f"{name}: slope"].median
        bound = measured.figures[f"{name}: slope's 95 % bound"].median
        end = measured.figures[f"{name}: resident at the end"].median
        rows.append((name, number(end), f"{slope:+.2f}", f"± {bound:.2f}"))
    size = measured.notes.get("size", {})
    yield f"{size.get('rate', 0):g} readings/s for {size.get('seconds', 0) / 60:g} minutes."
    yield table(("process", "resident at the end, MB", "slope, MB/h", "95 % bound, MB/h"), rows)


def _backtest(measured: Measured) -> Iterator[str]:
    size = measured.notes.get("size", {})
    ways = [name for name in measured.figures if not name.startswith("large run")]
    yield f"{size.get('patients')} patients, {size.get('days')} days each, in each round:"
    rows = []
    for name in ways:
        ratio = measured.by_round(name, ways[0])
        rows.append((name, cell(measured.figures[name]), cell(ratio) if ratio else ""))
    yield table(("", "patient-days/s", "/ one process"), rows)
    digest = str(measured.notes.get("digest", "none"))
    yield f"Every way in every round gave the same report; its digest begins `{digest[:16]}`."
    large = measured.figure("large run: share of 10,000 patients x 1 year")
    if large:
        patients = measured.figures["large run: patients"].median
        minutes = measured.figures["large run: minutes"].median
        rate = measured.figures["large run"].median
        whole = 10_000 * 365 / rate / 3600
        yield (
            f"10,000 patients for a year do not fit ten minutes here. In {minutes:.1f} minutes all cores went through "
            f"{patients:,.0f} patients for a year: **{large.median:.1%}** of it, {number(rate)} patient-days/s. At "
            f"that rate the whole takes {whole:.1f} hours of this machine; a larger one shares it by "
            "`--processes`, several by `--dask`."
            if large.median < 1
            else f"10,000 patients for a year took {minutes:.1f} minutes."
        )


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "record": Section(
            title="Recording alone",
            words="""
Sealed readings of 500 gateways go through a real Mosquitto, with the product's own configuration, accounts and ACL,
into a real ingest process, until the gateways have the sealed receipt for every one; then the rows are counted in the
store, and a round in which one is missing ends the run. The load is a process of its own that sends packets made
beforehand over a bare socket (QoS 1) and lets at most 5,000 be on their way. Gateways send ten in a row; in the last
row each reading of a batch is another gateway's, so that each needs a receipt of its own. Where there are two
processes, they share the readings of one broker (`VARDE_MQTT_SHARED`). Nobody has a plan here, so nothing is judged.

The *bare subscriber* is a process with a bare socket, the same account and a kept session, that acknowledges and
forgets: what the broker can give away at most. It uses no client library; the row with paho shows what the product's
own library leaves of it. The *reference* is sixty lines with paho and psycopg
(`benchmarks/street/reference_ingest.py`): COPY, one rule (spo2 < 88), PUBACK after COMMIT. On SQLite the ingest role
runs alone in its process too, which the product does only with all roles (`benchmarks/street/ingest_only.py`).
""",
            tables=_record,
            figures=(("record", "Readings a second of each system, all rounds"),),
        ),
        "judge": Section(
            title="Recording and judging",
            words="""
20,000 patients under the whole covid19 rulebook, each with two weeks of measurements (three times a day) and a
gateway of their own; the roles ingest and watch in two processes on PostgreSQL. Every patient sends a reading at
once, 1 % of them alarming; the clock stops when all have receipts and nobody is due any more.
""",
            tables=_judge,
            figures=(("processor", "Processor time a reading, by part"),),
        ),
        "latency": Section(
            title="From publishing to a committed alert",
            words="""
The same town at a steady 500 readings a second, every 25th of which raises an alert. The moment of the COMMIT is told
by the database itself (a trigger with `pg_notify`, which is delivered at the COMMIT; it costs a little and is counted
in). A rented machine does not always go at the same pace, and an alert waits for some twenty handings-over on two
processors that are three quarters busy: so each round stands beside how long a fixed piece of work took just before
and after it.
""",
            tables=_latency,
        ),
        "saturation": Section(
            title="Saturation",
            words="""
The same town, the same stream, ten seconds at a time, each step a quarter more than the one before, until one alert in
twenty comes more than a second late. Past that, readings wait at the broker: late, but none is lost.
""",
            tables=_saturation,
        ),
        "backlog": Section(
            title="A backlog, and somebody who is ill just now",
            words="""
While a backlog drains, a live stream of 50 readings a second goes on from other homes; every fifth raises an alert,
and its time from publishing to COMMIT is taken. *Everybody at once*: after an outage of the broker, all readings of
all gateways in one burst, held back by nothing. *500 gateways with 72 h*: a reading every ten minutes from gateways
that were away for three days, oldest first, at most 100 of each without a receipt, as the product's gateway does.
""",
            tables=_backlog,
        ),
        "restart": Section(
            title="After SIGKILL",
            words="""
Ingest and watch are killed together in the middle of a live stream of 40 readings a second, and started again at
once, as a supervisor would. Measured is the time until the next alert is committed; every alert of the stream came in
the end.
""",
            tables=_plain,
        ),
        "screen": Section(
            title="On the nurse's screen",
            words="""
A worklist that is open in a Chromium on the same machine, while 50 readings a second come in and every hundredth is
worrying: from publishing that reading to its alert standing on the page, noted in the page itself.
""",
            tables=_screen,
            figures=(("screen", "From publishing a reading to its alert on an open worklist"),),
        ),
        "worklist": Section(
            title="The nurse's worklist",
            words="""
10,000 open alerts of 2,000 patients in one team, beside 90,000 closed ones: the first page over HTTP, from asking to
the last byte, beside the SQL alone that fetches all those alerts. *Change to open page*: from the POST of another
client's click to the event on an open page's stream, the click's own transaction included. *Resident* is all memory of
the server's process: with PostgreSQL the role web alone, with SQLite all roles. A stream is what one more open page
costs while it waits for changes.
""",
            tables=_worklist,
        ),
        "backtest": Section(
            title="Back-test of a cohort",
            words="""
`varde backtest` on PostgreSQL: every patient's year (four measurements of three readings a day) under the plan in
force and under a candidate, in one process, in as many processes as there are cores, and by a Dask cluster with two
workers. All call one function, `server.reports.backtest.share`.
""",
            tables=_backtest,
            figures=(("backtest", "Patient-days a second, each way"),),
        ),
        "memory": Section(
            title="Memory",
            words="""
Every role in a process of its own at a steady load, with a worklist asked every ten seconds. Warm-up does not count:
first the worklist is asked two hundred times, and of the run the first quarter is left out. The slope is that of a
straight line through the rest; its bound takes into account that memory moves in steps, so that one look tells little
that the one before it did not (an autoregressive course of the first order).
""",
            tables=_memory,
            figures=(("memory", "Resident memory of every process over the run"),),
        ),
    }
)
