"""The demo shows a plan in every station of its life."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from server.access import system
from server.care import enrolment, pauses, plans, proposing
from server.db import tables
from server.vault import open_vault
from tests.varde.demo.test_enrol import Office


def test_one_waits_one_rests_one_begins_and_all_have_texts(tmp_path: Path) -> None:
    office = Office(tmp_path)
    patients, now, actor = office.enrolled.patients, office.clock.now(), system()
    vault, database = open_vault(tmp_path / "vault.key", create=False), office.database()
    with database.read() as connection:
        waiting = proposing.waiting(connection, actor, patients["einar"])
        resting = pauses.current(pauses.of(connection, actor, patients["inger"]), now)
        decided = enrolment.decision_of(connection, vault, actor, patients["arne"])
        signed = set(connection.execute(select(tables.rulebook_sign_off.c.rulebook)).scalars())
        texts = plans.texts(connection, patients["inger"])
        plan = plans.stored(connection, patients["inger"])
    database.close()
    assert waiting is not None
    assert waiting.reason
    assert (resting is not None, plan is not None and len(plan.pauses)) == (True, 1)
    assert decided is not None
    assert decided.start_up_until is not None
    assert decided.start_up_until > now + timedelta(days=10)
    assert {"covid19", "heart_failure"} <= signed
    assert all(texts[zone] for zone in plans.ZONES_WITH_TEXT)
