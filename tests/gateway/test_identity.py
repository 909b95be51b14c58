from datetime import UTC, datetime, timedelta, timezone

from gateway.identity import by_connection, by_device_time, by_sequence, reading_id

FRAME = bytes.fromhex("0062004800")
START = datetime(2026, 11, 22, 6, 31, 5, 123456, tzinfo=UTC)


def test_the_id_is_fixed_for_ever() -> None:
    assert reading_id("C0:FF:EE:00:00:01", "2A5E", FRAME, by_sequence(7)) == "380d9aae-45e6-5cc3-a996-b34510225f6b"
    assert (
        reading_id("C0:FF:EE:00:00:01", "2A5E", FRAME, by_connection(START)) == "a8acacf7-9946-58ed-8317-87bae9ba5475"
    )


def test_the_same_record_has_the_same_id_whatever_the_spelling() -> None:
    east = START.astimezone(timezone(timedelta(hours=2)))
    assert reading_id("c0:ff:ee:00:00:01", "2A5E", FRAME, by_connection(east)) == reading_id(
        "C0:FF:EE:00:00:01", "2A5E", FRAME, by_connection(START)
    )


def test_each_part_tells_records_apart() -> None:
    naive = START.replace(tzinfo=None)
    ids = {
        reading_id(device, characteristic, frame, mark)
        for device in ("C0:FF:EE:00:00:01", "C0:FF:EE:00:00:02")
        for characteristic in ("2A5E", "2A5F")
        for frame in (FRAME, FRAME + b"\x00")
        for mark in (
            by_sequence(1),
            by_sequence(2),
            by_device_time(naive),
            by_connection(START),
            by_connection(START + timedelta(microseconds=1)),
        )
    }
    assert len(ids) == 40
