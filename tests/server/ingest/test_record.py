from datetime import timedelta
from decimal import Decimal

from server.care import kits
from server.care.kits import NewAssignment, NewGateway
from server.db import tables
from tests.server.world import OXIMETER, START, World, an_id, make_world, reading
from vitals.reading import Extreme, Quality
from vitals.topics import Lane, gateway_id, topic
from vitals.wire import Receipt, Rejection, render_reading

LATER = START + timedelta(minutes=5)


def test_a_reading_is_stored_whole(world: World) -> None:
    recorded = world.record(world.reading(values={"spo2": Decimal(93), "pulse": Extreme.HI}, quality=Quality.POOR))
    (row,) = world.rows(tables.reading)
    assert (row["seq"], row["id"], row["gateway_id"]) == (1, an_id(0), world.gateway)
    assert (row["patient_id"], row["unclaimed"], row["evaluation_seq"]) == (world.patient, None, None)
    assert (row["device"], row["quality"], row["clock"], row["received_at"]) == (OXIMETER, "poor", "device", START)
    values = {each["metric"]: each["value"] for each in world.rows(tables.measurement)}
    assert values == {"spo2": Decimal(93), "pulse": Extreme.HI}
    assert recorded.receipts == {world.gateway: Receipt(accepted=(an_id(0),))}
    assert recorded.readings["new"] == 1


def test_the_same_again_is_stored_once_and_receipted_each_time(world: World) -> None:
    again = world.record(world.reading(), world.reading(), world.reading(number=1))
    assert again.receipts[gateway_id(world.gateway)].accepted == (an_id(0), an_id(0), an_id(1))
    assert (again.readings["new"], again.readings["duplicate"]) == (2, 1)
    late = world.record(world.reading(), now=LATER)
    assert late.receipts[gateway_id(world.gateway)].accepted == (an_id(0),)
    assert (late.readings["new"], late.readings["duplicate"], late.due) == (0, 1, 0)
    assert [row["id"] for row in world.rows(tables.reading)] == [an_id(0), an_id(1)]
    assert world.count(tables.measurement) == 4


def test_two_gateways_cannot_take_each_others_ids(world: World) -> None:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    other.record(other.sealed(Lane.READINGS, render_reading(reading())))
    assert world.record(world.reading()).readings["new"] == 1
    assert {(row["gateway_id"], row["patient_id"]) for row in world.rows(tables.reading)} == {
        (world.gateway, world.patient),
        (other.gateway, other.patient),
    }


def test_a_reading_belongs_to_whoever_had_the_device_when_it_was_taken(world: World) -> None:
    with world.database.write() as connection:
        kits.end_assignment(connection, world.assignment, START, START)
    recorded = world.record(world.reading(number=9), world.reading(number=10))
    assert (recorded.readings["new"], recorded.readings["unclaimed"]) == (1, 1)
    claimed = {row["id"]: (row["patient_id"], row["unclaimed"]) for row in world.rows(tables.reading)}
    assert claimed == {an_id(9): (world.patient, None), an_id(10): (None, "not_assigned")}


def test_an_unknown_devices_reading_is_kept_receipted_and_counted(world: World) -> None:
    recorded = world.record(world.reading(device="CC:00:00:00:00:09"))
    (row,) = world.rows(tables.reading)
    assert (row["patient_id"], row["unclaimed"]) == (None, "unknown_device")
    assert recorded.receipts[gateway_id(world.gateway)].accepted == (an_id(0),)
    assert recorded.quarantined == {"unknown_device": 1}
    assert world.count(tables.due) == 0


def test_a_gateway_cannot_speak_for_a_device_of_another_kit(world: World) -> None:
    with world.database.write() as connection:
        key = kits.enrol_gateway(
            connection, world.vault, NewGateway(id="gw-fjordvik-2", municipality=world.municipality), START
        )
    world.record(world.sealed(Lane.READINGS, render_reading(reading()), key=key, gateway="gw-fjordvik-2"))
    (row,) = world.rows(tables.reading)
    assert (row["patient_id"], row["unclaimed"]) == (None, "other_gateway")
    assert world.record(world.reading()).readings["new"] == 1  # the right one is still heard


def test_a_device_assigned_afterwards_claims_what_waited(world: World) -> None:
    stray = "CC:00:00:00:00:09"
    world.record(world.reading(number=1, device=stray), world.reading(number=20, device=stray))
    with world.database.write() as connection:
        device = kits.register_device(connection, world.municipality, stray, "oximeter")
        held = NewAssignment(
            device=device,
            patient=world.patient,
            gateway=world.gateway,
            starts_at=START - timedelta(hours=1),
            ends_at=START,
        )
        kits.assign(connection, held, LATER)
    claimed = {row["id"]: (row["patient_id"], row["unclaimed"]) for row in world.rows(tables.reading)}
    assert claimed == {an_id(1): (world.patient, None), an_id(20): (None, "unknown_device")}
    assert {row["patient_id"] for row in world.rows(tables.measurement)} == {world.patient, None}
    assert [row["evaluate_at"] for row in world.rows(tables.due)] == [LATER]


