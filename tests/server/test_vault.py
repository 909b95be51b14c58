from pathlib import Path

import pytest

from server.db import tables
from server.vault import VaultError, open_vault
from tests.server.world import World


def test_names_and_ids_are_unreadable_in_the_file(world: World) -> None:
    for path in world.folder.glob("varde.db*"):
        content = path.read_bytes()
        for text in ("Patient of Fjordvik", "Nurse of Fjordvik", "13897404089", world.key.hex()):
            assert text.encode() not in content, path
    (person,) = [row for row in world.rows(tables.person) if row["national_id"]]
    assert world.vault.open(person["name"]) == "Patient of Fjordvik"
    assert world.vault.open(person["national_id"]) == "13897404089"


def test_the_key_file_is_its_owners_alone(world: World) -> None:
    assert (world.folder / "vault.key").stat().st_mode & 0o777 == 0o600


def test_a_lost_key_is_said_and_no_new_one_is_made(world: World, tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="missing"):
        open_vault(tmp_path / "elsewhere.key", create=False)
    assert not (tmp_path / "elsewhere.key").exists()


def test_another_key_opens_nothing(world: World, tmp_path: Path) -> None:
    other = open_vault(tmp_path / "other.key", create=True)
    with pytest.raises(VaultError, match="does not fit"):
        other.open(world.vault.close("Kari"))


def test_what_was_changed_or_cut_is_not_opened(world: World) -> None:
    closed = world.vault.close("Kari")
    assert world.vault.open(closed) == "Kari"
    changed = [closed[:place] + bytes([closed[place] ^ 1]) + closed[place + 1 :] for place in range(len(closed))]
    for each in [*changed, closed[:-1], closed[:11], b""]:
        with pytest.raises(VaultError, match="does not fit"):
            world.vault.open(each)


def test_the_same_text_is_never_closed_to_the_same(world: World) -> None:
    assert len({world.vault.close("Kari") for _ in range(100)}) == 100


def test_rubbish_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "vault.key").write_text("rubbish")
    with pytest.raises(VaultError, match="does not hold a key"):
        open_vault(tmp_path / "vault.key", create=True)
