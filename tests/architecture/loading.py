"""What runs on a Raspberry Pi loads nothing of the server's."""

import json
import subprocess
import sys
from pathlib import Path

ENTRIES = ("gateway.relay", "gateway.__main__", "varde.__main__")
FOREIGN = (
    *("alerts", "server", "device_sims"),
    *("alembic", "apscheduler", "bumble", "cryptography", "fastapi", "jinja2", "prometheus_client", "pydantic"),
    *("rich", "sqlalchemy", "starlette", "structlog", "typer", "uvicorn"),
)
_PROGRAM = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
importlib.import_module(sys.argv[2])
print(json.dumps([name for name in json.loads(sys.argv[3]) if name in sys.modules]))
"""


def guard(root: Path) -> list[str]:
    found = []
    for entry in ENTRIES:
        words = [sys.executable, "-c", _PROGRAM, str(root), entry, json.dumps(FOREIGN)]
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            found.append(f"importing {entry} fails: {done.stderr.strip().splitlines()[-1]}")
        else:
            found += [f"importing {entry} loads {name}" for name in json.loads(done.stdout)]
    return found
