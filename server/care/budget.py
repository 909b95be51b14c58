"""How many alerts a team means to handle: above it a plan needs a reason, because whoever hears too many hears none."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from server.access import Action, Actor, require, scope
from server.care.people import NotFoundError
from server.db import tables

# Eight to ten alerts by hand a day for the 80 patients of one nurse: what services that last report (needs of the
# field, peers). A team sets its own.
USUAL = 10
MOST = 200


def of_patient(connection: Connection, patient: str) -> int:
    """The budget, in alerts per nurse and day, of the team that follows the patient."""
    enrolment, table = tables.enrolment, tables.alert_budget
    team = select(enrolment.c.team_id).where(enrolment.c.patient_id == patient, enrolment.c.state != "ended")
    statement = select(table.c.alerts).where(table.c.team_id.in_(team)).order_by(table.c.seq.desc()).limit(1)
    found = connection.execute(statement).scalar()
    return USUAL if found is None else int(found)


def of_teams(connection: Connection, actor: Actor) -> dict[str, int]:
    """Team -> its budget, of the actor's municipality."""
    team, table = tables.team, tables.alert_budget
    known = connection.execute(scope(select(team.c.id), team, actor)).scalars()
    found = dict.fromkeys(known, USUAL)
    for row in connection.execute(scope(select(table).order_by(table.c.seq), table, actor)):
        if row.team_id in found:
            found[row.team_id] = row.alerts
    return found


def set_to(connection: Connection, actor: Actor, team: str, alerts: int, now: datetime) -> None:
    """From now on the team's budget is this. Raises `ValueError` and `NotFoundError`."""
    require(actor, Action.SIGN_RULEBOOK)
    if not 1 <= alerts <= MOST:
        raise ValueError(f"alerts: must be 1 to {MOST} a day")
    table = tables.team
    home = connection.execute(scope(select(table.c.municipality_id).where(table.c.id == team), table, actor)).scalar()
    if home is None:
        raise NotFoundError("no such team")
    row = {"municipality_id": home, "team_id": team, "alerts": alerts, "set_by": actor.id, "set_at": now}
    connection.execute(insert(tables.alert_budget).values(row))
