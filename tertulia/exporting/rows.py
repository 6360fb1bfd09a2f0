"""A row of an export: its id, and its line of JSON."""

import json
from typing import Any
from uuid import UUID, uuid5

from tertulia.records import Conversation

__all__ = ["NAMESPACE", "as_line", "row_id"]

NAMESPACE = UUID("5b0a1c7e-3f0d-5c52-9f7e-6c1d0f6a7a11")  # of every id in an export


def row_id(talk: Conversation, *parts: object) -> str:
    """An id that depends on the conversation's id and the parts alone."""
    return str(uuid5(NAMESPACE, "/".join(map(str, (talk.id, *parts)))))


def as_line(value: Any) -> str:
    """A row, or a value in it, as one line of JSON, with its keys in the order in which the exporter gave them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
