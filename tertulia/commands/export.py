"""`tertulia export`: write a run in one format, verify it, push it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tertulia.commands.printing import as_json, counted, note
from tertulia.errors import SettingsError
from tertulia.export import PARQUET, STDOUT, ExportReport, placed
from tertulia.exporting.hub import push as pushed
from tertulia.running.runs import Run
from tertulia.verifying.findings import Findings
from tertulia.verifying.verify import consumer_of

__all__ = ["perform"]


def perform(
    *,
    folder: Path,
    format: str,
    out: Path | None,
    parquet: bool,
    force: bool,
    verify: bool,
    tokenizer: str,
    push: str,
    licence: str,
    select: str,
    split: str,
    json: bool,
) -> int:
    run = Run(folder)
    if verify:
        consumer_of(format)
    selection = run.selection(select, split) if select else None
    if split and not select:
        raise SettingsError("--split names a part of a selection: name it with --select")
    path = placed(format, out or run.default_export(format, parquet=parquet, selection=selection))
    agreed(path, out, parquet=parquet, verify=verify, push=push)
    partly = run.unfinished
    if partly:
        note(partly)
    result: dict[str, Any] = {"format": format, "path": str(path), "unfinished": bool(partly)}
    say: Callable[[str], None] = silent if json else note if path == STDOUT else print
    report = None
    if not (verify and not push and not force and path.exists()):
        report = run.export(format, path, force=force, licence=licence, selection=selection)
        lost = [{"what": what, "count": count} for what, count in report.lost.items()]
        result |= {"rows": report.rows, "lost": lost}
        tell(report, say)
    found = run.verify(format, path, tokenizer=tokenizer) if verify else None
    if found:
        result |= {"rows": found.rows, "verified": as_result(found)}
        show(found, say)
    faulty = bool(found and not found.passed)
    if push and report and report.papers and not faulty:
        result["pushed"] = pushed(push, report.path, report.papers)
        say(f"pushed: {result['pushed']}")
    if json:
        as_json(result)
    return int(faulty)


def agreed(path: Path, out: Path | None, *, parquet: bool, verify: bool, push: str) -> None:
    """Refuse options that contradict each other.

    Raises:
        SettingsError: naming both."""
    if parquet and out and out.suffix != PARQUET:
        raise SettingsError(f"--parquet and --out {str(out)!r} contradict each other: a Parquet file ends in .parquet")
    if path == STDOUT and (verify or push):
        raise SettingsError("--verify and --push need a file, and --out - is none")


def silent(text: str) -> None:
    """With --json, one object is all there is to say."""


def tell(report: ExportReport, say: Callable[[str], None]) -> None:
    say(f"{report.path}: {report.rows} rows")
    if report.sidecar:
        say(f"{report.sidecar}: what stands beside its rows")
    for what, count in report.lost.items():
        say(f"not carried over: {what} ({count})")
    for told in filter(None, (report.trouble, report.apart)):
        note(told)


def show(found: Findings, say: Callable[[str], None]) -> None:
    for fault in found.faults:
        say(fault)
    if found.count > len(found.faults):
        say(f"and {found.count - len(found.faults)} more")
    for remark in found.notes:
        say(f"{found.file}: {remark}")
    for package in dict.fromkeys(found.unchecked.values()):
        what = [name for name, needed in found.unchecked.items() if needed == package]
        say(f"not checked: {', '.join(what)}; it needs pip install '{package}'")
    faults = counted(found.count, "fault") if found.count else "no faults"
    say(f"{found.file}: {found.rows} rows, {faults}; checked: {', '.join(found.checked)}")


def as_result(found: Findings) -> dict[str, Any]:
    return {
        "passed": found.passed,
        "faults": found.faults,
        "count": found.count,
        "notes": found.notes,
        "checked": found.checked,
        "unchecked": list(found.unchecked),
    }
