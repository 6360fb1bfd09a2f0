"""Worlds of other people's classes: their methods are the tools, and every conversation has objects of its own."""

import json
import sys
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import import_module
from inspect import isclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tertulia.errors import UserError, did_you_mean
from tertulia.permissions import need_code
from tertulia.records import Change
from tertulia.scenario import Scenario
from tertulia.state_paths import changed, put
from tertulia.tool_schema import ToolClasses
from tertulia.world import Outcome, ToolSpec, as_text, refusal
from tertulia.worlds.customs import Custom, Method, Pieces, Refused, custom_of, joined

__all__ = ["REFUSALS", "ClassWorld", "LiveClasses", "class_named", "class_world"]

# What a tool of another library raises is its way to refuse, besides the errors that its own module knows by name.
REFUSALS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    Refused,
    RuntimeError,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,
)


def class_named(reference: str) -> type:
    """The class that MODULE:NAME stands for. Its module is run.

    Raises:
        UserError: if there is no such module or class."""
    module_name, _, name = reference.partition(":")
    if not module_name or not name.isidentifier():
        raise UserError(f"{reference!r} names no class; write MODULE:NAME, such as shop.tools:ShopTools")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise UserError(f"{reference!r} cannot be imported: {error}") from error
    found = getattr(module, name, None)
    if not isclass(found):
        near = did_you_mean(name, (key for key, value in vars(module).items() if isclass(value)))
        raise UserError(f"{module_name!r} has no class {name!r}{near}")
    return found


def class_world(source: ToolClasses) -> "ClassWorld":
    """The world that a scenario's `classes` describe; one object for all scenarios that describe it alike.

    Raises:
        UserError: if code may not be run, or for a class or file that is not there."""
    need_code(f"the world runs {', '.join(source.of)}")
    return _class_world(source.model_dump_json())


@lru_cache(maxsize=64)
def _class_world(source: str) -> "ClassWorld":
    given = ToolClasses.model_validate_json(source)
    data = read_json(given.data_file) if given.data_file else given.data
    policy = read_text(given.policy_file) if given.policy_file else ""
    return ClassWorld(tuple(map(class_named, given.of)), data, policy, frozenset(given.writing))


def read_text(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{name!r} cannot be read: {error}") from error


def read_json(name: str) -> Any:
    try:
        return json.loads(read_text(name))
    except json.JSONDecodeError as error:
        raise UserError(f"{name}:{error.lineno}:{error.colno}: is no JSON: {error.msg}") from error


@dataclass(frozen=True)
class ClassWorld:
    """The tools of one or several classes.

    `data` is what the class is filled with; with several classes, by the name of each. The state of a conversation has
    the same shape: that of the one class, or by name. `writing` names tools that change something, besides those that
    their own library says to."""

    classes: tuple[type, ...]
    data: Any = field(repr=False)
    policy: str = field(default="", repr=False)
    writing: frozenset[str] = frozenset()

    @cached_property
    def customs(self) -> dict[str, tuple[type, Custom]]:
        return {kind.__name__: (kind, custom_of(kind)) for kind in self.classes}

    @cached_property
    def own_errors(self) -> dict[str, tuple[type[Exception], ...]]:
        """The errors that stand in the module of each class."""
        return {
            name: tuple(
                value
                for value in vars(sys.modules[kind.__module__]).values()
                if isclass(value) and issubclass(value, Exception)
            )
            for name, (kind, _) in self.customs.items()
        }

    @cached_property
    def methods(self) -> dict[str, tuple[str, Method]]:
        """Every tool by name, with the name of the class it is called on."""
        found: dict[str, tuple[str, Method]] = {}
        for name, (kind, custom) in self.customs.items():
            for method in custom.methods(kind, "assistant"):
                if method.spec.name in found:
                    raise UserError(f"{found[method.spec.name][0]} and {name} both have a tool {method.spec.name!r}")
                found[method.spec.name] = (name, method)
        return found

    @cached_property
    def tools(self) -> dict[str, ToolSpec]:
        specs = {name: method.spec for name, (_, method) in self.methods.items()}
        also = {name: spec.model_copy(update={"writes": True}) for name, spec in specs.items() if name in self.writing}
        return {**specs, **also}

    @cached_property
    def validators(self) -> dict[str, Draft202012Validator]:
        return {name: Draft202012Validator(_strict(spec.parameters)) for name, spec in self.tools.items()}

    def made(self, scenario: Scenario) -> dict[str, Any]:
        """New objects, by the names of their classes, with the scenario's start values in their data.

        Raises:
            UserError: if the data do not fit."""
        data = deepcopy(self.data)
        if scenario.start and all(custom.state_is_data for _, custom in self.customs.values()):
            data = self.state(self._made_of(data))  # a state has the defaults that data leave out
        for path, value in scenario.start.items():
            try:
                put(data, path, deepcopy(value))
            except KeyError as error:
                raise UserError(f"scenario {scenario.id!r}: start: {path!r} is not in the data: {error}") from error
        return self._made_of(data)

    def _made_of(self, data: Any) -> dict[str, Any]:
        alone = len(self.customs) == 1
        return {
            name: custom.made(kind, data if alone else (data or {}).get(name))
            for name, (kind, custom) in self.customs.items()
        }

    def state(self, objects: Mapping[str, Any]) -> dict[str, Any]:
        """What JSON can say of the objects."""
        return self._together({name: joined(self.customs[name][1].state(made)) for name, made in objects.items()})

    def _together(self, states: dict[str, Any]) -> dict[str, Any]:
        """The state of the one object, or those of several by name."""
        only: dict[str, Any] = next(iter(states.values()))
        return only if len(states) == 1 else states

    @cached_property
    def _first(self) -> Any:
        """What a scenario begins with, told from others by its start values; the last few are kept."""
        return lru_cache(maxsize=8)(lambda key: self._begin(key.scenario))

    def _begin(self, scenario: Scenario) -> "Beginning":
        objects = self.made(scenario)
        pieces = {name: self.customs[name][1].state(made) for name, made in objects.items()}
        state = self._together({name: joined(found) for name, found in pieces.items()})
        return Beginning(objects, pieces, state, json.dumps(state))

    def start(self, scenario: Scenario) -> dict[str, Any]:
        state: dict[str, Any] = self._first(_Start(scenario)).state
        return state

    def open(self, scenario: Scenario) -> "LiveClasses":
        return LiveClasses(self, scenario, self._first(_Start(scenario)))

    def anew(self, scenario: Scenario, first: "Beginning") -> dict[str, Any]:
        """Objects for one conversation, in the state in which it begins."""
        if not all(custom.state_is_data for _, custom in self.customs.values()):
            return self.made(scenario)
        return self._made_of(json.loads(first.text))


@dataclass(frozen=True, slots=True)
class Beginning:
    """What conversations begin with that have the same start values. They share it: nobody writes to it."""

    objects: dict[str, Any]  # by the names of their classes, as the pieces
    pieces: dict[str, Pieces]
    state: dict[str, Any]  # of the one object, or by name
    text: str  # the state as JSON


@dataclass(frozen=True, slots=True)
class _Start:
    """A scenario, told from others by its start values alone."""

    scenario: Scenario

    def __hash__(self) -> int:
        return hash(tuple(self.scenario.start))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Start) and self.scenario.start == other.scenario.start


