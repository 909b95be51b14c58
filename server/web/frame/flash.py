"""One sentence to the reader about what the last click did."""

from dataclasses import dataclass
from typing import Self

from server.web.frame.language import Speech
from server.web.words.terms import N_

_DONE = {
    "acknowledged": N_("You have acknowledged the alert. It stays with you until it is closed."),
    "resolved": N_("The alert is closed."),
    "taken_over": N_("You have taken over the alert. It stays with you until it is closed."),
    "released": N_("The alert is given back. Nobody has it now."),
    "snoozed": N_("The alert is put off."),
    "dispatched": N_("Noted that the home team has been asked. Say here what they answer."),
    "dispatch_accepted": N_("Noted that the home team is coming."),
    "dispatch_refused": N_("Noted that the home team cannot come. The alert is still yours."),
    "reviewed": N_("All of them are acknowledged. They can read that you have looked."),
    "reviewed_some": N_("Acknowledged, but not for whoever has measured since you looked or is no longer green."),
    "invalidated": N_("The measurement is taken out, and everything was judged again without it."),
    "asked_gateway": N_("The gateway has been asked. Its answer comes within a minute if it has contact."),
    "measured": N_("Thank you. The measurement is received."),
    "answered": N_("Thank you. The answers are received."),
    "sent_before": N_("This form was received already. Nothing was added."),
    "message_sent": N_("The message is sent."),
    "enrolled": N_("The patient is enrolled. What is left to do stands below."),
    "step_noted": N_("Noted."),
    "kit_handed_out": N_("The kit is handed out. What it measures from now on is the patient's."),
    "kit_taken_back": N_("The kit is taken back. What it measures from now on is nobody's."),
    "kit_made": N_("The kit is put together. Print its sticker."),
    "shared": N_("Noted. It holds from now on."),
    "plan_proposed": N_("The proposal is kept with its back-test. It is not in force: another person must approve it."),
    "plan_approved": N_("The plan is in force from now on."),
    "plan_returned": N_("The proposal is given back. The plan in force is unchanged."),
    "plan_kept": N_("Noted that the change stays."),
    "plan_rolled_back": N_("The limits before the change are in force again."),
    "noted": N_("The note is kept."),
    "paused": N_("The pause is set. No new alerts are raised while it lasts."),
    "resumed": N_("The pause is over. New measurements are judged again."),
    "signed": N_("The rulebook is signed for this municipality, in your name and with today's date."),
    "budget_set": N_("The alert budget is set."),
    "follow_up_saved": N_("Saved."),
    "accepted": N_("The value counts now, and everything was judged again with it."),
}
_TEAM = {
    "left": N_("The note is left. It stays here until somebody has taken it."),
    "taken_note": N_("You go on from this note."),
    "on_roster": N_("The shift is on the roster."),
    "off_roster": N_("The shift is off the roster."),
    "copied_week": N_("The week before is copied. Look it through."),
    "nothing_to_copy": N_("There was nothing to copy."),
    "channel_added": N_("The channel is added, as the last one that is tried."),
    "channel_removed": N_("The channel is removed."),
    "unread_set": N_("Noted. It holds from now on."),
    "browser_on": N_("Notices are on in this browser. Send a trial to see one."),
    "browser_off": N_("Switched off."),
    "browser_tried": N_("The trial is sent. It should be here within a few seconds."),
}
_NOT_DONE = {
    "until": N_("An alert can be put off for 12 hours at most. Nothing was changed: choose another time."),
    "no_outcome": N_("Say what came of it. Nothing was changed: choose one."),
    "no_time": N_("No time of day was given. Nothing was changed: choose again."),
    "passkey": N_("The number on the device has at most six digits. Nothing was asked: type it again."),
    "device": N_("The device does not belong to this gateway now. Nothing was asked."),
    "devices": N_("No device belongs to this gateway now. Nothing was sent."),
    "browser_unknown": N_("This browser could not be switched on: its address is none that Varde may write to."),
    "too_many_browsers": N_("Five browsers are enough. Switch one off first."),
    "push_is_off": N_("Notices in browsers are not set up here. Nothing was changed."),
    "no_browser": N_("No browser is switched on. Nothing was sent."),
    "browser_not_reached": N_("No push service took the trial. Switch the browser off and on again, or try later."),
    "note": N_("A note needs a text of at most 2,000 characters. Nothing was kept."),
    "green": N_("Nothing was sent that could be acknowledged. Nothing was changed: load the page again."),
    "reading": N_("Somebody has already decided about this measurement. Nothing was changed by your click."),
}
_PLAN_NOT_DONE = {
    "plan_second_person": N_("You proposed this plan yourself. Another person must approve it. Nothing was changed."),
    "plan_rulebook": N_(
        "Nobody has signed this rulebook, as it is now, for the municipality. Nothing was changed: "
        "a coordinator or clinician must sign it first."
    ),
    "plan_outside": N_(
        "Say what happens outside service hours, the same as the plan says. Nothing was changed: choose again."
    ),
    "plan_facts": N_("The rulebook needs a fact about the patient that nobody has stated. Nothing was changed."),
    "plan_rules": N_("The plan has a limit that is neither the rulebook's nor individual. Nothing was changed."),
    "plan_approved_by": N_("Only somebody whom the municipality employs can approve a plan. Nothing was changed."),
    "plan_open": N_("Another proposal for this patient waits already. Nothing was changed: decide on that one first."),
    "plan_base": N_("The plan in force has changed since the proposal was made. Look at it and propose again."),
    "plan_decided": N_("Somebody has decided already. Nothing was changed by your click."),
    "plan_said": N_("Say why. Nothing was changed."),
    "plan_early": N_("A change is measured after 30 days. Nothing was changed."),
    "plan_first": N_("This is the first plan: there is none to go back to. Nothing was changed."),
    "plan_reason": N_("Above the team's alert budget: say why this patient needs it. Nothing was changed."),
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
        words = _DONE | _TEAM
        return cls(text=say(words[what]), colour="success") if what in words else None

    @classmethod
    def not_done(cls, say: Speech, what: str) -> Self:
        """Why nothing was done; a reason without words of its own is that something has changed."""
        return cls(text=say((_NOT_DONE | _PLAN_NOT_DONE).get(what, _FASTER_UNNAMED)), colour="warning")

    @classmethod
    def faster(cls, say: Speech, name: str | None, state: str, time: str) -> Self:
        """Somebody else was faster: who, what and when."""
        if name is None:
            return cls(text=say(_FASTER_UNNAMED), colour="warning")
        known = {"name": name, "state": say.word("fact", state).lower(), "time": time}
        return cls(text=say(_FASTER) % known, colour="warning")
