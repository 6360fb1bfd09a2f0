"""Our own evaluation sets back: every item of an `evalset` export as the scenario file that it settles.

PATH is the JSONL file. Gold and floors follow from the scenario; where an item says something else, that is lost.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tertulia.errors import UserError
from tertulia.exporting.rows import unpacked
from tertulia.gold import gold_of
from tertulia.importing import Asked, Imported, Lost, read_json
from tertulia.scenario import Scenario

__all__ = ["Evalset"]


class Evalset:
    """One scenario for each item."""

    def read(self, asked: Asked) -> Imported:
        rows = read_json(asked.path, lines=True)[: asked.count]
        seen: Counter[str] = Counter()
        scenarios: list[Scenario] = []
        lost: list[Lost] = []
        beside: dict[str, bytes] = {}
        for nth, row in enumerate(rows, start=1):
            scenario, gold, item = item_of(asked.path, nth, row)
            if gold_of(scenario).model_dump(mode="json") != gold:
                lost.append(Lost(item, "gold", "differs from what the scenario says"))
            seen[scenario.id] += 1
            if seen[scenario.id] > 1:
                lost.append(Lost(item, "scenario.id", f"several items are called {scenario.id!r}; they are numbered"))
                scenario = scenario.model_copy(update={"id": f"{scenario.id}-{seen[scenario.id]}"})
            scenarios.append(with_files(scenario, beside))
        return Imported(scenarios, beside, lost, {"items": len(rows), "by scenario": dict(sorted(seen.items()))})


def item_of(path: Path, nth: int, row: Any) -> tuple[Scenario, Any, str]:
    """The scenario of an item, its gold, and the item's id.

    Raises:
        UserError: for what is no item."""
    if not isinstance(row, dict) or "scenario" not in row:
        raise UserError(f"{path}:{nth}: no item of an evalset: it has no 'scenario'")
    try:
        scenario, gold = unpacked(row["scenario"]), unpacked(row.get("gold"))
        return Scenario.model_validate(scenario), gold, str(row.get("id", nth))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{nth}: scenario and gold are JSON texts, and one is no JSON: {error}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        raise UserError(f"{path}:{nth}: scenario.{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from error


def with_files(scenario: Scenario, beside: dict[str, bytes]) -> Scenario:
    """The scenario with the files that its world names by their whole paths copied beside it."""
    source = scenario.source
    if source is None or source.classes is None:
        return scenario
    found: dict[str, str] = {}
    for key in ("data_file", "policy_file"):
        path = Path(getattr(source.classes, key))
        if path.is_absolute():
            if not path.is_file():
                raise UserError(f"scenario {scenario.id!r}: there is no file {str(path)!r} any more")
            content, name = path.read_bytes(), path.name
            while beside.setdefault(name, content) != content:
                name = next_name(name)
            found[key] = name
    world = source.model_copy(update={"classes": source.classes.model_copy(update=found)})
    return scenario.model_copy(update={"world": world})


def next_name(name: str) -> str:
    """`data.json` -> `data-2.json` -> `data-3.json`."""
    stem, dot, suffix = name.rpartition(".")
    if counted := re.fullmatch(r"(.*)-(\d+)", stem):
        return f"{counted[1]}-{int(counted[2]) + 1}{dot}{suffix}"
    return f"{stem}-2{dot}{suffix}"
