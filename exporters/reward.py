"""Comparisons for TRL's `RewardTrainer`: two whole conversations that differ in their last message.

One row for each pair of the format `dpo`, with the prompt in both sides, as a reward model reads them:

    id          derived from the conversation's id, the turn and the draft
    chosen      messages: the prompt, and the accepted draft
    rejected    messages: the same prompt, and the draft that was sent back
    tools       the assistant's tools as JSON text, which TRL reads; null when it has none
    provenance  as in `dpo`
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import CHAT, tools_text
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import with_objects
from tertulia.exporting.pairs import PAIR_LOSES, PROVENANCE, pairs, provenance
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Reward"]


class Reward:
    """`lost` counts rejected conversations, and pairs that would teach nothing or that no template can render."""

    consumer: ClassVar[str] = "comparisons"
    loses: ClassVar[Mapping[str, str]] = PAIR_LOSES
    columns: ClassVar[Columns] = {
        "id": "text",
        "chosen": CHAT,
        "rejected": CHAT,
        "tools": "text",
        "provenance": PROVENANCE,
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for pair in pairs(self.settings.of(scenario), talk, self.lost):
            prompt = pair.asked.prompt
            yield {
                "id": row_id(talk, "reward", pair.asked.turn.index, pair.sent_back.place),
                "chosen": with_objects([*prompt, pair.chosen]),
                "rejected": with_objects([*prompt, pair.rejected]),
                "tools": tools_text(pair.asked.tools),
                "provenance": provenance(pair),
            }
