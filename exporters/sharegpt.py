"""ShareGPT conversations: turns from `human`, `gpt` and `tool`, with the tools as JSON text.

One row for each assistant of an accepted conversation:

    id             derived from the conversation's id
    conversations  [{from, value}] with from = system, human, gpt or tool. A call stands in the `gpt` turn as
                   `<tool_call>` around a JSON object; a `tool` turn is what it gave, as it is
    tools          the assistant's tools as JSON text; null when it has none
    meta           conversation, scenario, seed, end_reason, success

The format has no weights, so a row ends before the first assistant message that has a known fault.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import META, tools_text
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import about, faultless
from tertulia.exporting.rows import row_id
from tertulia.exporting.turns import LOSES, sharegpt, turned
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Sharegpt"]


class Sharegpt:
    """`lost` counts what `sft` counts, and the ids of calls and boundaries of messages that turns do not keep."""

    consumer: ClassVar[str] = "sharegpt"
    loses: ClassVar[Mapping[str, str]] = LOSES
    columns: ClassVar[Columns] = {
        "id": "text",
        "conversations": [{"from": "text", "value": "text"}],
        "tools": "text",
        "meta": META,
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for lesson, chat in faultless(self.settings.of(scenario), talk, self.lost):
            yield {
                "id": row_id(talk, "sharegpt", lesson.name),
                "conversations": sharegpt(lesson.system, turned(chat, self.lost, tags=False)),
                "tools": tools_text(lesson.tools),
                "meta": about(talk),
            }
