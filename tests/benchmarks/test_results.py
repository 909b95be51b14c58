"""Samples as lines, and what a page reads out of them."""

from pathlib import Path

from benchmarks.memory import slope
from benchmarks.page import write
from benchmarks.page_parts import LIMITS, number
from benchmarks.record import BARE, SHARED
from benchmarks.results import Book, Figure, newest


def test_a_page_is_made_of_each_parts_newest_run(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    old = Book(part="record", path=path, run="2026-11-01T10:00:00Z")
    old.add(BARE, 1.0, "readings/s")
    new = Book(part="record", path=path, run="2026-11-02T10:00:00Z")
    for place, (bare, ours) in enumerate(((100.0, 40.0), (200.0, 50.0), (100.0, 35.0)), 1):
        new.add(BARE, bare, "readings/s", place)
        new.add(SHARED, ours, "readings/s", place)
    measured = newest(path)["record"]
    assert measured.run == new.run
    ratio = measured.by_round(SHARED, BARE)
    assert ratio is not None
    assert (ratio.low, ratio.median, ratio.high) == (0.25, 0.35, 0.4)
    assert measured.by_round(SHARED, "never measured") is None


def test_the_page_says_what_is_met_and_what_is_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    book = Book(part="record", path=path)
    book.add(BARE, 100.0, "readings/s")
    book.add(SHARED, 29.0, "readings/s")
    Book(part="restart", path=path).add("SIGKILL to the first new alert", 2.5, "s")
    page = write(path, tmp_path)[0].read_text()
    short = page[page.index("## In short") : page.index("## Recording alone")]
    lines = {line.split(" | ")[0].strip("| "): line for line in short.splitlines() if line.startswith("| ")}
    assert "**not met**" in lines["recording on PostgreSQL / the broker feeding a bare subscriber"]
    assert "met, aim reached" in lines["SIGKILL to the first new alert"]
    assert "not measured" in lines["publish to committed alert at 500/s, p95"]
    assert (tmp_path / "figures" / "benchmarks-record.svg").exists()


def test_a_limit_is_held_at_the_limit() -> None:
    rate = next(each for each in LIMITS if each.part == "judge")
    wait = next(each for each in LIMITS if each.part == "latency")
    assert rate.holds(1500, rate.limit)
    assert not rate.holds(1499, rate.limit)
    assert wait.holds(25, wait.limit)
    assert not wait.holds(25.1, wait.limit)


def test_numbers_are_told_by_the_figures_that_count() -> None:
    assert [number(each) for each in (0, 0.5678, 12.34, 1234, 56789)] == ["0", "0.568", "12.3", "1,230", "56,800"]
    assert Figure((1.0, 5.0, 3.0), "s").median == 3.0


def test_a_slope_is_told_with_its_bound() -> None:
    flat = slope([(float(second), 1000.0 + (second % 2)) for second in range(100)])
    assert abs(flat.kb_an_hour) < flat.bound
    leak = slope([(float(second), 1000.0 + second + (second % 2)) for second in range(100)])
    assert abs(leak.kb_an_hour - 3600) < leak.bound
    assert leak.kb_an_hour - leak.bound > 0
