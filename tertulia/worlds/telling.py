"""What is known of a simulated record: by which names its id goes, and whether it is among those asked for."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from tertulia.scenario import ToolSchema
from tertulia.worlds.drawing import bare, pointed
from tertulia.worlds.resources import Resource

__all__ = [
    "SEARCHES",
    "Known",
    "example_of",
    "fields_of",
    "fits",
    "fits_schema",
    "id_field",
    "id_schema",
    "named_by",
    "plain",
    "plain_known",
    "searched",
]

SEARCHES = ("query", "q", "search", "keyword", "keywords", "term", "searchterm", "text")
TITLES = ("name", "title", "label", "username", "fact", "text", "description")
Known = dict[str, Any]  # values by bare name


def plain(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in args.items() if value is not None}


def plain_known(record: Mapping[str, Any]) -> Known:
    return {bare(name): value for name, value in record.items()}


def named_by(resource: Resource, key: Any) -> Known:
    """The names that a record's own id may go by."""
    if not isinstance(key, str | int):
        return {}
    return {"id": key, resource.kind + "id": key} | ({bare(resource.key): key} if resource.key else {})


def id_schema(tool: ToolSchema, kind: str) -> Mapping[str, Any] | None:
    """The schema of the id in an answer, if it has one."""
    name, schema = id_field(pointed(tool.output, tool.output), kind, tool.output)
    return schema if name else None


def id_field(item: Mapping[str, Any], kind: str, root: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The field of a record that holds its id, and its schema; an empty name: none does."""
    properties = item.get("properties", {})
    for wanted in ((kind + "id",), ("id",), ("uuid", "key", "code", "number", kind + "number", kind + "code")):
        for name, schema in properties.items():
            if bare(name) in wanted:
                return name, pointed(schema, root)
    ids = [name for name in properties if bare(name).endswith("id")]
    return (ids[0], pointed(properties[ids[0]], root)) if ids else ("", {})


def fields_of(item: Mapping[str, Any]) -> set[str]:
    return {bare(name) for name in item.get("properties", {})}


def fits(record: Known, filters: Mapping[str, Any]) -> bool:
    """Whether a record of the conversation is among those asked for: it has the values, and the words of a search."""
    for name, value in filters.items():
        if name in SEARCHES and name not in record:
            if not any(str(value).lower() in str(one).lower() for one in record.values()):
                return False
        elif record.get(name) != value and not (isinstance(value, list) and record.get(name) in value):
            return False
    return True


def searched(item: Mapping[str, Any], filters: Known, nth: int) -> Known:
    """What is known of a record drawn for a search: the values asked for, and a title with the words looked for."""
    fields = fields_of(item)
    known = {name: value for name, value in filters.items() if name in fields}
    words = next((filters[name] for name in SEARCHES if isinstance(filters.get(name), str)), "")
    title = next((name for name in TITLES if name in fields and name not in known), "")
    if words and title:
        known[title] = words if nth == 0 else f"{words} {nth + 1}"
    return known


def example_of(tool: ToolSchema) -> Known:
    """The documented example of a success, as what is known before anything else is."""
    for response in tool.responses:
        for example in response.examples:
            if response.status.startswith("2") and isinstance(example, Mapping):
                return plain_known(example)
    return {}


def fits_schema(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    whole = {**schema, "$defs": root["$defs"]} if "$defs" in root else schema
    return bool(Draft202012Validator(whole).is_valid(value))
