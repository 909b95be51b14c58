"""Bytes as a person can read them: text where it is text, a dump where it is not."""

from server.web.views.kept import dump, legible


def test_text_is_shown_as_text_and_anything_else_as_a_dump() -> None:
    assert legible('{"device": "Ærlig"}\n'.encode()) == '{"device": "Ærlig"}\n'
    assert legible(b"\xff\x00") == "0000  ff 00                                            .."
    assert legible(b"bell \x07").startswith("0000  62 65")  # what a screen would hide is not hidden
    assert legible("\u202egnp.exe".encode()).startswith("0000  e2 80 ae")  # nor what would turn a text around


def test_a_dump_has_sixteen_bytes_a_line() -> None:
    lines = dump(bytes(range(33))).splitlines()
    assert [line[:4] for line in lines] == ["0000", "0010", "0020"]
    assert lines[2] == "0020  20                                                "[:55] + " "
    assert dump(b"") == ""
