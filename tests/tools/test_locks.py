"""The locked requirements: every package pinned by hash, nothing wanted left out, no lock against another."""

import re
import tomllib

import pytest

from tests.architecture.tree import ROOT

LOCKS = ("demo", "dev", "gateway", "node")
PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+)(?: ; [^\\]+)? \\$")


def _lock(name: str) -> dict[str, set[str]]:
    """Package to versions (more than one where Python versions differ)."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        if not line.startswith("    --hash=sha256:"):
            pinned = PINNED.match(line)
            assert pinned, f"{name}.txt: {line!r} is not pinned with a hash"
            found.setdefault(pinned[1], set()).add(pinned[2])
    return found


def _wanted(extra: str) -> set[str]:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names: set[str] = set()
    for each in extras[extra]:
        own = re.match(r"varde\[(.+)\]", each)
        if own:
            names |= set().union(*(_wanted(name) for name in own[1].split(",")))
        else:
            names.add(re.split(r"[><=\[ ]", each)[0].replace("_", "-").lower())
    return names


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_by_hash(name: str) -> None:
    assert _lock(name)


@pytest.mark.parametrize("name", ["demo", "dev", "gateway"])
def test_what_the_project_wants_is_locked(name: str) -> None:
    assert _wanted(name) - set(_lock(name)) == set(), "run make lock"


@pytest.mark.parametrize("name", ["demo", "gateway"])
def test_the_locks_agree(name: str) -> None:
    everything = _lock("dev")
    assert {each: version for each, version in _lock(name).items() if everything.get(each) != version} == {}


def test_what_builds_the_project_is_installed_with_it() -> None:
    assert {"hatchling", "editables"} <= set(_lock("demo"))


def test_a_gateway_gets_bleak_and_paho_with_their_needs_and_nothing_else() -> None:
    on_linux = {name for name in _lock("gateway") if not name.startswith(("pyobjc-", "winrt-"))}
    assert on_linux == {"bleak", "dbus-fast", "paho-mqtt", "typing-extensions"}
