"""The ways in which libraries write classes of tools: how one is made, which methods are tools, what its state is.

    Tau2Toolkit      tau2-bench: methods marked by `@is_tool`, over a pydantic database in `db`
    Tau2Environment  tau2-bench: an environment of two toolkits, of assistant and user, that it keeps in step
    BfclApi          BFCL: public methods over attributes that `_load_scenario` fills; {"error": ..} is a refusal
    Plain            any other class: public methods; made with its data as keyword arguments

A state is what JSON can say of an object's public attributes.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, get_type_hints

from pydantic import BaseModel, ValidationError

from tertulia.errors import UserError
from tertulia.scenario import Role
from tertulia.world import ToolSpec
from tertulia.worlds.methods import method_spec

__all__ = ["CUSTOMS", "Custom", "Method", "Pieces", "Refused", "custom_of", "joined"]

DEEPEST = 12  # levels of objects in objects that a state shows
Pieces = dict[tuple[str, ...], str]  # a state as JSON texts, by the keys that lead to each: a change touches few


class Refused(Exception):
    """A tool says by what it returns that it did nothing."""


@dataclass(frozen=True, slots=True)
class Method:
    """A tool of a class: what a speaker knows of it, and how it is called on an object of the class."""

    spec: ToolSpec
    call: Callable[[Any, Mapping[str, Any]], Any]


class Custom(Protocol):
    """How one library writes its classes."""

    says_what_writes: bool  # whether a tool that is not said to write surely only reads
    state_is_data: bool  # whether an object can be made of its state again
    checks_values: (
        bool  # whether values of the wrong type are refused here; else the library sees what it makes of them
    )

    def fits(self, kind: type) -> bool: ...
    def made(self, kind: type, data: Any) -> Any:
        """A new object, to which the data belong from now on."""
        ...

    def methods(self, kind: type, owner: Role) -> Iterator[Method]: ...
    def state(self, made: Any) -> Pieces:
        """What JSON can say of an object."""
        ...

    def undo(self, made: Any, state: Pieces) -> Callable[[], Any]:
        """Gives the object as it is now, with this state, whatever becomes of it."""
        ...

    def answer(self, returned: Any) -> Any: ...


def custom_of(kind: type) -> Custom:
    """The first that fits; any class is at least a plain one."""
    return next(custom for custom in CUSTOMS if custom.fits(kind))


def public(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The methods of a class whose names do not begin with an underscore."""
    for name, member in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_"):
            yield name, member


def named(name: str) -> Callable[[Any, Mapping[str, Any]], Any]:
    """Calls the method of that name."""

    def call(made: Any, args: Mapping[str, Any]) -> Any:
        return getattr(made, name)(**deepcopy(dict(args)))

    return call


