"""A frame read from its first byte to its last: never past the end, and nothing left over."""

from enum import IntFlag
from typing import TypeVar

from gateway.profiles.decoded import DecodeError

_Flags = TypeVar("_Flags", bound=IntFlag)


class Octets:
    """Bytes that are taken in order. All numbers are little endian, as in every GATT characteristic, where no model is
    known to send them the other way round."""

    def __init__(self, frame: bytes) -> None:
        self._frame = frame
        self._at = 0

    def take(self, size: int, field: str) -> bytes:
        """The next `size` bytes; raises `DecodeError` naming `field` when the frame ends before."""
        if self.left < size:
            raise DecodeError(f"truncated: {field} needs {size} bytes at offset {self._at}, {self.left} are left")
        start, self._at = self._at, self._at + size
        return self._frame[start : self._at]

    @property
    def left(self) -> int:
        """How many bytes have not been taken yet."""
        return len(self._frame) - self._at

    def unsigned(self, size: int, field: str, *, big_endian: bool = False) -> int:
        """The next `size` bytes as an unsigned number."""
        return int.from_bytes(self.take(size, field), "big" if big_endian else "little")

    def signed(self, size: int, field: str) -> int:
        """The next `size` bytes as a two's complement number."""
        return int.from_bytes(self.take(size, field), "little", signed=True)

    def flags(self, known: type[_Flags], ignored: int = 0, *, size: int = 1) -> _Flags:
        """The flags field; a set bit that the profile reserves is refused, for it may move every later field.

        `ignored` are reserved bits that this model is known to set; `size` is in bytes.
        """
        raw = self.unsigned(size, "flags") & ~ignored
        every = sum(known)
        if raw & ~every:
            raise DecodeError(f"flags: reserved bits set in 0x{raw:0{2 * size}X}")
        return known(raw)

    def end(self) -> None:
        """Raises `DecodeError` when anything is left."""
        if self.left:
            raise DecodeError(f"trailing: {self.left} bytes more than the flags announce ({len(self._frame)} in all)")
