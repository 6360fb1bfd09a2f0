"""Silent failures: a result that is no error, and yet says that the call did not work."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["hidden_error"]

ERROR_KEYS = ("error", "errors", "error_message", "errorMessage", "exception")
NO = {"success": False, "ok": False, "succeeded": False}
FAILED = ("error", "failed", "failure", "fail")
FAILING = re.compile(
    r"\s*(?:(?:\w+)?error\b\s*[:!-]|(?:\w+)?exception\s*:|traceback \(|failed to\b|(?:could|can)\s?not\b|unable to\b"
    r"|invalid (?:argument|parameter|request|input)|not found\b)",
    re.IGNORECASE,
)


def hidden_error(answer: Any, *, writes: bool = False) -> str:
    """The words with which a result says that the call failed; empty where it does not.

    A mapping fails by a key that says so; a text by how it begins. What a tool that only reads calls the `status` of a
    thing is the thing's own, so a status alone counts for tools that write."""
    if isinstance(answer, str):
        return answer.strip() if FAILING.match(answer) else ""
    if not isinstance(answer, Mapping):
        return ""
    for key in ERROR_KEYS:
        if answer.get(key):
            return str(answer[key])
    told = str(answer.get("message") or answer.get("reason") or answer.get("detail") or "")
    for key, no in NO.items():
        if answer.get(key) is no:
            return told or f"{key}: false"
    status = str(answer.get("status", "")).lower()
    if status in FAILED and (writes or told):
        return told or f"status: {status}"
    code = answer.get("code", answer.get("statusCode"))
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 and told:
        return told
    return ""
