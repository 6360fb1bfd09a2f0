"""Preference pairs: an accepted draft of an assistant, and a draft that the critic sent back, after the same prompt.

What was sent back is an earlier draft of the turn, or what another model drafted in its place (a sibling). Each is
paired with the accepted one, not with the next, since only the accepted one is known to hold. Pairs that would teach
nothing, or that no chat template can render, are dropped and counted.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tertulia.exporting.chats import CHAT, META
from tertulia.exporting.columns import Column
from tertulia.records import Conversation, Draft, Marker, Message, Turn
from tertulia.setting import Setting
from tertulia.views import Chat, as_chat, briefing, own, tool_list

__all__ = [
    "LOSES",
    "PAIR",
    "PAIR_LOSES",
    "PROVENANCE",
    "SIBLINGS",
    "Asked",
    "Candidate",
    "Pair",
    "asked",
    "broken",
    "empty",
    "pairs",
    "planted",
    "provenance",
    "siblings",
    "substance",
]

MARKER: Column = {"principle": "text", "severity": "text", "quote": "text", "evidence": "text", "critic": "text"}
PROVENANCE: dict[str, Column] = {
    "conversation": META["conversation"],
    "scenario": META["scenario"],
    "turn": "int",
    "chosen_draft": "int",
    "rejected_draft": "int",
    "source": "text",
    "markers": [MARKER],
    "planted": ["text"],
    "chosen_by": "text",
    "rejected_by": "text",
    "length_ratio": "float",
}
LOSES = {
    "rejected_conversations": "conversations that a gate kept out",
    "prompts_without_a_question": "drafts whose prompt is empty or ends with the assistant's own words",
    "empty_drafts": "drafts in which nothing is said or called",
}
SIBLINGS = {"siblings": "what other models drafted in the place of a draft"}
PAIR_LOSES = LOSES | {
    "chosen_equals_rejected": "drafts that were sent back and say what was accepted",
    "repeated_rejected": "drafts that were sent back and say what one before them says",
}
PAIR: dict[str, Column] = {"prompt": CHAT, "chosen": CHAT, "rejected": CHAT, "tools": "text"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn of an assistant, and all that it had before it."""

    talk: Conversation
    turn: Turn
    prompt: Chat  # system, then what the assistant had heard, said, called and got; arguments are JSON text
    system: str
    tools: list[dict[str, Any]]
    named: bool  # more than two parties talk

    def draft(self, number: int) -> dict[str, Any]:
        """A draft of this turn as an assistant message."""
        return self.said(self.turn.drafts[number])

    def said(self, draft: Draft) -> dict[str, Any]:
        return own(draft.message, self.named)

    @property
    def candidates(self) -> list["Candidate"]:
        """All that was drafted for this turn, in order; each draft before what other models drafted in its place."""
        return [
            Candidate(number, nth, one)
            for number, draft in enumerate(self.turn.drafts)
            for nth, one in enumerate((draft, *draft.siblings))
        ]

    @property
    def last(self) -> int:
        return len(self.turn.drafts) - 1

    @property
    def unanswerable(self) -> bool:
        """Whether the prompt is empty or ends with the assistant's own words."""
        return not self.prompt or self.prompt[-1]["role"] in ("system", "assistant")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that was drafted for a turn: the draft of that number, or the nth of its siblings, from 1."""

    number: int
    nth: int
    draft: Draft

    @property
    def place(self) -> int | str:
        """What tells it from all others of its turn; a draft's number alone."""
        return f"{self.number}.{self.nth}" if self.nth else self.number


@dataclass(frozen=True, slots=True)
class Pair:
    """The accepted draft of a turn and one that was sent back; they differ in words or calls."""

    asked: Asked
    sent_back: Candidate
    chosen: dict[str, Any]
    rejected: dict[str, Any]

    @property
    def draft(self) -> Draft:
        return self.sent_back.draft

    @property
    def length_ratio(self) -> float:
        """Characters said and called, chosen to rejected."""
        return round(len(substance(self.chosen)) / len(substance(self.rejected)), 3)


