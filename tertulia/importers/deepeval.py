"""DeepEval goldens: conversational ones (`scenario`, `turns`) and single ones (`input`, `expected_tools`).

PATH is a JSON list or a JSONL file, with keys in snake or camel case. The user's turns are the script, the tools that
assistant turns called are its wants, with the parameters and outputs that they have there. DeepEval judges by prose
(`expected_outcome`, `expected_output`), which no rule can check: it is lost, and named.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tertulia.errors import UserError
from tertulia.importing import Asked, Imported, Lost, read_json, tools_text
from tertulia.scenario import Scenario
from tertulia.transcripts import NOTHING, Called, Heard, kind_of, script_of, tools_of

__all__ = ["Deepeval", "snake"]

USER, ASSISTANT = "user", "assistant"
PROSE = "only a judge that reads can tell"
LOST = {
    "expected_outcome": PROSE,
    "expected_output": PROSE,
    "expectations": PROSE,
    "expected_labels": "a scenario has no labels",
    "actual_output": "what was once answered is no part of a scenario",
    "retrieval_context": "a scenario has no retrieval",
    "comments": "for people; a scenario has a title alone",
    "additional_metadata": "a scenario has no such field",
    "custom_column_key_values": "a scenario has no such field",
    "source_file": "a scenario has no such field",
    "tools_called": "what was once called is no part of a scenario",
}
READ = {"scenario", "input", "name", "persona", "user_description", "context", "turns", "expected_tools"}


def snake(key: str) -> str:
    """`expectedOutcome` -> `expected_outcome`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()


class Deepeval:
    """One scenario for each golden."""

    def read(self, asked: Asked) -> Imported:
        goldens = [Golden(asked.path, nth, row) for nth, row in enumerate(rows_of(asked.path)[: asked.count], start=1)]
        scenarios = [golden.scenario() for golden in goldens]
        beside = {golden.tools_file: tools_text(tools_of(golden.calls)) for golden in goldens if golden.calls}
        coverage = {
            "goldens": len(goldens),
            "conversational": sum(golden.conversational for golden in goldens),
            "with calls": sum(bool(golden.calls) for golden in goldens),
            "calls": sum(len(golden.calls) for golden in goldens),
        }
        return Imported(scenarios, beside, [one for golden in goldens for one in golden.lost], coverage)


def rows_of(path: Path) -> list[Mapping[str, Any]]:
    """The goldens of a file.

    Raises:
        UserError: with the first that is none."""
    rows = read_json(path, lines=path.suffix == ".jsonl")
    for nth, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
        if not isinstance(row, dict) or not (row.get("scenario") or row.get("input")):
            raise UserError(f"{path}: golden {nth} has neither 'scenario' nor 'input'")
    return [{snake(key): value for key, value in row.items()} for row in rows]


@dataclass
class Golden:
    """A golden on its way to a scenario."""

    path: Path
    nth: int
    row: Mapping[str, Any]
    lost: list[Lost] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.conversational = bool(self.row.get("scenario"))
        self.turns = self.talk() if self.conversational else self.single()
        self.calls = [call for turn in self.turns for call in turn.calls]
        for key, value in self.row.items():
            if value not in (None, "", [], {}) and key not in READ:
                self.loses(key, LOST.get(key, "an unknown field"))

    @property
    def id(self) -> str:
        named = re.sub(r"[^a-z0-9]+", "-", str(self.row.get("name") or "").lower()).strip("-")
        return f"golden-{self.nth:03d}-{named[:40]}".strip("-")

    @property
    def tools_file(self) -> str:
        return f"{self.id}.tools.json"

    def loses(self, what: str, why: str) -> None:
        self.lost.append(Lost(self.id, what, why))

    def single(self) -> list[Heard]:
        return [Heard(str(self.row["input"]), [called(tool) for tool in self.row.get("expected_tools") or []])]

    def talk(self) -> list[Heard]:
        """The user's turns, each with what was called before the next one."""
        heard: list[Heard] = []
        for nth, turn in enumerate(self.row.get("turns") or []):
            turn = {snake(key): value for key, value in turn.items()}
            if turn.get("role") == "user":
                heard.append(Heard(str(turn.get("content", ""))))
                continue
            if not heard:
                heard.append(Heard(str(self.row["scenario"])))
            heard[-1].calls += [called(tool) for tool in turn.get("tools_called") or []]
            if turn.get("content"):
                self.loses(f"turns.{nth}.content", "what the assistant once said is no part of a scenario")
            if turn.get("retrieval_context"):
                self.loses(f"turns.{nth}.retrieval_context", LOST["retrieval_context"])
        if not heard:
            self.loses("turns", "there are none: the description of the scenario stands for the user's first words")
        return heard or [Heard(str(self.row["scenario"]))]

    def scenario(self) -> Scenario:
        row = self.row
        knows = {"context": row["context"]} if row.get("context") else {}
        if self.conversational and self.turns[0].said != row["scenario"]:
            knows["scenario"] = row["scenario"]
        persona = row.get("user_description") or described(row.get("persona"))
        return Scenario.model_validate(
            {
                "id": self.id,
                "title": str(row.get("name") or ""),
                "kind": kind_of(len(self.calls)),
                "tools_file": self.tools_file if self.calls else "",
                "cast": {USER: {"role": "user", "persona": persona, "knows": knows}, ASSISTANT: {"role": "assistant"}},
                "script": script_of(self.turns),
                "limits": {"turns": 60},
            }
        )


def described(persona: Any) -> str:
    """A persona as text: DeepEval's has `characteristics`."""
    return str(persona.get("characteristics") or "") if isinstance(persona, Mapping) else str(persona or "")


def called(tool: Mapping[str, Any]) -> Called:
    """A `ToolCall` of DeepEval."""
    given = {snake(key): value for key, value in tool.items()}
    output = given.get("output")
    return Called(str(given.get("name")), given.get("input_parameters") or {}, NOTHING if output is None else output)
