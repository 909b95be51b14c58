"""The timeline says once what happened many times."""

from datetime import UTC, datetime, timedelta

from server.web.views.patient import Happening, merged

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def happening(minutes: int, kind: str = "notice", rule: str = "spo2_low", to: str | None = "shift_lead") -> Happening:
    return Happening(
        at=NOON - timedelta(minutes=minutes),
        kind=kind,
        rule=rule,
        priority="high",
        by=None,
        to=to,
        zone=None,
        outcome=None,
        metric=None,
        value=None,
    )


def lines(*happenings: Happening) -> list[tuple[str, str | None, int, datetime, datetime | None]]:
    return [(each.kind, each.to, each.times, each.at, each.since) for each in merged(happenings)]


def test_notices_in_a_row_to_one_recipient_are_one_line_with_their_number_and_first_time() -> None:
    assert lines(happening(0), happening(5), happening(10)) == [
        ("notice", "shift_lead", 3, NOON, NOON - timedelta(minutes=10))
    ]


def test_another_recipient_rule_or_kind_begins_a_new_line() -> None:
    apart = [happening(0), happening(1, to="backup"), happening(2), happening(3, rule="pulse_high"), happening(4)]
    assert [times for _, _, times, _, _ in lines(*apart)] == [1] * 5
    between = [happening(0), happening(1), happening(2, kind="escalated", to=None), happening(3)]
    assert [times for _, _, times, _, _ in lines(*between)] == [2, 1, 1]


def test_what_is_no_notice_is_never_merged() -> None:
    raised = [happening(0, kind="raised", to=None), happening(1, kind="raised", to=None)]
    assert merged(raised) == tuple(raised)
    assert merged([]) == ()
