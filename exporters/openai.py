"""OpenAI's fine-tuning format: chat messages with tools, and nothing that its upload refuses.

One row for each assistant of an accepted conversation:

    messages             system (see `tertulia.views.briefing`), then user, assistant and tool messages; the arguments
                         of calls are JSON text, and each call is answered before the next message of another role
    tools                the assistant's tools; left out, with the next key, when it has none
    parallel_tool_calls  whether some message makes more than one call

`weight` on assistant messages is the loss mask: 0 for a draft that was accepted with a marker (one that only labels)
or in which a planted slip went unnoticed, 1 for all others.

Since an upload takes no other key, the rest stands in a sidecar, one line for each row in the same order: `id`, and
`meta` with conversation, scenario, seed, end_reason, success and masked (assistant messages of weight 0).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import CHAT
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import LOSES, about, lessons
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Openai"]


class Openai:
    """`lost` counts rejected conversations, those with nothing to learn from, and messages trimmed at either end."""

    consumer: ClassVar[str] = "openai"
    loses: ClassVar[Mapping[str, str]] = LOSES
    columns: ClassVar[Columns] = {"messages": CHAT, "tools": ["json"], "parallel_tool_calls": "bool"}

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for lesson in lessons(self.settings.of(scenario), talk, self.lost):
            row: dict[str, Any] = {"messages": lesson.messages}
            if lesson.tools:
                row["tools"] = lesson.tools
                row["parallel_tool_calls"] = any(len(message.get("tool_calls", ())) > 1 for message in lesson.chat)
            yield row

    def sidecar(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        """The line beside a row."""
        for lesson in lessons(self.settings.of(scenario), talk, Counter()):
            masked = sum(message.get("weight") == 0 for message in lesson.chat)
            yield {"id": row_id(talk, "openai", lesson.name), "meta": {**about(talk), "masked": masked}}
