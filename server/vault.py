"""Keeps names, national ids and gateway keys unreadable in the database: encrypted with a key in its own file.

The key file lies in the data folder, readable by its owner alone; a backup of the database without it shows no names.
"""

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12  # drawn anew each time: good for four billion texts under one key (NIST SP 800-38D, 8.3)


class VaultError(Exception):
    """The key file is missing, unreadable or not the one that the data were encrypted with."""


class Vault:
    """Encrypts and decrypts with one key; holds no plain text."""

    def __init__(self, key: bytes) -> None:
        try:
            is_key = len(base64.urlsafe_b64decode(key)) == _KEY_BYTES
        except ValueError:
            is_key = False
        if not is_key:
            raise VaultError("the vault's key file does not hold a key")
        self._key = key
        self._cipher = AESGCM(self.derived("closed texts", _KEY_BYTES))

    def close(self, text: str) -> bytes:
        """`text` encrypted; twice the same text gives two different results."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), None)

    def open(self, closed: bytes) -> str:
        """The text again; raises `VaultError` when another key closed it or a byte was changed."""
        nonce, rest = closed[:_NONCE_BYTES], closed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, None).decode()
        except (InvalidTag, ValueError):  # ValueError: too short to have been closed by anyone
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
                file.write(base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)))
                file.flush()
                os.fsync(file.fileno())
    try:
        return Vault(path.read_bytes().strip())
    except FileNotFoundError:
        raise VaultError(f"{path.name}: missing from the data folder; restore it beside the database") from None
