"""The pages' assets come by lock file, whole or not at all, and no lock names a registry."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ASSETS = Path(__file__).resolve().parents[3] / "server" / "web" / "assets"


@pytest.fixture
def fetch() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fetch", ASSETS / "fetch.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_names_no_registry_and_every_package_has_a_digest() -> None:
    lock = json.loads((ASSETS / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert len(packages) >= 4
    assert all("resolved" not in each for each in packages.values())
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())


def test_an_unreachable_registry_is_a_warning_and_leaves_nothing_half(
    fetch: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")  # nobody listens on the discard port
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    vendor = tmp_path / "vendor"
    assert not fetch.ensure(vendor)
    assert "warning: " in capsys.readouterr().err
    assert not vendor.exists()


def test_a_folder_is_complete_only_with_every_file_of_this_lock(fetch: ModuleType, tmp_path: Path) -> None:
    assert not fetch.is_complete(tmp_path)
    for name in fetch.FILES.values():
        (tmp_path / name).write_text("x")
    (tmp_path / ".lock-sha256").write_text("of another lock")
    assert not fetch.is_complete(tmp_path)
    (tmp_path / ".lock-sha256").write_text(fetch._lock_digest())
    assert fetch.is_complete(tmp_path)
    (tmp_path / "htmx.js").unlink()
    assert not fetch.is_complete(tmp_path)
