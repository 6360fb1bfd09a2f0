"""OASST message trees: what user and assistant said aloud, with the drafts that were sent back as ranked siblings.

One tree for each accepted conversation, with the fields of `ExportMessageTree` in the `oasst_data` package of
LAION-AI/Open-Assistant. Roles alternate; messages of one role that follow each other are one node, with an empty line
between them. Of assistant siblings the accepted one has rank 0, and the later a draft, the better its rank; the
conversation goes on below rank 0. `synthetic` is true, `created_date` null, `lang` "en".

The format has no system or tool role and no third party, so the rest stands in a sidecar, one line for each tree in
the same order:

    message_tree_id, conversation, scenario
    parties  name -> role
    system   the assistant's policy and principles
    tools    the assistant's tools
    nodes    [{message_id, speaker, turn, draft, markers}] for every message of the tree; of joined messages, the last
    asides   [{after, turn, draft, kind, speaker, to, audience, text, calls, answers, error, markers}] in the order of
             the conversation; `after` is the message_id of the node before it on the main path, or null; `kind` is
             "message" (not heard by both, or by a third party), "calls", "result" or "draft" (one that has no place
             as a sibling: sent back in a user's or colleague's turn, or calls, or stands in for calls)
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tertulia.exporting.columns import Columns
from tertulia.exporting.pairs import SIBLINGS, siblings
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation, Draft, Message, Turn
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.views import briefing, tool_list

__all__ = ["Oasst"]

ROLES = {"user": "prompter", "assistant": "assistant"}


class Oasst:
    """`lost` counts what only the sidecar carries, and rejected conversations, which neither file does."""

    consumer: ClassVar[str] = "oasst"
    loses: ClassVar[Mapping[str, str]] = SIBLINGS | {
        "rejected_conversations": "conversations that a gate kept out",
        "conversations_without_a_prompt": "conversations in which no user spoke to the assistant",
        "leading_assistant_messages": "what the assistant said first; in the sidecar",
        "message_in_sidecar": "words that user and assistant did not both hear, and those that lead",
        "calls_in_sidecar": "calls",
        "result_in_sidecar": "what calls gave",
        "draft_in_sidecar": "drafts that have no place as a sibling",
    }
    columns: ClassVar[Columns] = {"message_tree_id": "text", "tree_state": "text", "prompt": "json", "origin": "text"}

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if not talk.accepted:
            self.lost["rejected_conversations"] += 1
            return
        tree = Tree.of(scenario, talk)
        if tree.prompt is None:
            self.lost["conversations_without_a_prompt"] += 1
            return
        self.lost += Counter(aside["kind"] + "_in_sidecar" for aside in tree.asides)
        self.lost += tree.lost
        self.lost += siblings(talk.turns)
        yield {
            "message_tree_id": tree.prompt["message_id"],
            "tree_state": "ready_for_export",
            "prompt": tree.prompt,
            "origin": "tertulia",
        }

    def sidecar(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        """The line beside a conversation's tree."""
        tree = Tree.of(scenario, talk)
        if not talk.accepted or tree.prompt is None:
            return
        setting = self.settings.of(scenario)
        yield {
            "message_tree_id": tree.prompt["message_id"],
            "conversation": talk.id,
            "scenario": talk.scenario,
            "parties": talk.roles,
            "system": briefing(setting, scenario.assistant),
            "tools": tool_list(setting, scenario.assistant),
            "nodes": tree.nodes,
            "asides": tree.asides,
        }


