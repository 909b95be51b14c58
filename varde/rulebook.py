"""`varde rulebook check|show|diff`: look at rulebooks; standard library and the rules alone."""

import argparse
import sys
from collections.abc import Sequence

from alerts import rulebook, rulebook_report
from alerts.rulebook import Rulebook, RulebookError

SAME, DIFFER, WRONG = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """Run one of the three; 2 when a file is wrong, naming file and key on standard error."""
    asked = _parser().parse_args(argv)
    if asked.command == "check":
        return max(_check(each) for each in asked.files)
    books = [each for each in map(_load, asked.books) if each is not None]
    if len(books) < len(asked.books):
        return WRONG
    if asked.command == "show":
        _say("\n".join(rulebook_report.words(books[0])))
        return SAME
    return _diff(books[0], books[1])


def _check(file: str) -> int:
    book = _load(file)
    if book is None:
        return WRONG
    count = len(book.rules)
    _say(f"{file}: {book.name}, version {book.version}, {count} {'rule' if count == 1 else 'rules'}")
    return SAME


def _diff(first: Rulebook, second: Rulebook) -> int:
    for title, values in (
        ("version", (first.version, second.version)),
        ("source", (first.source, second.source)),
        ("reviewed_on", (first.reviewed_on.isoformat(), second.reviewed_on.isoformat())),
        ("verified", tuple("true" if book.verified else "false" for book in (first, second))),
    ):
        if values[0] != values[1]:
            _say(f"{title}: {values[0]} | {values[1]}")
    found = rulebook_report.differences(first, second)
    for each in found:
        where = ".".join(part for part in (each.rule, each.key) if part)
        _say(f"{where}: {each.first or '-'} | {each.second or '-'}")
    if not found:
        _say("no number differs")
    return DIFFER if found else SAME


def _load(name_or_file: str) -> Rulebook | None:
    try:
        return rulebook.load(name_or_file)
    except RulebookError as error:
        sys.stderr.write(f"WRONG   {error}\n")
        return None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="varde rulebook", description="Look at rulebooks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="check|show|diff")
    check = commands.add_parser("check", help="read files strictly: 0 all can be used, 2 some cannot")
    check.add_argument("files", nargs="+", metavar="FILE", help="a file, or the name of a shipped rulebook")
    show = commands.add_parser("show", help="rules and numbers in words, and where they are from")
    show.add_argument("books", nargs=1, metavar="NAME|FILE", help=f"shipped: {', '.join(rulebook.shipped())}")
    diff = commands.add_parser("diff", help="which numbers differ, rule by rule: 0 none, 1 some, 2 a file is wrong")
    diff.add_argument("books", nargs=2, metavar="NAME|FILE")
    return parser
