"""The command `varde`. What a Raspberry Pi needs starts with the standard library; the rest is a typer app."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import MappingProxyType

# Command -> where its own argparse `main(argv) -> exit code` is, and the words put before its arguments.
_LEAN = MappingProxyType(
    {
        "gateway": ("gateway.__main__", ()),
        "decode": ("varde.decode", ()),
        "story": ("alerts.__main__", ("story",)),
        "rulebook": ("varde.rulebook", ()),
        "doctor": ("varde.doctor", ()),
    }
)
_WITHOUT_TYPER = """This installation has the parts of a gateway only:

  varde gateway --settings FILE       relay what a home's devices say
  varde decode UUID HEX [--model M]   read one frame
  varde story FILE...                 run stories through the rules
  varde rulebook check|show|diff      look at rulebooks
  varde doctor                        check this installation

Everything else needs: pip install 'varde[demo]' (or 'varde[server]')"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in _LEAN:
        module, before = _LEAN[words[0]]
        run: Callable[[Sequence[str]], int | None] = import_module(module).main
        return run([*before, *words[1:]]) or 0
    try:
        import_module("typer")
    except ModuleNotFoundError:
        asked_for_help = not words or words[0] in ("--help", "-h", "help")
        print(_WITHOUT_TYPER, file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if asked_for_help else 1
    cli = import_module("varde.cli")
    return int(cli.run(words))


if __name__ == "__main__":
    sys.exit(main())