def seen(value: Any, inside: tuple[int, ...] = ()) -> Any:
    """A value as JSON: objects by their public attributes; what holds itself, or lies too deep, is left out."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if id(value) in inside or len(inside) >= DEEPEST:
        return None
    inside = (*inside, id(value))
    if isinstance(value, BaseModel):
        return json.loads(value.model_dump_json())
    if isinstance(value, Mapping):
        return {str(key): seen(inner, inside) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((seen(inner, inside) for inner in value), key=str)
    if isinstance(value, list | tuple):
        return [seen(inner, inside) for inner in value]
    if hasattr(value, "__dict__"):
        public_ones = {key: inner for key, inner in vars(value).items() if not key.startswith("_")}
        return {key: seen(inner, inside) for key, inner in public_ones.items() if id(inner) not in inside}
    return str(value)


def pieces_of(db: BaseModel) -> Pieces:
    """A database, record by record where it keeps them in mappings."""
    pieces: Pieces = {}
    for name in type(db).model_fields:
        value = getattr(db, name)
        if isinstance(value, dict) and all(isinstance(inner, BaseModel) for inner in value.values()):
            pieces[(name,)] = "{}"
            pieces |= {(name, str(key)): inner.model_dump_json() for key, inner in value.items()}
        else:
            pieces[(name,)] = json.dumps(json.loads(db.model_dump_json(include={name}))[name])
    return pieces


def joined(pieces: Pieces) -> Any:
    """The state that pieces make up."""
    if () in pieces:
        return json.loads(pieces[()])
    whole: dict[str, Any] = {}
    for keys, text in pieces.items():
        place = whole
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = json.loads(text)
    return whole


def drawers(made: Any) -> list[Random]:
    """The random generators that an object keeps."""
    return [value for value in vars(made).values() if type(value) is Random] if hasattr(made, "__dict__") else []


def same_draws(draws: Random) -> Random:
    """A generator that draws the same from here on: copied number by number, one takes longer than most tools."""
    other = Random()
    other.setstate(draws.getstate())
    return other


class Plain:
    """Any class: public methods, and its data as keyword arguments."""

    says_what_writes = False
    state_is_data = False
    checks_values = True

    def fits(self, kind: type) -> bool:
        return True

    def made(self, kind: type, data: Any) -> Any:
        try:
            return kind(**(data or {}))
        except TypeError as error:
            raise UserError(f"{kind.__name__} cannot be made with its data: {error}") from error

    def methods(self, kind: type, owner: Role) -> Iterator[Method]:
        for name, method in public(kind):
            yield Method(method_spec(name, method, writes=False, owner=owner), named(name))

    def state(self, made: Any) -> Pieces:
        return {(): json.dumps(seen(made))}

    def undo(self, made: Any, state: Pieces) -> Callable[[], Any]:
        copy = deepcopy(made, {id(draws): same_draws(draws) for draws in drawers(made)})
        return lambda: copy

    def answer(self, returned: Any) -> Any:
        return seen(returned)


class BfclApi(Plain):
    """The API classes of the Berkeley Function-Calling Leaderboard."""

    checks_values = False

    def fits(self, kind: type) -> bool:
        return callable(getattr(kind, "_load_scenario", None))

    def made(self, kind: type, data: Any) -> Any:
        made = kind()
        given = dict(data or {})
        long_context = given.pop("long_context", False)
        made._load_scenario(given, long_context=long_context)
        return made

    def answer(self, returned: Any) -> Any:
        """The checker of BFCL reads a mapping with `error` as a call that failed."""
        if isinstance(returned, Mapping) and returned.get("error"):
            raise Refused(str(returned["error"]))
        return seen(returned)


class Tau2Toolkit(Plain):
    """A toolkit of tau2-bench."""

    says_what_writes = True
    state_is_data = True
    checks_values = False

    def fits(self, kind: type) -> bool:
        return hasattr(kind, "use_tool") and hasattr(kind, "_func_tools")

    def made(self, kind: type, data: Any) -> Any:
        model = get_type_hints(kind).get("db")
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise UserError(f"{kind.__name__} does not annotate `db` with the pydantic model of its database")
        try:
            return kind(model.model_validate(data))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UserError(
                f"the data of {kind.__name__} do not fit {model.__name__}: {where}: {first['msg']}"
            ) from error

    def methods(self, kind: type, owner: Role) -> Iterator[Method]:
        for name, member in inspect.getmembers(kind, inspect.isfunction):
            if getattr(member, "__tool__", False) and not getattr(member, "__discoverable__", False):
                writes = getattr(member, "__mutates_state__", True)
                yield Method(method_spec(name, member, writes=writes, owner=owner), named(name))

    def state(self, made: Any) -> Pieces:
        return pieces_of(made.db)

    def undo(self, made: Any, state: Pieces) -> Callable[[], Any]:
        """By way of the state, which is far faster than a copy for a database of some size."""
        model, kind = type(made.db), type(made)
        return lambda: kind(model.model_validate_json(json.dumps(joined(state))))


class Tau2Environment(Plain):
    """An environment of tau2-bench: a class that annotates `tools` and perhaps `user_tools`."""

    says_what_writes = False  # a read of one toolkit may bring the other in step
    state_is_data = True
    checks_values = False
    kit = Tau2Toolkit()

    def fits(self, kind: type) -> bool:
        return hasattr(kind, "sync_tools") and hasattr(kind, "make_tool_call")

    def kits(self, kind: type) -> dict[Role, type]:
        """The toolkits by whose they are."""
        hints = get_type_hints(kind)
        asked: tuple[tuple[Role, str], ...] = (("assistant", "tools"), ("user", "user_tools"))
        found = {role: hints[name] for role, name in asked if isinstance(hints.get(name), type)}
        if "assistant" not in found:
            raise UserError(f"{kind.__name__} does not annotate `tools` with its toolkit")
        return found

    def made(self, kind: type, data: Any) -> Any:
        kits = self.kits(kind)
        apart = data if isinstance(data, Mapping) and set(data) == set(kits) else {"assistant": data}
        made = {role: self.kit.made(kit, apart.get(role)) for role, kit in kits.items()}
        environment = kind("", "", *made.values())
        environment.sync_tools()
        return environment

    def methods(self, kind: type, owner: Role) -> Iterator[Method]:
        for role, kit in self.kits(kind).items():
            for method in self.kit.methods(kit, role):
                yield Method(method.spec, self.through(role, method.spec.name))

    def through(self, role: Role, name: str) -> Callable[[Any, Mapping[str, Any]], Any]:
        """Calls a tool of one of the two, and brings them in step again."""

        def call(made: Any, args: Mapping[str, Any]) -> Any:
            returned = made.make_tool_call(name, requestor=role, **deepcopy(dict(args)))
            made.sync_tools()
            return returned

        return call

    def undo(self, made: Any, state: Pieces) -> Callable[[], Any]:
        kits = (made.tools, made.user_tools)
        backs = [self.kit.undo(kit, self.kit.state(kit)) for kit in kits if kit is not None]
        return lambda: type(made)("", "", *(back() for back in backs))

    def state(self, made: Any) -> Pieces:
        own = self.kit.state(made.tools)
        if made.user_tools is None:
            return own
        both = {"assistant": own, "user": self.kit.state(made.user_tools)}
        return {(whose, *keys): text for whose, pieces in both.items() for keys, text in pieces.items()}


CUSTOMS: tuple[Custom, ...] = (Tau2Environment(), Tau2Toolkit(), BfclApi(), Plain())
