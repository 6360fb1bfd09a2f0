"""JSON out of a model's reply: read strictly, found in prose where need be, held against a schema."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

from tertulia.memo import Memo

__all__ = ["NotJson", "WrongSchema", "clean", "faults", "find_json", "parse_json", "validator"]

DEEPEST = 48  # values nested deeper than this are nobody's answer, and stores and exporters could not write them
LARGEST = 2**63
STARTS = 64  # how many opening brackets of a text are tried
SPOILT = re.compile(r"[\ud800-\udfff\x00]")


class NotJson(ValueError):
    """A text is not JSON, or holds numbers or nesting that JSON readers do not agree on."""


class WrongSchema(ValueError):
    """A value does not fit its schema."""


def clean(text: str) -> str:
    """The text without what no file can hold (halves of surrogate pairs, null bytes)."""
    return SPOILT.sub("\N{REPLACEMENT CHARACTER}", text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson(f"the number {text[:40]!r} is too large")
    return number


def _short(text: str) -> int:
    number = int(text) if len(text) <= 20 else LARGEST
    if not -LARGEST <= number < LARGEST:
        raise NotJson(f"the number {text[:40]!r} is too large")
    return number


def _refuse(text: str) -> Any:
    raise NotJson(f"{text} is not JSON")


DECODER = json.JSONDecoder(parse_float=_finite, parse_int=_short, parse_constant=_refuse)


def parse_json(text: str) -> Any:
    """The value of a text that is JSON and nothing else.

    Raises:
        NotJson: saying where it is not."""
    value, end = _decoded(text.strip(), 0)
    if end != len(text.strip()):
        raise NotJson(f"there is more behind the JSON: {text.strip()[end : end + 40]!r}")
    return value


def _decoded(text: str, start: int) -> tuple[Any, int]:
    try:
        value, end = DECODER.raw_decode(text, start)
    except NotJson:
        raise
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise NotJson("it is nested too deep") from None
    return _cleaned(value, 0), end


def _cleaned(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return clean(value)
    if depth > DEEPEST:
        raise NotJson("it is nested too deep")
    if isinstance(value, dict):
        return {clean(key): _cleaned(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner, depth + 1) for inner in value]
    return value


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Every JSON object that stands in a text, outermost ones, in order."""
    at = tried = 0
    while (at := text.find("{", at)) >= 0 and tried < STARTS:
        tried += 1
        try:
            value, at = _decoded(text, at)
        except NotJson:
            at += 1
            continue
        yield value


def find_json(text: str, schema: Mapping[str, Any]) -> tuple[Any, bool]:
    """The answer in a text, and whether prose stands around it. In prose the last object that fits counts.

    Raises:
        NotJson: when no JSON is there.
        WrongSchema: when what is there does not fit."""
    try:
        value, prose = parse_json(text), False
    except NotJson as error:
        found = list(objects_in(text))
        if not found:
            raise error from None
        value, prose = next((f for f in reversed(found) if not faults(f, schema)), found[-1]), True
    if wrong := faults(value, schema):
        raise WrongSchema("; ".join(wrong[:3]))
    return value, prose


PLAIN = {"type", "properties", "required", "additionalProperties", "items", "enum", "description", "title"}
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def fits(value: Any, schema: Any) -> bool:
    """Whether a value surely fits a schema, by the plainest keywords alone: what is good is known at a twentieth of
    what the validator costs, which has the last word on the rest."""
    if not isinstance(schema, dict) or not schema.keys() <= PLAIN:
        return False
    kind = schema.get("type")
    if kind is not None and (not isinstance(kind, str) or type(value) not in KINDS.get(kind, ())):
        return False
    if "enum" in schema and not (isinstance(value, str) and value in schema["enum"]):
        return False
    if isinstance(value, dict):
        return all(name in value for name in schema.get("required", ())) and fields_fit(value, schema)
    if isinstance(value, list) and "items" in schema:
        return all(fits(inner, schema["items"]) for inner in value)
    return True


def fields_fit(value: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    if type(more) is not bool:
        return False
    return all(fits(inner, known[name]) if name in known else more for name, inner in value.items())


_VALIDATORS: Memo[Draft202012Validator] = Memo(1024)


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """The validator of a schema, made once for each schema object."""
    return _VALIDATORS.of((schema,), lambda: Draft202012Validator(schema))


def faults(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with a value, each with its place."""
    if fits(value, schema):
        return []
    return [f"{e.json_path}: {e.message[:200]}" for e in validator(schema).iter_errors(value)]
