"""The words of a team's pages: duty, channels, hand-over, who was told, how many alerts."""

from collections.abc import Mapping

from server.web.words.terms import N_

POSTS: Mapping[str, str] = {
    "primary": N_("Primary contact"),
    "shift_lead": N_("Shift lead"),
    "backup": N_("Back-up team"),
    "duty_manager": N_("Duty manager"),
    "response_centre": N_("Response centre"),
    "owner": N_("Whoever has the alert"),
    "patient": N_("The patient"),
}
WAYS: Mapping[str, str] = {
    "text": N_("Text message"),
    "mail": N_("Mail"),
    "log": N_("The log"),
    "push": N_("Notice in the browser"),
    "?": N_("Unknown channel"),
}
OUTCOMES_OF_TRIES: Mapping[str, str] = {
    "sent": N_("sent"),
    "failed": N_("not taken"),
    "unknown": N_("interrupted: may have been sent twice"),
    "silent": N_("no word that it was delivered, so the next channel is used"),
}
DELIVERIES: Mapping[str, str] = {
    "waiting": N_("Being tried"),
    "sent": N_("Sent"),
    "delivered": N_("Delivered"),
    "read": N_("Read"),
    "accepted": N_("Accepted"),
    "refused": N_("Refused"),
    "failed": N_("Given up"),
    "unneeded": N_("No longer needed: somebody has the alert"),
}
PAUSED_FOR: Mapping[str, str] = {
    "hospital": N_("in hospital"),
    "holiday": N_("away"),
    "other": N_("other reason"),
}
ROUTED_FOR: Mapping[str, str] = {
    "escalated": N_("told of an alert"),
    "handed_over": N_("handed over"),
}
# What is wrong with a field of a team's forms, by the words of `server.care`.
WRONG: Mapping[str, str] = {
    "not_ours": N_("Choose somebody from the list."),
    "not_theirs": N_("That team neither follows nor answers for this patient."),
    "unknown": N_("Choose one from the list."),
    "before_start": N_("The shift must end after it begins."),
    "too_long": N_("That is too long."),
    "too_far": N_("Choose a day from last week to next year."),
    "there_already": N_("This person already has this duty then."),
    "no_day": N_("Write a date, such as 2026-11-30."),
    "no_time": N_("Write a time, such as 07:30."),
    "no_telephone": N_("Write a telephone number, such as +47 999 99 999."),
    "no_mailbox": N_("Write an address such as name@example.com."),
    "too_many": N_("Five channels are enough. Remove one first."),
    "no_hours": N_("Write a whole number from 1 to 24."),
    "empty": N_("Write what the next shift needs to know."),
}

TABLES: Mapping[str, Mapping[str, str]] = {
    "post": POSTS,
    "way": WAYS,
    "try": OUTCOMES_OF_TRIES,
    "delivery": DELIVERIES,
    "paused_for": PAUSED_FOR,
    "routed_for": ROUTED_FOR,
    "wrong": WRONG,
}
