"""Small parts of OpenAPI documents as they are meant: names, texts, statuses, media types, servers."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["content_of", "described", "filled", "listed", "mapped", "plain", "status_of", "valid_name"]

MOST_NAME = 64  # characters, as chat completion APIs have it
MOST_DESCRIPTION = 1_024


def content_of(holder: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The media type of a body that suits us best, JSON before any other, and what is said of it."""
    content = holder.get("content")
    if not isinstance(content, Mapping) or not content:
        return "", holder if "schema" in holder else {}
    kinds = sorted(content, key=lambda kind: "json" not in str(kind))
    chosen = content[kinds[0]]
    return str(kinds[0]), chosen if isinstance(chosen, Mapping) else {}


def described(operation: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Summary and description as one text."""
    summary, text = plain(operation.get("summary")), plain(operation.get("description") or item.get("description"))
    if summary and text and not text.startswith(summary.rstrip(".")):
        text = f"{summary.rstrip('.')}. {text}"
    text = text or summary or plain(item.get("summary"))
    return text if len(text) <= MOST_DESCRIPTION else text[: MOST_DESCRIPTION - 1].rstrip() + "…"


def valid_name(text: str) -> str:
    """A name that every chat API takes: letters, digits, `_` and `-`, at most 64, not beginning with a digit."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", text.strip()).strip("_-") or "operation"
    return (name if not name[0].isdigit() else f"_{name}")[:MOST_NAME]


def status_of(key: Any) -> str:
    """`200`, `2xx`, `default`; what says OK in other words is 200."""
    word = str(key).strip()
    if word.lower() in ("ok", "success"):
        return "200"
    return "default" if word.lower() == "default" else word.upper()


def plain(value: Any) -> str:
    """A text in one line; nothing for what is no text."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def filled(url: str, defaults: Mapping[str, str]) -> str:
    """A server's URL with its variables at their defaults."""
    return re.sub(r"\{([^{}]*)\}", lambda match: defaults.get(match[1], match[0]), url)


def mapped(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
