"""Our words and the reader's: every term of the house that a page can show, in English, for the catalogues.

Texts that reach a template as a variable would not be found by the gatherer: they stand here, marked with `N_`.
"""

from collections.abc import Mapping


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Mark `text` for the catalogues; it is translated where it is shown."""
    return text


METRICS: Mapping[str, str] = {
    "spo2": N_("Oxygen saturation"),
    "pulse": N_("Pulse"),
    "respiration": N_("Respiration rate"),
    "systolic": N_("Systolic blood pressure"),
    "diastolic": N_("Diastolic blood pressure"),
    "mean_pressure": N_("Mean blood pressure"),
    "temperature": N_("Temperature"),
    "weight": N_("Weight"),
    "glucose": N_("Blood glucose"),
    "fev1": N_("FEV1"),
    "pef": N_("Peak flow"),
    "oxygen_flow": N_("Oxygen flow"),
    "consciousness": N_("Consciousness"),
    "cat": N_("COPD Assessment Test (CAT)"),
    "symptom_red": N_("Serious symptom"),
    "symptom_yellow": N_("Symptom to follow"),
    "body_fat": N_("Body fat"),
    "steps": N_("Steps"),
}

# Metrics that are an answer and not a number: what 0 and 1 mean.
ANSWERS: Mapping[str, tuple[str, str]] = {
    "consciousness": (N_("alert"), N_("new confusion or reduced")),
    "symptom_red": (N_("no"), N_("yes")),
    "symptom_yellow": (N_("no"), N_("yes")),
}
EXTREMES: Mapping[str, str] = {"LO": N_("too low to measure"), "HI": N_("too high to measure")}

# UCUM to what stands on the instrument.
UNITS: Mapping[str, str] = {
    "%": "%",
    "/min": "/min",
    "mm[Hg]": "mmHg",
    "Cel": "°C",
    "1": "",
    "{score}": "",
    "{steps}": "",
}

# What a NEWS2 score is made of.
PARAMETERS: Mapping[str, str] = {
    **{name: METRICS[name] for name in ("respiration", "spo2", "systolic", "pulse", "consciousness", "temperature")},
    "oxygen": N_("Air or oxygen"),
}

RULES: Mapping[str, str] = {
    "spo2_low": N_("Low oxygen saturation"),
    "spo2_drop": N_("Oxygen saturation below own normal"),
    "spo2_unstable": N_("Unsteady oxygen saturation"),
    "pulse_high": N_("High pulse"),
    "pulse_low": N_("Low pulse"),
    "respiration_high": N_("Fast breathing"),
    "temperature_high": N_("High temperature"),
    "temperature_rise": N_("Temperature above own normal"),
    "fever": N_("Fever"),
    "systolic_low": N_("Low blood pressure"),
    "systolic_high": N_("High blood pressure"),
    "bp_mean_high": N_("High mean of blood pressure"),
    "bp_crisis": N_("Very high blood pressure"),
    "glucose_low": N_("Low blood glucose"),
    "glucose_high": N_("High blood glucose"),
    "weight_gain_3d": N_("Weight gain in three days"),
    "weight_gain_7d": N_("Weight gain in a week"),
    "weight_trend": N_("Rising weight"),
    "weight_loss": N_("Weight loss"),
    "weight_loss_1m": N_("Weight loss in a month"),
    "weight_loss_6m": N_("Weight loss in half a year"),
    "gain_with_symptoms": N_("Weight gain with symptoms"),
    "symptom_red": N_("Serious symptom reported"),
    "symptom_yellow": N_("Symptom reported"),
    "cat_rise": N_("More COPD symptoms"),
    "news2": N_("High NEWS2 score"),
    "missing_spo2": N_("Oxygen measurement missing"),
    "missing_weight": N_("Weight measurement missing"),
    "missing_pressure": N_("Blood pressure measurement missing"),
    "missing_glucose": N_("Glucose measurement missing"),
    "quarantined": N_("Unlikely value to check"),
}

RULEBOOKS: Mapping[str, str] = {
    "covid19": N_("Covid-19 at home"),
    "copd": N_("COPD"),
    "heart_failure": N_("Heart failure"),
    "hypertension": N_("High blood pressure"),
    "diabetes": N_("Diabetes"),
    "cancer": N_("Chemotherapy at home"),
    "nutrition": N_("Undernutrition"),
    "frail": N_("Frail, infection watch"),
    "palliative": N_("Palliative care"),
}

PRIORITIES: Mapping[str, str] = {
    "critical": N_("Critical"),
    "high": N_("High"),
    "medium": N_("Medium"),
    "low": N_("Low"),
}
ZONES: Mapping[str, str] = {
    "red": N_("Red"),
    "yellow": N_("Yellow"),
    "blue": N_("Technical"),
    "unknown": N_("Unknown"),
    "green": N_("Green"),
}
ZONE_MEANINGS: Mapping[str, str] = {
    "red": N_("Needs a person now"),
    "yellow": N_("Needs a look today"),
    "blue": N_("A measurement or a device is missing"),
    "unknown": N_("Not enough measurements to say"),
    "green": N_("Everything inside own limits"),
}
# How fast an alert gets worse, by its number; nothing is said of what does not.
PACES: Mapping[str, str] = {
    "1": N_("Getting worse"),
    "2": N_("Getting worse fast"),
}
# What can be chosen on the worklist: whose turn it is, and what an alert is about.
TURNS: Mapping[str, str] = {
    "waiting": N_("Waits for somebody"),
    "taken": N_("Somebody has seen to it"),
}
ABOUT: Mapping[str, str] = {
    "value": N_("A measured value"),
    "symptom": N_("A symptom"),
    "missing": N_("A missing measurement"),
    "unlikely": N_("An unlikely value"),
}
STATES: Mapping[str, str] = {
    "pending": N_("Waits for a second measurement"),
    "active": N_("Nobody has it yet"),
    "acknowledged": N_("Acknowledged"),
    "cleared": N_("Over, not closed"),
    "resolved": N_("Closed"),
    "withdrawn": N_("Withdrawn"),
}
OUTCOMES: Mapping[str, str] = {
    "actionable": N_("Acted on: visit, call or treatment"),
    "watch": N_("Keeping an eye on it"),
    "no_action": N_("Assessed, nothing needed"),
    "self_resolved": N_("The patient handled it"),
    "data_error": N_("Wrong measurement"),
    "duplicate": N_("Same matter as another alert"),
}
MISTAKES: Mapping[str, str] = {
    "wrong_person": N_("Somebody else was measured"),
    "mistake": N_("The measuring went wrong"),
}
FACTS: Mapping[str, str] = {
    "pending": N_("A second measurement is waited for"),
    "withdrawn": N_("A second measurement was normal"),
    "raised": N_("Alert raised"),
    "returned": N_("Alert came back"),
    "worsened": N_("Became worse"),
    "priority": N_("Priority changed"),
    "evidence": N_("Another measurement beyond the limit"),
    "over": N_("Back inside the limits"),
    "resolved": N_("Alert closed"),
    "acknowledged": N_("Acknowledged"),
    "taken_over": N_("Taken over"),
    "released": N_("Given back"),
    "snoozed": N_("Put off"),
    "dispatched": N_("Home team asked"),
    "dispatch_accepted": N_("Home team on its way"),
    "dispatch_refused": N_("Home team could not come"),
    "invalidated": N_("Measurement taken out"),
    "accepted": N_("Unlikely value believed"),
    "notice": N_("Told"),
    "incident": N_("Incident report drafted"),
    "advice": N_("Advice given to the patient"),
    "zone": N_("Zone changed"),
}
RECIPIENTS: Mapping[str, str] = {
    "patient": N_("the patient"),
    "primary": N_("primary contact"),
    "owner": N_("whoever has it"),
    "shift_lead": N_("shift lead"),
    "backup": N_("back-up team"),
    "duty_manager": N_("duty manager"),
    "response_centre": N_("response centre"),
}
CAUSES: Mapping[str, str] = {
    "gateway": N_("The gateway had no contact in that time, so the patient may well have measured."),
    "device": N_("The device has not been heard."),
    "patient": N_("Gateway and device had contact."),
}
DEVICES: Mapping[str, str] = {
    "oximeter": N_("Pulse oximeter"),
    "scale": N_("Scale"),
    "blood_pressure": N_("Blood pressure meter"),
    "thermometer": N_("Thermometer"),
    "glucose": N_("Glucose meter"),
    # As gateways and their settings name the kinds.
    "cuff": N_("Blood pressure meter"),
    "glucometer": N_("Glucose meter"),
    "body_scale": N_("Scale"),
    "mi_scale": N_("Scale"),
    "pulse_belt": N_("Heart rate belt"),
}
ROLES: Mapping[str, str] = {
    "nurse": N_("Nurse"),
    "coordinator": N_("Coordinator"),
    "clinician": N_("Clinician"),
    "technician": N_("Technician"),
    "patient": N_("Patient"),
    "kin": N_("Next of kin"),
    "system": N_("The system"),
}
QUARANTINE_KINDS: Mapping[str, str] = {
    "undecodable_frame": N_("A device sent bytes that could not be read"),
    "wrong_field": N_("A message had a field that cannot be right"),
    "future_time": N_("A measurement claims to be from the future"),
    "unsealed": N_("A message carried no seal"),
    "foreign_gateway": N_("A message was not sealed by the gateway it claims to come from"),
    "unknown_gateway": N_("A gateway spoke that is not enrolled here"),
    "wrong_topic": N_("A message came on a topic that does not exist"),
    "server_fault": N_("The server failed on this message; the gateway sends it again"),
}
UNCLAIMED: Mapping[str, str] = {
    "unknown_device": N_("No such device is registered"),
    "not_assigned": N_("The device belonged to nobody at that time"),
    "other_gateway": N_("The reading came through another gateway than the patient's"),
}
# Of a proposal of limits: what held one where it is, and why none is proposed.
HELD_BY: Mapping[str, str] = {
    "tightest": N_("the bound towards normal holds it here."),
    "loosest": N_("the bound away from normal holds it here."),
    "next_band": N_("the more urgent limit comes next."),
    "floor": N_("the prescribed floor holds it here."),
}
BOUNDS: Mapping[str, str] = {
    "spo2_below": N_("Three below own normal, as for covid and COPD. 95 is where NEWS2 gives its first point."),
    "pulse_above": N_("NEWS2: one point from 91 to 110, two from 111."),
    "pulse_below": N_("NEWS2: one point from 50 to 41, three from 40."),
    "systolic_below": N_("NEWS2: one point from 110, two from 100, three from 90."),
    "systolic_above": N_("An assumption of this project. Published programmes for heart failure alert from 160."),
    "temperature_above": N_("IDSA 2008, nursing homes: more than 1.1 over own normal, or more than 37.8."),
    "respiration_above": N_("NEWS2: two points from 21."),
}
KEPT: Mapping[str, str] = {
    "not_known": N_("too few good readings to know own normal yet."),
    "individual": N_("it is individual already."),
    "follows": N_("it follows own normal by itself."),
    "needs_floor": N_("own normal lies close to the limit; a lower one needs a prescribed floor."),
    "not_looser": N_("it would have to allow more than the limit in force, and that is not proposed."),
    "fits": N_("the limit in force fits own normal."),
}
FLAGS: Mapping[str, str] = {
    "device_time_not_trusted": N_("the device's clock could not be trusted"),
    "motion": N_("movement while measuring"),
    "low_perfusion": N_("weak signal"),
    "probe_off": N_("the probe was off"),
}

COMMANDS: Mapping[str, str] = {
    "pairing_window": N_("Open for a new device"),
    "measure_again": N_("Ask for a new measurement"),
    "configuration": N_("Send the list of devices"),
}
ANSWERS_OF_GATEWAYS: Mapping[str, str] = {
    "waiting": N_("Waits for the gateway"),
    "obeyed": N_("Done"),
    "expired": N_("Came too late"),
    "unanswered": N_("No answer from the gateway"),
    "refused": N_("The gateway refused"),
}
BONDS: Mapping[str, str] = {
    "bonded": N_("Paired"),
    "lost": N_("The pairing is lost: the device must be paired again"),
    "refused": N_("The device refuses to be paired"),
}

SILENT = {
    "database": N_("Nothing can be saved: the database refuses."),
    "disk": N_("Soon nothing can be saved: the disk is nearly full."),
    "watch": N_("The rules are not running."),
    "ingest": N_("New readings do not come in: the part that receives them has stopped."),
    "notify": N_("Notices are not sent: the part that sends them has stopped."),
    "web": N_("Some of Varde's pages have stopped."),
    "broker": N_("New readings do not come in: the connection to the message broker is lost."),
    "outbox": N_("Notices wait and are not sent."),
    "channel": N_("Notices are sent and do not arrive."),
    "lookout": N_("Nobody watches whether all parts of Varde are running."),
}

TABLES: Mapping[str, Mapping[str, str]] = {
    "metric": METRICS,
    "parameter": PARAMETERS,
    "rule": RULES,
    "rulebook": RULEBOOKS,
    "priority": PRIORITIES,
    "zone": ZONES,
    "zone_meaning": ZONE_MEANINGS,
    "state": STATES,
    "pace": PACES,
    "turn": TURNS,
    "about": ABOUT,
    "outcome": OUTCOMES,
    "fact": FACTS,
    "mistake": MISTAKES,
    "recipient": RECIPIENTS,
    "cause": CAUSES,
    "device": DEVICES,
    "role": ROLES,
    "quarantine": QUARANTINE_KINDS,
    "unclaimed": UNCLAIMED,
    "flag": FLAGS,
    "held_by": HELD_BY,
    "bound": BOUNDS,
    "kept": KEPT,
    "silent": SILENT,
    "command": COMMANDS,
    "answer": ANSWERS_OF_GATEWAYS,
    "bond": BONDS,
}
