"""A reading's way from a device's bytes to the page, in a running demo; and what becomes of what cannot be used."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect, sync_playwright

from device_sims import control
from tests.browser.conftest import ARGUMENTS, CHROMIUM, WAYS, Way
from tests.journeys.running import EFFECT_S, Browser, Demo, wait_for
from vitals.clock import SystemClock
from vitals.seal import seal

_OTHERS_KEY = bytes(32)
# Devices of the homes that have other kinds than oximeters and scales.
CUFF, THERMOMETER, MI_SCALE = "02:56:41:17:00:01", "02:56:41:17:00:02", "C2:56:41:17:00:03"
GLUCOMETER, BODY_SCALE = "02:56:41:18:00:01", "02:56:41:18:00:02"
WELL = "C2:56:41:10:00:03"  # the oximeter of somebody who is well
# What comes of an alert, one for each way of meeting a page.
OUTCOMES = (
    "Fulgt opp: besøk, samtale eller behandling",
    "Følges videre",
    "Vurdert, ikke behov for tiltak",
    "Pasienten ordnet det selv",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def _sent(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def _topic(gateway: str) -> str:
    return f"varde/v1/{gateway}/readings"


def _body(demo: Demo, **changed: Any) -> bytes:
    """A reading as a gateway writes it, of the first oximeter that scripts speak for."""
    fields = {
        "id": str(uuid4()),
        "device": demo.device("oximeter")["address"],
        "taken_at": demo.now().isoformat(),
        "clock": "gateway",
        "values": {"spo2": 97, "pulse": 71},
        "quality": "good",
    }
    return json.dumps({**fields, **changed}).encode()


def test_it_is_ready_soon_and_says_so_in_a_line_of_its_own(demo: Demo) -> None:
    assert demo.lines.count(f"ready: http://127.0.0.1:{demo.port}") == 1
    print(f"\nready after {demo.ready_after_s:.1f} s")
    assert demo.ready_after_s < 90


def test_an_alert_from_a_reading_over_gatt_is_on_the_list_and_says_why(demo: Demo) -> None:
    (alert, *_) = wait_for(lambda: demo.alerts(rule="spo2_low"), "an alert raised over GATT", 60)
    why = alert["why"]
    assert alert["state"] == "active"
    assert (why["rule"], why["metric"], why["side"], why["rulebook"]) == ("spo2_low", "spo2", "below", "covid19")
    assert isinstance(why["value"], int)
    assert why["value"] <= why["limit"] < why["quiet_at"]
    assert why["device"] in {"02:56:41:10:00:01", "02:56:41:11:00:01"}
    times = [datetime.fromisoformat(why[name]) for name in ("taken_at", "received_at", "evaluated_at")]
    assert times == sorted(times)
    assert all(each.tzinfo for each in times)
    assert times[0] > demo.now() - timedelta(hours=12)
    reading = next(each for each in demo.readings(device=why["device"]) if each["id"] == why["reading_id"])
    assert reading["values"]["spo2"] == why["value"]


def test_the_worklist_shows_the_alert_with_name_and_value(demo: Demo) -> None:
    wait_for(lambda: demo.alerts(rule="spo2_low"), "an alert raised over GATT", 60)
    page = Browser(demo.url).log_in("Anna Solbakk").get("/")
    assert "Kari Nordheim" in page or "Leif Skoglund" in page


def test_a_frame_made_up_on_the_spot_becomes_an_alert_with_exactly_its_value(demo: Demo) -> None:
    device = demo.device("oximeter")
    assert device["address"] in _sent(demo.simulate(device["address"], "0053004800"))
    (alert,) = wait_for(lambda: demo.alerts(patient=device["patient"], rule="spo2_low"), "the alert of 83 %")
    assert alert["why"]["value"] == 83
    assert alert["why"]["device"] == device["address"]
    assert alert["priority"] == "high"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run
def test_an_open_worklist_shows_a_new_alert_without_a_reload(demo: Demo, chromium: Chromium) -> None:
    device = demo.device("oximeter", 1)
    page = chromium.new_page(locale="nb-NO")
    page.goto(f"{demo.url}/login")
    page.get_by_role("button", name="Anna Solbakk").click()
    page.wait_for_url(f"{demo.url}/")
    expect(page.locator("#live")).to_be_visible()
    expect(page.locator("#live")).not_to_contain_text("Peder Raudberg")
    page.evaluate("window.before = 'still here'")
    _sent(demo.simulate(device["address"], "0051004800"))
    expect(page.locator("#live")).to_contain_text("Peder Raudberg", timeout=EFFECT_S * 1000)
    expect(page.locator("#live")).to_contain_text("81")
    assert page.evaluate("window.before") == "still here"
    page.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("address", ["file"], indirect=True)
def test_a_red_alert_goes_from_the_radio_to_closed_with_its_outcome(demo: Demo, chromium: Chromium, way: Way) -> None:
    value, outcome = 81 + way.place, OUTCOMES[way.place]
    width, height = way.size
    page = chromium.new_page(
        viewport={"width": width, "height": height},
        java_script_enabled=way.script,
        locale="nb-NO",
        base_url=demo.url,
    )
    page.goto("/login")
    page.get_by_role("button", name="Anna Solbakk").click()
    for spo2 in (97, 97, value):  # the first two end what was before
        control.send(demo.data, control.Send(address=WELL, frame=bytes((0, spo2, 0, 72, 0))))
    (alert,) = wait_for(
        lambda: [each for each in demo.alerts(rule="spo2_low") if each["why"]["device"] == WELL],
        f"the alert of {value} %",
    )
    assert (alert["why"]["value"], alert["priority"]) == (value, "high")
    if not way.script:
        page.goto("/")
    shown = page.locator(f"#alert-{alert['id']}")
    expect(shown).to_contain_text(f"Oksygenmetning {value}", timeout=EFFECT_S * 1000)
    shown.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(shown).to_contain_text("Anna Solbakk har det")
    shown.locator(".close:not(.more) summary").click()
    shown.get_by_label(outcome).check()
    shown.get_by_role("button", name=re.compile("^Lukk (varselet|alle)")).click()
    expect(page.locator("#flash")).to_contain_text("lukket")
    expect(shown).to_have_count(0)
    assert demo.api(f"alerts/{alert['id']}")["state"] == "resolved"
    page.goto(f"/patients/{alert['patient']}")
    expect(page.locator("main")).to_contain_text(outcome)
    page.close()


def test_a_truncated_frame_is_kept_and_explained(demo: Demo) -> None:
    device = demo.device("oximeter", 1)
    before = demo.counted("varde_quarantine_total", kind="undecodable_frame")
    _sent(demo.simulate(device["address"], "005300"))
    (kept, *_) = wait_for(
        lambda: demo.quarantine(kind="undecodable_frame", device=device["address"]), "the frame in quarantine"
    )
    assert "2A5E" in kept["reason"]
    assert "truncated" in kept["reason"]
    assert "pulse" in kept["reason"]
    wait_for(lambda: demo.counted("varde_quarantine_total", kind="undecodable_frame") > before, "it is counted")
    page = Browser(demo.url).log_in("Tore Lindås").get("/quarantine")
    assert kept["reason"] in page
    assert "005300" in page


def test_the_same_bytes_measured_three_times_are_three_readings(demo: Demo) -> None:
    device = demo.device("oximeter", 1)
    for _ in range(3):
        _sent(demo.simulate(device["address"], "0061004A00"))
    _sent(demo.simulate(device["address"], "0061004900"))
    wait_for(lambda: _with_pulse(demo, device["address"], 73), "the reading after them")
    assert len(_with_pulse(demo, device["address"], 74)) == 3


def test_the_same_bytes_sent_again_after_a_cut_link_are_one_reading(demo: Demo) -> None:
    device = demo.device("oximeter", 1)
    said = _sent(demo.simulate(device["address"], "0061004B00", "--cut"))
    assert "sent 2 times" in said
    _sent(demo.simulate(device["address"], "0061004C00"))
    wait_for(lambda: _with_pulse(demo, device["address"], 76), "the reading after it")
    assert len(_with_pulse(demo, device["address"], 75)) == 1


def _with_pulse(demo: Demo, address: str, pulse: int) -> list[dict[str, Any]]:
    return [each for each in demo.readings(device=address) if each["values"].get("pulse") == pulse]


def test_a_scale_can_be_spoken_for_too(demo: Demo) -> None:
    device = demo.device("scale")
    _sent(demo.simulate(device["address"], "00b036"))  # 14,000 steps of 5 g
    readings = wait_for(lambda: demo.readings(device=device["address"]), "the weight")
    assert readings[0]["values"] == {"weight": 70}
    assert readings[0]["patient"] == device["patient"]


def test_a_reading_of_a_script_reaches_its_patient(demo: Demo) -> None:
    mqtt, device = demo.handover["mqtt"], demo.device("oximeter")
    where = _topic(mqtt["gateway"])
    body = _body(demo, values={"spo2": 96, "pulse": 61})
    demo.publish(where, seal(bytes.fromhex(mqtt["key"]), where, body))
    (reading,) = wait_for(lambda: _with_pulse(demo, device["address"], 61), "the reading")
    assert reading["patient"] == device["patient"]
    demo.publish(where, seal(bytes.fromhex(mqtt["key"]), where, body))
    wait_for(lambda: demo.counted("varde_readings_total", result="duplicate") >= 1, "the duplicate is counted")
    assert len(_with_pulse(demo, device["address"], 61)) == 1


def test_a_script_that_stamps_with_the_machines_clock_is_late_and_not_refused(demo: Demo) -> None:
    mqtt, device = demo.handover["mqtt"], demo.device("oximeter")
    where = _topic(mqtt["gateway"])
    body = _body(demo, taken_at=SystemClock().now().isoformat(), values={"spo2": 96, "pulse": 62})
    demo.publish(where, seal(bytes.fromhex(mqtt["key"]), where, body))
    (reading,) = wait_for(lambda: _with_pulse(demo, device["address"], 62), "the reading")
    assert reading["patient"] == device["patient"]


Bad = Callable[[Demo], tuple[str, bytes]]


def _wrong_field(demo: Demo) -> tuple[str, bytes]:
    mqtt = demo.handover["mqtt"]
    where = _topic(mqtt["gateway"])
    return where, seal(bytes.fromhex(mqtt["key"]), where, _body(demo, values={"mood": 3}))


def _unsealed(demo: Demo) -> tuple[str, bytes]:
    return _topic(demo.handover["mqtt"]["gateway"]), _body(demo)


def _sealed_by_another(demo: Demo) -> tuple[str, bytes]:
    where = _topic(demo.handover["mqtt"]["gateway"])
    return where, seal(_OTHERS_KEY, where, _body(demo))


def _in_anothers_name(demo: Demo) -> tuple[str, bytes]:
    where = _topic("gw-solbakken")
    return where, seal(bytes.fromhex(demo.handover["mqtt"]["key"]), where, _body(demo))


def _of_nobodys_gateway(demo: Demo) -> tuple[str, bytes]:
    where = _topic("gw-nowhere")
    return where, seal(bytes.fromhex(demo.handover["mqtt"]["key"]), where, _body(demo))


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (_wrong_field, "wrong_field", "values.mood: unknown metric"),
        (_unsealed, "unsealed", "carries no seal"),
        (_sealed_by_another, "foreign_gateway", "another gateway or a stranger wrote it"),
        (_in_anothers_name, "foreign_gateway", "Came under the topic of gateway gw-solbakken"),
        (_of_nobodys_gateway, "unknown_gateway", "No gateway gw-nowhere is enrolled here"),
    ],
)
def test_a_message_that_cannot_be_used_is_kept_counted_and_explained(
    demo: Demo, make: Bad, kind: str, words: str
) -> None:
    where, payload = make(demo)
    before = demo.counted("varde_quarantine_total", kind=kind)
    demo.publish(where, payload)
    (kept,) = wait_for(
        lambda: [each for each in demo.quarantine(kind=kind, topic=where) if each["payload"] == payload.hex()],
        f"the {kind} message in quarantine",
    )
    assert words in kept["reason"]
    wait_for(lambda: demo.counted("varde_quarantine_total", kind=kind) == before + 1, "it is counted once")
    assert kept["reason"] in Browser(demo.url).log_in("Ingrid Fjellheim").get("/quarantine")


def test_a_reading_of_an_unknown_device_is_kept_for_whoever_it_is(demo: Demo) -> None:
    mqtt = demo.handover["mqtt"]
    where = _topic(mqtt["gateway"])
    before = demo.counted("varde_quarantine_total", kind="unknown_device")
    body = _body(demo, device="AA:AA:AA:AA:AA:01")
    demo.publish(where, seal(bytes.fromhex(mqtt["key"]), where, body))
    (reading,) = wait_for(lambda: demo.readings(device="AA:AA:AA:AA:AA:01"), "the reading")
    assert (reading["patient"], reading["unclaimed"]) == (None, "unknown_device")
    wait_for(lambda: demo.counted("varde_quarantine_total", kind="unknown_device") == before + 1, "it is counted")
    assert "AA:AA:AA:AA:AA:01" in Browser(demo.url).log_in("Ingrid Fjellheim").get("/quarantine")


def test_a_reading_of_another_homes_device_is_not_believed(demo: Demo) -> None:
    mqtt = demo.handover["mqtt"]
    where = _topic(mqtt["gateway"])
    body = _body(demo, device="02:56:41:16:00:01", values={"spo2": 70, "pulse": 63})
    demo.publish(where, seal(bytes.fromhex(mqtt["key"]), where, body))
    (reading,) = wait_for(lambda: _with_pulse(demo, "02:56:41:16:00:01", 63), "the reading")
    assert (reading["patient"], reading["unclaimed"]) == (None, "other_gateway")


def test_demo_json_is_for_its_owner_alone_and_names_silent_devices(demo: Demo) -> None:
    assert oct((demo.data / "demo.json").stat().st_mode & 0o777) == "0o600"
    handover = demo.handover
    assert handover["url"] == demo.url
    assert set(handover["mqtt"]) >= {"host", "port", "gateway", "username", "password", "key", "devices"}
    assert len({each["patient"] for each in handover["mqtt"]["devices"]}) >= 2
    assert {each["kind"] for each in handover["mqtt"]["devices"]} == {"oximeter", "scale"}


@pytest.mark.parametrize(
    ("device", "frame", "rule", "value"),
    [
        (CUFF, "04d00070009000" + "5800", "bp_crisis", 208),  # 208/112 mmHg, pulse 88, no clock
        (GLUCOMETER, "068403" + "00" * 7 + "1bc0" + "11", "glucose_low", 2.7),  # record 900, time unknown
    ],
    ids=["cuff", "glucometer"],
)
def test_what_another_kind_of_device_says_becomes_an_alert_with_exactly_its_value(
    demo: Demo, device: str, frame: str, rule: str, value: float
) -> None:
    assert device in _sent(demo.simulate(device, frame))
    (alert,) = wait_for(lambda: demo.alerts(rule=rule), f"the alert {rule}")
    assert (alert["why"]["device"], alert["why"]["value"], alert["priority"]) == (device, value, "high")


@pytest.mark.parametrize(
    ("device", "frame", "more", "values"),
    [
        (THERMOMETER, "04800100ff03", (), {"temperature": 38.4}),
        (BODY_SCALE, "000047", (), {"weight": 90.88}),
        (BODY_SCALE, "0000f300", ("--characteristic", "2A9C"), {"body_fat": 24.3}),
        # Stabilised, 77.4 kg; nobody confirms a broadcast.
        (MI_SCALE, "22783cb2070101000000", (), {"weight": 77.4}),
    ],
    ids=["thermometer", "body scale", "body composition", "mi scale"],
)
def test_what_another_kind_of_device_says_is_a_reading(
    demo: Demo, device: str, frame: str, more: tuple[str, ...], values: dict[str, float]
) -> None:
    assert device in _sent(demo.simulate(device, frame, *more))
    wait_for(lambda: any(each["values"] == values for each in demo.readings(device=device)), "the reading")
