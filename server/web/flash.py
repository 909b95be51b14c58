"""One sentence to the reader about what the last click did."""

from dataclasses import dataclass
from typing import Self

from server.web.language import Speech
from server.web.words import N_

_DONE = {
    "acknowledged": N_("You have acknowledged the alert. It stays with you until it is closed."),
    "resolved": N_("The alert is closed."),
}
_FASTER = N_("%(name)s was faster: %(state)s at %(time)s. Nothing was changed by your click.")
_FASTER_UNNAMED = N_("The alert has changed since you saw it. Nothing was changed by your click: look again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flash:
    """A sentence and its colour: success for what was done, warning for what was not."""

    text: str
    colour: str

    @classmethod
    def done(cls, say: Speech, what: str | None) -> Self | None:
        """What was done, by its word in the address; None for a word that we do not know."""
        return cls(text=say(_DONE[what]), colour="success") if what in _DONE else None

    @classmethod
    def faster(cls, say: Speech, name: str | None, state: str, time: str) -> Self:
        """Somebody else was faster: who, what and when."""
        if name is None:
            return cls(text=say(_FASTER_UNNAMED), colour="warning")
        known = {"name": name, "state": say.word("state", state).lower(), "time": time}
        return cls(text=say(_FASTER) % known, colour="warning")
