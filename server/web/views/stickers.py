"""The picture of a kit's address for its sticker: a QR code as a path of an SVG, drawn by whoever prints the page."""

from dataclasses import dataclass

import segno


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A square of `size` modules, the quiet zone included; `path` fills the dark ones."""

    size: int
    path: str


_QUIET = 4  # modules of white around it, as the standard asks


def picture(address: str) -> Picture:
    """The QR code of this address, with enough redundancy for a sticker that was scratched."""
    rows = tuple(segno.make_qr(address, error="q").matrix)
    dark = [
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module
    ]
    return Picture(size=len(rows) + 2 * _QUIET, path="".join(dark))
