"""`tertulia import`: another format as scenario files, and what was lost on the way."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tertulia.commands.printing import as_json, note
from tertulia.errors import SettingsError
from tertulia.importing import Asked, Lost, bring_in
from tertulia.models.alone import ask_alone

__all__ = ["perform"]

WRITTEN = ("openapi",)  # formats whose words a model can write
SHOWN = 12  # kinds of loss, each with its first item


def perform(
    *,
    format: str,
    path: Path,
    out: Path | None,
    n: int | None,
    seed: int,
    toolkits: tuple[str, ...],
    allow_code: bool,
    force: bool,
    json: bool,
    model: str = "",
    base_url: str = "",
) -> int:
    if model and format not in WRITTEN:
        raise SettingsError(f"--model writes the words of {' and '.join(WRITTEN)}; {format!r} brings its own")
    writer = ask_alone("planner", model, base_url) if model else None
    asked = Asked(path, n, seed, toolkits, allow_code, writer)
    report = bring_in(format, asked, out or Path("imported") / f"{format}-{path.resolve().stem}", force=force)
    lost = [asdict(one) for one in report.lost]
    if json:
        result = {"format": report.format, "path": str(report.path), "scenarios": len(report.scenarios)}
        as_json(result | {"lost": lost, "coverage": report.coverage})
        return 0
    print(f"{report.path}: {len(report.scenarios)} scenario{'s' * (len(report.scenarios) != 1)}")
    for line in covered(report.coverage):
        print(line)
    kinds = Counter(kind(one) for one in report.lost)
    first = {kind(one): one for one in reversed(report.lost)}
    for what, count in kinds.most_common(SHOWN):
        one = first[what]
        where = one.item if count == 1 else f"{count} times, first in {one.item}"
        print(f"not carried over: {what} ({where}): {one.why}")
    if len(kinds) > SHOWN:
        print(f"and {len(kinds) - SHOWN} other kinds of loss")
    if kinds:
        print("every one, with its item: --json")
    if report.scenarios:
        note(f"next: tertulia check {report.path}")
    return 0


def kind(lost: Lost) -> str:
    """The field that is lost, whichever of a list it was: `actions.3.info` -> `actions.info`."""
    return ".".join(step for step in lost.what.split(".") if not step.isdecimal())


def covered(coverage: Mapping[str, Any], indent: str = "  ") -> list[str]:
    """Lines of names and numbers; a mapping of numbers is one line."""
    lines = []
    for name, value in coverage.items():
        if not isinstance(value, Mapping):
            lines.append(f"{indent}{name}: {value}")
        elif any(isinstance(inner, Mapping) for inner in value.values()):
            lines += [f"{indent}{name}:", *covered(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {', '.join(f'{key} {inner}' for key, inner in value.items())}")
    return lines
