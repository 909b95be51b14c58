"""Keeps names, national ids and gateway keys unreadable in the database: encrypted with a key in its own file.

The key file lies in the data folder, readable by its owner alone; a backup of the database without it shows no names.
"""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class VaultError(Exception):
    """The key file is missing, unreadable or not the one that the data were encrypted with."""


class Vault:
    """Encrypts and decrypts with one key; holds no plain text."""

    def __init__(self, key: bytes) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise VaultError("the vault's key file does not hold a key") from None
        self._key = key

    def close(self, text: str) -> bytes:
        """`text` encrypted; twice the same text gives two different results."""
        return self._fernet.encrypt(text.encode())

    def open(self, closed: bytes) -> str:
        """The text again; raises `VaultError` when another key closed it or a byte was changed."""
        try:
            return self._fernet.decrypt(closed).decode()
        except InvalidToken:
            raise VaultError("the vault's key does not fit what it should open") from None

    def derived(self, purpose: str, length: int) -> bytes:
        """A secret of so many bytes for one purpose: the same as long as the key is."""
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"varde:{purpose}".encode()).derive(self._key)


def open_vault(path: Path, *, create: bool) -> Vault:
    """The vault whose key is at `path`; `create` makes one where nothing was encrypted yet."""
    if create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass  # another process made it between the look and the making
        else:
            with os.fdopen(handle, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
    try:
        return Vault(path.read_bytes().strip())
    except FileNotFoundError:
        raise VaultError(f"{path.name}: missing from the data folder; restore it beside the database") from None
