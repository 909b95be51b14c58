"""All tables. Every one carries its municipality, so that `access.scope` can hold for every query.

Names and national ids live in `person` alone, encrypted; everything else speaks of opaque ids. Times are aware UTC.
`fact` and `audit` only grow (the database itself refuses to change them). A reading's `seq` is the order of arrival.
"""

from server.db.tables.access import audit as audit
from server.db.tables.access import role_beat as role_beat
from server.db.tables.access import session as session
from server.db.tables.access import token as token
from server.db.tables.home import consent as consent
from server.db.tables.home import kit as kit
from server.db.tables.home import kit_device as kit_device
from server.db.tables.home import message as message
from server.db.tables.home import self_report as self_report
from server.db.tables.home import visit_step as visit_step
from server.db.tables.judging import alert as alert
from server.db.tables.judging import attempt as attempt
from server.db.tables.judging import due as due
from server.db.tables.judging import fact as fact
from server.db.tables.judging import memory as memory
from server.db.tables.judging import note as note
from server.db.tables.judging import outbox as outbox
from server.db.tables.kits import assignment as assignment
from server.db.tables.kits import device as device
from server.db.tables.kits import device_silence as device_silence
from server.db.tables.kits import gateway as gateway
from server.db.tables.kits import gateway_command as gateway_command
from server.db.tables.kits import gateway_outage as gateway_outage
from server.db.tables.kits import gateway_status as gateway_status
from server.db.tables.people import enrolment as enrolment
from server.db.tables.people import municipality as municipality
from server.db.tables.people import patient as patient
from server.db.tables.people import person as person
from server.db.tables.people import plan_version as plan_version
from server.db.tables.people import rulebook_sign_off as rulebook_sign_off
from server.db.tables.people import service_agreement as service_agreement
from server.db.tables.people import staff as staff
from server.db.tables.people import team as team
from server.db.tables.plans import alert_budget as alert_budget
from server.db.tables.plans import contact as contact
from server.db.tables.plans import decision as decision
from server.db.tables.plans import pause as pause
from server.db.tables.plans import plan_proposal as plan_proposal
from server.db.tables.plans import plan_step as plan_step
from server.db.tables.plans import plan_text as plan_text
from server.db.tables.readings import evaluation as evaluation
from server.db.tables.readings import measurement as measurement
from server.db.tables.readings import quarantine as quarantine
from server.db.tables.readings import reading as reading
from server.db.tables.shape import metadata as metadata
from server.db.tables.teams import browser as browser
from server.db.tables.teams import channel as channel
from server.db.tables.teams import delivery as delivery
from server.db.tables.teams import duty as duty
from server.db.tables.teams import handover_note as handover_note
from server.db.tables.teams import routing as routing
