"""A row of an export: its id, and its line of JSON."""

import json
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from tertulia.records import Conversation
from tertulia.scenario import Scenario

__all__ = ["NAMESPACE", "as_line", "digest", "item_id", "row_id", "unpacked"]

NAMESPACE = UUID("5b0a1c7e-3f0d-5c52-9f7e-6c1d0f6a7a11")  # of every id in an export


def row_id(talk: Conversation, *parts: object) -> str:
    """An id that depends on the conversation's id and the parts alone."""
    return str(uuid5(NAMESPACE, "/".join(map(str, (talk.id, *parts)))))


def item_id(scenario: Scenario) -> str:
    """The id of a settled scenario as an item of an evaluation set: the same in every run."""
    settled = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return str(uuid5(NAMESPACE, digest(settled).hex()))


def digest(value: Any) -> bytes:
    """The SHA-256 of a value as JSON, whatever the order of its keys."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return sha256(text.encode("utf-8", "backslashreplace")).digest()


def unpacked(value: Any) -> Any:
    """A part of an evaluation item: it stands in the item as JSON text, in items of version 1 as it is.

    Raises:
        ValueError: for a text that is no JSON."""
    return json.loads(value) if isinstance(value, str) else value


def as_line(value: Any) -> str:
    """A row, or a value in it, as one line of JSON, with its keys in the order in which the exporter gave them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
