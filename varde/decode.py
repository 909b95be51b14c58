"""`varde decode UUID HEX [--model MODEL]`: one frame as one JSON line; standard library and the gateway's profiles."""

import argparse
import json
import sys
from collections.abc import Sequence

from gateway.profiles import DecodeError, decode, render


def main(argv: Sequence[str]) -> int:
    """Print what the frame says and return 0; return 2 with the reason on stderr when it must be refused."""
    parser = argparse.ArgumentParser(prog="varde decode", description="Read one frame of a Bluetooth medical device.")
    parser.add_argument("uuid", help="characteristic, such as 2A5E")
    parser.add_argument("hex", help="the frame's bytes in hexadecimal; spaces, colons and dashes may separate them")
    parser.add_argument("--model", help="the device's model, for known deviations from the specification")
    asked = parser.parse_args(argv)
    try:
        decoded = decode(asked.uuid, _octets(asked.hex), asked.model)
    except DecodeError as refusal:
        print(f"refused: {refusal.reason}", file=sys.stderr)  # noqa: T201 - a command's output
        return 2
    print(json.dumps(render(decoded), ensure_ascii=False))  # noqa: T201 - a command's output
    return 0


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x").translate(str.maketrans(":-", "  ")))
    except ValueError:
        raise DecodeError(f"{text[:40]!r} is not hexadecimal, two digits a byte") from None
