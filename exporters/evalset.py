"""Evaluation items: a settled scenario, its gold labels, and what an agent that does nothing scores on it.

One row for each distinct settled scenario among the conversations, accepted or not, since a set made of what one
cast could solve would be an easy one. Every item passes the gold lint first (`tertulia.lint`): one whose gold cannot be
right is left out and counted in `lost` by its rule. The rows follow `EvalItem`, whose JSON Schema is
`scenarios/schema/evalset.json` (written by `python -m tertulia.exporters.evalset FILE`).

Scenario and gold are JSON texts: their values are of any type, so that as objects they would get other types, or nulls
for the keys that they lack, from whoever reads a file of them as a table. Version 1 had objects; readers take both.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, Json

from tertulia.exporting.columns import Columns
from tertulia.exporting.rows import as_line, digest, item_id
from tertulia.gold import Gold, gold_of, measure
from tertulia.lint import complaints
from tertulia.records import Conversation, Record
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["EvalItem", "Evalset", "Floor", "Floors", "schema"]


class Floor(Record):
    """What a trivial agent scores."""

    passed: bool
    slot_f1: float = Field(ge=0, le=1)


class Floors(Record):
    """The scores that an agent must beat for its own to mean something."""

    none: Floor = Field(description="an agent that says and does nothing")


class EvalItem(Record):
    """One line of an evaluation set."""

    version: Literal[2] = Field(2, description="grows when a line's meaning changes; 1 had objects for texts")
    id: str = Field(description="derived from the settled scenario alone, so the same in every run")
    scenario: Json[Scenario] = Field(description="settled: no slot or variation is left")
    gold: Json[Gold]
    floors: Floors


class Evalset:
    """Keeps a digest of every item it has written, so memory grows with the distinct items alone."""

    consumer: ClassVar[str] = "items"
    loses: ClassVar[Mapping[str, str]] = {"items with wrong gold": "items that fail the gold lint, by its rule"}
    evaluates: ClassVar[bool] = True
    columns: ClassVar[Columns] = {
        "version": "int",
        "id": "text",
        "scenario": "text",
        "gold": "text",
        "floors": {"none": {"passed": "bool", "slot_f1": "float"}},
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()
        self.variants: set[bytes] = set()
        self.items: set[str] = set()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        variant = digest([scenario.id, talk.variant])
        if variant in self.variants:
            return
        self.variants.add(variant)
        item = item_id(scenario)
        if item in self.items:
            return
        self.items.add(item)
        world = self.settings.of(scenario).world
        if wrong := next(complaints(scenario, world), None):
            self.lost[f"items with wrong gold: {wrong.rule}"] += 1
            return
        nothing = measure(scenario, world, ())
        yield {
            "version": 2,
            "id": item,
            "scenario": as_line(scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)),
            "gold": as_line(gold_of(scenario).model_dump(mode="json")),
            "floors": {"none": {"passed": nothing.passed, "slot_f1": nothing.slots.f1}},
        }


def schema() -> str:
    """The JSON Schema of a line, as the text of its file."""
    made = EvalItem.model_json_schema(by_alias=True)
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:tertulia:schema:evalset", **made}
    return json.dumps(made, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema(), encoding="utf-8")
