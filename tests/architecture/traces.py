"""Nothing committed names a package registry, a mirror or the machine on which it was written."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import files

REGISTRIES = re.compile(
    "|".join(("pypi" + r"\.org", "pythonhosted" + r"\.org", "registry" + r"\.npmjs", "yarnpkg" + r"\.com"))
)
INDEX_OPTION = re.compile(r"^\s*(--(extra-)?index-url|--find-links|registry\s*=)", re.MULTILINE)
ADDRESS = re.compile(r"\w+://")
MACHINE = re.compile(r"(?<![\w.-])/(?:root|home/\w+|Users/\w+)/")
NO_TEXT = (".png", ".jpg", ".ico", ".woff2", ".gz", ".db")


def guard(root: Path) -> list[str]:
    return [problem for path in files(root) for problem in _problems(root, path)]


def _problems(root: Path, path: str) -> Iterator[str]:
    name = path.rsplit("/", 1)[-1]
    if name == "uv.lock":
        yield f"{path}: names registries; the locks are requirements/*.txt"
    if name.endswith(NO_TEXT):
        return
    text = (root / path).read_text(errors="replace")
    if name == "package-lock.json" and '"resolved"' in text:
        yield f'{path}: has "resolved" addresses; write it with omit-lockfile-registry-resolved'
    if path.startswith("requirements/") and ADDRESS.search(text):
        yield f"{path}: a lock file names no address"
    for what, pattern in (("a package registry", REGISTRIES), ("a path of somebody's machine", MACHINE)):
        for hit in pattern.finditer(text):
            yield f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: names {what}: {hit.group()}"
    if INDEX_OPTION.search(text) and not name.endswith((".py", ".md")):
        yield f"{path}: chooses an index; that is the machine's own business"
    if str(root.parent) not in ("/", "/tmp") and f"{root.parent}/" in text:
        yield f"{path}: names this checkout's own folder"
