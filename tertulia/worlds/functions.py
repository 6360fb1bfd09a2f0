"""Worlds of Python that is named in a scenario: functions, LangChain tools and toolkits, or a class of tools.

    MODULE:NAME     a function, a LangChain tool, a list of them, a LangChain toolkit; or a class, made anew for each
                    conversation: our own `Toolkit` with data.json and policy.md beside it, or anybody's
    MODULE:NAME()   called for each conversation; gives any of the former, with a state of its own

A function's annotations are its schema and its docstring its description; `@tertulia.tool(writes=True)` says that it
writes. What a tool raises is its way to refuse.
"""

import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from tertulia.errors import ToolError, UserError, did_you_mean
from tertulia.permissions import need_code
from tertulia.scenario import Scenario, ToolSchema, ToolSource
from tertulia.world import Outcome, World, as_text, refusal
from tertulia.worlds.classes import REFUSALS, ClassWorld
from tertulia.worlds.methods import method_spec
from tertulia.worlds.resources import reads_by_name
from tertulia.worlds.schema import SchemaWorld
from tertulia.worlds.toolkit import Toolkit, ToolkitWorld
from tertulia.worlds.waiting import waited

__all__ = ["FunctionsWorld", "LiveFunctions", "python_world", "tools_of_python"]

PYTHON = (inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY),)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function or LangChain tool, ready to be called."""

    schema: ToolSchema
    run: Callable[[dict[str, Any]], Any]
    waits: bool = False  # whether what it gives has to be awaited


def python_world(source: ToolSource, policy: str) -> World:
    """The world of what `python` names.

    Raises:
        UserError: when code may not be run, or there is nothing of that name."""
    need_code(f"the world runs {source.python}")
    thing = found(source.python)
    if inspect.isclass(thing) and issubclass(thing, Toolkit):
        return toolkit_world(thing, source.python, policy)
    if inspect.isclass(thing):
        return ClassWorld((thing,), {}, policy)
    tools = tools_in(thing, source.python)
    return FunctionsWorld(tuple(tool.schema for tool in tools), policy, source)


def toolkit_world(toolkit: type[Toolkit], name: str, policy: str) -> ToolkitWorld:
    """The world of a toolkit of ours, filled from the files beside its module; `policy` adds to its policy.

    Raises:
        UserError: when there is no data.json."""
    folder = Path(inspect.getfile(toolkit)).parent
    try:
        data = (folder / "data.json").read_bytes()
    except OSError as error:
        raise UserError(f"{name} needs a file data.json in {str(folder)!r}: {error.strerror}") from error
    own = folder / "policy.md"
    told = [own.read_text(encoding="utf-8")] if own.is_file() else []
    return ToolkitWorld(name, toolkit, data, "\n\n".join(filter(None, [*told, policy])))


def tools_of_python(source: ToolSource) -> tuple[ToolSchema, ...]:
    """The tools of what `python` names, as a scenario holds them.

    Raises:
        UserError: as `python_world` does."""
    specs = python_world(source, "").tools.values()
    return tuple(ToolSchema.model_validate(spec.model_dump()) for spec in specs)


@lru_cache(maxsize=64)
def named(reference: str) -> Any:
    """What MODULE:NAME stands for. Its module is run; it may lie in the working directory."""
    module_name, _, name = reference.partition(":")
    if not module_name or not name.isidentifier():
        raise UserError(f"{reference!r} names nothing; write MODULE:NAME or MODULE:NAME(), such as shop.tools:search")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise UserError(f"{reference!r} cannot be imported: {error}") from error
    if not hasattr(module, name):
        raise UserError(f"{module_name!r} has no {name!r}{did_you_mean(name, vars(module))}")
    return getattr(module, name)


def found(reference: str) -> Any:
    """What a reference stands for, made where it says so."""
    return named(reference.removesuffix("()"))() if reference.endswith("()") else named(reference)


def tools_in(thing: Any, reference: str) -> list[Tool]:
    """The tools in what was named.

    Raises:
        UserError: when there are none."""
    if callable(getattr(thing, "get_tools", None)):
        thing = thing.get_tools()
    if isinstance(thing, Mapping):
        thing = list(thing.values())
    several = thing if isinstance(thing, Sequence) and not isinstance(thing, str) else [thing]
    tools = [tool for one in several for tool in _tool(one)]
    if not tools or len(tools) < len(several):
        raise UserError(f"{reference!r} is no function, tool, toolkit or list of them")
    return tools


def _tool(thing: Any) -> list[Tool]:
    """One tool; none for what is none."""
    if hasattr(thing, "tool_call_schema") and callable(getattr(thing, "invoke", None)):
        return [_of_langchain(thing)]
    if not callable(thing) or inspect.isclass(thing):
        return []
    marks = getattr(thing, "__tool__", {})
    name = getattr(thing, "__name__", type(thing).__name__)
    spec = method_spec(name, _as_method(thing), writes=marks.get("writes", not reads_by_name(name)))
    schema = ToolSchema.model_validate(spec.model_dump() | {"owner": marks.get("owner", "assistant")})
    return [Tool(schema, lambda args: thing(**args), inspect.iscoroutinefunction(thing))]


def _as_method(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a first parameter that a caller does not see."""

    @wraps(function)
    def method(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    signature = inspect.signature(function)
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*PYTHON, *signature.parameters.values()]
    )
    return method


