"""`varde replay`: ask the rules again what they were asked, and say whether they say what is stored."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from server.access import system
from server.care.people import NotFoundError
from server.db.migrate import WrongTablesError
from server.reports import inputs
from server.reports.recorded import Verdict, replayed
from server.settings import SettingsError, settings_from
from varde.progress import counted

EQUAL, DIFFERS, WRONG = 0, 1, 2
_MEANING = """A difference means that a row was changed since, or that these rules are not the version that judged then.
"""


def main(argv: Sequence[str]) -> int:
    """0 when everything stored equals its replay, 1 when not, 2 when it could not be asked."""
    asked = _parser().parse_args(argv)
    try:
        settings = settings_from({"data": asked.data, "database": asked.database})
        equal = True
        with closing(inputs.open_database(settings)) as database:
            with database.read() as connection:
                patients = tuple(asked.patient or inputs.patients(connection, system()))
            for patient in counted(patients, "patients"):
                with database.read() as connection:
                    verdict = replayed(connection, system(), patient)
                _tell(verdict)
                equal = equal and verdict.equal
    except (SettingsError, WrongTablesError, NotFoundError, OSError) as error:
        sys.stderr.write(f"varde replay: {error}\n")
        return WRONG
    if equal:
        return EQUAL
    sys.stdout.write(_MEANING)
    return DIFFERS


def _tell(verdict: Verdict) -> None:
    word = "equal  " if verdict.equal else "DIFFERS" if verdict.differences else "in part"
    counts = f"{verdict.evaluations} evaluations, {verdict.facts} facts, {verdict.alerts} alerts"
    lines = [f"{word} {verdict.patient}: {counts}"]
    lines += [f"        {each}" for each in verdict.differences]
    lines += [f"        not covered: {each}" for each in verdict.not_covered]
    sys.stdout.write("\n".join(lines) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="varde replay",
        description="Replay the recorded inputs through the rules: are alerts and facts what is stored? "
        "Changes nothing. Exit code: 0 all equal, 1 not, 2 it could not be asked.",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the database (VARDE_DATA)")
    parser.add_argument("--database", metavar="URL", help="address of the database; default: a file in --data")
    parser.add_argument("--patient", action="append", metavar="ID", help="this one only; may be repeated")
    return parser
