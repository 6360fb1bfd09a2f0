"""Triplets to train a retriever of tools: what a user wants, the tool it takes, and the nearest one that it does not.

One row for each tool that an assistant of an accepted conversation called with success, and that the user had not
been served by before:

    query     the user's words up to the call, as the assistant heard them
    positive  the tool's name, description and parameters, as one text
    negative  the same of the assistant's tool that shares most words with it (Jaccard index), and that nobody called in
              the conversation and its scenario does not want
    id, group, conversation

Rows with one `group`, the scenario and the tool, ask for the same thing: keep them in one split, and out of one batch
with in-batch negatives.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tertulia.exporting.columns import Columns
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.views import as_chat
from tertulia.world import ToolSpec

__all__ = ["Triplets"]

WORD = re.compile(r"[^\W_]+")


class Triplets:
    """`lost` counts rejected conversations, and calls for which nothing was asked or no other tool is left."""

    consumer: ClassVar[str] = "triplets"
    loses: ClassVar[Mapping[str, str]] = {
        "rejected_conversations": "conversations that a gate kept out",
        "calls_without_a_query": "calls before which no user spoke",
        "calls_without_another_tool": "calls of an assistant that has no other tool",
    }
    columns: ClassVar[Columns] = {
        "query": "text",
        "positive": "text",
        "negative": "text",
        "id": "text",
        "group": "text",
        "conversation": "text",
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if not talk.accepted:
            self.lost["rejected_conversations"] += 1
            return
        setting, served = self.settings.of(scenario), set[str]()
        taken = {call.name for turn in talk.turns for draft in turn.drafts for call in draft.message.calls}
        taken |= {want.call for want in scenario.script.wants}
        for at, name, caller in succeeded(talk):
            known = {tool.name: tool for tool in setting.tools[caller]}
            if name in served or name not in known:
                continue
            served.add(name)
            heard = as_chat((m for turn in talk.turns[:at] for m in (turn.message, *turn.results)), caller, talk.roles)
            query = "\n\n".join(message["content"] for message in heard if message["role"] == "user")
            nearest = nearest_of(known[name], [tool for tool in known.values() if tool.name not in taken])
            if not query or nearest is None:
                self.lost["calls_without_a_query" if not query else "calls_without_another_tool"] += 1
                continue
            yield {
                "query": query,
                "positive": described(known[name]),
                "negative": described(nearest),
                "id": row_id(talk, "triplets", name),
                "group": f"{talk.scenario}/{name}",
                "conversation": talk.id,
            }


def succeeded(talk: Conversation) -> Iterator[tuple[int, str, str]]:
    """The place of each call of an assistant that gave no error, the tool, and who called."""
    for at, turn in enumerate(talk.turns):
        fine = {result.answers for result in turn.results if not result.error}
        if talk.roles[turn.speaker] == "assistant":
            yield from ((at, call.name, turn.speaker) for call in turn.message.calls if call.id in fine)


def described(tool: ToolSpec) -> str:
    parameters = tool.parameters.get("properties", {})
    return f"{tool.name}: {tool.description}" + (f"\nParameters: {', '.join(parameters)}" if parameters else "")


def nearest_of(tool: ToolSpec, others: Sequence[ToolSpec]) -> ToolSpec | None:
    """The tool that shares most words; of equals, the first by name."""
    own = words(tool)
    return min(others, key=lambda other: (-shared(own, words(other)), other.name), default=None)


def words(tool: ToolSpec) -> set[str]:
    return set(WORD.findall(f"{tool.name.replace('_', ' ')} {tool.description}".casefold()))


def shared(some: set[str], others: set[str]) -> float:
    return len(some & others) / len(some | others) if some | others else 0.0
