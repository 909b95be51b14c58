"""The condition of a rule that counts several readings: when it begins, how high it is, when it ends.

The rule's own module says, for each of its levels, whether the newest answer is beyond it or back from it. Nothing
here waits for anything: an answer is met as soon as it is known, and an unknown one is never shown to this module.
"""

from collections.abc import Container, Iterable
from datetime import datetime
from typing import NamedTuple

from alerts.finding import Beyond, Finding
from alerts.history import BandState, CountingState, Episode, Sample, Spell
from alerts.priority import Priority
from vitals.frozen import changed

_NOT_HELD = BandState()


class Answer(NamedTuple):
    """What one evaluation says of each level, from mild to severe, and the reading that it was made at."""

    beyond: tuple[bool, ...]
    back: tuple[bool, ...]
    sample: Sample
    late: bool = False  # the last of the readings it rests on to arrive was late


def start(levels: tuple[Priority, ...]) -> Spell:
    """No condition yet, and nothing known."""
    return Spell(bands=(_NOT_HELD,) * len(levels))


def unknown(spell: Spell) -> Spell:
    """The spell after an answer that is unknown: it neither begins nor ends."""
    return changed(spell, known=False) if spell.known else spell


def follow(
    spell: Spell, levels: tuple[Priority, ...], answer: Answer, fresh: Container[str], clear_readings: int = 1
) -> Spell:
    """The spell after a known answer; a level is left after `clear_readings` answers in a row that are back."""
    if spell.began_at is None and True not in answer.beyond:
        return spell if spell.known else changed(spell, known=True)
    sample = answer.sample
    bands = []
    for at, own in enumerate(spell.bands):
        if answer.beyond[at]:
            kept = BandState(clear=0, sample=sample, late=answer.late) if own.clear is None else own
            bands.append(changed(kept, clear=0, beyond_at=sample.taken_at))
        elif own.clear is None:
            bands.append(own)
        else:
            clear = own.clear + 1 if answer.back[at] else 0
            bands.append(_NOT_HELD if clear >= clear_readings else changed(own, clear=clear))
    held = [level for level, own in zip(levels, bands, strict=True) if own.clear is not None]
    if not held:
        return changed(_ended(spell, sample.taken_at), bands=tuple(bands), known=True)
    is_beyond = True in answer.beyond
    risen = spell.highest is None or held[-1] > spell.highest
    return changed(
        spell,
        bands=tuple(bands),
        known=True,
        began_at=spell.began_at or sample.taken_at,
        highest=held[-1] if risen else spell.highest,
        top=sample if risen else spell.top,
        fresh=(spell.fresh or spell.began_at is None) and (not is_beyond or sample.reading_id in fresh),
        newest=sample if is_beyond else spell.newest,
    )


def look(state: CountingState, levels: tuple[Priority, ...]) -> Finding:
    """What the rule says now; time alone changes nothing."""
    spell = state.spell
    if spell.began_at is None:
        return Finding(met=False if spell.known else None, state=state, ended=spell.ended)
    held = tuple(
        Beyond(priority=level, newest_at=own.beyond_at, sample=own.sample, late=own.late)
        for level, own in zip(levels, spell.bands, strict=True)
        if own.clear is not None and own.beyond_at is not None
    )
    newest = spell.newest
    told = {} if newest is None or newest.answer is None else newest.answer
    return Finding(
        met=True,
        state=state,
        held=held,
        began_at=spell.began_at,
        ended=spell.ended,
        newest=None if newest is None else newest.reading_id,
        partial=told.get("partial"),
        missing=tuple(told.get("missing", ())),
    )


def came_late(sample: Sample, others: Iterable[datetime | None]) -> bool:
    """Whether the last to arrive of `sample` and the readings before it was late; `others`: when each late one came."""
    return sample.late or any(each is not None and each >= sample.received_at for each in others)


def _ended(spell: Spell, at: datetime) -> Spell:
    if spell.began_at is None or spell.highest is None or spell.top is None:
        return spell
    ended = Episode(began_at=spell.began_at, ended_at=at, highest=spell.highest, sample=spell.top, late=spell.top.late)
    return changed(spell, began_at=None, highest=None, top=None, fresh=False, newest=None, ended=ended)
