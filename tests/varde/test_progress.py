"""Long work says how far it has come; short work says nothing."""

import pytest

from varde.progress import counted


@pytest.mark.parametrize(
    ("many", "told"),
    [(3, ""), (20, ""), (41, "20 of 41 patients\n40 of 41 patients\n")],
)
def test_how_far_it_is(many: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(counted(range(many), "patients")) == list(range(many))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", told)
