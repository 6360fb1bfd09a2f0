"""Checks of the tools that a scenario brings along, and of the calls that name a tool."""

from collections.abc import Iterator, Mapping

from tertulia.checks.reading import Reading, Steps
from tertulia.checks.tool_values import Misfit, misfits, parameter_names, schema_faults
from tertulia.errors import Fault, did_you_mean
from tertulia.scenario import ToolSchema, Want
from tertulia.world import ToolSpec

__all__ = ["CHECKS"]


def where_tools_come_from(r: Reading) -> Iterator[Fault]:
    value = r.source.value
    given = [key for key in ("world", "tools", "tools_file") if isinstance(value, Mapping) and value.get(key)]
    for key in given[1:]:
        yield from r.fault((key,), f"give either {given[0]} or {key}, not both", on_key=True)
    if not given and r.scenario.script.wants and all(map(r.intact, ("world", "tools", "tools_file"))):
        yield from r.fault(
            ("script", "wants"), "wants need tools: name a world, or give tools or tools_file", on_key=True
        )


SOURCES = ("openapi", "mcp", "python", "classes")


def one_source(r: Reading) -> Iterator[Fault]:
    source = r.scenario.source
    if source is None or not r.intact("world"):
        return
    given = [key for key in SOURCES if getattr(source, key)]
    if len(given) != 1:
        yield from r.fault(("world",), f"give one of {', '.join(SOURCES[:-1])} and {SOURCES[-1]}")
    elif source.answers != "simulated" and "openapi" not in given:
        yield from r.fault(
            ("world", "answers"), f"answers are for openapi; those of {given[0]} are its own", on_key=True
        )


def tool_names(r: Reading) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for nth, tool in enumerate(r.scenario.tools):
        if tool.name in seen:
            yield from r.tool_fault((nth, "name"), f"tool {tool.name!r} is given twice")
        seen[tool.name] = nth


def tool_schemas(r: Reading) -> Iterator[Fault]:
    for nth, tool in enumerate(r.scenario.tools):
        for key, schema in (("parameters", tool.parameters), ("output", tool.output)):
            for at, message, suggestion in schema_faults({"type": "object"} | schema if key == "output" else schema):
                if not (key == "output" and at == ("type",)):
                    yield from r.tool_fault((nth, key, *at), message, suggestion)


def tool_examples(r: Reading) -> Iterator[Fault]:
    for nth, tool in enumerate(r.scenario.tools):
        usable = not any(schema_faults(tool.parameters))
        known = parameter_names(tool.parameters) if usable else None
        for place, example in enumerate(tool.examples):
            at = (nth, "examples", place)
            if example.error and example.returns is not None:
                yield from r.tool_fault(at, "an example either returns something or fails with an error")
            for key, value in example.args.items():
                if known is not None and key not in known:
                    message, near = f"{tool.name!r} has no parameter {key!r}", did_you_mean(key, known)
                    yield from r.tool_fault((*at, "with", key), message, near)
                elif usable:
                    yield from _example_value(r, (*at, "with"), tool, {key: value})


def _example_value(r: Reading, at: Steps, tool: ToolSchema, args: dict[str, object]) -> Iterator[Fault]:
    for path, message, suggestion in misfits(tool.parameters, args):
        if path:  # an example need not name every parameter
            yield from r.tool_fault((*at, *path), f"{path[0]!r} of {tool.name!r}: {message}", suggestion)


def injected_faults(r: Reading) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for nth, fault in enumerate(r.scenario.faults):
        at: Steps = ("faults", nth)
        if fault.tool and r.tools is not None and fault.tool not in r.tools:
            yield from r.fault((*at, "tool"), f"unknown tool {fault.tool!r}", did_you_mean(fault.tool, r.tools))
        if fault.calls and fault.rate:
            yield from r.fault((*at, "rate"), "give either calls or rate, not both", on_key=True)
        if fault.kind == "stale_read" and r.tools and fault.tool in r.tools and r.tools[fault.tool].writes:
            yield from r.fault((*at, "kind"), f"{fault.tool!r} writes; stale_read is for tools that read")
        if not fault.calls and (fault.tool, fault.kind) in seen:
            of = f"tool {fault.tool!r}" if fault.tool else "any tool"
            yield from r.fault((*at, "tool"), f"{of} fails twice in this list", " (use times)")
        seen.add((fault.tool, fault.kind))


def called_tools(r: Reading) -> Iterator[Fault]:
    if r.tools is None:
        return
    for nth, want in enumerate(r.scenario.script.wants):
        if want.call not in r.tools:
            near = did_you_mean(want.call, r.tools)
            yield from r.fault(("script", "wants", nth, "call"), f"unknown tool {want.call!r}", near)
    for nth, name in enumerate(r.scenario.success.never_calls):
        if name not in r.tools:
            near = did_you_mean(name, r.tools)
            yield from r.fault(("success", "never_calls", nth), f"unknown tool {name!r}", near)


def arguments(r: Reading) -> Iterator[Fault]:
    for nth, want in enumerate(r.scenario.script.wants):
        spec = r.usable(want.call)
        known = parameter_names(spec.parameters) if spec else None
        if known is None:
            continue
        at = ("script", "wants", nth)
        given: list[Steps] = [(*at, "with", key) for key in want.args]
        given += [(*at, "change", "with", key) for key in want.change.args] if want.change else []
        for path in given:
            if path[-1] not in known and "${" not in str(path[-1]):
                message = f"{want.call!r} has no parameter {path[-1]!r}"
                yield from r.fault(path, message, did_you_mean(str(path[-1]), known), on_key=True)


def values(r: Reading) -> Iterator[Fault]:
    """Every value fits its parameter, as the file is written and for every choice of its grid."""
    seen: set[tuple[Steps, str]] = set()
    for variant, scenario in r.settled:
        for nth, want in enumerate(scenario.script.wants):
            spec = r.usable(want.call)
            for path, message, suggestion in _value_faults(want, spec) if spec else ():
                at = ("script", "wants", nth, *path)
                if not path and not r.intact(*at, "with"):
                    continue
                if (at, message) not in seen:
                    seen.add((at, message))
                    yield from r.fault(variant.path(at), f"{variant.label}{message}", suggestion)


def _value_faults(want: Want, spec: ToolSpec) -> Iterator[Misfit]:
    """What is wrong with the values of a want, first as it is brought up, then after the change of mind."""
    for at, args, whole in ((("with",), want.args, not want.change), (("change", "with"), want.gold, True)):
        for path, message, suggestion in misfits(spec.parameters, args):
            if path and (at == ("with",) or (want.change and path[0] in want.change.args)):
                yield (*at, *path), f"{path[0]!r} of {want.call!r}: {message}", suggestion
            elif not path and whole and not _misspelt(message, want, spec):
                yield (), f"{want.call!r} {message}", suggestion


def _misspelt(message: str, want: Want, spec: ToolSpec) -> bool:
    """Whether a parameter is only missing because its name is misspelt, which is a fault of its own."""
    known = parameter_names(spec.parameters) or set()
    given = {*want.args, *want.gold} - known
    return any(repr(name) in message and did_you_mean(name, given) for name in known)


CHECKS = (
    where_tools_come_from,
    one_source,
    tool_names,
    tool_schemas,
    tool_examples,
    injected_faults,
    called_tools,
    arguments,
    values,
)
