"""What the pages of a team need: who is on duty, what was left, put off or paused, and who was told by what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, or_, select

from alerts.fact import Role
from alerts.keys import KeyProblem
from alerts.plan import read_hours
from alerts.service_hours import Service
from server.access import scope
from server.care import handover_notes, reaching, roster
from server.db import tables
from server.web.gathering.asking import Asking
from server.web.views import shift

_ROWS_MAX = 200
TOLD_MAX = 50  # notices on a page of the channels log


def on_duty(asking: Asking, now: datetime) -> tuple[shift.Post, ...]:
    """Every role of the ladder, with whoever answers in it now."""
    team = str(asking.actor.team)
    staff, ways = asking.names_of_staff(), _with_ways(asking, team)
    now_on = roster.of_team(asking.connection, team, now, now + timedelta(microseconds=1))
    return tuple(
        shift.Post(
            role=role.value,
            people=tuple(
                shift.OnDuty(name=staff.get(row.staff_id, "–"), until=row.ends_at, can_be_reached=row.staff_id in ways)
                for row in now_on
                if row.role == role.value
            ),
        )
        for role in roster.ON_DUTY
    )


def team_can_be_reached(asking: Asking) -> bool:
    """Whether the team has a way of its own, for when nobody is on duty."""
    return None in _with_ways(asking, str(asking.actor.team))


def _with_ways(asking: Asking, team: str) -> set[str | None]:
    return {row.staff_id for row in reaching.rows_of(asking.connection, team)} | _browsers(asking, team).keys()


def _browsers(asking: Asking, team: str) -> dict[str, int]:
    """Who of the team is told in the own browsers, and in how many."""
    browser, staff = tables.browser, tables.staff
    ours = select(browser.c.staff_id, func.count().label("count")).join(staff, staff.c.id == browser.c.staff_id)
    rows = asking.connection.execute(
        scope(ours.where(staff.c.team_id == team), browser, asking.actor).group_by(browser.c.staff_id)
    )
    return {row.staff_id: row[1] for row in rows}


def unread_after(asking: Asking) -> int:
    """After how many hours of service the team is told of an unread message."""
    team = tables.team
    own = scope(select(team.c.unread_after_h).where(team.c.id == asking.actor.team), team, asking.actor)
    return int(asking.connection.execute(own).scalar_one())


def agreements(asking: Asking, now: datetime, zone: ZoneInfo) -> tuple[shift.Agreement, ...]:
    """What the team does for whom, and who answers for its own municipality."""
    table, home, team = tables.service_agreement, tables.municipality, tables.team
    ours = or_(table.c.team_id == asking.actor.team, table.c.municipality_id == asking.actor.municipality)
    rows = asking.connection.execute(
        select(table, home.c.name.label("where"), team.c.name.label("team"))
        .join(home, home.c.municipality_id == table.c.municipality_id)
        .join(team, team.c.id == table.c.team_id)
        .where(ours, table.c.state == "active", or_(table.c.team_id == asking.actor.team, table.c.kind == "answers"))
        .order_by(table.c.kind.desc(), home.c.name)
    )
    return tuple(
        shift.Agreement(
            kind=row.kind,
            municipality=row.where,
            team=row.team,
            is_own=row.team_id == asking.actor.team,
            hours=row.hours,
            is_open=_is_open(row.hours, now, zone),
        )
        for row in rows
    )


def _is_open(hours: str, now: datetime, zone: ZoneInfo) -> bool | None:
    try:
        service = Service(hours=read_hours(hours, "hours"), closed=frozenset(), zone=zone)
    except KeyProblem:  # of an agreement across midnight: who answers says so by being on duty
        return None
    return service.is_open(now)


def notes(asking: Asking, now: datetime) -> tuple[shift.Note, ...]:
    """What was left to the team, or by it, in the last days."""
    rows = handover_notes.recent(asking.connection, asking.actor, now)
    names = asking.names_of_patients([row.patient_id for row in rows if row.patient_id])
    staff, teams = asking.names_of_staff(), _teams(asking)
    return tuple(
        shift.Note(
            id=row.id,
            text=asking.vault.open(row.text),
            by=staff.get(row.by, "–"),
            at=row.at,
            of_team=teams.get(row.team_id, "–"),
            to_team=teams.get(row.to_team_id, "–"),
            is_for_us=row.to_team_id == asking.actor.team,
            stays_here=row.to_team_id == row.team_id,
            patient_id=row.patient_id,
            patient=names.get(row.patient_id or ""),
            taken_by=staff.get(row.taken_by, "–") if row.taken_by else None,
            taken_at=row.taken_at,
        )
        for row in rows
    )


def _teams(asking: Asking) -> dict[str, str]:
    team = tables.team
    rows = asking.connection.execute(scope(select(team.c.id, team.c.name), team, asking.actor))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What does not ring just now: alerts that somebody put off, patients with a pause, patients on loan."""

    snoozed: tuple[shift.Snoozed, ...]
    paused: tuple[shift.Paused, ...]
    routed: tuple[shift.Routed, ...]

    @property
    def patients(self) -> list[str]:
        """Whose names are shown."""
        shown: list[Any] = [*self.snoozed, *self.paused, *self.routed]
        return sorted({each.patient_id for each in shown})


