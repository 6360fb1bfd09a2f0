"""Function calling as NousResearch's Hermes models learn it: ShareGPT turns with tools, calls and results in tags.

One row for each assistant of an accepted conversation:

    id             derived from the conversation's id
    conversations  [{from, value}]: a `system` turn with the tools in `<tools>`; `human`; `gpt`, where a call is a JSON
                   object with `name` and `arguments` in `<tool_call>`; `tool`, where each result is a JSON object with
                   `name` and `content` in `<tool_response>`
    tools          the assistant's tools as JSON text; null when it has none
    category       the scenario's world
    subcategory    the scenario's kind
    task           the scenario's title
    meta           conversation, scenario, seed, end_reason, success

The format has no weights, so a row ends before the first assistant message that has a known fault.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import META, taught, tools_text
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import about, faultless
from tertulia.exporting.rows import row_id
from tertulia.exporting.tally import world_of
from tertulia.exporting.turns import LOSES, sharegpt, turned
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Hermes"]


class Hermes:
    """`lost` counts what `sft` counts, and the ids of calls and boundaries of messages that turns do not keep."""

    consumer: ClassVar[str] = "sharegpt"
    loses: ClassVar[Mapping[str, str]] = LOSES
    columns: ClassVar[Columns] = {
        "id": "text",
        "conversations": [{"from": "text", "value": "text"}],
        "tools": "text",
        "category": "text",
        "subcategory": "text",
        "task": "text",
        "meta": META,
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for lesson, chat in faultless(self.settings.of(scenario), talk, self.lost):
            yield {
                "id": row_id(talk, "hermes", lesson.name),
                "conversations": sharegpt(taught(lesson.system, lesson.tools), turned(chat, self.lost)),
                "tools": tools_text(lesson.tools),
                "category": world_of(scenario),
                "subcategory": scenario.kind,
                "task": scenario.title,
                "meta": about(talk),
            }
