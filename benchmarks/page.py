"""The page of benchmarks: made of each part's newest run, and true of whatever run that was."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks import page_figures, page_parts
from benchmarks.page_parts import LIMITS, cell, table
from benchmarks.results import Measured, newest

NAME = "benchmarks"

_OPENING = """# Benchmarks

This page and its figures are written by `make benchmark` (`python -m benchmarks`); what was measured lies as JSON
lines in `build/benchmarks/results.jsonl`, and `python -m benchmarks page` writes the page anew from it. One part is
measured by `python -m benchmarks PART`:
{parts}.
How good the *rules* are is another page: [benchmarks-rules.md](benchmarks-rules.md). What is lost when processes are
killed under load is a third: [chaos.md](chaos.md).

Rates depend on the machine and on who else works on it. So each stands beside a limit or a peer that was measured in
the same run, in turns with it, and **ratios count for more than rates**. Figures are medians with the least and the
most of all rounds. Everything runs on one machine and shares its cores: load, broker, database and our own processes.
People and readings are made up. Nothing here tells of a loss of power: only processes and connections end.
"""

_QUICK = "> **This is a quick run, to see that everything works. Its figures mean nothing.**"

_ENDING = """## What this page does not say

- Nothing about other machines, about networks (everything is on loopback) or about a broker with TLS.
- The load is readings of an oximeter; other devices send a little more or less. Gateways send no status here; real ones
  send one every half a minute.
- Bounds are the least and the most of a few rounds, not intervals of confidence; the memory's slopes have one. Its
  looks are taken to resemble each other as a course of the first order does, which is a model and not the allocator.
- The reference ingest keeps less and promises less: no seal, no receipt, nobody's plan, nobody's history.
"""


def write(results: Path, folder: Path) -> list[Path]:
    """Write the page and its figures under `folder`; which files."""
    found = newest(results)
    pictures = folder / "figures"
    pictures.mkdir(parents=True, exist_ok=True)
    written = []
    drawn = page_figures.every(found)
    for name, text in drawn.items():
        path = pictures / f"{NAME}-{name}.svg"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    page = folder / f"{NAME}.md"
    page.write_text("\n\n".join(part.strip() for part in _parts(found, drawn)) + "\n", encoding="utf-8")
    return [page, *written]


def _parts(found: Mapping[str, Measured], drawn: Mapping[str, str]) -> Iterator[str]:
    yield _OPENING.format(parts=", ".join(f"`{name}`" for name in page_parts.SECTIONS))
    if any(each.quick for each in found.values()):
        yield _QUICK
    yield _machine(found)
    yield "## In short\n\n" + _in_short(found)
    for name, section in page_parts.SECTIONS.items():
        if name not in found:
            yield f"## {section.title}\n\nNot measured yet: `python -m benchmarks {name}`."
            continue
        yield f"## {section.title}\n\n{section.words.strip()}"
        yield from section.tables(found[name])
        yield from (f"![{alt}](figures/{NAME}-{file}.svg)" for file, alt in section.figures if file in drawn)
    yield _ENDING


def _machine(found: Mapping[str, Measured]) -> str:
    if not found:
        return "Nothing is measured yet."
    newest_run = max(found.values(), key=lambda each: each.run)
    told: Mapping[str, str] = newest_run.notes.get("machine", {})
    rows = [
        (name, each.run, f"{each.notes.get('load before', 0):.1f}", f"{min(each.loads):.1f}-{max(each.loads):.1f}",
         f"{each.notes['took'] / 60:.1f} min" if "took" in each.notes else "cut short")
        for name, each in found.items() if each.loads
    ]  # fmt: skip
    words = ", ".join(f"{value} cores" if name == "cores" else f"{name} {value}" for name, value in told.items())
    words = words.replace("system ", "")
    head = ("part", "measured at", "load before", "load during", "took")
    return f"Measured on {words}. Load is the system's average over a minute.\n\n{table(head, rows)}"


def _in_short(found: Mapping[str, Measured]) -> str:
    rows = []
    for limit in LIMITS:
        measured = found.get(limit.part)
        figure = limit.of(measured) if measured else None
        if figure is None:
            rows.append((limit.what, limit.said(limit.limit), limit.said(limit.aim), "not measured", ""))
            continue
        verdict = "**not met**"
        if limit.holds(figure.median, limit.limit):
            reached = limit.aim is not None and limit.holds(figure.median, limit.aim)
            verdict = "met, aim reached" if reached else "met"
        rows.append((limit.what, limit.said(limit.limit), limit.said(limit.aim), cell(figure, limit.unit), verdict))
    return table(("what", "limit", "aim", "measured", ""), rows)
