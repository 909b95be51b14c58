"""A frame read from its first byte to its last: never past the end, and nothing left over."""

from enum import IntFlag
from typing import TypeVar

from gateway.profiles.decoded import DecodeError

_Flags = TypeVar("_Flags", bound=IntFlag)


class Octets:
    """Bytes that are taken in order. All numbers are little endian, as in every GATT characteristic."""

    def __init__(self, frame: bytes) -> None:
        self._frame = frame
        self._at = 0

    def take(self, size: int, field: str) -> bytes:
        """The next `size` bytes; raises `DecodeError` naming `field` when the frame ends before."""
        left = len(self._frame) - self._at
        if left < size:
            raise DecodeError(f"truncated: {field} needs {size} bytes at offset {self._at}, {left} are left")
        start, self._at = self._at, self._at + size
        return self._frame[start : self._at]

    def unsigned(self, size: int, field: str) -> int:
        """The next `size` bytes as an unsigned number."""
        return int.from_bytes(self.take(size, field), "little")

    def flags(self, known: type[_Flags], ignored: int = 0) -> _Flags:
        """The flags octet; a set bit that the profile reserves is refused, for it may move every later field.

        `ignored` are reserved bits that this model is known to set.
        """
        raw = self.unsigned(1, "flags") & ~ignored
        every = sum(known)
        if raw & ~every:
            raise DecodeError(f"flags: reserved bits set in 0x{raw:02X}")
        return known(raw)

    def end(self) -> None:
        """Raises `DecodeError` when anything is left."""
        left = len(self._frame) - self._at
        if left:
            raise DecodeError(f"trailing: {left} bytes more than the flags announce ({len(self._frame)} in all)")
