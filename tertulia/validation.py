"""Validation errors of a record as plain sentences, each with the path of the value or key that it is about."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from tertulia.errors import did_you_mean

__all__ = ["Complaint", "complaints", "inside", "shown", "strictly", "unwrapped"]

Steps = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

PATTERNS = {
    r"^[a-z][a-z0-9_-]*$": "a name (lower case letters, digits, - and _, beginning with a letter)",
    r"^[a-z][a-z0-9_]*$": "an id (lower case letters, digits and _, beginning with a letter)",
    r"^[A-Za-z_][A-Za-z0-9_.-]*$": "a tool name (letters, digits, _, . and -, not beginning with a digit)",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a value."""

    at: Steps
    message: str
    suggestion: str = ""
    on_key: bool = False  # it is about the key, not the value
    wrong: Steps = ()  # the value to drop or, where it is missing, to add, before the rest can be read
    missing: bool = False
    expects: Any = Any  # the type that belongs at `wrong`


def strictly(model: type[Model], json: str) -> Model:
    """A record from JSON text: no value is converted, and only the names that a file may use count.

    Raises:
        ValidationError: which `complaints` puts into words."""
    return model.model_validate_json(json, strict=True, by_alias=True, by_name=False)


def complaints(model: type[BaseModel], error: ValidationError) -> Iterator[Complaint]:
    """Every error in our own words. A list is not called too short when the fault is in one of its entries; a value
    that is of none of the types that it may have is one fault."""
    details = error.errors(include_url=False)
    found: dict[tuple[Steps, str], Complaint] = {}  # by place, and by what was given where another type is expected
    for detail in details:
        loc = detail["loc"]
        deeper = any(other["loc"][: len(loc)] == loc and len(other["loc"]) > len(loc) for other in details)
        if deeper and detail["type"] == "too_short":
            continue
        one = _complaint(model, detail)
        wanted, got, given = one.message.partition(", got ")
        before = found.get((one.at, given)) if got else None
        if before is None:
            found[one.at, given if got else one.message] = one
        else:
            others = before.message.removesuffix(f", got {given}").replace(" or ", ", ")
            message = f"{others} or {wanted.removeprefix('expected ')}, got {given}"
            found[one.at, given] = replace(before, message=message, suggestion=before.suggestion or one.suggestion)
    yield from found.values()


def _complaint(model: type[BaseModel], detail: ErrorDetails) -> Complaint:
    kind, loc, given = detail["type"], detail["loc"], detail["input"]
    if kind == "missing":
        path, holder = _trace(model, loc[:-1])
        wrong = (*path, loc[-1])
        expects = inside(holder, loc[-1])
        return Complaint(path, f"missing key {loc[-1]!r}", on_key=True, wrong=wrong, missing=True, expects=expects)
    if kind == "extra_forbidden":
        path, holder = _trace(model, loc[:-1])
        near = did_you_mean(str(loc[-1]), _keys(holder))
        return Complaint((*path, loc[-1]), f"unknown key {loc[-1]!r}", near, True, (*path, loc[-1]))
    on_key = bool(loc) and loc[-1] == "[key]"
    path, expects = _trace(model, loc[:-1] if on_key else loc)
    if kind == "union_tag_not_found":
        return _untagged(path, expects, detail)
    if kind == "union_tag_invalid":
        return Complaint((*path, "kind"), *_outside(detail.get("ctx", {}), given), wrong=path, expects=expects)
    message, suggestion = _sentence(detail)
    return Complaint(path, message, suggestion, on_key, path, expects=expects)


def _untagged(path: Steps, expects: Any, detail: ErrorDetails) -> Complaint:
    if isinstance(detail["input"], Mapping):
        return Complaint(path, "missing key 'kind'", on_key=True, wrong=path, expects=expects)
    wanted = "a mapping with the key 'kind'" if "kind" in detail["msg"] else "a text or a mapping"
    return Complaint(path, f"expected {wanted}, got {shown(detail['input'])}", wrong=path, expects=expects)


def _outside(context: Mapping[str, Any], given: Any) -> tuple[str, str]:
    tag, choices = str(context["tag"]), str(context["expected_tags"])
    return f"expected one of {choices}, got {tag!r}", did_you_mean(tag, [c.strip(" '") for c in choices.split(",")])


# --- sentences ---------------------------------------------------------------------------------------------------


