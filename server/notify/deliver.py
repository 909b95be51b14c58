"""Takes notices out of the outbox to people: channel by channel, then the next role. What fails is tried again later.

A notice is told at least once. Whoever takes it notes so first; killed after sending and before noting, he leaves it to
be taken again, with the same message id, and a row that says that it may have been told twice. That counts as a try, so
it is bounded as tries are.
"""

from datetime import timedelta

import structlog

from server.notify.book import Book, Job, Outcome, Try
from server.notify.channels import Channel, ChannelDownError, ChannelError, Channels
from server.parts import Parts
from vitals import failpoint

LEASE = timedelta(seconds=30)  # whoever took a notice in hand and was killed held it up for so long
_PATIENCE = timedelta(seconds=15)  # of one round; a try takes ten at most, and both together are less than the lease

_log = structlog.get_logger("varde.notify")


def deliver(parts: Parts, channels: Channels) -> int:
    """Try every notice whose time has come; returns how many were taken in hand."""
    book = Book(parts, channels)
    jobs = book.take(LEASE)
    if jobs:
        failpoint.reach("notify.taken")
    began, down = parts.wall.now(), dict[str, str]()
    for place, job in enumerate(jobs):
        if parts.wall.now() - began > _PATIENCE:
            book.give_back(jobs[place:])
            break
        _do(parts, book, job, down)
    return len(jobs)


def _do(parts: Parts, book: Book, job: Job, down: dict[str, str]) -> None:
    outcomes = [Outcome(tried=each, reason=_send(each, down)) for each in job.tries]
    if outcomes:
        failpoint.reach("notify.sent")
    book.note(job, outcomes)
    failpoint.reach("notify.done")
    for each in outcomes:
        word = "sent" if each.reason is None else "failed"
        parts.metrics.notices.labels(each.tried.channel.name, word).inc()


def _send(each: Try, down: dict[str, str]) -> str | None:
    """Why it was not taken; None when it was. A channel at whose end nobody answered is not asked again this round."""
    channel: Channel = each.channel
    if channel.name in down:
        return down[channel.name]
    try:
        channel.send(each.notice)
    except ChannelDownError as error:
        down[channel.name] = str(error)
        return str(error)
    except ChannelError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a fault in one delivery must not hold up the notices behind it
        _log.error("channel failed", channel=channel.name, number=each.notice.number, exc_info=error)
        return type(error).__name__  # its text may hold an address
    return None
