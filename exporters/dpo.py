"""Preference pairs: the same prompt, the draft that was accepted, and a draft that the critic sent back.

One row for each draft that was sent back in an assistant's turn of an accepted conversation, so a turn that was
revised twice gives two rows with the same `chosen`:

    id          derived from the conversation's id, the turn and the draft
    prompt      messages: system, then all that the assistant had heard, said, called and got before the turn
    chosen      one message: the accepted draft
    rejected    one message: the draft that was sent back; it always differs from `chosen`
    tools       the assistant's tools; left out when it has none
    principles  ids of the principles that the rejected draft was sent back for
    provenance  conversation, scenario, turn, chosen_draft, rejected_draft, source ("revision"), markers, planted
                (kinds of the slips planted in the rejected draft), length_ratio (characters, chosen to rejected)
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tertulia.export import row_id
from tertulia.records import Conversation, Draft, Message, Turn
from tertulia.scenario import Scenario
from tertulia.setting import Setting, Settings
from tertulia.views import Chat, as_chat, briefing, own, tool_list

__all__ = ["Dpo"]


class Dpo:
    """`lost` counts rejected conversations, and pairs that would teach nothing or that no template can render."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if not talk.accepted:
            self.lost["rejected_conversations"] += 1
            return
        setting = self.settings.of(scenario)
        before: list[Message] = []
        for turn in talk.turns:
            if len(turn.drafts) > 1 and talk.roles[turn.speaker] == "assistant":
                yield from self.pairs(setting, talk, turn, before)
            before += [turn.message, *turn.results]

    def pairs(
        self, setting: Setting, talk: Conversation, turn: Turn, before: Sequence[Message]
    ) -> Iterator[dict[str, Any]]:
        prompt = as_chat(before, turn.speaker, talk.roles)
        named = len(talk.roles) > 2
        chosen = own(turn.message, named)
        seen = {substance(chosen)}
        for number, draft in enumerate(turn.drafts[:-1]):
            rejected = own(draft.message, named)
            if fault := unusable(prompt, chosen, rejected, seen):
                self.lost[fault] += 1
                continue
            seen.add(substance(rejected))
            yield row(setting, talk, turn, number, prompt, chosen, rejected)


def unusable(prompt: Chat, chosen: dict[str, Any], rejected: dict[str, Any], seen: set[str]) -> str:
    """Why a pair must be dropped, or an empty text."""
    if not prompt or prompt[-1]["role"] == "assistant":
        return "prompts_without_a_question"
    if not all(message["content"].strip() or "tool_calls" in message for message in (chosen, rejected)):
        return "empty_drafts"
    if substance(rejected) == substance(chosen):
        return "chosen_equals_rejected"
    return "repeated_rejected" if substance(rejected) in seen else ""


def substance(message: dict[str, Any]) -> str:
    """What a message says and calls; the ids of its calls make no difference."""
    calls = [call["function"] for call in message.get("tool_calls", ())]
    return json.dumps([" ".join(message["content"].split()), calls], sort_keys=True)


def row(
    setting: Setting,
    talk: Conversation,
    turn: Turn,
    number: int,
    prompt: Chat,
    chosen: dict[str, Any],
    rejected: dict[str, Any],
) -> dict[str, Any]:
    system = briefing(setting, turn.speaker)
    draft = turn.drafts[number]
    made: dict[str, Any] = {
        "id": row_id(talk, "dpo", turn.index, number),
        "prompt": [{"role": "system", "content": system}, *prompt] if system else prompt,
        "chosen": [chosen],
        "rejected": [rejected],
    }
    if tools := tool_list(setting, turn.speaker):
        made["tools"] = tools
    made["principles"] = sorted({marker.principle for marker in draft.markers if marker.revise})
    made["provenance"] = {
        "conversation": talk.id,
        "scenario": talk.scenario,
        "turn": turn.index,
        "chosen_draft": len(turn.drafts) - 1,
        "rejected_draft": number,
        "source": "revision",
        "markers": remarks(draft),
        "planted": [slip.kind for slip in talk.slips if (slip.turn, slip.draft) == (turn.index, number)],
        "length_ratio": round(len(substance(chosen)) / len(substance(rejected)), 3),
    }
    return made


def remarks(draft: Draft) -> list[dict[str, str]]:
    return [
        {"principle": m.principle, "severity": m.severity, "quote": m.quote, "evidence": m.evidence, "critic": m.critic}
        for m in draft.markers
    ]
