"""What could not be used is shown whole, in words and in bytes."""

from starlette.testclient import TestClient

from tests.server.web.hamlet import Hamlet
from tests.server.web.routes.test_worklist import text_of


def test_each_message_says_why_when_and_from_whom(morning: Hamlet, anna: TestClient) -> None:
    said = text_of(anna.get("/quarantine").text)
    for part in (
        "2 meldinger",
        "Et apparat sendte byte som ikke lot seg lese",
        "2A5E: 2 bytes, at least 5 are needed",
        "00 62",
        "En melding kom uten segl",
        "gw-lia (påstått, ikke bevist)",
        "2 ganger siden kl. 06:40 i dag",
        "0000 00 ff 20 68 65 6c 6c 6f 20 07 .. hello .",
    ):
        assert part in said, part


def test_readings_of_nobody_say_device_value_and_reason(morning: Hamlet, anna: TestClient) -> None:
    said = text_of(anna.get("/quarantine").text)
    for part in ("1 måling uten eier", "AA:BB:CC:00:00:99", "Oksygenmetning 94 %", "Apparatet er ikke registrert"):
        assert part in said, part


def test_the_menu_counts_both(morning: Hamlet, anna: TestClient) -> None:
    assert 'id="count-quarantine" data-color="warning">3<' in anna.get("/").text


def test_an_empty_quarantine_says_so(lia: Hamlet, anna: TestClient) -> None:
    assert "Ingen meldinger i karantene." in anna.get("/quarantine").text
