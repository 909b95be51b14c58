"""The words of patients' own pages and of the home visit, beside those of `terms`."""

from collections.abc import Mapping

from server.web.words.terms import N_

QUESTIONS: Mapping[str, str] = {
    "cannot_finish_sentence": N_("Are you too short of breath to finish a sentence?"),
    "blue_lips": N_("Are your lips or fingertips blue?"),
    "chest_pain": N_("Do you have pain or pressure in the chest?"),
    "confused": N_("Are you, or do others find you, confused?"),
    "breathless_at_rest": N_("Are you short of breath when you sit still?"),
    "fainted": N_("Have you fainted, or nearly fainted?"),
    "paralysis_or_speech": N_("Has an arm, a leg or your face gone weak, or is it hard to speak?"),
    "severe_headache": N_("Do you have a very bad headache, or trouble seeing?"),
    "very_drowsy": N_("Are you so drowsy that it is hard to stay awake?"),
    "vomiting": N_("Do you vomit so that you keep no food or drink down?"),
    "shivering": N_("Have you had shivering fits?"),
    "bleeding": N_("Do you have a bleeding that does not stop?"),
    "pain_not_helped": N_("Do you have pain that the medicines do not help against?"),
    "worse_than_yesterday": N_("Do you feel worse than yesterday?"),
    "swollen_legs": N_("Are your feet or legs more swollen than usual?"),
    "more_breathless": N_("Are you more short of breath than usual?"),
    "more_pillows": N_("Do you need more pillows than usual to breathe at night?"),
    "more_phlegm": N_("Do you cough up more phlegm than usual, or of another colour?"),
    "more_pain": N_("Do you have more pain than usual?"),
    "nausea": N_("Are you troubled by nausea?"),
    "anxious": N_("Are you anxious or restless?"),
}
# What the patient's own page says where the plan has no text of its own.
ZONE_TEXTS: Mapping[str, str] = {
    "green": N_("Your measurements are as they usually are. Go on as agreed."),
    "yellow": N_("Something has changed. Rest a little and measure again. The team sees it and will contact you."),
    "red": N_("You need help now. Call the number below. If you are very ill, call 113."),
    "blue": N_("A measurement is missing, or an instrument is silent. Look at today's tasks below."),
    "unknown": N_("There are not enough measurements to say how you are. Look at today's tasks below."),
}
OWN_ZONES: Mapping[str, str] = {
    "green": N_("Green zone"),
    "yellow": N_("Yellow zone"),
    "red": N_("Red zone"),
    "blue": N_("Something is missing"),
    "unknown": N_("We do not know yet"),
}
TASK_STATES: Mapping[str, str] = {
    "done": N_("Done"),
    "now": N_("Do it now"),
    "later": N_("Later today"),
    "missed": N_("Not done"),
}
SHARES: Mapping[str, str] = {
    "zone": N_("See my zone and whom to call"),
    "values": N_("See my measurements"),
    "messages": N_("Read and write messages"),
    "report": N_("Measure and answer on my behalf"),
}
LOOKS: Mapping[str, str] = {
    "see_worklist": N_("Saw you in the list of those who need something"),
    "see_patient": N_("Opened your page"),
    "see_alerts": N_("Saw your alerts"),
    "see_readings": N_("Saw your measurements"),
    "see_quarantine": N_("Looked at a doubtful measurement"),
    "see_kits": N_("Looked at your equipment"),
    "command_kit": N_("Asked something of your equipment"),
    "change_kits": N_("Changed your equipment"),
    "see_messages": N_("Read messages"),
    "write_message": N_("Wrote a message"),
    "write_note": N_("Wrote a note about you"),
    "share_for": N_("Noted what you share, on your word"),
    "share_own": N_("Changed what you share"),
    "visit_home": N_("Noted something from a home visit"),
    "see_own_zone": N_("Opened your own page"),
    "see_own_values": N_("Saw your measurements"),
    "report_own": N_("Measured or answered on your behalf"),
    "see_own_messages": N_("Read messages"),
    "write_own_message": N_("Wrote a message"),
    "acknowledge": N_("Took on an alert about you"),
    "take_over": N_("Took over an alert about you"),
    "release": N_("Gave back an alert about you"),
    "resolve": N_("Closed an alert about you"),
    "snooze": N_("Put off an alert about you"),
    "dispatch": N_("Asked the home team to come to you"),
    "dispatch_accept": N_("Noted that the home team is coming"),
    "dispatch_refuse": N_("Noted that the home team cannot come"),
    "invalidate": N_("Took out a measurement"),
    "accept": N_("Confirmed a measurement"),
    "change_plan": N_("Worked on your plan"),
    "approve_plan": N_("Put a plan in force"),
    "pause": N_("Paused the follow-up, or ended a pause"),
    "change_patient": N_("Changed what is noted about you"),
    "hand_over": N_("Handed over to another shift or team"),
}
STEPS: Mapping[str, str] = {
    "decision": N_("The decision (vedtak) is noted, with what it replaces"),
    "kit": N_("The kit is handed out"),
    "paired": N_("The instruments are paired with the gateway"),
    "first_measurement": N_("The first measurement has arrived, seen together with the patient"),
    "plan": N_("The plan is in force, and its texts are read together"),
    "own_page": N_("The patient has tried the pages"),
    "numbers": N_("The patient knows whom to call, and that this is no emergency service"),
    "kin": N_("Asked whether somebody close may follow along"),
}
TABLES: Mapping[str, Mapping[str, str]] = {
    "question": QUESTIONS,
    "zone_text": ZONE_TEXTS,
    "own_zone": OWN_ZONES,
    "task": TASK_STATES,
    "share": SHARES,
    "look": LOOKS,
    "visit_step": STEPS,
}
