"""SDSD's two tables (Self-Directed Synthetic Dialogues and Revisions, arXiv 2407.18421): dialogues and revisions.

The file holds the dialogues, one row for each conversation that was played to an end, rejected ones included:

    id, conversation, scenario
    domain, subarea   the scenario's world and kind
    principle         ids of the principles in force for the assistant
    goal              the scenario's title
    messages          [{role, content}]: words that user and assistant said and both heard; no system message, for in
                      the published set that is the plan, which gives the violation away
    is_violation      an accepted message of the assistant bears a marker, or the play stopped at one
    is_truncated      it ended at a limit or for want of budget

The sidecar holds the revisions, one row for each draft of an assistant that was sent back, with words on both sides:
`messages` (the last is the draft), domain, subarea, principle, goal, plan (as one text), critique, violations (ids) and
`revision` (the words that replaced it), besides id, conversation and scenario.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tertulia.exporting.columns import Columns
from tertulia.exporting.pairs import SIBLINGS, broken, siblings
from tertulia.exporting.rows import row_id
from tertulia.exporting.tally import world_of
from tertulia.records import Conversation, Draft, EndReason, Message, Turn
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Sdsd"]

ROLES = ("user", "assistant")
TRUNCATED = {EndReason.TURN_LIMIT, EndReason.ROUND_LIMIT, EndReason.CONTEXT_LIMIT, EndReason.BUDGET}
UNPLAYED = {EndReason.FAILED, EndReason.PARSE_FAILURE, EndReason.MODEL_FAILURE}


class Sdsd:
    """`lost` counts conversations that a failure ended, and calls, results and asides, for which there is no place."""

    consumer: ClassVar[str] = "dialogues"
    loses: ClassVar[Mapping[str, str]] = SIBLINGS | {
        "calls": "calls",
        "results": "what calls gave",
        "asides": "words that user and assistant did not both hear",
        "drafts_without_words": "drafts that were sent back, without words that user and assistant heard on both sides",
        "failed_plays": "conversations that a failure ended",
        "conversations_without_words": "conversations in which nothing was said to both",
    }
    columns: ClassVar[Columns] = {
        "id": "text",
        "conversation": "text",
        "scenario": "text",
        "domain": "text",
        "subarea": "text",
        "principle": ["text"],
        "goal": "text",
        "messages": [{"role": "text", "content": "text"}],
        "is_violation": "bool",
        "is_truncated": "bool",
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if talk.end_reason in UNPLAYED:
            self.lost["failed_plays"] += 1
            return
        both = {scenario.user, scenario.assistant}
        for message in talk.messages:
            if not aloud(message, both):
                kind = "results" if message.role == "tool" else "calls" if message.calls else "asides"
                self.lost[kind] += 1
        own = [turn for turn in talk.turns if talk.roles[turn.speaker] == "assistant"]
        unused = sum(not revised(turn, draft, both) for turn in own for draft in turn.drafts[:-1])
        self.lost += siblings(own) + Counter(drafts_without_words=unused)
        messages = said(talk.turns, both)
        if not messages:
            self.lost["conversations_without_words"] += 1
            return
        marked = any(turn.drafts[-1].markers for turn in own) or talk.end_reason is EndReason.VIOLATION_FOUND
        yield {
            **self.heading(scenario, talk, "dialogue"),
            "messages": messages,
            "is_violation": marked,
            "is_truncated": talk.end_reason in TRUNCATED,
        }

    def sidecar(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        """The revisions."""
        if talk.end_reason in UNPLAYED:
            return
        both = {scenario.user, scenario.assistant}
        for at, turn in enumerate(talk.turns):
            if talk.roles[turn.speaker] != "assistant":
                continue
            for number, draft in enumerate(turn.drafts[:-1]):
                if not revised(turn, draft, both):
                    continue
                last = {"role": "assistant", "content": draft.message.text}
                yield {
                    **self.heading(scenario, talk, "revision", turn.index, number),
                    "messages": [*said(talk.turns[:at], both), last],
                    "plan": "\n".join([talk.plan.opening, *talk.plan.steps]) if talk.plan else "",
                    "critique": draft.critique,
                    "violations": broken(draft.markers),
                    "revision": turn.message.text,
                }

    def heading(self, scenario: Scenario, talk: Conversation, *parts: object) -> dict[str, Any]:
        principles = self.settings.of(scenario).principles["assistant"]
        return {
            "id": row_id(talk, "sdsd", *parts),
            "conversation": talk.id,
            "scenario": talk.scenario,
            "domain": world_of(scenario),
            "subarea": scenario.kind,
            "principle": [principle.id for principle in principles],
            "goal": scenario.title,
        }


def aloud(message: Message, both: set[str]) -> bool:
    """Whether user and assistant both heard words of one of them."""
    return message.role in ROLES and bool(message.text) and not message.calls and both <= {*message.audience}


def revised(turn: Turn, draft: Draft, both: set[str]) -> bool:
    """Whether a draft that was sent back and what replaced it are words that user and assistant both heard or would."""
    return aloud(turn.message, both) and bool(draft.message.text) and not draft.message.calls


def said(turns: Sequence[Turn], both: set[str]) -> list[dict[str, str]]:
    """The words, with those of one role that follow each other as one message."""
    made: list[dict[str, str]] = []
    for turn in turns:
        if not aloud(turn.message, both):
            continue
        if made and made[-1]["role"] == turn.message.role:
            made[-1]["content"] += f"\n\n{turn.message.text}"
        else:
            made.append({"role": turn.message.role, "content": turn.message.text})
    return made
