"""How much of a ToolAlpaca file the rule cast solves: `python bench/real_tools.py FILE [--api NAME] [--show]`.

Every instruction becomes a scenario on the fly: all operations of its API are the tools, the instruction is the
opening, its golden answer is what the user wants. Tools answer with values made from their response schemas, and
`${x from tool}` in a golden answer stands for the value made there; what the original asks its user for (`getDetails`)
is a value the user knows. The file is that of ToolAlpaca (Tang et al., arXiv 2306.05301).
"""

import argparse
import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tertulia.checks.tool_values import misfits
from tertulia.gold import Made, calls_that_worked, comparable
from tertulia.graph import Item, Stage
from tertulia.language.wording import humanize
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation
from tertulia.scenario import Scenario, ToolSchema
from tertulia.streams import number
from tertulia.worlds import open_world

PRINCIPLES = ("confirm_before_change", "grounded_arguments", "no_false_claims", "no_internals", "courteous")
PLACEHOLDER = re.compile(r'"?\$\{(?P<what>[^{}",]*)\}?"?|"\{(?P<words>[a-z ]+)\}"')
METHODS = ("get", "put", "post", "delete", "patch")
NAMES = ("Quillon", "Tarrow", "Bexley", "Morwen", "Sandor", "Ilka", "Verdan", "Oskela")


# --- from an OpenAPI document to tools ---------------------------------------------------------------------------


def tools_of(document: Mapping[str, Any]) -> list[ToolSchema]:
    """Every operation as a tool with an answer made from its response schema; whatever is not a GET writes."""
    document = inlined(document, document)
    return [
        ToolSchema(
            name=operation.get("operationId") or operation_name(path, method),
            description=operation.get("description") or operation.get("summary", ""),
            parameters=parameters_of(operation),
            output=output_of(operation),
            writes=method != "get",
            returns=made_value("", output_of(operation)),
        )
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in METHODS
    ]


def operation_name(path: str, method: str) -> str:
    """The name that ToolAlpaca gives to an operation without one: its path and method."""
    return "_".join([*re.sub(r"[{}]", "", path).strip("/").split("/"), method])


def inlined(value: Any, document: Mapping[str, Any], depth: int = 0) -> Any:
    """A part of a document with what its references point at in their place."""
    if isinstance(value, Mapping) and isinstance(value.get("$ref"), str) and depth < 12:
        target: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            target = target.get(step, {})
        return inlined(target, document, depth + 1)
    if isinstance(value, Mapping):
        return {key: inlined(inner, document, depth + 1) for key, inner in value.items()} if depth < 24 else {}
    return [inlined(inner, document, depth + 1) for inner in value] if isinstance(value, list) else value


