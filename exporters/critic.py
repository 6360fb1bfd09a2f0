"""Data to train a critic: what a speaker had seen, its draft, and what was said of that draft.

One row for each draft of a user, assistant or colleague, with or without markers, in accepted and rejected
conversations alike:

    id          derived from the conversation's id, the turn and the draft
    speaker, role
    principles  [{id, text}]: those that apply to the speaker
    messages    the history as the speaker saw it, its own messages as `assistant`; for an assistant with its policy
                as system message
    draft       one `assistant` message
    markers     [{principle, quote, evidence, severity}]; empty where nothing was found
    verdict     "revise" or "accept"
    critique    the remarks as one text
    revision    the draft that replaced this one, or null
    meta        conversation, scenario, turn, draft, accepted, planted (kinds of the slips in this draft)

Fields are bounded: `HISTORY` messages, `CHARACTERS` a text, `MARKERS` markers. What a simulated user holds (its
script and persona) is not in the row, so filter by `role` to train a critic of assistants alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tertulia.exporting.chats import CHAT
from tertulia.exporting.columns import Columns
from tertulia.exporting.pairs import SIBLINGS, siblings
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation, Marker, Message, Turn
from tertulia.scenario import Scenario
from tertulia.setting import Setting, Settings
from tertulia.views import Chat, as_chat, own

__all__ = ["Critic"]

HISTORY = 64
CHARACTERS = 8_000
MARKERS = 32


class Critic:
    """`lost` counts plan drafts, which no speaker saw, and what the bounds cut off."""

    consumer: ClassVar[str] = "critic"
    loses: ClassVar[Mapping[str, str]] = SIBLINGS | {
        "plan_drafts": "drafts of plans",
        "history_messages": "messages before the last 64",
        "clipped_texts": "texts cut at 8,000 characters",
        "markers": "markers after the first 32",
    }
    columns: ClassVar[Columns] = {
        "id": "text",
        "speaker": "text",
        "role": "text",
        "principles": [{"id": "text", "text": "text"}],
        "messages": CHAT,
        "draft": "json",
        "markers": [{"principle": "text", "quote": "text", "evidence": "text", "severity": "text"}],
        "verdict": "text",
        "critique": "text",
        "revision": "json",
        "meta": {
            "conversation": "text",
            "scenario": "text",
            "turn": "int",
            "draft": "int",
            "accepted": "bool",
            "planted": ["text"],
        },
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        setting = self.settings.of(scenario)
        if talk.plan_drafts:
            self.lost["plan_drafts"] += len(talk.plan_drafts)
        before: list[Message] = []
        for turn in talk.turns:
            yield from self.drafts(setting, talk, turn, before)
            before += [turn.message, *turn.results]

    def drafts(
        self, setting: Setting, talk: Conversation, turn: Turn, before: Sequence[Message]
    ) -> Iterator[dict[str, Any]]:
        named, role = len(talk.roles) > 2, talk.roles[turn.speaker]
        history = self.bounded(as_chat(before, turn.speaker, talk.roles))
        if policy := setting.policies[turn.speaker]:
            history = [{"role": "system", "content": self.clipped(policy)}, *history]
        principles = [{"id": p.id, "text": p.text} for p in setting.principles[role]]
        self.lost += siblings([turn])
        for number, draft in enumerate(turn.drafts):
            last = number + 1 == len(turn.drafts)
            yield {
                "id": row_id(talk, "critic", turn.index, number),
                "speaker": turn.speaker,
                "role": role,
                "principles": principles,
                "messages": history,
                "draft": self.message(draft.message, named),
                "markers": [self.marker(marker) for marker in self.first(draft.markers)],
                "verdict": "revise" if draft.sent_back else "accept",
                "critique": self.clipped(draft.critique),
                "revision": None if last else self.message(turn.drafts[number + 1].message, named),
                "meta": {
                    "conversation": talk.id,
                    "scenario": talk.scenario,
                    "turn": turn.index,
                    "draft": number,
                    "accepted": last and not draft.sent_back,
                    "planted": [s.kind for s in talk.slips if (s.turn, s.draft) == (turn.index, number)],
                },
            }

    def bounded(self, chat: Chat) -> Chat:
        """The last messages; a tool result never stands without its call."""
        if len(chat) > HISTORY:
            kept = chat[-HISTORY:]
            while kept and kept[0]["role"] == "tool":
                kept.pop(0)
            self.lost["history_messages"] += len(chat) - len(kept)
            chat = kept
        return [{**message, "content": self.clipped(message["content"])} for message in chat]

    def message(self, message: Message, named: bool) -> dict[str, Any]:
        said = own(message, named)
        return {**said, "content": self.clipped(said["content"])}

    def first(self, markers: Sequence[Marker]) -> Sequence[Marker]:
        if len(markers) > MARKERS:
            self.lost["markers"] += len(markers) - MARKERS
        return markers[:MARKERS]

    def marker(self, marker: Marker) -> dict[str, str]:
        return {
            "principle": marker.principle,
            "quote": self.clipped(marker.quote),
            "evidence": self.clipped(marker.evidence),
            "severity": marker.severity,
        }

    def clipped(self, text: str) -> str:
        if len(text) <= CHARACTERS:
            return text
        self.lost["clipped_texts"] += 1
        return text[: CHARACTERS - 1] + "…"