def test_the_slate_keeps_the_earlier_moment(world: World) -> None:
    for already, expected in ((START - timedelta(hours=1), START - timedelta(hours=1)), (LATER, START)):
        with world.database.write() as connection:
            connection.execute(tables.due.delete())
            row = {"patient_id": world.patient, "municipality_id": world.municipality, "evaluate_at": already}
            connection.execute(tables.due.insert().values(row))
        world.record(world.reading(number=int(already == LATER)), now=START)
        assert [row["evaluate_at"] for row in world.rows(tables.due)] == [expected]


def test_a_refused_message_is_rejected_by_receipt_only_under_the_right_seal(world: World) -> None:
    broken = render_reading(reading(number=1)).replace(b'"spo2"', b'"spo3"')
    recorded = world.record(
        world.sealed(Lane.READINGS, broken),
        world.sealed(Lane.READINGS, render_reading(reading(number=2)), key=b"x" * 32),
        (topic(gateway_id(world.gateway), Lane.READINGS), render_reading(reading(number=3))),
        (topic(gateway_id("gw-stranger"), Lane.READINGS), render_reading(reading(number=4))),
    )
    rejection = Rejection(id=an_id(1), reason="values.spo3: unknown metric")
    assert recorded.receipts == {world.gateway: Receipt(rejected=(rejection,))}
    kinds = {"wrong_field": 1, "foreign_gateway": 1, "unsealed": 1, "unknown_gateway": 1}
    assert recorded.quarantined == kinds
    rows = {row["kind"]: row for row in world.rows(tables.quarantine)}
    assert set(rows) == set(kinds)
    assert {row["municipality_id"] for row in rows.values()} == {world.municipality}  # strangers': the host's
    assert rows["wrong_field"]["payload"].endswith(broken)
    assert rows["wrong_field"]["reason"] == "values.spo3: unknown metric"
    assert {kind: row["gateway"] for kind, row in rows.items()} == dict.fromkeys(kinds, world.gateway) | {
        "unknown_gateway": "gw-stranger"
    }


def test_a_revoked_gateway_is_unknown_at_once(world: World) -> None:
    with world.database.write() as connection:
        kits.revoke_gateway(connection, world.gateway)
    assert world.record(world.reading()).quarantined == {"unknown_gateway": 1}


def test_an_unreadable_frame_is_kept_with_bytes_and_reason_and_receipted(world: World) -> None:
    recorded = world.record(world.frame())
    (row,) = world.rows(tables.quarantine)
    assert (row["kind"], row["device"], row["message_id"]) == ("undecodable_frame", OXIMETER, an_id("frame 0"))
    assert row["reason"] == "Characteristic 2A5E: 1 byte is missing"
    assert b'"frame":"0062"' in row["payload"]
    assert recorded.receipts[gateway_id(world.gateway)].accepted == (an_id("frame 0"),)


def test_the_same_content_twice_is_one_row_with_a_count(world: World) -> None:
    world.record(world.frame(), world.frame())
    world.record(world.frame(), now=LATER)
    (row,) = world.rows(tables.quarantine)
    assert (row["times"], row["first_at"], row["last_at"]) == (3, START, LATER)


def test_a_status_is_remembered_and_a_last_will_keeps_what_it_said(world: World) -> None:
    hello = b'{"online": true, "at": "2026-03-02T07:00:00Z", "spool": 2, "heard": {"AA": "2026-03-02T06:59:00Z"}}'
    world.record(world.sealed(Lane.STATUS, hello))
    world.record(world.sealed(Lane.STATUS, b'{"online": false}'), now=LATER)
    (row,) = world.rows(tables.gateway_status)
    assert (row["online"], row["spool"], row["at"], row["received_at"]) == (False, 2, START, LATER)
    (outage,) = world.rows(tables.gateway_outage)
    assert (outage["starts_at"], outage["ends_at"]) == (LATER, None)
    back = LATER + timedelta(minutes=1)
    world.record(world.sealed(Lane.STATUS, hello), now=back)
    world.record(world.sealed(Lane.STATUS, hello), now=back + timedelta(minutes=1))
    assert [row["ends_at"] for row in world.rows(tables.gateway_outage)] == [back]


def test_what_two_gateways_of_one_patient_hear_counts_once(world: World) -> None:
    with world.database.write() as connection:
        second = NewGateway(id="gw-fjordvik-2", municipality=world.municipality)
        key = kits.enrol_gateway(connection, world.vault, second, START)
        held = NewAssignment(
            device=world.device, patient=world.patient, gateway=second.id, starts_at=START - timedelta(days=1)
        )
        kits.assign(connection, held, START)
    other = world.sealed(Lane.READINGS, render_reading(reading()), key=key, gateway=second.id)
    both = world.record(other, world.reading())
    assert {gateway: receipt.accepted for gateway, receipt in both.receipts.items()} == {
        world.gateway: (an_id(0),),
        second.id: (an_id(0),),
    }
    assert [(row["gateway_id"], row["unclaimed"]) for row in world.rows(tables.reading)] == [
        (second.id, None),
        (world.gateway, "heard_twice"),
    ]
    world.record(world.reading(number=1))
    world.record(world.sealed(Lane.READINGS, render_reading(reading(1)), key=key, gateway=second.id))
    assert [row["unclaimed"] for row in world.rows(tables.reading)] == [None, "heard_twice", None, "heard_twice"]
