"""A task of tau2-bench as its file has it (data_model/tasks.py of sierra-research/tau2-bench)."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tertulia.errors import UserError
from tertulia.importing import read_json

__all__ = ["Action", "EnvCall", "Task", "read_tasks", "unread"]

Who = Literal["user", "assistant"]


class Part(BaseModel):
    """Keeps fields that it does not know, so that they can be named."""

    model_config = ConfigDict(extra="allow")


class Instructions(Part):
    domain: str = ""
    reason_for_call: str = ""
    known_info: str | None = None
    unknown_info: str | None = None
    task_instructions: str = ""


class UserScenario(Part):
    persona: str | None = None
    instructions: Instructions | str


class Description(Part):
    purpose: str | None = None
    relevant_policies: str | None = None
    notes: str | None = None


class Action(Part):
    action_id: str = ""
    requestor: Who = "assistant"
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    info: str | None = None
    compare_args: list[str] | None = None


class EnvCall(Part):
    """A function of a toolkit that is no tool; with `assert_value`, what it must return in the end."""

    env_type: Who
    func_name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    assert_value: bool = True
    message: str | None = None


class InitializationData(Part):
    agent_data: dict[str, Any] | None = None
    user_data: dict[str, Any] | None = None


class InitialState(Part):
    initialization_data: InitializationData | None = None
    initialization_actions: list[EnvCall] | None = None
    message_history: list[dict[str, Any]] | None = None


class Criteria(Part):
    actions: list[Action] | None = None
    env_assertions: list[EnvCall] | None = None
    communicate_info: list[str] | None = None
    nl_assertions: list[str] | None = None
    reward_basis: list[str] = ["DB", "COMMUNICATE"]


class Task(Part):
    id: str
    description: Description | None = None
    user_scenario: UserScenario
    ticket: str | None = None
    initial_state: InitialState | None = None
    evaluation_criteria: Criteria | None = None
    issues: list[Any] | None = None
    required_documents: list[str] | None = None
    user_tools: list[str] | None = None

    @property
    def criteria(self) -> Criteria:
        return self.evaluation_criteria or Criteria()

    @property
    def actions(self) -> list[Action]:
        """The reference calls, in order."""
        return self.criteria.actions or []


def read_tasks(path: Path) -> list[Task]:
    """The tasks of a `tasks.json`.

    Raises:
        UserError: with the task and the field of the first fault."""
    rows = read_json(path)
    rows = rows.get("tasks", rows) if isinstance(rows, dict) else rows
    try:
        return TypeAdapter(list[Task]).validate_python(rows)
    except ValidationError as error:
        fault = error.errors()[0]
        nth, *rest = fault["loc"] or ("",)
        row = rows[nth] if isinstance(rows, list) and isinstance(nth, int) else {}
        name = row.get("id", nth) if isinstance(row, dict) else nth
        raise UserError(f"{path}: task {name!r}: {'.'.join(map(str, rest))}: {fault['msg']}") from error


def unread(part: BaseModel, at: str = "") -> list[str]:
    """The paths of all fields that no model here knows."""
    found = [f"{at}{key}" for key in part.model_extra or {}]
    for name in type(part).model_fields:
        value = getattr(part, name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel):
                found += unread(one, f"{at}{name}.")
    return list(dict.fromkeys(found))
