import json
import subprocess
import sys

from server import logs


def test_names_ids_and_secrets_are_hidden() -> None:
    event = {
        "event": "x",
        "patient": "opaque",
        "patient_name": "Kari",
        "national_id": "1",
        "api_key": "k",
        "token": "t",
        "note": "born 13897404089",
        "spaced": "138974 04089",
        "digits": "1389740408912",
    }
    assert logs.hide(None, "info", dict(event)) == event | {
        "patient_name": "[hidden]",
        "national_id": "[hidden]",
        "api_key": "[hidden]",
        "token": "[hidden]",
        "note": "born [hidden]",
        "spaced": "[hidden]",
    }


def test_an_exception_is_told_by_kind_and_place_and_never_by_its_words() -> None:
    def fail() -> None:
        raise ValueError("Kari Nordmann has 88 %")

    try:
        fail()
    except ValueError as error:
        told = logs.say_where_it_failed(None, "error", {"event": "x", "exc_info": error})
    assert told["error"] == "ValueError"
    assert any(place.endswith(" fail") for place in told["places"])
    assert "Kari" not in str(told)


_A_LIBRARY_FAILS = """
import logging
from server import logs
logs.set_up("info")
try:
    raise ValueError("Kari Nordmann has 88 %")
except ValueError:
    logging.getLogger("a.library").exception("in the %s", "application")
import structlog
structlog.get_logger("varde.test").info("hello", token="t")
"""


def test_a_librarys_lines_are_json_and_redacted_too() -> None:
    done = subprocess.run([sys.executable, "-c", _A_LIBRARY_FAILS], check=True, capture_output=True, text=True)
    failed, hello = (json.loads(line) for line in done.stderr.splitlines())
    assert (failed["event"], failed["error"], failed["logger"]) == ("in the application", "ValueError", "a.library")
    assert (hello["event"], hello["token"], hello["logger"]) == ("hello", "[hidden]", "varde.test")
    assert "Kari" not in done.stderr
