"""Single judgements for TRL's `KTOTrainer`: a prompt, one draft, and whether it is wanted.

One row for each draft of an assistant in an accepted conversation of which something is known:

    id          derived from the conversation's id, the turn and the draft
    prompt      messages: system, then all that the assistant had heard, said, called and got before the turn
    completion  one message: the draft
    label       false: the critic sent it back; true: it was accepted, without a marker and without a planted slip
    tools       the assistant's tools as JSON text, which TRL reads; null when it has none
    provenance  conversation, scenario, turn, draft, principles (those it was sent back for), planted

Wanted drafts outnumber unwanted ones, as conversations are mostly sound: weigh the two by `desirable_weight`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import CHAT, tools_text
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import with_objects
from tertulia.exporting.pairs import LOSES, SIBLINGS, Asked, asked, broken, empty, planted, siblings, substance
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Kto"]


class Kto:
    """`lost` counts rejected conversations, drafts of which nothing certain is known, and what dpo drops as well."""

    consumer: ClassVar[str] = "judgements"
    loses: ClassVar[Mapping[str, str]] = (
        LOSES
        | SIBLINGS
        | {
            "drafts_with_a_doubt": "drafts that were accepted with a marker or an unnoticed slip",
            "repeated_drafts": "drafts that say what a later one says",
        }
    )
    columns: ClassVar[Columns] = {
        "id": "text",
        "prompt": CHAT,
        "completion": CHAT,
        "label": "bool",
        "tools": "text",
        "provenance": {
            "conversation": "text",
            "scenario": "text",
            "turn": "int",
            "draft": "int",
            "principles": ["text"],
            "planted": ["text"],
        },
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for one in asked(self.settings.of(scenario), talk, self.lost):
            self.lost += siblings([one.turn])
            if one.unanswerable:
                self.lost["prompts_without_a_question"] += len(one.turn.drafts)
                continue
            seen = set[str]()
            for number in reversed(range(len(one.turn.drafts))):
                if row := self.row(one, number, seen):
                    yield row

    def row(self, one: Asked, number: int, seen: set[str]) -> dict[str, Any] | None:
        """A draft's row. The accepted draft comes first; one that says the same as one before it is left out."""
        draft, said = one.turn.drafts[number], one.draft(number)
        slips = planted(one.talk, one.turn, number)
        known = draft.sent_back or not (draft.markers or slips)
        fault = "empty_drafts" if empty(said) else "" if known else "drafts_with_a_doubt"
        fault = fault or ("repeated_drafts" if substance(said) in seen else "")
        seen.add(substance(said))
        if fault:
            self.lost[fault] += 1
            return None
        return {
            "id": row_id(one.talk, "kto", one.turn.index, number),
            "prompt": with_objects(one.prompt),
            "completion": with_objects([said]),
            "label": not draft.sent_back,
            "tools": tools_text(one.tools),
            "provenance": {
                "conversation": one.talk.id,
                "scenario": one.talk.scenario,
                "turn": one.turn.index,
                "draft": number,
                "principles": broken(draft.markers),
                "planted": slips,
            },
        }
