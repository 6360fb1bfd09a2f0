"""A method of anybody's class as a tool: its annotations are the schema, its docstring says what a speaker reads."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import ConfigDict, PydanticSchemaGenerationError, PydanticUserError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema

from tertulia.scenario import Role
from tertulia.world import ToolSpec

__all__ = ["method_spec"]

SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Notes?):\s*$")
ARGUMENT = re.compile(r"^\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?\s*:\s*(?P<text>.*)$")


def method_spec(name: str, method: Callable[..., Any], *, writes: bool, owner: Role = "assistant") -> ToolSpec:
    """The tool that a method with `self` is. An annotation that has no JSON Schema allows every value.

    Docstrings are read in the style of Google's guide: a description, then `Args:` with a line for each argument."""
    description, arguments = _told(inspect.getdoc(method) or "")
    parameters = _schema(name, method)
    for key, text in arguments.items():
        if text and key in parameters["properties"]:
            parameters["properties"][key].setdefault("description", text)
    return ToolSpec(name=name, description=description, parameters=parameters, writes=writes, owner=owner)


def _schema(name: str, method: Callable[..., Any]) -> dict[str, Any]:
    """JSON Schema of the arguments, with a `properties` entry for each."""
    hints = _hints(method)
    properties: dict[str, Any] = {}
    required: list[str] = []
    definitions: dict[str, Any] = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        about = _of(hints.get(parameter.name, Any))
        definitions |= about.pop("$defs", {})
        if parameter.default is parameter.empty:
            required.append(parameter.name)
        elif parameter.default is None and "anyOf" not in about and about:
            about = {"anyOf": [about, {"type": "null"}], "default": None}
        elif parameter.default is None or isinstance(parameter.default, str | int | float | bool):
            about["default"] = parameter.default
        properties[parameter.name] = about
    made: dict[str, Any] = {"type": "object", "properties": properties}
    return made | ({"required": required} if required else {}) | ({"$defs": definitions} if definitions else {})


def _hints(method: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return get_type_hints(method, include_extras=True)
    except (NameError, TypeError):
        return {}


def _of(hint: Any) -> dict[str, Any]:
    """JSON Schema of one annotation, with its definitions; empty for one that has none."""
    try:
        model = create_model("model", __config__=ConfigDict(arbitrary_types_allowed=True), value=(hint, ...))
        schema: dict[str, Any] = _untitled(model.model_json_schema())
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError):
        return {}
    about: dict[str, Any] = schema["properties"]["value"]
    return about | ({"$defs": schema["$defs"]} if "$defs" in schema else {})


def _untitled(schema: Any) -> Any:
    """A schema without the titles that pydantic adds; a property that is called title stays."""
    if isinstance(schema, Mapping):
        return {k: _untitled(v) for k, v in schema.items() if not (k == "title" and isinstance(v, str))}
    return [_untitled(one) for one in schema] if isinstance(schema, list) else schema


def _told(doc: str) -> tuple[str, dict[str, str]]:
    """The description of a docstring, in one line, and what it says of each argument."""
    text: list[str] = []
    arguments: dict[str, str] = {}
    section, last = "", ""
    for line in doc.splitlines():
        if heading := SECTION.match(line.strip()):
            section = heading[1]
        elif not section:
            text.append(line)
        elif section in ("Args", "Arguments", "Parameters") and line.strip():
            deep = len(line) - len(line.lstrip()) > 4
            found = None if deep and last else ARGUMENT.match(line.strip())
            if found:
                last = found["name"]
                arguments[last] = found["text"].strip()
            elif last:
                arguments[last] = f"{arguments[last]} {line.strip()}".strip()
    return " ".join(" ".join(text).split()), arguments
