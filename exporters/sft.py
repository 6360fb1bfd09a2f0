"""Chat messages with tools in the shape of OpenAI fine-tuning: what the assistant saw, and what it should say.

One row for each assistant of an accepted conversation:

    id                   derived from the conversation's id
    messages             system (see `tertulia.views.briefing`: never a plan, script, gold value or another party's
                         card), then user, assistant and tool messages; the first after the system is a user's, the
                         last an assistant's
    tools                the assistant's tools; left out, with the next key, when it has none
    parallel_tool_calls  whether some message makes more than one call
    meta                 conversation, scenario, seed, end_reason, success, masked (assistant messages of weight 0)

`weight` on assistant messages is the loss mask: 0 for a draft that was accepted with a marker (one that only labels)
or in which a planted slip went unnoticed, 1 for all others.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tertulia.export import row_id
from tertulia.records import Conversation, Turn
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.views import Chat, as_chat, briefing, tool_list

__all__ = ["Sft"]


class Sft:
    """`lost` counts rejected conversations, those with nothing to learn from, and messages trimmed at either end."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if not talk.accepted:
            self.lost["rejected_conversations"] += 1
            return
        for name, role in talk.roles.items():
            if role == "assistant" and (row := self.row(scenario, talk, name)):
                yield row

    def row(self, scenario: Scenario, talk: Conversation, name: str) -> dict[str, Any] | None:
        setting = self.settings.of(scenario)
        chat = self.trimmed(weighed(as_chat(talk.messages, name, talk.roles), talk, name))
        weights = [message["weight"] for message in chat if message["role"] == "assistant"]
        if not any(weights):
            self.lost["nothing_to_learn"] += 1
            return None
        system = briefing(setting, name)
        row: dict[str, Any] = {"id": row_id(talk, "sft", name)}
        row["messages"] = [{"role": "system", "content": system}, *chat] if system else chat
        if tools := tool_list(setting, name):
            row["tools"] = tools
            row["parallel_tool_calls"] = any(len(message.get("tool_calls", ())) > 1 for message in chat)
        success = [verdict.passed for verdict in talk.verdicts if verdict.judge == "success"]
        row["meta"] = {
            "conversation": talk.id,
            "scenario": talk.scenario,
            "seed": talk.seed,
            "end_reason": talk.end_reason.value,
            "success": success[-1] if success else None,
            "masked": weights.count(0),
        }
        return row

    def trimmed(self, chat: Chat) -> Chat:
        """From the first user message to the last assistant message that makes no call."""
        first = next((at for at, message in enumerate(chat) if message["role"] == "user"), len(chat))
        ends = [at for at, message in enumerate(chat) if message["role"] == "assistant" and "tool_calls" not in message]
        last = ends[-1] + 1 if ends and ends[-1] > first else first
        for message in chat[:first]:
            self.lost[f"leading_{message['role']}_messages"] += 1
        for message in chat[last:]:
            self.lost[f"trailing_{message['role']}_messages"] += 1
        return chat[first:last]


def weighed(chat: Chat, talk: Conversation, name: str) -> Chat:
    """The chat with the loss mask on every assistant message."""
    slipped = {(slip.turn, slip.draft) for slip in talk.slips}
    turns = [turn for turn in talk.turns if turn.speaker == name and name in turn.message.audience]
    said = [message for message in chat if message["role"] == "assistant"]
    for turn, message in zip(turns, said, strict=True):
        message["weight"] = int(clean(turn, slipped))
    return chat


def clean(turn: Turn, slipped: set[tuple[int, int]]) -> bool:
    return not turn.drafts[-1].markers and (turn.index, len(turn.drafts) - 1) not in slipped
