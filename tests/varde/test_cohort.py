"""A cohort gone through in one process, in several, and by a Dask cluster: one function, one digest."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from distributed import LocalCluster

from benchmarks.street import town
from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from server.vault import open_vault
from varde import cohort_dask
from varde.backtest import main

_PATIENTS = 25  # more than one share
_LENIENT = '[rules.spo2_low]\nbands = [{ limit = 85, priority = "medium" }]\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's folder with two days of a few patients, some of whom end badly; and limits to try."""
    made = tmp_path_factory.mktemp("cohort")
    with closing(Database(file_address(made / "varde.db"))) as database:
        upgrade_database(database)
        with database.write() as connection:
            place = town.settle(connection, open_vault(made / "vault.key", create=True), _PATIENTS, plans=True)
            until = town.PLAN_START + timedelta(days=2)
            town.remember(connection, place, [(number, until) for number in range(_PATIENTS)], ill=range(0, 25, 4))
    (made / "lenient.toml").write_text(_LENIENT)
    return made


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two workers, each a process, and a scheduler."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as running:
        yield running.scheduler_address


def said(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What `varde backtest --json` prints."""
    given = ["--data", str(folder), "--limits", str(folder / "lenient.toml"), "--json"]
    assert main([*given, *words]) == 0
    return capsys.readouterr().out


def test_every_way_gives_the_same_report_to_the_byte(
    folder: Path, cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = said(folder, capsys)
    report = json.loads(alone)
    assert len(report["patients"]) == _PATIENTS
    assert report["in_force"]["episodes_by_rule"]["spo2_low"] == 7
    assert said(folder, capsys, "--processes", "2") == alone
    assert said(folder, capsys, "--dask", cluster) == alone


def test_what_is_wrong_with_the_limits_is_said_from_every_process(
    folder: Path, cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = folder / "wrong.toml"
    wrong.write_text('[rules.no_such_rule]\nbands = [{ limit = 85, priority = "medium" }]\n')
    for words in (["--processes", "2"], ["--dask", cluster]):
        assert main(["--data", str(folder), "--limits", str(wrong), *words]) == 2
        assert "has no such rule" in capsys.readouterr().err


def test_a_cluster_that_is_not_there_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cohort_dask, "_CONNECT_S", 0.3)
    assert main(["--data", str(folder), "--limits", str(folder / "lenient.toml"), "--dask", "tcp://127.0.0.1:9"]) == 2
    assert "varde backtest: " in capsys.readouterr().err
    assert main(["--data", str(folder), "--limits", str(folder / "lenient.toml"), "--processes", "0"]) == 2
    assert "--processes" in capsys.readouterr().err