def _of_langchain(tool: Any) -> Tool:
    """A tool of LangChain. `metadata={"writes": True}` says that it writes."""
    given = tool.tool_call_schema
    schema = given if isinstance(given, Mapping) else given.model_json_schema()
    parameters = {key: value for key, value in schema.items() if key not in ("title", "description")}
    writes = (tool.metadata or {}).get("writes", not reads_by_name(tool.name))
    description = " ".join(tool.description.split())
    made = ToolSchema(name=tool.name, description=description, parameters=parameters, writes=bool(writes))
    waits = getattr(tool, "coroutine", None) is not None and getattr(tool, "func", None) is None
    return Tool(made, tool.ainvoke if waits else tool.invoke, waits)


@dataclass(frozen=True)
class FunctionsWorld(SchemaWorld):
    """Functions and LangChain tools."""

    source: ToolSource = field(default_factory=ToolSource)

    def open(self, scenario: Scenario) -> "LiveFunctions":  # type: ignore[override]  # each conversation has its own
        need_code(f"scenario {scenario.id!r} runs {self.source.python}")
        tools = {tool.schema.name: tool for tool in tools_in(found(self.source.python), self.source.python)}
        waits = any(tool.waits for tool in tools.values())
        return LiveCoroutines(self, tools) if waits else LiveFunctions(self, tools)


@dataclass(slots=True)
class LiveFunctions:
    """The functions that one conversation calls."""

    world: FunctionsWorld
    tools: Mapping[str, Tool]

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        told = self.world.call(name, args)
        if told.error or not told.unanswered:
            return told
        try:
            given = self.tools[name].run(dict(args))
            return Outcome(as_text(waited(given) if self.tools[name].waits else given))
        except refusals() as error:
            return refusal(said(error))


class LiveCoroutines(LiveFunctions):
    """The same, where some of them have to be awaited."""

    async def ask(self, name: str, args: Mapping[str, Any]) -> Outcome:
        told = self.world.call(name, args)
        if told.error or not told.unanswered or not self.tools[name].waits:
            return self.call(name, args)
        try:
            work: Awaitable[Any] = self.tools[name].run(dict(args))
            return Outcome(as_text(await work))
        except refusals() as error:
            return refusal(said(error))

    async def close(self) -> None:
        """Nothing is held."""


def refusals() -> tuple[type[BaseException], ...]:
    """What tools raise to refuse; LangChain's own, where it is loaded."""
    langchain = sys.modules.get("langchain_core.tools")
    return (*REFUSALS, ToolError, *((langchain.ToolException,) if langchain else ()))


def said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
