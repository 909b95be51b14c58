"""What the doctor says of how people would be told."""

from pathlib import Path

import pytest

from varde.doctor import Finding, Verdict, examine, exit_code

_MAIL = {"VARDE_SMTP_HOST": "mail.example", "VARDE_SMTP_SENDER": "varde@kommune.example"}


@pytest.mark.parametrize(
    ("environment", "verdict", "says"),
    [
        ({}, Verdict.NOTE, "wakes nobody"),
        (_MAIL, Verdict.NOTE, "by mail, without a link"),
        (_MAIL | {"VARDE_PUBLIC_URL": "https://varde.example"}, Verdict.FINE, "by mail"),
        ({"VARDE_WEBHOOK_URL": "http://sms.example", "VARDE_WEBHOOK_KEY": "secret"}, Verdict.WRONG, "https"),
    ],
)
def test_how_people_would_be_told(
    environment: dict[str, str], verdict: Verdict, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    findings = examine(tmp_path)
    (found,) = [each for each in findings if each.what == "notices"]
    assert found.verdict is verdict
    assert says in found.words
    assert "secret" not in found.words
    if verdict is Verdict.WRONG:
        assert exit_code((Finding(what="x", verdict=Verdict.NOTE, words=""), found)) == 1
