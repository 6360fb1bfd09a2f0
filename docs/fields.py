"""Writes the tables of fields into docs/scenario-files.md, each under its `fields` comment: `python docs/fields.py`."""

import inspect
import re
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tertulia import scenario
from tertulia.principles import Detector, Principle

__all__ = ["PAGE", "written"]

PAGE = Path(__file__).resolve().parent / "scenario-files.md"
BLOCK = re.compile(r"(<!-- fields: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
DETECTORS = get_args(get_args(Detector)[0])
HOMES = {  # where a record has its table
    "Party": "[party](#the-cast)",
    "Decision": "[decision](#the-cast)",
    "Script": "[script](#the-script)",
    "Want": "[want](#the-script)",
    "ChangeOfMind": "[change](#the-script)",
    "Success": "[success](#success)",
    "CallsExpected": "`{match: MODE}`",
    "ToolSchema": "[tool](#worlds-and-tools-of-your-own)",
    "ToolSource": "[source](#worlds-and-tools-of-your-own)",
    "McpServer": "[server](#worlds-and-tools-of-your-own)",
    "ToolClasses": "`{of: [MODULE:NAME], ...}`",
    "Operation": "`{method, path, ...}`",
    "Response": "`{status, body, ...}`",
    "Example": "[example](#worlds-and-tools-of-your-own)",
    "InjectedFault": "[fault](#worlds-and-tools-of-your-own)",
    "Principle": "[principle](#principles)",
    "Limits": "[limits](#limits)",
}
RECORDS: dict[str, type[BaseModel]] = {name: getattr(scenario, name) for name in scenario.__all__} | {
    "Principle": Principle
}


def fields(name: str) -> str:
    """A record's fields as a table: how each is written, its default, what it means."""
    schema = RECORDS[name].model_json_schema(by_alias=True)
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for python_name, field in RECORDS[name].model_fields.items():
        key = field.alias or python_name
        shape = shown(schema["properties"][key], schema.get("$defs", {}))
        default = "required" if field.is_required() else default_of(field.get_default(call_default_factory=True))
        rows.append(f"| `{key}` | {shape} | {default} | {cell(field.description or '')} |")
    return "\n".join(rows)


def default_of(value: Any) -> str:
    if value is PydanticUndefined or value in (None, "", (), {}) or isinstance(value, BaseModel):
        return ""
    plain = list(value) if isinstance(value, tuple) else value
    return f"`{str(plain).lower() if isinstance(plain, bool) else plain}`"


def shown(shape: dict[str, Any], shapes: dict[str, Any]) -> str:
    """A JSON Schema in a few words; a record is a link to its table."""
    if "$ref" in shape:
        target = shapes[shape["$ref"].rpartition("/")[2]]
        return HOMES.get(target["title"], f"`{target['title']}`")
    if "enum" in shape:
        return ", ".join(f"`{choice}`" for choice in shape["enum"])
    for way in ("anyOf", "oneOf"):
        if way in shape:
            branches = [one for one in shape[way] if one.get("type") != "null"]
            return "detector" if len(branches) > 2 else " or ".join(shown(one, shapes) for one in branches)
    kind = shape.get("type", "anything")
    if kind == "array":
        return f"list of {shown(shape['items'], shapes)}" if shape.get("items") else "list"
    if kind == "object":
        inner = next(iter(shape.get("patternProperties", {}).values()), shape.get("additionalProperties"))
        return f"mapping to {shown(inner, shapes)}" if isinstance(inner, dict) else "mapping"
    low, high = shape.get("minimum"), shape.get("maximum")
    words = {"string": "text", "boolean": "true or false", "integer": "number"}.get(kind, kind)
    return f"{words}, {low} to {high}" if low is not None and high is not None else str(words)


def detectors() -> str:
    """What each kind of detector finds, with its keys."""
    rows = ["| `kind` | keys | finds |", "| --- | --- | --- |"]
    for record in DETECTORS:
        (kind,) = get_args(record.model_fields["kind"].annotation)
        keys = ", ".join(f"`{key}`" for key in record.model_fields if key != "kind")
        rows.append(f"| `{kind}` | {keys} | {cell(inspect.getdoc(record) or '')} |")
    return "\n".join(rows)


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def written(page: str) -> str:
    """The page with every table made anew."""
    return BLOCK.sub(lambda m: m[1] + (detectors() if m[2] == "Detector" else fields(m[2])) + "\n" + m[3], page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
