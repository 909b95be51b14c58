"""Short episodes of `make chaos`, on both databases; and the oracle, which sees a fault when there is one."""

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.chaos.episode import on_a_cluster, on_a_file
from tests.chaos.planted import FAULTS
from tests.chaos.told import Size, Told

SHORT = Size(readings=1_600, homes=2, devices=4, seconds=10, kills=3, wipes=1, database=3)
SEED = 20261122


@pytest.fixture
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name leaves room for a unix socket's."""
    return tmp_path_factory.mktemp("e")


@pytest.fixture(scope="module")
def mortal() -> Iterator[postgres.Cluster]:
    """A PostgreSQL that may be killed."""
    with postgres.running() as found:
        yield found


def check(told: Told) -> None:
    """Nothing lost, doubled, missed or made up, and everything was killed as often as asked."""
    print(f"\n{dataclasses.replace(told, back_s={})}")
    assert told.holds, told.verdict.wrong
    verdict = told.verdict
    assert verdict.handed_over == verdict.stored == SHORT.readings
    assert verdict.alerts > 0
    assert verdict.notices > 0
    assert verdict.facts > verdict.alerts
    assert min(told.kills[each] for each in ("gateway", "server", "broker")) >= SHORT.kills
    assert told.ways["wiped"] == SHORT.wipes
    assert sum(told.points.values()) > 0


async def test_an_episode_on_the_embedded_database(short_folder: Path) -> None:
    check(await on_a_file(SEED, SHORT, short_folder))


async def test_an_episode_with_a_process_for_each_role_and_a_database_that_is_killed(
    short_folder: Path, mortal: postgres.Cluster
) -> None:
    told = await on_a_cluster(SEED, SHORT, short_folder, mortal)
    check(told)
    assert told.kills["database"] == SHORT.database


@pytest.mark.parametrize(
    ("fault", "points"), [("receipt_before_commit", {"ingest.recorded": 3}), ("forgets_what_was_published", {})]
)
async def test_a_planted_fault_loses_readings_and_the_oracle_says_so(
    short_folder: Path, fault: str, points: dict[str, int]
) -> None:
    assert fault in FAULTS
    size = dataclasses.replace(SHORT, readings=800, seconds=8, kills=5, points=points, rest=20.0)
    command = [sys.executable, "-m", "tests.chaos.planted", fault]
    told = await on_a_file(SEED, size, short_folder, command)
    print(f"\n{fault}: lost {told.verdict.lost}")
    assert told.verdict.lost > 0
    assert any(each.startswith("lost: ") for each in told.verdict.wrong)
