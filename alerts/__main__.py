"""`python -m alerts`: run stories, draw the lifecycle."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from alerts import diagram, story


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="alerts", description="The rules of Varde, without the rest of it.")
    commands = parser.add_subparsers(dest="command", required=True)
    tell = commands.add_parser("story", help="run story files: 0 all hold, 1 some differ, 2 some file is wrong")
    tell.add_argument("files", nargs="+", type=Path, metavar="FILE")
    commands.add_parser("diagram", help="the page docs/lifecycle.md, drawn from the table")
    asked = parser.parse_args(argv)
    if asked.command == "diagram":
        sys.stdout.write(diagram.page())
        return 0
    return story.tell(asked.files)


if __name__ == "__main__":
    sys.exit(main())
