"""The whole run on a handful of people: the page is written, whole, and the same to the byte in any process."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from benchmarks.rules.__main__ import main
from benchmarks.rules.cohorts import COHORTS


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    assert main(["--seeds", "1", "--share", "0.02", "--processes", "1", "--out", str(folder)]) == 0
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seeds_give_the_same_bytes_in_other_processes(written, tmp_path):
    assert main(["--seeds", "1", "--share", "0.02", "--processes", "2", "--out", str(tmp_path)]) == 0
    assert files(tmp_path) == files(written)


def test_the_page_has_every_cohort_and_shows_every_figure(written):
    page = (written / "benchmarks-rules.md").read_text()
    assert "--seeds 1 --share 0.02" in page
    for cohort in COHORTS.values():
        assert f"### {cohort.title}" in page
    shown = set(re.findall(r"\]\((figures/[^)]+)\)", page))
    assert shown == {name for name in files(written) if name.startswith("figures/")}
    assert not re.search(r"\bNone\b|\bnan\b|\{\w*\}", page)


def test_every_table_row_is_as_long_as_its_head(written):
    for block in re.split(r"\n\s*\n", (written / "benchmarks-rules.md").read_text()):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1, block


def test_figures_are_drawn_within_their_page(written):
    for name, text in files(written).items():
        if not name.endswith(".svg"):
            continue
        root = ElementTree.fromstring(text)
        width, height = float(root.get("width")), float(root.get("height"))
        for each in root.iter():
            for key, most in (
                ("x", width),
                ("x1", width),
                ("x2", width),
                ("y", height),
                ("y1", height),
                ("y2", height),
            ):
                value = each.get(key)
                assert value is None or -1 <= float(value) <= most + 1, (name, each.attrib)


@pytest.mark.parametrize("wrong", [["--seeds", "0"], ["--share", "0"], ["--share", "1.5"]])
def test_wrong_numbers_are_refused(wrong):
    with pytest.raises(SystemExit) as refused:
        main(wrong)
    assert refused.value.code == 2