def aside(asking: Asking, now: datetime) -> Aside:
    """Everything that is quiet because a person wanted it so, soonest to end first."""
    snoozed, paused, routed = _snoozed(asking, now), _paused(asking, now), _routed(asking, now)
    rows: list[Any] = [*snoozed, *paused, *routed]
    names = asking.names_of_patients(sorted({row.patient_id for row in rows}))
    staff, teams = asking.names_of_staff(), _teams(asking)
    return Aside(
        snoozed=tuple(
            shift.Snoozed(
                patient_id=row.patient_id,
                patient=names.get(row.patient_id, "–"),
                rule=row.rule,
                priority=row.priority,
                until=row.snoozed_until,
                owner=staff.get(row.owner, "–") if row.owner else None,
            )
            for row in snoozed
        ),
        paused=tuple(
            shift.Paused(
                patient_id=row.patient_id,
                patient=names.get(row.patient_id, "–"),
                reason=row.reason,
                since=row.starts_at,
                until=row.ends_at,
                by=staff.get(row.set_by, "–"),
            )
            for row in paused
        ),
        routed=tuple(
            shift.Routed(
                patient_id=row.patient_id,
                patient=names.get(row.patient_id, "–"),
                team=teams.get(row.team_id, "–"),
                is_ours=row.team_id == asking.actor.team,
                reason=row.reason,
                since=row.starts_at,
                until=row.ends_at,
            )
            for row in routed
        ),
    )


def _snoozed(asking: Asking, now: datetime) -> Sequence[Any]:
    table = tables.alert
    statement = (
        select(table.c.patient_id, table.c.rule, table.c.priority, table.c.snoozed_until, table.c.owner)
        .where(table.c.state.in_(("active", "acknowledged")), table.c.snoozed_until > now)
        .order_by(table.c.snoozed_until, table.c.id)
    )
    return asking.connection.execute(scope(statement.limit(_ROWS_MAX), table, asking.actor)).all()


def _paused(asking: Asking, now: datetime) -> Sequence[Row[Any]]:
    table = tables.pause
    holds = (table.c.starts_at <= now, or_(table.c.ends_at.is_(None), table.c.ends_at > now))
    statement = select(table).where(*holds, table.c.ended_at.is_(None)).order_by(table.c.ends_at, table.c.id)
    return asking.connection.execute(scope(statement.limit(_ROWS_MAX), table, asking.actor)).all()


def _routed(asking: Asking, now: datetime) -> Sequence[Row[Any]]:
    table = tables.routing
    holds = (table.c.starts_at <= now, table.c.ends_at > now)
    statement = select(table).where(*holds).order_by(table.c.ends_at, table.c.starts_at, table.c.id)
    return asking.connection.execute(scope(statement.limit(_ROWS_MAX), table, asking.actor)).all()