def asked(setting: Setting, talk: Conversation, lost: Counter[str]) -> Iterator[Asked]:
    """Every turn of an assistant in an accepted conversation, in order."""
    if not talk.accepted:
        lost["rejected_conversations"] += 1
        return
    before: list[Message] = []
    for turn in talk.turns:
        if talk.roles[turn.speaker] == "assistant":
            system = briefing(setting, turn.speaker)
            chat = as_chat(before, turn.speaker, talk.roles)
            prompt = [{"role": "system", "content": system}, *chat] if system and chat else chat
            yield Asked(talk, turn, prompt, system, tool_list(setting, turn.speaker), len(talk.roles) > 2)
        before += [turn.message, *turn.results]


def pairs(setting: Setting, talk: Conversation, lost: Counter[str]) -> Iterator[Pair]:
    """The pairs of a conversation; `lost` counts what was dropped, by reason."""
    for one in asked(setting, talk, lost):
        chosen = one.draft(one.last)
        seen = {substance(chosen)}
        for candidate in one.candidates:
            if (candidate.number, candidate.nth) == (one.last, 0) or (candidate.nth and not candidate.draft.sent_back):
                continue
            rejected = one.said(candidate.draft)
            if fault := unusable(one, chosen, rejected, seen):
                lost[fault] += 1
                continue
            seen.add(substance(rejected))
            yield Pair(one, candidate, chosen, rejected)


def unusable(one: Asked, chosen: Mapping[str, Any], rejected: Mapping[str, Any], seen: set[str]) -> str:
    """Why a pair must be dropped, or an empty text."""
    if one.unanswerable:
        return "prompts_without_a_question"
    if empty(chosen) or empty(rejected):
        return "empty_drafts"
    if substance(rejected) == substance(chosen):
        return "chosen_equals_rejected"
    return "repeated_rejected" if substance(rejected) in seen else ""


def siblings(turns: Iterable[Turn]) -> Counter[str]:
    """What other models drafted in these turns, for the account of a format that has no place for it."""
    return Counter(siblings=sum(len(draft.siblings) for turn in turns for draft in turn.drafts))


def empty(message: Mapping[str, Any]) -> bool:
    return not message["content"].strip() and "tool_calls" not in message


def substance(message: Mapping[str, Any]) -> str:
    """What a message says and calls; the ids of its calls make no difference."""
    calls = [call["function"] for call in message.get("tool_calls", ())]
    return json.dumps([" ".join(message["content"].split()), calls], sort_keys=True)


def provenance(pair: Pair) -> dict[str, Any]:
    """Where a pair comes from; its columns are `PROVENANCE`."""
    talk, turn = pair.asked.talk, pair.asked.turn
    return {
        "conversation": talk.id,
        "scenario": talk.scenario,
        "turn": turn.index,
        "chosen_draft": pair.asked.last,
        "rejected_draft": pair.sent_back.number,
        "source": "sibling" if pair.sent_back.nth else "revision",
        "markers": remarks(pair.draft),
        "planted": planted(talk, turn, pair.sent_back.number) if not pair.sent_back.nth else [],
        "chosen_by": turn.drafts[-1].by,
        "rejected_by": pair.draft.by,
        "length_ratio": pair.length_ratio,
    }


def planted(talk: Conversation, turn: Turn, number: int) -> list[str]:
    """Kinds of the slips planted in a draft."""
    return [slip.kind for slip in talk.slips if (slip.turn, slip.draft) == (turn.index, number)]


def remarks(draft: Draft) -> list[dict[str, str]]:
    return [
        {"principle": m.principle, "severity": m.severity, "quote": m.quote, "evidence": m.evidence, "critic": m.critic}
        for m in draft.markers
    ]


def broken(markers: Iterable[Marker]) -> list[str]:
    """Ids of the principles for which a draft was sent back."""
    return sorted({marker.principle for marker in markers if marker.revise})
