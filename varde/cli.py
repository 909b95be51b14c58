"""Every command, in groups. Here nothing is decided: each starts the part that does the work."""

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from varde.demo.folder import default_folder

_TRY = "Try it"
_RUN = "Run it"
_SET_UP = "Set it up"
_LOOK = "Look into it"
# The part's own argparse reads every word, also --help.
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Varde: digital home follow-up, from a device's bytes to an alert a nurse can trust.\n\n"
    "An aid to follow-up; not an emergency service and not a certified medical device.",
)


def run(words: Sequence[str]) -> int:
    """Run one command line; returns its exit code (2 when it cannot be understood)."""
    return int(app(list(words), prog_name="varde", standalone_mode=True) or 0)


@app.command(rich_help_panel=_TRY)
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the pages are, on this machine only.")] = 8000,
    data: Annotated[Path | None, typer.Option(help="Its folder; a second start goes on there.")] = None,
    exit_after: Annotated[float | None, typer.Option(min=0, help="End by itself so many seconds after ready.")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="How many times as fast as life.")] = 60,
    database: Annotated[str | None, typer.Option(metavar="URL", help="Its database; else a file in --data.")] = None,
) -> None:
    """The whole product with people who do not exist, until Ctrl-C."""
    launch = importlib.import_module("varde.demo.launch")
    folder = (data or default_folder()).expanduser().absolute()
    options = launch.Options(port=port, data=folder, speed=speed, exit_after=exit_after, database=database)
    sys.exit(launch.run(options))


def _pass_on(name: str, group: str, module: str, words_before: Sequence[str], summary: str) -> None:
    """Add a command that hands its words to the `main(argv)` of another part."""

    def command(context: typer.Context) -> None:
        part: Callable[[Sequence[str]], int | None] = importlib.import_module(module).main
        sys.exit(part([*words_before, *context.args]) or 0)

    app.command(name, rich_help_panel=group, help=summary, context_settings=_PASS_ON, add_help_option=False)(command)


_pass_on("simulate", _TRY, "device_sims.__main__", (), "Virtual devices: the air of a town; send one frame.")
_pass_on("server", _RUN, "server.__main__", ("serve",), "Receive, remember, watch, tell, show.")
_pass_on("gateway", _RUN, "gateway.__main__", (), "Listen to a home's devices and relay what they say.")
_pass_on("doctor", _SET_UP, "varde.doctor", (), "Check this installation and say what is wrong with it.")
_pass_on("migrate", _SET_UP, "server.__main__", ("migrate",), "Bring the database to today's tables.")
_pass_on("token", _SET_UP, "server.__main__", ("token",), "Create a bearer token for the API.")
_pass_on("enrol-gateway", _SET_UP, "server.__main__", ("enrol-gateway",), "Let a gateway in; prints its key once.")
_pass_on("decode", _LOOK, "varde.decode", (), "Read one frame of a device.")
_pass_on("story", _LOOK, "alerts.__main__", ("story",), "Run stories through the rules.")
_pass_on("rulebook", _LOOK, "varde.rulebook", (), "Check, show and compare rulebooks.")
_pass_on("replay", _LOOK, "varde.replay", (), "Ask the rules again: do they say what is stored?")
_pass_on("backtest", _LOOK, "varde.backtest", (), "Try other limits on stored readings.")
