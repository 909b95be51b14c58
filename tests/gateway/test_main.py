"""The program as the supervisor of a Raspberry Pi starts it: a process, signals, exit codes, memory."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.__main__ import main
from gateway.radio import KnownDevice, RadioSilent
from gateway.relay import RelayEnded
from gateway.spool import Spool
from tests.broker import Mosquitto
from tests.gateway.air import Home, on_the_air
from tests.gateway.receiver import GATEWAY, KEY, Receiver
from tests.gateway.waiting import until
from vitals.clock import ScaledClock, SystemClock
from vitals.wire import parse_reading

ROOT = Path(__file__).parents[2]
RESIDENT_MAX_MB = 60  # what a gateway may take of a Raspberry Pi's memory, with 12 devices
DEVICES = tuple(
    KnownDevice(address=f"A0:11:22:33:44:{number:02X}", kind="scale" if number % 3 == 0 else "oximeter")
    for number in range(12)
)


def write_settings(folder: Path, home: Home, broker: Mosquitto, clock: Path | None = None) -> Path:
    adapter = home.adapter()
    lines = [f'id = "{GATEWAY}"', f'key = "{KEY.hex()}"', 'spool = "spool.db"']
    lines += [] if clock is None else [f'clock = "{clock}"']
    lines += ["[mqtt]", f'host = "{broker.host}"', f"port = {broker.port}"]
    lines += ["[[adapter]]", f'name = "{adapter.name}"', f'backend = "{adapter.backend}"']
    lines += [f'transport = "{adapter.transport}"']
    for device in DEVICES:
        lines += ["[[device]]", f'address = "{device.address}"', f'kind = "{device.kind}"']
    path = folder / "gateway.toml"
    path.write_text("\n".join(lines))
    return path


@asynccontextmanager
async def gateway(settings: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "--settings", str(settings), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):  # the most it ever had
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM in /proc")


def frame_of(device: KnownDevice, number: int) -> bytes:
    if device.kind == "scale":
        return b"\x00" + (16000 + number).to_bytes(2, "little")
    return bytes([0, 90 + number, 0, 70, 0])


@pytest.mark.parametrize(("number", "devices"), [(signal.SIGTERM, DEVICES), (signal.SIGINT, DEVICES[:2])])
async def test_many_devices_reach_the_server_in_little_memory_and_a_signal_ends_it_cleanly(
    broker: Mosquitto, tmp_path: Path, number: signal.Signals, devices: tuple[KnownDevice, ...]
) -> None:
    async with on_the_air() as home:
        for device in devices:
            (await home.add(device)).store(frame_of(device, 1))
        clock = tmp_path / "clock.json"
        epoch = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
        ScaledClock(epoch=epoch, started=SystemClock().now(), factor=60).write(clock)
        settings = write_settings(tmp_path, home, broker, clock)
        with Receiver(broker.host, broker.port) as receiver:
            async with gateway(settings) as process:
                await until(lambda: len(receiver.bodies) == len(devices), within=60)
                megabytes = resident_mb(process.pid)
                process.send_signal(number)
                _, log = await asyncio.wait_for(process.communicate(), 15)
            assert process.returncode == 0, log.decode()
            await until(lambda: receiver.statuses[-1]["online"] is False)
        readings = [parse_reading(body) for body in receiver.bodies.values()]
        assert {each.device for each in readings} == {device.address for device in devices}
        assert {each.taken_at.year for each in readings} == {2027}
        assert {m.value for each in readings for m in each.measurements if m.metric == "weight"} == {Decimal("80.005")}
        assert b" kept id=" in log
        assert b"Traceback" not in log
        assert megabytes < RESIDENT_MAX_MB
        print(f"resident: {megabytes:.1f} MB")


async def test_killed_between_hearing_and_sending_it_goes_on_where_the_disk_says(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker")
    async with on_the_air() as home:
        devices = [await home.add(device) for device in DEVICES[:3]]
        with broker:
            settings = write_settings(tmp_path, home, broker)
        for device, known in zip(devices, DEVICES, strict=False):
            device.store(frame_of(known, 1))
        async with gateway(settings) as process:
            await until(lambda: not any(device.records for device in devices), within=30)
            process.kill()
        spool = Spool.open(tmp_path / "spool.db")
        assert spool.depth == 3
        spool.close()
        with broker, Receiver(broker.host, broker.port) as receiver:
            async with gateway(settings):
                await until(lambda: len(receiver.ids) == 3, within=30)


async def test_a_disk_that_cannot_be_used_ends_it_with_1(broker: Mosquitto, tmp_path: Path) -> None:
    async with on_the_air() as home:
        settings = write_settings(tmp_path, home, broker)
        (tmp_path / "spool.db").mkdir()
        async with gateway(settings) as process:
            _, log = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 1
    assert b"level=CRITICAL" in log
    assert b"unable to open" in log


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('id = "x"', "id: gateway id 'x' must be 2 to 63"),
        ('id = "gw-a"\nkey = "00"\nspool = "s"', "key: 1 bytes"),
    ],
)
def test_wrong_settings_end_it_with_2_and_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, error: str
) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    assert main(["--settings", str(path)]) == 2
    assert error in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(RelayEnded("the radio ended"), 1), (RadioSilent("nobody"), 3)])
def test_a_part_that_ended_unasked_ends_it_with_a_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    async def ended(*_: object) -> None:
        raise error

    path = tmp_path / "gateway.toml"
    head = f'id = "{GATEWAY}"\nkey = "{KEY.hex()}"\nspool = "spool.db"\n[[adapter]]\nname = "hci0"\n'
    path.write_text(head + f'[[device]]\naddress = "{DEVICES[0].address}"\nkind = "scale"\n')
    monkeypatch.setattr("gateway.__main__._until_told", ended)
    assert main(["--settings", str(path)]) == code


def test_a_backend_that_is_not_there_ends_it_with_2(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    head = f'id = "{GATEWAY}"\nkey = "{KEY.hex()}"\nspool = "spool.db"\n'
    path.write_text(head + '[[adapter]]\nname = "sim0"\nbackend = "no.such:Thing"\n')
    command = [sys.executable, "-m", "gateway", "--settings", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "varde gateway: adapter sim0: backend 'no.such:Thing': No module named 'no'\n"
