"""What staff pages say of silent parts: one sentence a part, what it means for whoever reads, not what is broken."""

from server.findings import Findings
from server.parts import Parts
from server.watch import beat
from server.watch.silence import Part, ours, rules_stand_still


def kinds(findings: Findings, *, rules_still: bool) -> tuple[str, ...]:
    """The parts of the server that are silent; the watch has a note of its own and is not named twice."""
    found = dict.fromkeys(each.part for each in ours(findings.silent))
    return tuple(part.value for part in found if not (part is Part.WATCH and rules_still))


def told(parts: Parts) -> object:
    """Differs whenever a page would say something else about silence."""
    with parts.database.read() as connection:
        still = rules_stand_still(beat.last(connection, Part.WATCH), parts.wall.now()) is not None
    return still, kinds(parts.findings, rules_still=still)