def parameters_of(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Path and query parameters together with the properties of the request body."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for given in operation.get("parameters", ()):
        described = {"description": given["description"]} if given.get("description") else {}
        properties[given["name"]] = {**given.get("schema", {}), **described}
        required += [given["name"]] if given.get("required") else []
    body = json_schema(operation.get("requestBody", {}))
    for name, schema in body.get("properties", {}).items():
        properties.setdefault(name, schema)
    required += [name for name in body.get("required", ()) if name not in required]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def output_of(operation: Mapping[str, Any]) -> dict[str, Any]:
    return json_schema(operation.get("responses", {}).get("200", {}))


def json_schema(content: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = content.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def made_value(name: str, schema: Mapping[str, Any]) -> Any:
    """A value that fits a schema, told apart by its name."""
    kind = schema.get("type")
    if schema.get("enum"):
        return schema["enum"][0]
    if kind == "object" or "properties" in schema:
        return {key: made_value(key, inner) for key, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [made_value(name, schema.get("items", {}))]
    some = number(0, name)
    if kind in ("integer", "number"):
        return some % 90_000 + 10_000
    if kind == "boolean":
        return True
    said = humanize(name).split() or ["value"]
    named = {"email": f"someone{some % 90}@example.org", "date": f"2022-07-{some % 28 + 1:02d}"}
    named |= {"url": f"https://example.org/{some % 900}", "ip": f"192.0.2.{some % 250}"}
    if known := next((named[word] for word in said if word in named), None):
        return known
    code = f"{said[0]}{some % 900 + 100}"
    return code if said[-1] in ("id", "token", "code") else NAMES[some % len(NAMES)]


# --- from a golden answer to the calls wanted --------------------------------------------------------------------


@dataclass
class Instruction:
    """One instruction with the calls that its golden answer wants, and why some of them cannot be played."""

    text: str
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)  # what the user is asked for in the original
    unplayable: list[str] = field(default_factory=list)


def instruction(text: str, golden: Sequence[Mapping[str, str]], tools: Mapping[str, ToolSchema]) -> Instruction:
    made = Instruction(text.strip())
    for step in golden:
        name = step["Action"]
        if name == "getDetails" or name.startswith("[Optional]"):
            continue
        if name not in tools:
            made.unplayable.append(f"{name}: no such operation")
            continue
        try:
            args, asked = arguments(step["Action_Input"], tools[name], tools)
        except json.JSONDecodeError as error:
            made.unplayable.append(f"{name}: the golden answer is no JSON: {error}")
            continue
        wrong = unfit(tools[name], args)
        if wrong:
            made.unplayable.append(f"{name}: the golden answer does not fit the schema: {wrong}")
        else:
            made.calls.append((name, args))
            made.told |= asked
    return made


def arguments(text: str, tool: ToolSchema, tools: Mapping[str, ToolSchema]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of a golden call with its placeholders filled, and those that the user is to be asked for."""
    values: list[tuple[str, Any]] = []

    def put(match: re.Match[str]) -> str:
        what = match["what"] or match["words"]
        name, _, source = what.partition(" from ")
        values.append((source.strip(), filled(name.strip(), source.strip(), tool, tools)))
        return f'"\\u0000{len(values) - 1}"'

    read = json.loads(PLACEHOLDER.sub(put, text))
    args, asked = {}, {}
    for key, value in read.items():
        args[key] = resolved(value, values)
        if isinstance(value, str) and value.startswith("\0") and values[int(value[1:])][0] == "getDetails":
            asked[key] = args[key]
    fitted = {key: as_typed(value, tool.parameters["properties"].get(key, {})) for key, value in args.items()}
    return {key: value for key, value in fitted.items() if value not in ("", None)}, asked


def resolved(value: Any, values: Sequence[tuple[str, Any]]) -> Any:
    if isinstance(value, str) and value.startswith("\0"):
        return values[int(value[1:])][1]
    if isinstance(value, Mapping):
        return {key: resolved(inner, values) for key, inner in value.items()}
    return [resolved(inner, values) for inner in value] if isinstance(value, list) else value


def filled(name: str, source: str, tool: ToolSchema, tools: Mapping[str, ToolSchema]) -> Any:
    """What a placeholder stands for: the value in the answer of the tool it names, else a made one."""
    if source in tools:
        wanted = humanize(name)
        for key, value in leaves(tools[source].returns):
            if humanize(key) in (wanted, wanted.rpartition(" ")[2]):
                return value
    return made_value(name, tool.parameters["properties"].get(name, {}))


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner) if isinstance(inner, Mapping | list) else ((key, inner),)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)


def as_typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """The original writes some whole numbers as text."""
    whole = schema.get("type") == "integer" and isinstance(value, str) and value.isdigit()
    return int(value) if whole else value


def unfit(tool: ToolSchema, args: Mapping[str, Any]) -> str:
    faults = [message for _, message, _ in misfits(tool.parameters, args)]
    unknown = [f"no parameter {key!r}" for key in args if key not in tool.parameters["properties"]]
    return "; ".join(faults + unknown)


# --- play --------------------------------------------------------------------------------------------------------


def scenario(api: str, nth: int, one: Instruction, tools: Sequence[ToolSchema]) -> Scenario:
    """The instruction as a scenario that asks for no more than its golden answer."""
    return Scenario.model_validate(
        {
            "id": f"api-{re.sub(r'[^a-z0-9]+', '-', api.lower()).strip('-')}-{nth}",
            "kind": "single_call" if len(one.calls) == 1 else "multi_call",
            "tools": [tool.model_dump(by_alias=True) for tool in tools],
            "policy": f"You answer with the functions of {api} and nothing else.",
            "principles": PRINCIPLES,
            "cast": {"client": {"role": "user", "knows": one.told}, "agent": {"role": "assistant"}},
            "limits": {"turns": 60},
            "script": {"opening": one.text, "wants": [{"call": name, "with": args} for name, args in one.calls]},
        }
    )


@dataclass
class Tally:
    """Golden calls of one API: how many there are, and how many were hit."""

    calls: int = 0
    named: int = 0
    exact: int = 0
    misses: list[str] = field(default_factory=list)

    def add(self, where: str, played: Scenario, talk: Conversation) -> None:
        specs = open_world(played).tools
        made = calls_that_worked(list(talk.messages), specs)
        left, names = Counter(made), Counter(call.name for call in made)
        for want in played.script.wants:
            wanted = comparable(want.call, played.assistant, want.args, specs)
            self.calls += 1
            self.named += names[want.call] > 0
            names[want.call] -= 1
            if left[wanted] > 0:
                left[wanted] -= 1
                self.exact += 1
            else:
                self.misses.append(f"{where} {wanted}: {reason(wanted, made, talk)}")


def reason(wanted: Made, made: Sequence[Made], talk: Conversation) -> str:
    near = [call for call in made if call.name == wanted.name]
    if near:
        return "made " + ", ".join(map(str, near))
    calls = [str(call) for call in made]
    return f"{talk.end_reason.value}{' ' + talk.rejected_by if talk.rejected_by else ''}; calls: {calls or 'none'}"


def shown(talk: Conversation) -> Iterator[str]:
    for turn in talk.turns:
        calls = ", ".join(f"{call.name}({json.dumps(call.args)})" for call in turn.message.calls)
        yield f"      {turn.speaker}: {turn.message.text}{calls}"
        yield from (f"        -> {result.text[:160]}" for result in turn.results)
        yield from (f"        ! {m.principle}: {m.evidence}" for draft in turn.drafts for m in draft.markers)


async def measured(apis: Sequence[Mapping[str, Any]], seed: int, show: bool) -> None:
    stage, total = Stage(bundled_recipe("user_script")), Tally()
    for api in apis:
        tools = tools_of(json.loads(api["Documentation"]))
        for tool in tools:
            Draft202012Validator.check_schema(tool.parameters)
        named, tally, unplayable = {tool.name: tool for tool in tools}, Tally(), []
        for nth, (text, golden) in enumerate(zip(api["Instructions"], api["Golden_Answers"], strict=True), start=1):
            one = instruction(text, golden, named)
            unplayable += [f"  [{nth}] {why}" for why in one.unplayable]
            if not one.calls:
                continue
            played = scenario(api["Name"], nth, one, tools)
            talk = await stage.play(stage.seat(Item(nth, played.id, played, {}, number(seed, played.id, 0), 0.0)))
            before = len(tally.misses)
            tally.add(f"[{nth}]", played, talk)
            if show and len(tally.misses) > before:
                print("\n".join([f"  [{nth}]", *shown(talk)]))
        print(f"{api['Name']}: {tally.calls} golden calls, {tally.named} hit by name, {tally.exact} exactly")
        for line in [*(f"  miss {miss}" for miss in tally.misses), *unplayable]:
            print(line)
        total.calls, total.named, total.exact = (
            total.calls + tally.calls,
            total.named + tally.named,
            total.exact + tally.exact,
        )
    share = (
        f"{total.named / total.calls:.0%} by name, {total.exact / total.calls:.0%} exactly" if total.calls else "none"
    )
    print(f"all: {total.calls} golden calls, {total.named} hit by name, {total.exact} exactly ({share})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a JSON file of ToolAlpaca APIs with instructions and golden answers")
    parser.add_argument("--api", default="", help="only the API of this name")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", action="store_true", help="print the conversations that missed a call")
    given = parser.parse_args()
    apis = [api for api in json.loads(given.file.read_text(encoding="utf-8")) if given.api in ("", api["Name"])]
    asyncio.run(measured(apis, given.seed, given.show))


if __name__ == "__main__":
    main()
