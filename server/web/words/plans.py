"""Our words and the reader's about plans, pauses and rulebooks, beside those of `terms`."""

from collections.abc import Mapping

from server.web.words.terms import N_

OUTSIDE: Mapping[str, str] = {
    "nobody": N_("Nobody answers: alerts wait until the service opens"),
    "response_centre_red": N_("The response centre answers high and critical alerts, the rest waits"),
    "full": N_("As in service hours: somebody answers at any time"),
}
PAUSES: Mapping[str, str] = {
    "hospital": N_("In hospital"),
    "holiday": N_("Away on holiday"),
    "other": N_("Another reason"),
}
STEPS: Mapping[str, str] = {
    "proposed": N_("Proposed"),
    "back_tested": N_("Tried on the last 30 days"),
    "returned": N_("Given back, never in force"),
    "approved": N_("Approved by a second person"),
    "activated": N_("Put in force"),
    "measured": N_("Measured: alerts before and after"),
    "kept": N_("Stays"),
    "rolled_back": N_("Rolled back to the limits before"),
    "paused": N_("Paused"),
    "resumed": N_("Pause ended"),
    "ended": N_("Follow-up ended"),
}
PATIENT_FACTS: Mapping[str, str] = {
    "spo2_floor": N_("Prescribed floor of oxygen saturation"),
    "spo2_scale": N_("Oxygen scale of NEWS2"),
    "on_oxygen": N_("Oxygen at home"),
}

TABLES: Mapping[str, Mapping[str, str]] = {
    "outside": OUTSIDE,
    "pause": PAUSES,
    "step": STEPS,
    "patient_fact": PATIENT_FACTS,
}
