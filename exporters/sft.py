"""Conversations for TRL's `SFTTrainer`: chat messages with tools, as chat templates take them.

One row for each assistant of an accepted conversation:

    id        derived from the conversation's id
    messages  system (see `tertulia.views.briefing`: never a plan, script, gold value or another party's card), then
              user, assistant and tool messages; the first after the system is a user's, the last an assistant's; the
              arguments of calls are objects
    tools     the assistant's tools as JSON text, which TRL reads; null when it has none
    meta      conversation, scenario, seed, end_reason, success, cut (messages left out at the end)

With `assistant_only_loss` the trainer learns from every assistant message and knows no weights, so a row ends before
the first one that has a known fault. The format `openai` has the whole conversation, with weights.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import CHAT, META, tools_text
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import LOSES_MORE, about, faultless, with_objects
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Sft"]


class Sft:
    """`lost` counts rejected conversations, those with nothing to learn from, and messages cut at either end."""

    consumer: ClassVar[str] = "sft"
    loses: ClassVar[Mapping[str, str]] = LOSES_MORE
    columns: ClassVar[Columns] = {"id": "text", "messages": CHAT, "tools": "text", "meta": {**META, "cut": "int"}}

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for lesson, chat in faultless(self.settings.of(scenario), talk, self.lost):
            system = [{"role": "system", "content": lesson.system}] if lesson.system else []
            yield {
                "id": row_id(talk, "sft", lesson.name),
                "messages": [*system, *with_objects(chat)],
                "tools": tools_text(lesson.tools),
                "meta": {**about(talk), "cut": len(lesson.chat) - len(chat)},
            }