def shown(value: Any) -> str:
    """A value as a reader of the file knows it, cut to a readable length."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"


def _wanted(what: str) -> Callable[[Mapping[str, Any], Any], str]:
    return lambda context, given: f"expected {what.format(**context)}, got {shown(given)}"


def _entries(bound: str, key: str) -> Callable[[Mapping[str, Any], Any], str]:
    def say(context: Mapping[str, Any], given: Any) -> str:
        many = "entry" if context[key] == 1 else "entries"
        return f"expected {bound} {context[key]} {many}, got {context['actual_length']}"

    return say


SENTENCES: dict[str, Callable[[Mapping[str, Any], Any], str]] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _wanted("a whole number")),
    **dict.fromkeys(("float_type", "float_parsing"), _wanted("a number")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _wanted("true or false")),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), _wanted("a mapping (key: value)")),
    **dict.fromkeys(("tuple_type", "list_type", "set_type"), _wanted("a list")),
    **dict.fromkeys(("literal_error", "enum"), _wanted("one of {expected}")),
    "string_type": _wanted("a text"),
    "greater_than_equal": _wanted("at least {ge}"),
    "greater_than": _wanted("more than {gt}"),
    "less_than_equal": _wanted("at most {le}"),
    "less_than": _wanted("less than {lt}"),
    "too_short": _entries("at least", "min_length"),
    "too_long": _entries("at most", "max_length"),
    "string_too_short": _wanted("a text of at least {min_length} characters"),
    "string_too_long": _wanted("a text of at most {max_length} characters"),
    "string_pattern_mismatch": lambda context, given: (
        f"{shown(given)} is not {PATTERNS.get(context['pattern'], 'of the form ' + context['pattern'])}"
    ),
    "none_required": _wanted("nothing"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), _wanted("a date such as 2026-03-02")),
    **dict.fromkeys(("time_type", "time_parsing"), _wanted("a time such as 14:30")),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing"), _wanted("a time such as 2026-03-02T14:30")
    ),
}


def _sentence(detail: ErrorDetails) -> tuple[str, str]:
    kind, given, context = detail["type"], detail["input"], dict(detail.get("ctx", {}))
    if "expected" in context:
        context["expected"] = str(context["expected"]).replace(" or ", ", ")
    if kind in ("string_too_short", "too_short") and not given:
        return "must not be empty", ""
    say = SENTENCES.get(kind)
    message = say(context, given) if say else _plainly(detail["msg"])
    return message, _suggestion(kind, given, context)


def _plainly(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "expected")


def _suggestion(kind: str, given: Any, context: Mapping[str, Any]) -> str:
    if kind == "string_type" and isinstance(given, int | float):
        return f' (put it in quotes: "{shown(given)}")'
    if kind == "tuple_type" and isinstance(given, str):
        return f" (write [{given}])" if len(given) < 40 else ""
    if kind in ("literal_error", "enum") and isinstance(given, str):
        return did_you_mean(given, [choice.strip(" '") for choice in str(context["expected"]).split(",")])
    if kind.startswith("bool") and isinstance(given, str) and given.lower() in ("yes", "on", "no", "off"):
        return f" (did you mean {'true' if given.lower() in ('yes', 'on') else 'false'}?)"
    return ""


# --- from pydantic's locations to paths in the file --------------------------------------------------------------


def unwrapped(kind: Any) -> Any:
    """A type without `Annotated`, `None` and root models around it."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, UnionType) and len(rest := _branches(kind)) == 1:
            kind = rest[0]
        elif isinstance(kind, type) and issubclass(kind, RootModel):
            kind = kind.model_fields["root"].annotation
        else:
            return kind


def _branches(kind: Any) -> list[Any]:
    return [branch for branch in get_args(kind) if branch is not NoneType]


def _trace(kind: Any, loc: Steps) -> tuple[Steps, Any]:
    """The path in the file for a location of pydantic's, which also names branches of unions; and the type there."""
    path: list[str | int] = []
    for step in loc:
        kind = unwrapped(kind)
        if get_origin(kind) in (Union, UnionType) and (chosen := _chosen(kind, step)) is not None:
            kind = chosen
            continue
        path.append(step)
        kind = inside(kind, step)
    return tuple(path), kind


def _chosen(union: Any, tag: str | int) -> Any:
    """The branch of a union that a step of a location names."""
    for branch in _branches(union):
        if get_origin(branch) is Annotated and any(isinstance(m, Tag) and m.tag == tag for m in branch.__metadata__):
            return branch
        bare = unwrapped(branch)
        if getattr(bare, "__name__", "") == tag or tag in _kinds(bare):
            return branch
    return None


def _kinds(model: Any) -> tuple[Any, ...]:
    """The values of `kind` that choose this model."""
    if isinstance(model, type) and issubclass(model, BaseModel) and "kind" in model.model_fields:
        field = model.model_fields["kind"].annotation
        return get_args(field) if get_origin(field) is Literal else ()
    return ()


def inside(kind: Any, step: str | int) -> Any:
    """The type of what a step leads to."""
    kind = unwrapped(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        found = [field for name, field in kind.model_fields.items() if step == (field.alias or name)]
        return found[0].annotation if found else Any
    inner = get_args(kind)
    if get_origin(kind) is dict:
        return inner[1]
    return inner[0] if get_origin(kind) in (tuple, list) else Any


def _keys(kind: Any) -> list[str]:
    kind = unwrapped(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.alias or name for name, field in kind.model_fields.items()]
    return []
