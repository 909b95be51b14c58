"""One sentence to the reader about what the last click did."""

from dataclasses import dataclass
from typing import Self

from server.web.language import Speech
from server.web.words import N_

_DONE = {
    "acknowledged": N_("You have acknowledged the alert. It stays with you until it is closed."),
    "resolved": N_("The alert is closed."),
    "taken_over": N_("You have taken over the alert. It stays with you until it is closed."),
    "released": N_("The alert is given back. Nobody has it now."),
    "snoozed": N_("The alert is put off."),
    "dispatched": N_("Noted that the home team has been asked. Say here what they answer."),
    "dispatch_accepted": N_("Noted that the home team is coming."),
    "dispatch_refused": N_("Noted that the home team cannot come. The alert is still yours."),
    "invalidated": N_("The measurement is taken out, and everything was judged again without it."),
    "asked_gateway": N_("The gateway has been asked. Its answer comes within a minute if it has contact."),
    "accepted": N_("The value counts now, and everything was judged again with it."),
}
_NOT_DONE = {
    "until": N_("An alert can be put off for 12 hours at most. Nothing was changed: choose another time."),
    "no_time": N_("No time of day was given. Nothing was changed: choose again."),
    "passkey": N_("The number on the device has at most six digits. Nothing was asked: type it again."),
    "device": N_("The device does not belong to this gateway now. Nothing was asked."),
    "devices": N_("No device belongs to this gateway now. Nothing was sent."),
    "reading": N_("Somebody has already decided about this measurement. Nothing was changed by your click."),
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
    def not_done(cls, say: Speech, what: str) -> Self:
        """Why nothing was done; a reason without words of its own is that something has changed."""
        return cls(text=say(_NOT_DONE.get(what, _FASTER_UNNAMED)), colour="warning")

    @classmethod
    def faster(cls, say: Speech, name: str | None, state: str, time: str) -> Self:
        """Somebody else was faster: who, what and when."""
        if name is None:
            return cls(text=say(_FASTER_UNNAMED), colour="warning")
        known = {"name": name, "state": say.word("fact", state).lower(), "time": time}
        return cls(text=say(_FASTER) % known, colour="warning")
