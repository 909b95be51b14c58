"""Which silent parts a staff page names: what it means for whoever reads, not what is broken, in one sentence each."""

from collections.abc import Mapping
from datetime import datetime

from server.findings import Findings
from server.parts import Parts
from server.watch import beat
from server.watch.silence import BROKER, RULES_STILL, Part, ours, rules_stand_still


def kinds(findings: Findings, *, rules_still: bool, beats: Mapping[str, datetime], wall: datetime) -> tuple[str, ...]:
    """The parts of the server that are silent; the watch has a note of its own and is not named twice.

    Whether readings can come in is known from the `beats` at once: a page must say so within ten seconds, and
    operations are not woken for less than twenty.
    """
    found = dict.fromkeys(each.part for each in ours(findings.silent))
    if not {Part.INGEST, Part.BROKER, Part.DATABASE} & found.keys():
        found |= dict.fromkeys(_nothing_comes_in(beats, wall))
    return tuple(part.value for part in found if not (part is Part.WATCH and rules_still))


def told(parts: Parts) -> object:
    """Differs whenever a page would say something else about silence."""
    wall = parts.wall.now()
    with parts.database.read() as connection:
        beats = beat.all_of(connection)
    still = rules_stand_still(beats.get(Part.WATCH), wall) is not None
    return still, kinds(parts.findings, rules_still=still, beats=beats, wall=wall)


def _nothing_comes_in(beats: Mapping[str, datetime], wall: datetime) -> tuple[Part, ...]:
    """The first part on the way of a reading that was alive and is not."""
    for name, part in ((Part.INGEST.value, Part.INGEST), (BROKER, Part.BROKER)):
        if name in beats and wall - beats[name] > RULES_STILL:
            return (part,)
    return ()
