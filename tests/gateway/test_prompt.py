"""A program in the place of a lamp: it gets kind and address, is ended when it hangs, and harms nobody if it fails."""

import asyncio
import sys
from pathlib import Path

import pytest

from gateway.prompt import Prompt
from gateway.radio import KnownDevice
from tests.gateway.waiting import until

CUFF = KnownDevice(address="C0:FF:EE:00:00:08", kind="cuff")


def program(text: str, *words: str) -> tuple[str, ...]:
    return sys.executable, "-I", "-S", "-c", text, *words


async def test_it_gets_the_kind_and_the_address_of_the_device(tmp_path: Path) -> None:
    said = tmp_path / "said"
    write = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(' '.join(sys.argv[2:]))"
    Prompt(program(write, str(said))).start(CUFF)
    await until(lambda: said.exists() and said.read_text() != "")
    assert said.read_text() == "cuff C0:FF:EE:00:00:08"


async def test_one_that_hangs_is_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    prompt = Prompt(program("import time; time.sleep(600)"), limit_s=0.05)
    prompt.start(CUFF)
    await until(lambda: "prompt_too_long" in caplog.text)
    assert prompt._running is not None
    await prompt._running


async def test_one_that_is_not_there_is_said(caplog: pytest.LogCaptureFixture) -> None:
    Prompt(("/nowhere/blink",)).start(CUFF)
    await until(lambda: "prompt_failed" in caplog.text)


async def test_the_last_wish_counts(caplog: pytest.LogCaptureFixture) -> None:
    prompt = Prompt(program("import time; time.sleep(600)"))
    prompt.start(CUFF)
    first = prompt._running
    await asyncio.sleep(0)
    prompt.start(CUFF)
    assert first is not None
    with pytest.raises(asyncio.CancelledError):
        await first
    prompt.end()
    assert prompt._running is not None
    with pytest.raises(asyncio.CancelledError):
        await prompt._running