class LiveClasses:
    """The objects of one conversation. What a refused call did is undone.

    Until something may be written, what surely only reads is asked of the objects that all conversations begin with:
    a database of some size is not made anew for a look."""

    def __init__(self, world: ClassWorld, scenario: Scenario, first: Beginning) -> None:
        self.world, self.scenario, self.first = world, scenario, first
        self.pieces = {**first.pieces}

    @cached_property
    def objects(self) -> dict[str, Any]:
        """The conversation's own objects, by the names of their classes."""
        return self.world.anew(self.scenario, self.first)

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        if name not in self.world.methods:
            return refusal(f"There is no tool called {name!r}.")
        home, method = self.world.methods[name]
        custom = self.world.customs[home][1]
        faults = sorted(
            f"{error.json_path[2:] or 'arguments'}: {error.message}"
            for error in self.world.validators[name].iter_errors(dict(args))
            if custom.checks_values or error.validator in ("required", "additionalProperties")
        )
        if faults:
            return refusal("Invalid arguments. " + "; ".join(faults))
        only_reads = custom.says_what_writes and not method.spec.writes
        objects = self.first.objects if only_reads and "objects" not in vars(self) else self.objects
        undo = None if only_reads else custom.undo(objects[home], self.pieces[home])
        try:
            text = as_text(custom.answer(method.call(objects[home], args)))
        except (*REFUSALS, *self.world.own_errors[home]) as error:
            if undo:
                objects[home] = undo()
            return refusal(" ".join(str(error).split()) or type(error).__name__)
        return Outcome(text, changes=() if only_reads else self._advance(home))

    def _advance(self, home: str) -> tuple[Change, ...]:
        """What has changed in an object since the last look at it."""
        before, now = self.pieces[home], self.world.customs[home][1].state(self.objects[home])
        self.pieces[home] = now
        above = () if len(self.pieces) == 1 else (home,)
        found: list[Change] = []
        for keys in [*before, *(keys for keys in now if keys not in before)]:
            if before.get(keys) != now.get(keys):
                one, other = (json.loads(pieces.get(keys, "null")) for pieces in (before, now))
                found += changed(one, other, ".".join((*above, *keys)))
        return tuple(found)


def _strict(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {**parameters, "additionalProperties": False}
