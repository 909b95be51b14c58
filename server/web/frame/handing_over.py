"""The ISBAR text of a patient, for the page and the API: what was gathered, and who asks, put into words."""

from dataclasses import replace

from server.web.frame.language import Speech
from server.web.frame.rendering import Renderer
from server.web.gathering.around import Around
from server.web.gathering.patients import PatientPage
from server.web.views.handover import Caller, Paused, handover


def isbar(renderer: Renderer, speech: Speech, page: PatientPage, around: Around, caller: Caller) -> str | None:
    """The text in the reader's language by the patient's clock; None where no open alert is high or critical."""
    alerts = [alert for group in page.groups for alert in group.alerts]
    told = handover(page.line, alerts, page.plan, page.charts, page.happenings)
    if told is None:
        return None
    pause = around.pause
    paused = None if pause is None else Paused(reason=pause.reason, until=pause.ends_at)
    whole = replace(told, caller=caller, paused=paused, contacts=tuple(around.contacts))
    return renderer.text("isbar.txt", speech.within(page.timezone), told=whole)
