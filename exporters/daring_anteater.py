"""The four columns of NVIDIA's Daring-Anteater: conversations, and the role from which nothing is learnt.

One row for each assistant of an accepted conversation:

    system         the system prompt, with the tools in `<tools>` when there are some; may be empty
    conversations  [{from, value}] with from = User or Assistant, in turn. A call stands in `<tool_call>` in an
                   Assistant turn; what it gave stands in `<tool_response>` in a User turn, so it bears no loss
    mask           "User": the role without loss
    dataset        "tertulia/" and the scenario's world
    id, meta       as in `sft`: where the row comes from

The mask is for roles, not for messages, so a row ends before the first assistant message that has a known fault.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import META, taught
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import about, faultless
from tertulia.exporting.rows import row_id
from tertulia.exporting.tally import world_of
from tertulia.exporting.turns import LOSES, turned
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["DaringAnteater"]

FROM = {"user": "User", "assistant": "Assistant"}


class DaringAnteater:
    """`lost` counts what `sft` counts, and the ids of calls and boundaries of messages that turns do not keep."""

    consumer: ClassVar[str] = "anteater"
    loses: ClassVar[Mapping[str, str]] = LOSES
    columns: ClassVar[Columns] = {
        "system": "text",
        "conversations": [{"from": "text", "value": "text"}],
        "mask": "text",
        "dataset": "text",
        "id": "text",
        "meta": META,
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for lesson, chat in faultless(self.settings.of(scenario), talk, self.lost):
            turns = turned(chat, self.lost, results_as="user")
            yield {
                "system": taught(lesson.system, lesson.tools),
                "conversations": [{"from": FROM[turn.role], "value": turn.text} for turn in turns],
                "mask": FROM["user"],
                "dataset": f"tertulia/{world_of(scenario)}",
                "id": row_id(talk, "daring_anteater", lesson.name),
                "meta": about(talk),
            }
