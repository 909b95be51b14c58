"""Browsers in which staff are told by web push: each person's own, added and removed by nobody else."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, func, insert, select

from server import audit
from server.access import Action, Actor, require, scope
from server.care.people import NotFoundError
from server.db import tables
from server.vault import Vault

BROWSERS_MAX = 5  # of one person


class BrowserError(ValueError):
    """The browser cannot be told; the text is a word of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where a browser is written to and with which keys, all as the browser gave it."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBrowser:
    """A browser that its reader switches on."""

    subscription: Subscription
    language: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A browser to be told, with its address in the open: never stored, logged or shown like this."""

    id: str
    language: str
    subscription: Subscription


def add(connection: Connection, vault: Vault, actor: Actor, new: NewBrowser, now: datetime) -> str:
    """Tell the actor in this browser from now on, and nobody else whom it told before; returns its id.

    Raises `RefusedError` and `BrowserError`.
    """
    require(actor, Action.BE_TOLD)
    table, made = tables.browser, str(uuid4())
    digest = digest_of(new.subscription.endpoint)
    connection.execute(delete(table).where(table.c.digest == digest))  # whoever holds the endpoint sits at the browser
    held = select(func.count()).select_from(table).where(table.c.staff_id == actor.id)
    if connection.execute(held).scalar_one() >= BROWSERS_MAX:
        raise BrowserError("too_many_browsers")
    row = {
        "id": made,
        "municipality_id": actor.municipality,
        "staff_id": actor.id,
        "digest": digest,
        "subscription": vault.close(json.dumps(asdict(new.subscription))),
        "language": new.language,
        "label": new.label,
        "added_at": now,
    }
    connection.execute(insert(table).values(row))
    audit.write(connection, actor, audit.Entry(action=Action.BE_TOLD, subject=made), now)
    return made


def remove(connection: Connection, actor: Actor, browser: str, now: datetime) -> None:
    """No longer in this one; raises `RefusedError`, and `NotFoundError` for one that is not the actor's own."""
    require(actor, Action.BE_TOLD)
    table = tables.browser
    own = delete(table).where(table.c.id == browser, table.c.staff_id == actor.id)
    if connection.execute(scope(own, table, actor)).rowcount != 1:
        raise NotFoundError("no such browser")
    audit.write(connection, actor, audit.Entry(action=Action.BE_TOLD, subject=browser), now)


def forget(connection: Connection, browser: str) -> None:
    """The push service says that this one is gone for good."""
    connection.execute(delete(tables.browser).where(tables.browser.c.id == browser))


def own(connection: Connection, actor: Actor) -> Sequence[Row[Any]]:
    """The actor's own, newest first, addresses still closed."""
    table = tables.browser
    mine = select(table).where(table.c.staff_id == actor.id).order_by(table.c.added_at.desc(), table.c.id)
    return connection.execute(scope(mine, table, actor)).all()


def told(connection: Connection, vault: Vault, staff: str) -> tuple[Told, ...]:
    """Where a person is told; raises `VaultError`."""
    table = tables.browser
    rows = connection.execute(select(table).where(table.c.staff_id == staff).order_by(table.c.added_at.desc()))
    return tuple(
        Told(id=row.id, language=row.language, subscription=Subscription(**json.loads(vault.open(row.subscription))))
        for row in rows
    )


def digest_of(endpoint: str) -> str:
    """What an endpoint is known by without being told."""
    return hashlib.sha256(endpoint.encode()).hexdigest()
