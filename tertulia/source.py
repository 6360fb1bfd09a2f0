"""YAML text with positions: a strict loader whose every fault can name its line and column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tertulia.errors import Fault, ScenarioError

__all__ = ["Source", "read_records", "read_source"]

Path_ = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: its value, and where each part of it stands (line and column from 1)."""

    file: str
    value: Any
    places: dict[Path_, tuple[int, int]] = field(default_factory=dict)

    def place(self, at: Sequence[str | int]) -> tuple[int, int]:
        """Where the value at this path stands, or its nearest ancestor that exists."""
        path = tuple(at)
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def fault(self, at: Sequence[str | int], message: str, suggestion: str = "", rule: str = "scenario") -> Fault:
        line, column = self.place(at)
        return Fault(self.file, line, column, message, rule=rule, suggestion=suggestion)


def read_source(path: Path) -> Source:
    """Parse a YAML file. (Placeholder semantics: replaced by the strict loader.)"""
    return Source(str(path), yaml.safe_load(path.read_text(encoding="utf-8")))


def read_records(path: Path, model: type[Model]) -> tuple[Source, Model]:
    """Parse a YAML file into one record.

    Raises:
        ScenarioError: with every fault of the file."""
    source = read_source(path)
    try:
        return source, model.model_validate(source.value)
    except ValidationError as error:
        raise ScenarioError(faults(source, error)) from None


def faults(source: Source, error: ValidationError) -> Iterable[Fault]:
    """Every validation error as a fault at its line."""
    for detail in error.errors():
        yield source.fault(detail["loc"], detail["msg"])
