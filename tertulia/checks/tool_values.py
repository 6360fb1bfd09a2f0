"""Values held against a tool's JSON Schema, in plain sentences, and what is wrong with such a schema itself."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from tertulia.errors import did_you_mean
from tertulia.validation import Steps, shown
from tertulia.variation import slots_used

__all__ = ["Misfit", "misfits", "parameter_names", "schema_faults"]

Misfit = tuple[Steps, str, str]  # path, message, suggestion

DATA = ("enum", "const", "default", "examples")  # keywords that hold values, not schemas
SAME_VALUE = ("allOf", "anyOf", "oneOf")  # keywords whose schemas look at the same value again
TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")  # names -> schemas
META = Draft202012Validator(Draft202012Validator.META_SCHEMA)
LIMITS = {
    "minimum": "expected at least {0}, got {1}",
    "maximum": "expected at most {0}, got {1}",
    "exclusiveMinimum": "expected more than {0}, got {1}",
    "exclusiveMaximum": "expected less than {0}, got {1}",
    "multipleOf": "expected a multiple of {0}, got {1}",
    "minLength": "expected at least {0} characters, got {1}",
    "maxLength": "expected at most {0} characters, got {1}",
    "minItems": "expected at least {0} entries, got {1}",
    "maxItems": "expected at most {0} entries, got {1}",
    "pattern": "expected a text of the form {0}, got {1}",
    "format": "expected a {0}, got {1}",
    "const": "expected {0}, got {1}",
    "uniqueItems": "an entry is listed twice",
}


def parameter_names(schema: Any, root: Any = None, seen: tuple[int, ...] = ()) -> set[str] | None:
    """The names of a tool's parameters; None when it takes any name."""
    if not isinstance(schema, Mapping) or id(schema) in seen:
        return set()
    root = schema if root is None else root
    if schema.get("additionalProperties") not in (None, False) or schema.get("patternProperties"):
        return None
    found = set(schema.get("properties", {}))
    inner = [branch for keyword in SAME_VALUE for branch in schema.get(keyword, ())]
    if isinstance(ref := schema.get("$ref"), str):
        inner.append(target(root, ref))
    for branch in inner:
        names = parameter_names(branch, root, (*seen, id(schema)))
        if names is None:
            return None
        found |= names
    return found


def misfits(schema: Mapping[str, Any], args: Mapping[str, Any]) -> Iterator[Misfit]:
    """Every value that does not fit, and every parameter that is missing. The schema must be free of faults."""
    for error in Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(args):
        error = best_match([error]) or error
        if error.validator == "additionalProperties" and not error.absolute_path:
            continue  # named one by one, with suggestions, by whoever knows the keys
        if not slots_used(error.instance) or error.validator == "required":
            yield (tuple(error.absolute_path), *_said(error))


def _said(error: ValidationError) -> tuple[str, str]:
    wanted: Any = error.validator_value
    given: Any = error.instance
    if error.validator == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        hint = f' (put it in quotes: "{shown(given)}")' if "string" in types and isinstance(given, int | float) else ""
        return f"expected {' or '.join(TYPES.get(t, t) for t in types)}, got {shown(given)}", hint
    if error.validator == "enum":
        return f"expected one of {', '.join(map(shown, wanted))}, got {shown(given)}", did_you_mean(str(given), wanted)
    if error.validator == "required":
        lacking = [name for name in wanted if name not in given]
        named = [name for name in lacking if error.message.startswith(repr(name))]  # one error for each
        return f"needs {(named or lacking)[0]!r}", ""
    if error.validator in LIMITS:
        size = len(given) if error.validator in ("minLength", "maxLength", "minItems", "maxItems") else shown(given)
        return LIMITS[error.validator].format(wanted, size), ""
    return error.message, ""


# --- the schema itself -------------------------------------------------------------------------------------------


def target(root: Any, ref: str) -> Any:
    """What a reference within a schema points at; None when it points at nothing."""
    value = root
    for step in ref.removeprefix("#").split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return value


def schema_faults(schema: Mapping[str, Any]) -> Iterator[Misfit]:
    """What keeps a tool's `parameters` from being a JSON Schema that can be used without leaving the file."""
    wrong = [*_not_schema(schema), *_patterns(schema), *_references(schema)]
    yield from wrong
    if not wrong and schema.get("type", "object") != "object":
        yield ("type",), f"a tool's parameters are an object, not {shown(schema['type'])}", ""
    if not wrong and (ref := endless(schema)):
        yield (), f"{ref!r} leads back to itself before it says anything about a value", ""


def _not_schema(schema: Mapping[str, Any]) -> Iterator[Misfit]:
    for error in META.iter_errors(schema):
        at = tuple(error.absolute_path)
        if at[-1:] == ("type",) and isinstance(error.instance, str):
            yield at, f"there is no type {error.instance!r} in JSON Schema", did_you_mean(error.instance, TYPES)
        else:
            yield at, f"not a JSON Schema: {_said(best_match([error]) or error)[0]}", ""


def _patterns(schema: Mapping[str, Any]) -> Iterator[Misfit]:
    for at, node in subschemas(schema):
        found: list[tuple[Steps, str]] = []
        if isinstance(node.get("pattern"), str):
            found.append(((*at, "pattern"), node["pattern"]))
        if isinstance(node.get("patternProperties"), Mapping):
            found += [((*at, "patternProperties", key), key) for key in node["patternProperties"]]
        for place, pattern in found:
            try:
                re.compile(pattern)
            except (re.error, RecursionError, OverflowError) as error:
                yield place, f"{shown(pattern)} is not a regular expression: {error}", ""


def _references(schema: Mapping[str, Any]) -> Iterator[Misfit]:
    for at, node in subschemas(schema):
        for key in ("$dynamicRef", "$recursiveRef", *(("$id",) if at else ())):
            if key in node:
                yield (*at, key), f"{key} is not followed here; use $ref: '#/...'", ""
        ref = node.get("$ref", "#")
        if not isinstance(ref, str):
            continue  # no schema, and named as such
        if ref != "#" and not ref.startswith("#/"):
            yield (*at, "$ref"), f"{ref!r} points out of this schema; only '#/...' is followed", ""
        elif not isinstance(target(schema, ref), Mapping | bool):
            yield (*at, "$ref"), f"{ref!r} points at nothing in this schema", ""


def subschemas(value: Any, at: Steps = (), *, named: bool = False) -> Iterator[tuple[Steps, Mapping[str, Any]]]:
    """Every schema within a schema, itself first, with its path. `named`: a mapping whose keys are names of schemas."""
    if isinstance(value, Mapping):
        if not named:
            yield at, value
        for key, inner in value.items():
            if named or key not in DATA:
                yield from subschemas(inner, (*at, key), named=not named and key in NAMED)
    elif isinstance(value, list):
        for nth, inner in enumerate(value):
            yield from subschemas(inner, (*at, nth))


def endless(root: Mapping[str, Any]) -> str:
    """A reference that turns in a circle over one and the same value, or an empty text. Trees that end are fine."""
    done: set[int] = set()

    def turns(node: Any, path: tuple[int, ...]) -> bool:
        if not isinstance(node, Mapping) or id(node) in done:
            return False
        if id(node) in path:
            return True
        again = [branch for keyword in SAME_VALUE for branch in node.get(keyword, ())]
        if isinstance(ref := node.get("$ref"), str):
            again.append(target(root, ref))
        if any(turns(inner, (*path, id(node))) for inner in again):
            return True
        done.add(id(node))
        return False

    for _, node in subschemas(root):
        if turns(node, ()):
            return str(node.get("$ref", "a combination of schemas"))
    return ""
