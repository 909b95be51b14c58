"""The picture of the lifecycle, drawn from its table."""

from alerts.lifecycle import TABLE


def mermaid() -> str:
    """The lifecycle as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for row in TABLE:
        start = "[*]" if row.start is None else row.start.value
        guard = f" [{row.guard.words}]" if row.guard.words else ""
        lines.append(f"    {start} --> {row.end.value}: {row.signal.value}{guard}")
    lines += ["    resolved --> [*]", "    withdrawn --> [*]"]
    return "\n".join(lines)


def page() -> str:
    """The whole page `docs/lifecycle.md`."""
    return (
        "# The life of an alert\n\n"
        "Drawn from the table in `alerts/lifecycle.py` by `python -m alerts diagram`; do not edit by hand.\n"
        "Every move that is not drawn is refused and changes nothing.\n\n"
        f"```mermaid\n{mermaid()}\n```\n"
    )
