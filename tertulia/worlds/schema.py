"""Worlds given as JSON Schema: tools with fixed answers and no state."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

from tertulia.scenario import Scenario, ToolSchema
from tertulia.world import Outcome, ToolSpec, as_text, refusal

__all__ = ["SchemaWorld"]


@dataclass(frozen=True)
class SchemaWorld:
    """Tools as JSON Schema with fixed answers; no state."""

    schemas: tuple[ToolSchema, ...]
    policy: str = ""

    @cached_property
    def tools(self) -> dict[str, ToolSpec]:
        keep = set(ToolSpec.model_fields)
        return {t.name: ToolSpec(**{k: v for k, v in t if k in keep}) for t in self.schemas}

    @cached_property
    def by_name(self) -> dict[str, ToolSchema]:
        return {t.name: t for t in self.schemas}

    @cached_property
    def validators(self) -> dict[str, Draft202012Validator]:
        return {t.name: Draft202012Validator(t.parameters) for t in self.schemas}

    def start(self, scenario: Scenario) -> dict[str, Any]:
        return {}

    def open(self, scenario: Scenario) -> "SchemaWorld":
        return self

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        schema = self.by_name.get(name)
        if schema is None:
            return refusal(f"There is no tool called {name!r}.")
        faults = [
            f"{error.json_path[2:] or 'arguments'}: {error.message}"
            for error in self.validators[name].iter_errors(dict(args))
        ]
        if faults:
            return refusal("Invalid arguments. " + "; ".join(sorted(faults)))
        for example in schema.examples:
            if all(args.get(key) == value for key, value in example.args.items()):
                return refusal(example.error) if example.error else Outcome(as_text(example.returns))
        return Outcome(as_text(schema.returns), unanswered=schema.returns is None)
