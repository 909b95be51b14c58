"""Plans in every station of their life when the demo begins: one proposed, one on pause, one in its start-up period."""

from dataclasses import replace
from datetime import timedelta

from alerts import rulebook
from alerts.backtest import candidate
from server.access import Actor, Role
from server.care import approval, enrolment, pauses, plans, proposing
from server.care.enrolment import PRIMARY, Contact, Decision
from server.care.pauses import Reason, Rest
from server.care.proposing import Wish
from server.reports.tryout import tryout
from varde.demo.around import Around

_DAY = timedelta(days=1)
# Keys of the town file. Scripts speak for none of these: a pause would silence what they test.
_PROPOSED, _PAUSED, _STARTING = "einar", "inger", "arne"
_LIMITS = {"pulse_high": {"bands": [{"limit": 105, "priority": "medium"}, {"limit": 120, "priority": "high"}]}}
_TEXTS = {
    "green": "Alt er som det pleier. Vei deg om morgenen, og kom deg ut i båten når været er godt.",
    "yellow": "Ta det med ro i dag. Hvil en halvtime og mål pulsen igjen. Vi følger med og ringer deg.",
    "red": "Ring oss nå. Blir du tungpusten eller får vondt i brystet: ring 113.",
}
_WHY = "Hvilepulsen ligger stabilt rundt 95 etter at betablokkeren ble redusert. Avtalt med fastlegen."
# What each rulebook's follow-up is for, and what it takes the place of.
_DECIDED = {
    "covid19": ("Oppdage forverring tidlig hjemme", "daglig telefon fra koronateamet"),
    "heart_failure": ("Færre innleggelser for hjertesvikt", "to besøk av hjemmesykepleien i uka"),
    "hypertension": ("Trygg innstilling av blodtrykksmedisin", "månedlig kontroll på legekontoret"),
    "diabetes": ("Færre lave blodsukker om natta", "ukentlig besøk av hjemmesykepleien"),
}


def begin_plans(around: Around) -> None:
    """Sign-offs, decisions and primary contacts for everybody, and the plans that are under way."""
    nurse, office = _staff(around, Role.NURSE), _staff(around, Role.COORDINATOR)
    clinician = _staff(around, Role.CLINICIAN)
    connection, now = around.connection, around.now
    for name in rulebook.shipped():
        approval.sign_off(connection, around.municipality, rulebook.load(name), clinician.id, now - 30 * _DAY)
    for place, resident in enumerate(around.town.residents):
        patient, (purpose, replaces) = around.patients[resident.key], _DECIDED[resident.rulebook]
        starting = resident.key == _STARTING
        decision = Decision(
            reference=f"2026/{412 + 7 * place}",
            purpose=purpose,
            replaces=replaces,
            decided_by="Tildelingskontoret Nordvarde",
            starts_at=now - (5 if starting else 40) * _DAY,
            ends_at=now + 180 * _DAY,
            start_up_until=now + 16 * _DAY if starting else None,
        )
        enrolment.record_decision(connection, around.vault, office, (patient, decision), now)
        first = Contact(kind=PRIMARY, name="Anna Solbakk", phone="75990000", relation="primærkontakt")
        enrolment.save_contacts(connection, around.vault, office, (patient, [first]), now)
    away = Rest(
        patient=around.patients[_PAUSED],
        starts_at=now,
        ends_at=now + 9 * _DAY,
        reason=Reason.HOLIDAY,
        remark="Hos søsteren i Bergen. Utstyret står hjemme.",
    )
    pauses.pause(connection, nurse, away, now)
    _propose(around, nurse)


def _propose(around: Around, nurse: Actor) -> None:
    connection, patient = around.connection, around.patients[_PROPOSED]
    in_force = plans.stored(connection, patient)
    assert in_force, "everybody of the town has a plan"
    wished = candidate(in_force, None, _LIMITS)
    wish = Wish(
        patient=patient,
        plan=wished,
        base_version=in_force.version,
        texts=_TEXTS,
        report=tryout(connection, patient, (in_force, replace(wished, offline=in_force.offline)), around.now),
        reason=_WHY,
    )
    proposing.propose(connection, nurse, wish, around.now)


def _staff(around: Around, role: Role) -> Actor:
    first = next(around.staff[each.key] for each in around.town.staff if each.role == role)
    return Actor(id=first, role=role, municipality=around.municipality, team=around.team)