def week(asking: Asking, monday: date, zone: ZoneInfo) -> tuple[shift.Day, ...]:
    """The roster of a week, day by day; a shift stands on the day on which it begins."""
    start, end = span(monday, zone)
    staff = asking.names_of_staff()
    rows = roster.of_team(asking.connection, str(asking.actor.team), start, end)
    days: dict[date, list[shift.Duty]] = {monday + timedelta(days=place): [] for place in range(7)}
    for row in rows:
        local = row.starts_at.astimezone(zone).date()
        if local in days:
            duty = shift.Duty(
                id=row.id,
                name=staff.get(row.staff_id, "–"),
                role=row.role,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
            )
            days[local].append(duty)
    return tuple(shift.Day(date=day, at=_at(day, zone), duties=tuple(each)) for day, each in days.items())


def span(monday: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Beginning and end of the week that begins on that Monday."""
    return _at(monday, zone), _at(monday + timedelta(days=7), zone)


def _at(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def colleagues(asking: Asking) -> dict[str, str]:
    """Staff id -> name, of the actor's own team, by name."""
    staff = tables.staff
    ours = select(staff.c.id).where(staff.c.team_id == asking.actor.team, staff.c.active)
    ids = set(asking.connection.execute(scope(ours, staff, asking.actor)).scalars())
    names = {each: name for each, name in asking.names_of_staff().items() if each in ids}
    return dict(sorted(names.items(), key=lambda item: item[1]))


def reachable(asking: Asking) -> tuple[shift.Person, ...]:
    """Everybody of the team, and the team itself first, with their channels in the order in which they are tried."""
    rows = reaching.rows_of(asking.connection, str(asking.actor.team))
    shown, told_in = reaching.masked(asking.vault, rows), _browsers(asking, str(asking.actor.team))
    people: list[tuple[str | None, str | None]] = [(None, None), *colleagues(asking).items()]
    return tuple(
        shift.Person(
            id=each,
            name=name,
            ways=tuple(
                shift.Way(id=row.id, kind=row.kind, address=shown[row.id]) for row in rows if row.staff_id == each
            ),
            browsers=told_in.get(each or "", 0),
        )
        for each, name in people
    )


def told(asking: Asking, before: int | None) -> tuple[shift.Told, ...]:
    """The newest steps of ladders about patients whom the reader may know, with each recipient and each try."""
    outbox = tables.outbox
    statement = select(outbox).where(outbox.c.to != Role.PATIENT.value)
    if before is not None:
        statement = statement.where(outbox.c.seq < before)
    rows = asking.connection.execute(
        scope(statement.order_by(outbox.c.seq.desc()).limit(TOLD_MAX), outbox, asking.actor)
    ).all()
    deliveries = _by_step(asking, tables.delivery, [row.seq for row in rows])
    attempts = _by_step(asking, tables.attempt, [row.seq for row in rows])
    staff, teams = asking.names_of_staff(), _teams(asking)
    return tuple(
        shift.Told(
            number=row.seq,
            at=row.created_at,
            to=row.to,
            of_messages=row.unread_of is not None,
            state=row.state,
            recipients=tuple(
                shift.Recipient(
                    role=each.role,
                    name=staff.get(each.staff_id) if each.staff_id else teams.get(each.team_id or ""),
                    state=each.state,
                    receipt_at=each.receipt_at,
                    tries=tuple(
                        shift.Try(at=one.at, channel=one.channel, outcome=one.outcome, reason=one.reason)
                        for one in attempts.get(row.seq, ())
                        if one.delivery_id == each.id
                    ),
                )
                for each in deliveries.get(row.seq, ())
            ),
        )
        for row in rows
    )


def _by_step(asking: Asking, table: Any, numbers: Iterable[int]) -> dict[int, list[Row[Any]]]:
    """Rows of `table` by the notice that they hang on."""
    outbox = tables.outbox
    order = table.c.seq if "seq" in table.c else table.c.created_at
    statement = select(table).join(outbox, outbox.c.seq == table.c.outbox_seq)
    wanted = statement.where(outbox.c.seq.in_(list(numbers))).order_by(order)
    found: dict[int, list[Row[Any]]] = {}
    for row in asking.connection.execute(scope(wanted, outbox, asking.actor)):
        found.setdefault(row.outbox_seq, []).append(row)
    return found
