"""The arguments of a tool call as a model wrote them: parsed, held against the tool's schema, mended without loss."""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import ValidationError

from tertulia.models.answers import NotJson, WrongSchema, faults, fits, parse_json, validator

__all__ = ["fitted", "parse_arguments"]

WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
LEFT_AS_IT_IS = object()
ABSENT = object()


def parse_arguments(text: str) -> dict[str, Any]:
    """The arguments as an object; an empty text stands for none, and JSON inside a JSON string is read.

    Raises:
        NotJson: when they are not an object in JSON."""
    value = parse_json(text) if text.strip() else {}
    if isinstance(value, str):
        value = parse_json(value) if value.strip() else {}
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotJson(f"arguments must be a JSON object, not {type(value).__name__}")
    return value


def fitted(args: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The arguments in the types of the schema, and whether any had to be changed for that.

    Only changes that lose nothing are made: "3" for 3, 1042 for "1042", "true" for true, JSON in a string for an
    object or a list, and null for an optional argument that is left out.

    Raises:
        WrongSchema: naming every argument that still does not fit."""
    if fits(args, schema):
        return dict(args), False
    wrong = list(validator(schema).iter_errors(args))
    if not wrong:
        return dict(args), False
    mended: dict[str, Any] = copy.deepcopy(dict(args))
    for error in wrong:
        path = list(error.absolute_path)
        if path:
            _put(mended, path, coerced(error.instance, expected(error)))
    if left := faults(mended, schema):
        raise WrongSchema("; ".join(left[:3]))
    return mended, True


def expected(error: ValidationError) -> Sequence[str]:
    """The types that would have been right at the place of an error."""
    if error.validator == "type":
        return _several(error.validator_value)
    if error.validator == "enum":
        return ("integer", "number", "boolean", "string")
    return [
        kind for inner in error.context or () if inner.validator == "type" for kind in _several(inner.validator_value)
    ]


def _several(kinds: Any) -> list[str]:
    """What a schema says of types, one or several, as a list."""
    return [kinds] if isinstance(kinds, str) else list(kinds)


def coerced(value: Any, kinds: Sequence[str]) -> Any:
    """The value in one of these JSON types where nothing is lost; `LEFT_AS_IT_IS` where that cannot be."""
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return next(
            (read for kind in kinds if (read := _read(value.strip(), kind)) is not LEFT_AS_IT_IS), LEFT_AS_IT_IS
        )
    if isinstance(value, int | float) and not isinstance(value, bool) and "string" in kinds:
        return str(value)
    return LEFT_AS_IT_IS


def _read(text: str, kind: str) -> Any:
    if kind in ("integer", "number") and WHOLE.fullmatch(text):
        return int(text)
    if kind == "number" and DECIMAL.fullmatch(text):
        return float(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if (kind == "object" and text.startswith("{")) or (kind == "array" and text.startswith("[")):
        try:
            return parse_json(text)
        except NotJson:
            return LEFT_AS_IT_IS
    return LEFT_AS_IT_IS


def _put(target: Any, path: Sequence[str | int], value: Any) -> None:
    if value is LEFT_AS_IT_IS:
        return
    for step in path[:-1]:
        target = target[step]
    if value is not ABSENT:
        target[path[-1]] = value
    elif isinstance(target, dict):
        target.pop(path[-1], None)
