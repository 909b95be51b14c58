"""`varde backtest`: what other limits would have said about stored readings, beside the limits in force."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from alerts import rulebook
from alerts.backtest_report import canonical
from alerts.rulebook import RulebookError
from server.access import system
from server.care.people import NotFoundError
from server.db.migrate import WrongTablesError
from server.reports import inputs
from server.reports.backtest import Candidate, CandidateError, events_of, limits_of, moment, told
from server.settings import SettingsError, settings_from
from varde.cohort import SpreadError, Where, gone_through

DONE, WRONG = 0, 2
_WRONG = (CandidateError, SpreadError, RulebookError, SettingsError, WrongTablesError, NotFoundError, OSError)
_TOLD = 20  # episodes of one list in the table; --json has them all
_ALL = "all"


def main(argv: Sequence[str]) -> int:
    """Print the report; 2 with a sentence on standard error when it cannot be made."""
    asked = _parser().parse_args(argv)
    try:
        tried = _candidate(asked)
        settings = settings_from({"data": asked.data, "database": asked.database})
        with closing(inputs.open_database(settings)) as database:
            with database.read() as connection:
                every = inputs.patients(connection, system())
            chosen = every if _ALL in asked.patient or not asked.patient else tuple(sorted(set(asked.patient)))
            where = Where(processes=asked.processes, dask=asked.dask)
            report = told(gone_through(database, tried, chosen, where), tried)
    except (
        CandidateError,
        SpreadError,
        RulebookError,
        SettingsError,
        WrongTablesError,
        NotFoundError,
        OSError,
    ) as error:
        sys.stderr.write(f"varde backtest: {error}\n")
        return WRONG
    sys.stdout.write((canonical(report) if asked.json else "\n".join(_table(report))) + "\n")
    return DONE


def _candidate(asked: argparse.Namespace) -> Candidate:
    named = asked.rulebook is not None or asked.limits is not None
    if asked.proposed and named:
        raise CandidateError("--proposed: what is proposed is tried alone, without --rulebook and --limits")
    if not named and not asked.proposed:
        raise CandidateError("nothing to try: name a --rulebook, --limits or both, or --proposed")
    if asked.start is not None and asked.end is not None and asked.end <= asked.start:
        raise CandidateError("--to: must be after --from")
    return Candidate(
        book=None if asked.rulebook is None else rulebook.load(asked.rulebook),
        limits={} if asked.limits is None else limits_of(asked.limits),
        limits_file="" if asked.limits is None else asked.limits.name,
        proposed=asked.proposed,
        events={} if asked.events is None else events_of(asked.events),
        start=asked.start,
        end=asked.end,
    )


def _table(report: Mapping[str, Any]) -> Iterator[str]:
    sides = (report["in_force"], report["candidate"])
    count = len(report["patients"])
    yield f"{count} {'patient' if count == 1 else 'patients'}, {sides[0]['patient_days']:.1f} patient-days"
    yield ""
    yield _row("", "in force", "candidate")
    yield _row("alerts", *(each["episodes"] for each in sides))
    for rule in sorted({*sides[0]["episodes_by_rule"], *sides[1]["episodes_by_rule"]}):
        yield _row(f"  {rule}", *(each["episodes_by_rule"].get(rule, 0) for each in sides))
    yield _row("alerts a week and patient", *(_said(each["alerts_per_week"]) for each in sides))
    for zone in ("green", "blue", "yellow", "red", "unknown"):
        told = (f"{each['days_in_zone'][zone]:.2f} ({_percent(each['share_in_zone'][zone])})" for each in sides)
        yield _row(f"days {zone}", *told)
    yield _row("manual alert groups", *(each["manual_groups"] for each in sides))
    yield _row("  a patient-day", *(_said(each["manual_groups_per_patient_day"]) for each in sides))
    for priority in ("low", "medium", "high", "critical"):
        yield _row(f"  {priority}", *(each["manual_groups_by_priority"][priority] for each in sides))
    nurse = report["burden"]["patients_per_nurse"]
    yield _row(f"  a nurse-day ({nurse} patients)", *(_said(each["manual_groups_per_nurse_day"]) for each in sides))
    yield _row("  minutes a nurse-day", *(_said(each["minutes_per_nurse_day"]) for each in sides))
    events = report["events"]
    if events["known"]:
        caught = (f"{events[name]} of {events['known']}" for name in ("caught_in_force", "caught_candidate"))
        yield _row("past events caught", *caught)
    yield from _details(report)


def _details(report: Mapping[str, Any]) -> Iterator[str]:
    for name, title in (("only_in_force", "Raised in force only"), ("only_candidate", "Raised by the candidate only")):
        lines = [
            f"  {each['patient']}  {one['began_at']}  {one['rule']} {one['highest']}"
            for each in report["patients"]
            for one in each[name]
        ]
        yield from ("", f"{title}: {len(lines) or 'nothing'}", *lines[:_TOLD])
        if len(lines) > _TOLD:
            yield f"  ... and {len(lines) - _TOLD} more (--json)"
    leads = [(each["patient"], one) for each in report["patients"] for one in each["events"]]
    if leads:
        yield from ("", "Hours from the first alert to the past event (in force, candidate):")
        for patient, one in leads:
            told = (_said(one["lead_hours"][side], "not caught") for side in ("in_force", "candidate"))
            yield f"  {patient}  {one['at']}  {', '.join(told)}"
    asked = report["asked"]
    yield ""
    for patient, rules in sorted(asked.get("proposed", {}).items()):
        told = (
            f"{rule} {band['priority']} {band['limit']:g}" for rule in sorted(rules) for band in rules[rule]["bands"]
        )
        yield f"proposed: {patient}: {', '.join(told)}"
    for patient, reason in sorted(asked["left_out"].items()):
        yield f"left out: {patient}: {reason}"
    for patient, rules in sorted(asked["individual_not_carried_over"].items()):
        yield f"individual limits not carried over: {patient}: {', '.join(rules)}"
    if asked["events_outside"]:
        yield f"past events outside what was judged: {asked['events_outside']}"
    yield "Nobody clicks in a back-test: an alert counts each time that it is raised or returns."
    yield f"Minutes a group: {report['burden']['source']}"
    yield f"Digest: {report['digest']}"


def _row(title: str, *values: object) -> str:
    return f"{title:<34}" + "".join(f"{value!s:>18}" for value in values)


def _said(value: float | None, nothing: str = "-") -> str:
    return nothing if value is None else f"{value:g}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f} %"


def _moment(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a date or a time such as 2026-11-22T07:31:05Z, not {text!r}"
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="varde backtest",
        description="Try other limits on stored readings, beside the limits in force. Sends no notice, writes nothing.",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the database (VARDE_DATA)")
    parser.add_argument("--database", metavar="URL", help="address of the database; default: a file in --data")
    parser.add_argument("--patient", action="append", default=[], metavar="ID", help="may be repeated; default: all")
    parser.add_argument("--rulebook", metavar="NAME|PATH", help="try this rulebook in place of the plan's rules")
    parser.add_argument("--limits", type=Path, metavar="FILE", help="TOML with [rules.NAME] tables to try on top")
    parser.add_argument(
        "--proposed", action="store_true", help="try the individual limits that each patient's start-up period suggests"
    )
    parser.add_argument("--events", type=Path, metavar="FILE", help="TOML with [[event]] tables: patient, at")
    parser.add_argument(
        "--from",
        dest="start",
        type=_moment,
        metavar="TIME",
        help="date (UTC) or RFC 3339 time; default: the plan's start",
    )
    parser.add_argument(
        "--to", dest="end", type=_moment, metavar="TIME", help="the same; default: the last moment known"
    )
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="share the patients among so many")
    parser.add_argument("--dask", metavar="ADDRESS", help="or among the workers of a Dask cluster: tcp://HOST:8786")
    parser.add_argument("--json", action="store_true", help="canonical JSON: same input, same bytes")
    return parser