@dataclass(slots=True)
class Tree:
    """A tree as it grows along the accepted path."""

    talk: Conversation
    prompt: dict[str, Any] | None = None
    tip: dict[str, Any] | None = None  # the node on the main path that was added last
    nodes: list[dict[str, Any]] = field(default_factory=list)
    asides: list[dict[str, Any]] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, scenario: Scenario, talk: Conversation) -> "Tree":
        tree, open_group = cls(talk), list[Turn]()
        both = {scenario.user, scenario.assistant}
        waiting: list[Turn] = []  # asides met while a group was open come after its node
        for turn in talk.turns:
            if not aloud(turn, talk, both):
                waiting.append(turn)
                continue
            if open_group and talk.roles[open_group[0].speaker] != talk.roles[turn.speaker]:
                tree.add(open_group, waiting)
                open_group, waiting = [], []
            open_group.append(turn)
        tree.add(open_group, waiting)
        return tree

    def add(self, group: Sequence[Turn], waiting: Sequence[Turn]) -> None:
        """A node for turns of one role, then what happened beside them."""
        leading = self.prompt is None and group and self.talk.roles[group[0].speaker] == "assistant"
        if leading:
            self.lost["leading_assistant_messages"] += len(group)
        elif group:
            self.add_node(group)
        beside = [*waiting, *(group if leading else ())]
        for turn in sorted(beside, key=lambda turn: turn.index):
            for number, draft in enumerate(turn.drafts[:-1]):
                self.aside(turn, "draft", draft.message, number, draft)
            kind = "calls" if turn.message.calls else "message"
            self.aside(turn, kind, turn.message, len(turn.drafts) - 1, turn.drafts[-1])
            for result in turn.results:
                self.aside(turn, "result", result, len(turn.drafts) - 1)

    def add_node(self, group: Sequence[Turn]) -> None:
        role = ROLES[self.talk.roles[group[0].speaker]]
        last = group[-1]
        text = "\n\n".join(turn.message.text for turn in group)
        accepted = self.node(last, len(last.drafts) - 1, role, text)
        siblings = [accepted]
        texts = {text}
        for place, number in reversed([(p, n) for p, turn in enumerate(group) for n in range(len(turn.drafts) - 1)]):
            turn, draft = group[place], group[place].drafts[number]
            said = "\n\n".join([*(t.message.text for t in group[:place]), draft.message.text])
            if role == "prompter" or draft.message.calls or said in texts:
                self.aside(turn, "draft", draft.message, number, draft)
                continue
            texts.add(said)
            siblings.append(self.node(turn, number, role, said))
        if role == "assistant":
            for rank, node in enumerate(siblings):
                node["rank"] = rank
        if self.tip is None:
            self.prompt = accepted
        else:
            for node in siblings:
                node["parent_id"] = self.tip["message_id"]
            self.tip["replies"] = siblings
        self.tip = accepted

    def node(self, turn: Turn, number: int, role: str, text: str) -> dict[str, Any]:
        made = row_id(self.talk, "oasst", turn.index, number)
        markers = remarks(turn.drafts[number])
        self.nodes.append(
            {"message_id": made, "speaker": turn.speaker, "turn": turn.index, "draft": number, "markers": markers}
        )
        return {
            "message_id": made,
            "parent_id": None,
            "user_id": None,
            "created_date": None,
            "text": text,
            "role": role,
            "lang": "en",
            "review_count": 0,
            "review_result": None,
            "deleted": False,
            "rank": None,
            "synthetic": True,
            "model_name": None,
            "emojis": {},
            "replies": [],
            "labels": {},
            "events": {},
            "detoxify": None,
            "message_tree_id": None,
            "tree_state": None,
        }

    def aside(self, turn: Turn, kind: str, message: Message, number: int, draft: Draft | None = None) -> None:
        self.asides.append(
            {
                "after": self.tip["message_id"] if self.tip else None,
                "turn": turn.index,
                "draft": number,
                "kind": kind,
                "speaker": message.speaker,
                "to": message.to,
                "audience": message.audience,
                "text": message.text,
                "calls": [call.model_dump(mode="json") for call in message.calls],
                "answers": message.answers,
                "error": message.error,
                "markers": remarks(draft) if draft else [],
            }
        )


def aloud(turn: Turn, talk: Conversation, both: set[str]) -> bool:
    """Whether a turn is something that the user or the assistant said and the other heard."""
    said = turn.message
    return talk.roles[turn.speaker] in ROLES and bool(said.text) and not said.calls and both <= {*said.audience}


def remarks(draft: Draft) -> list[dict[str, str]]:
    return [
        {"principle": m.principle, "quote": m.quote, "evidence": m.evidence, "severity": m.severity}
        for m in draft.markers
    ]
