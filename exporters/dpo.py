"""Preference pairs for TRL's `DPOTrainer`: the same prompt, the draft that was accepted, and one that was sent back.

One row for each draft that was sent back in an assistant's turn of an accepted conversation, so a turn that was
revised twice gives two rows with the same `chosen`:

    id          derived from the conversation's id, the turn and the draft
    prompt      messages: system, then all that the assistant had heard, said, called and got before the turn; the
                arguments of calls are objects
    chosen      one message: the accepted draft
    rejected    one message: the draft that was sent back; it always differs from `chosen`
    tools       the assistant's tools as JSON text, which TRL reads; null when it has none
    principles  ids of the principles that the rejected draft was sent back for
    provenance  conversation, scenario, turn, chosen_draft, rejected_draft, source ("revision", or "sibling" for what
                another model drafted in the place of that draft), markers, planted (kinds of the slips planted in the
                rejected draft), chosen_by and rejected_by (the models, where several drafted), length_ratio
                (characters, chosen to rejected)
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import tools_text
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import with_objects
from tertulia.exporting.pairs import PAIR, PAIR_LOSES, PROVENANCE, broken, pairs, provenance
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Dpo"]


class Dpo:
    """`lost` counts rejected conversations, and pairs that would teach nothing or that no template can render."""

    consumer: ClassVar[str] = "pairs"
    loses: ClassVar[Mapping[str, str]] = PAIR_LOSES
    columns: ClassVar[Columns] = {"id": "text", **PAIR, "principles": ["text"], "provenance": PROVENANCE}

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for pair in pairs(self.settings.of(scenario), talk, self.lost):
            yield {
                "id": row_id(talk, "dpo", pair.asked.turn.index, pair.sent_back.place),
                "prompt": with_objects(pair.asked.prompt),
                "chosen": with_objects([pair.chosen]),
                "rejected": with_objects([pair.rejected]),
                "tools": tools_text(pair.asked.tools),
                "principles": broken(pair.draft.markers),
                "provenance": provenance(pair),
            }
