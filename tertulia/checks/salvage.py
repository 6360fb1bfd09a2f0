"""What can still be read of a broken file: wrong parts are left out or stood in for, so the rest can be checked."""

import json
from collections.abc import Iterable
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from tertulia.source import Source
from tertulia.validation import Complaint, Steps, complaints, strictly, unwrapped

__all__ = ["STAND_IN", "salvage"]

Model = TypeVar("Model", bound=BaseModel)
STAND_IN = "x" * 12  # long enough, and of the right form, for every text that a record wants
MOST_ROUNDS = 40


def salvage(source: Source, model: type[Model]) -> tuple[Model | None, frozenset[Steps]]:
    """A record of what is sound in a file, and the paths of what is not; no record where nothing could be read."""
    value = json.loads(json.dumps(source.value))
    broken: set[Steps] = set()
    for _ in range(MOST_ROUNDS):
        if not isinstance(value, dict | list):
            return None, frozenset(broken)
        try:
            return strictly(model, json.dumps(value)), frozenset(broken)
        except ValidationError as error:
            found = list(complaints(model, error))
        broken.update(_doubtful(found))
        for complaint in found:
            value = _mended(value, complaint)
    return None, frozenset(broken)


def _doubtful(found: Iterable[Complaint]) -> Iterable[Steps]:
    """The paths that nothing may be concluded from. A misspelt key makes the key that was meant doubtful."""
    for complaint in found:
        if complaint.message.startswith("unknown key"):
            if complaint.suggestion:
                yield (*complaint.at[:-1], complaint.suggestion.split("'")[1])
        else:
            yield complaint.wrong


def _mended(value: Any, complaint: Complaint) -> Any:
    """The value without its wrong part. An item of a list is stood in for, so that the others keep their places."""
    if not complaint.wrong:
        return None
    *parents, last = complaint.wrong
    holder = value
    for step in parents:
        if not _has(holder, step):
            return value  # an earlier complaint has taken the whole branch away
        holder = holder[step]
    if isinstance(holder, dict) and not complaint.missing:
        holder.pop(last, None)
    elif isinstance(holder, dict) or _has(holder, last):
        holder[last] = _stand_in(complaint.expects)
    return value


def _has(holder: Any, step: str | int) -> bool:
    if isinstance(holder, list):
        return isinstance(step, int) and step < len(holder)
    return isinstance(holder, dict) and step in holder


def _stand_in(kind: Any) -> Any:
    """A harmless JSON value of a type; whatever it still lacks is the matter of the next round."""
    kind = unwrapped(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _stand_in(inner[0])
    if origin is Literal:
        return inner[0]
    if origin is dict:
        return {STAND_IN + end: _stand_in(inner[1]) for end in ("a", "b")}
    if origin in (tuple, list):
        return [_stand_in(inner[0])]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {}
    return {int: 1, float: 1.0, bool: False, str: STAND_IN}.get(kind)
