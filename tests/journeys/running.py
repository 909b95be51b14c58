"""A running demo, as a stranger meets it: the command, its words, its pages, its API and its broker."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import CookieJar
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import paho.mqtt.client as paho
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from vitals.clock import ScaledClock

READY_S = 150.0
EFFECT_S = 60.0
END_S = 40.0

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], what: str, within_s: float = EFFECT_S, *, look_s: float = 0.1) -> T:
    """The first answer of `look`, asked every `look_s`, that is not None or empty; fails with `what` in vain."""
    deadline = monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        assert monotonic() < deadline, f"waited {within_s:g} s in vain for {what}"
        sleep(look_s)


@dataclass
class Demo:
    """`varde demo` in a process of its own."""

    data: Path
    port: int
    arguments: tuple[str, ...] = ()
    database: str | None = None  # its address; None: a file, and one process for all roles
    command: tuple[str, ...] = ("-m", "varde")  # what Python is to run
    lines: list[str] = field(default_factory=list)
    ready_after_s: float = 0.0

    def start(self) -> "Demo":
        """Start it and return once it says that it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, *self.command, "demo", *self._options(), *self.arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # The note of the demo that runs on this machine is not a test's to touch.
            env={**os.environ, "XDG_STATE_HOME": str(self.data.parent / "state")},
        )
        began = monotonic()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for(lambda: self.is_ready or self.process.poll() is not None, "the line ready:", READY_S)
        assert self.is_ready, "\n".join(self.lines)
        self.ready_after_s = monotonic() - began
        return self

    def _options(self) -> tuple[str, ...]:
        place = ("--database", self.database) if self.database else ()
        return "--port", str(self.port), "--data", str(self.data), *place

    @property
    def is_ready(self) -> bool:
        return f"ready: {self.url}" in self.lines

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def handover(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((self.data / "demo.json").read_text())
        return body

    def family(self) -> list[psutil.Process]:
        """The demo's process and all that it started."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def interrupt(self) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(END_S)
        self._reader.join(END_S)
        return code

    def stop(self) -> None:
        """End it however it is."""
        if self.process.poll() is None:
            try:
                self.interrupt()
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(END_S)

    # --- asking

    def api(self, path: str) -> Any:
        """What the API answers to the token of demo.json."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}", headers={"Authorization": f"Bearer {self.handover['token']}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def quarantine(self, **same: Any) -> list[dict[str, Any]]:
        """What is in quarantine with these values, newest first."""
        found: list[dict[str, Any]] = self.api("quarantine")["items"]
        return [each for each in found if all(each[name] == value for name, value in same.items())]

    def readings(self, **same: Any) -> list[dict[str, Any]]:
        """Stored readings with these values, newest arrival first."""
        found: list[dict[str, Any]] = self.api("readings?limit=1000")["items"]
        return [each for each in found if all(each[name] == value for name, value in same.items())]

    def device(self, kind: str, number: int = 0) -> dict[str, str]:
        """A silent device of demo.json."""
        found: list[dict[str, str]] = self.handover["mqtt"]["devices"]
        return [each for each in found if each["kind"] == kind][number]

    def now(self) -> datetime:
        """What time it is in the demo."""
        return ScaledClock.read(self.data / "clock.json").now()

    def alerts(self, **same: Any) -> list[dict[str, Any]]:
        """The active alerts with these values."""
        found: list[dict[str, Any]] = self.api("alerts?state=active")["items"]
        return [each for each in found if all(each[name] == value for name, value in same.items())]

    def text(self, path: str) -> str:
        """What the server answers without any login."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=20) as answer:
            body: str = answer.read().decode()
            return body

    def counted(self, metric: str, **labels: str) -> float:
        """The sum of a counter over the server's processes; 0 when none ever counted it."""
        wanted = "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""
        total = 0.0
        for url in self.handover["metrics"]:
            with urllib.request.urlopen(url, timeout=20) as answer:
                for line in answer.read().decode().splitlines():
                    name, _, number = line.rpartition(" ")
                    total += float(number) if name == metric + wanted else 0.0
        return total

    def simulate(self, address: str, frame: str, *more: str) -> subprocess.CompletedProcess[str]:
        """`varde simulate send`, as typed."""
        return subprocess.run(
            [sys.executable, "-m", "varde", "simulate", "send", address, frame, "--data", str(self.data), *more],
            capture_output=True,
            text=True,
            timeout=EFFECT_S,
        )

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with the account of demo.json and return when the broker has it."""
        mqtt = self.handover["mqtt"]
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="journey")
        client.username_pw_set(mqtt["username"], mqtt["password"])
        client.connect(mqtt["host"], mqtt["port"])
        client.loop_start()
        try:
            client.publish(topic, payload, qos=1).wait_for_publish(20)
        finally:
            client.disconnect()
            client.loop_stop()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))


class Browser:
    """A browser without scripts: cookies, pages and forms."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def log_in(self, name: str) -> "Browser":
        """Press the button with this name."""
        page = self.get("/login")
        doors = dict(re.findall(r'name="staff" value="([^"]+)".*?<b>([^<]+)</b>', page, re.DOTALL))
        staff = next((each for each, shown in doors.items() if shown == name), None)
        assert staff, f"nobody is called {name}: {sorted(doors.values())}"
        self.post("/login", {"staff": staff, "back": "/"})
        return self

    def get(self, path: str) -> str:
        """The page at `path`, its entities resolved."""
        with self._opener.open(f"{self._url}{path}", timeout=20) as answer:
            body: str = answer.read().decode()
            return html.unescape(body)

    def post(self, path: str, form: Mapping[str, str]) -> str:
        """The page after sending a form."""
        data = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(f"{self._url}{path}", data=data, headers={"Origin": self._url})
        with self._opener.open(request, timeout=20) as answer:
            body: str = answer.read().decode()
            return body
