"""`tertulia export`: write a run in one format."""

from pathlib import Path

from tertulia.commands.printing import as_json, note
from tertulia.export import STDOUT
from tertulia.running.runs import Run

__all__ = ["perform"]


def perform(*, folder: Path, format: str, out: Path | None, force: bool, json: bool) -> int:
    partly = Run(folder).unfinished
    report = Run(folder).export(format, out or "", force=force)
    lost = [{"what": what, "count": count} for what, count in report.lost.items()]
    if partly:
        note(partly)
    if json:
        result = {"format": report.format, "path": str(report.path), "rows": report.rows, "lost": lost}
        as_json(result | {"unfinished": bool(partly)})
        return 0
    say = print if report.path != STDOUT else note
    say(f"{report.path}: {report.rows} rows")
    if report.sidecar:
        say(f"{report.sidecar}: what the format has no place for")
    for entry in lost:
        say(f"not carried over: {entry['what']} ({entry['count']})")
    if report.trouble:
        note(report.trouble)
    return 0
