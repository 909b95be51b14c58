"""The head of every page: who is reading, and which pages are open to them, with what waits there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from server.access import AT_HOME, Action, Actor, Role, allowed, scope
from server.db import tables
from server.web.gathering.asking import Asking
from server.web.words.terms import N_


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One entry of the main menu; `count`: what waits there, None where nothing is counted."""

    name: str
    href: str
    label: str
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The reader, as the frame of every page shows it."""

    name: str
    initials: str
    role: str
    team: str | None
    links: tuple[Link, ...]

    @property
    def first(self) -> str:
        """Where the reader begins."""
        return self.links[0].href if self.links else "/"


def me(asking: Asking, now: datetime) -> Me:
    """The reader."""
    name = _name(asking, asking.actor)
    return Me(
        name=name,
        initials=initials(name),
        role=asking.actor.role.value,
        team=asking.frame().team,
        links=links_of(asking, now),
    )


def initials(name: str) -> str:
    """The first letters of the first and the last name."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts))


def links_of(asking: Asking, now: datetime) -> tuple[Link, ...]:
    """The pages that this reader may open, with what waits there."""
    waiting, kept, found = asking.count_waiting(now), asking.count_kept(), asking.frame()
    # At home a nought is one more thing to wonder about.
    unseen = found.unread or (None if asking.actor.role in AT_HOME else found.unread)
    menu: Sequence[tuple[Action, Link]] = (
        (Action.SEE_WORKLIST, Link(name="worklist", href="/", label=N_("Worklist"), count=waiting)),
        (Action.SEE_PATIENT, Link(name="patients", href="/patients", label=N_("Patients"))),
        (Action.SEE_MESSAGES, Link(name="messages", href="/messages", label=N_("Messages"), count=unseen)),
        (Action.APPROVE_PLAN, Link(name="plans", href="/plans", label=N_("Plans"), count=found.proposed)),
        (Action.SEE_TEAM, Link(name="team", href="/team", label=N_("Shift"))),
        (Action.SEE_KITS, Link(name="kits", href="/kits", label=N_("Kits"))),
        (Action.SEE_QUARANTINE, Link(name="quarantine", href="/quarantine", label=N_("Quarantine"), count=kept)),
        (Action.SEE_OWN_ZONE, Link(name="own", href="/own", label=N_("My day"))),
        (Action.SEE_OWN_VALUES, Link(name="values", href="/own/values", label=N_("Measurements"))),
        (Action.SEE_OWN_MESSAGES, Link(name="own_messages", href="/own/messages", label=N_("Messages"), count=unseen)),
        (Action.SHARE_OWN, Link(name="sharing", href="/own/sharing", label=N_("Sharing"))),
    )
    return tuple(link for action, link in menu if allowed(asking.actor, action))


def _name(asking: Asking, actor: Actor) -> str:
    if actor.role is Role.PATIENT:
        return asking.names_of_patients([actor.id]).get(actor.id, "–")
    if actor.role is Role.KIN:
        table = tables.contact
        own = scope(select(table.c.name).where(table.c.id == actor.id), table, actor)
        name = asking.connection.execute(own).scalar()
        return asking.vault.open(name) if name else "–"
    return asking.names_of_staff().get(actor.id, "–")
