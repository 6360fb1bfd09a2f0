"""ADK evaluation sets: cases with a recorded conversation, or with a scenario for a simulated user.

PATH is an `.evalset.json` of the Agent Development Kit, with keys in snake or camel case. Of a conversation, the
user's contents are the script and the tools used are its wants; of a scenario, `starting_prompt` is the opening and
`conversation_plan` what the user knows.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tertulia.errors import UserError
from tertulia.importing import Asked, Imported, Lost, read_json, tools_text
from tertulia.scenario import Scenario
from tertulia.transcripts import NOTHING, Called, Heard, kind_of, script_of, tools_of

__all__ = ["Adk"]

USER, ASSISTANT = "user", "assistant"
RAW = ("args", "response", "state", "final_session_state")  # keys inside belong to the tools
LOST = {
    "rubrics": "only a judge that reads can tell",
    "session_input": "tools as JSON Schema keep no state",
    "final_session_state": "tools as JSON Schema keep no state",
}
READ = {"eval_id", "conversation", "conversation_scenario", "creation_timestamp", *LOST}


class Adk:
    """One scenario for each case."""

    def read(self, asked: Asked) -> Imported:
        whole = snaked(read_json(asked.path))
        if not isinstance(whole, dict) or not isinstance(whole.get("eval_cases"), list):
            raise UserError(f"{asked.path}: no evaluation set: it has no list 'eval_cases'")
        cases = [Case(asked.path, row) for row in whole["eval_cases"][: asked.count]]
        scenarios = [case.scenario() for case in cases]
        beside = {case.tools_file: tools_text(tools_of(case.calls)) for case in cases if case.calls}
        set_id = str(whole.get("eval_set_id", asked.path.stem))
        lost = [Lost(set_id, key, "for people") for key in ("name", "description") if whole.get(key)]
        coverage = {
            "cases": len(cases),
            "recorded": sum("conversation" in case.row for case in cases),
            "calls": sum(len(case.calls) for case in cases),
        }
        return Imported(scenarios, beside, lost + [one for case in cases for one in case.lost], coverage)


def snaked(value: Any) -> Any:
    """A value with its keys in snake case, but for what belongs to the tools."""
    if isinstance(value, Mapping):
        named = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower(): inner for key, inner in value.items()}
        return {key: inner if key in RAW else snaked(inner) for key, inner in named.items() if inner is not None}
    return [snaked(inner) for inner in value] if isinstance(value, list) else value


@dataclass
class Case:
    """A case on its way to a scenario."""

    path: Path
    row: Mapping[str, Any]
    lost: list[Lost] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.row, dict) or not self.row.get("eval_id"):
            raise UserError(f"{self.path}: a case has no 'eval_id'")
        if ("conversation" in self.row) == ("conversation_scenario" in self.row):
            raise UserError(f"{self.path}: case {self.name!r} must have one of conversation and conversation_scenario")
        self.turns = self.recorded() if "conversation" in self.row else self.simulated()
        self.calls = [call for turn in self.turns for call in turn.calls]
        for key, value in self.row.items():
            if (key in LOST or key not in READ) and value not in ({}, [], ""):
                self.loses(key, LOST.get(key, "an unknown field"))

    @property
    def name(self) -> str:
        return str(self.row["eval_id"])

    @property
    def id(self) -> str:
        plain = re.sub(r"[^a-z0-9_]+", "-", self.name.lower()).strip("-")
        return plain if re.match("[a-z]", plain) else f"case-{plain}"

    @property
    def tools_file(self) -> str:
        return f"{self.id}.tools.json"

    def loses(self, what: str, why: str) -> None:
        self.lost.append(Lost(self.name, what, why))

    def simulated(self) -> list[Heard]:
        return [Heard(str(self.row["conversation_scenario"].get("starting_prompt") or "Hello"))]

    def recorded(self) -> list[Heard]:
        heard = []
        for nth, invocation in enumerate(self.row["conversation"]):
            said = "\n".join(part["text"] for part in parts(invocation.get("user_content")) if part.get("text"))
            heard.append(Heard(said or "Hello", list(called(invocation.get("intermediate_data") or {}))))
            for key in ("final_response", "rubrics", "app_details"):
                if invocation.get(key):
                    self.loses(f"conversation.{nth}.{key}", "what was once answered, and how, is no part of a scenario")
            if (invocation.get("intermediate_data") or {}).get("intermediate_responses"):
                self.loses(f"conversation.{nth}.intermediate_responses", "what was once said is no part of a scenario")
        if not heard:
            raise UserError(f"{self.path}: case {self.name!r} has an empty conversation")
        return heard

    def scenario(self) -> Scenario:
        given = self.row.get("conversation_scenario") or {}
        plan, persona = given.get("conversation_plan"), given.get("user_persona")
        told = persona.get("description") or persona.get("id") if isinstance(persona, dict) else persona
        if isinstance(persona, dict) and set(persona) - {"id", "description"}:
            self.loses("user_persona", "its id and description are kept, its behaviours are not")
        user = {"role": "user", "persona": str(told or ""), "knows": {"conversation_plan": plan} if plan else {}}
        return Scenario.model_validate(
            {
                "id": self.id,
                "kind": kind_of(len(self.calls)),
                "tools_file": self.tools_file if self.calls else "",
                "cast": {USER: user, ASSISTANT: {"role": "assistant"}},
                "script": script_of(self.turns),
                "limits": {"turns": 60},
            }
        )


def parts(content: Any) -> list[dict[str, Any]]:
    return [part for part in (content or {}).get("parts") or [] if isinstance(part, dict)]


def called(data: Mapping[str, Any]) -> Iterator[Called]:
    """The calls of an invocation, in either of the two forms that ADK has for them, with their responses."""
    inside = [part for event in data.get("invocation_events") or [] for part in parts(event.get("content"))]
    uses = [*(data.get("tool_uses") or []), *(part["function_call"] for part in inside if "function_call" in part)]
    told = [*(data.get("tool_responses") or []), *(p["function_response"] for p in inside if "function_response" in p)]
    by_id = {one.get("id") or one.get("name"): one.get("response", NOTHING) for one in told}
    for use in uses:
        yield Called(str(use.get("name")), use.get("args") or {}, by_id.get(use.get("id") or use.get("name"), NOTHING))
