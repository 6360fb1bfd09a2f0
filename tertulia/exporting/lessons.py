"""What an assistant can be trained on: its side of an accepted conversation, with a weight on each of its messages.

The chat begins with a user's message and ends with words of the assistant. `weight` is 0 on a message that was accepted
with a marker (one that only labels) or in which a planted slip went unnoticed, and 1 on all others of the assistant.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tertulia.records import Conversation, Turn
from tertulia.setting import Setting
from tertulia.views import Chat, as_chat, briefing, tool_list

__all__ = ["LOSES", "LOSES_MORE", "Lesson", "about", "faultless", "lessons", "until_a_fault", "with_objects"]

LOSES = {
    "rejected_conversations": "conversations that a gate kept out",
    "nothing_to_learn": "assistants of a conversation without a message that may be learnt",
    "leading_assistant_messages": "what an assistant said or called before a user spoke",
    "leading_tool_messages": "results of such calls",
    "trailing_user_messages": "what was said to an assistant after its last words",
    "trailing_assistant_messages": "calls after its last words",
    "trailing_tool_messages": "results of such calls",
}
LOSES_MORE = LOSES | {"messages_from_a_fault_on": "messages from the first one on that has a known fault"}


@dataclass(frozen=True, slots=True)
class Lesson:
    """One assistant's side. No text in it is a plan, a script, a gold value or another party's card."""

    talk: Conversation
    name: str  # the assistant
    system: str  # see `tertulia.views.briefing`; may be empty
    chat: Chat  # user, assistant and tool messages; assistant messages have `weight`; arguments are JSON text
    tools: list[dict[str, Any]]

    @property
    def messages(self) -> Chat:
        """The chat with its system message in front."""
        return [{"role": "system", "content": self.system}, *self.chat] if self.system else self.chat


def lessons(setting: Setting, talk: Conversation, lost: Counter[str]) -> Iterator[Lesson]:
    """One lesson for each assistant of an accepted conversation that has something to learn from.

    `lost` counts rejected conversations, those with nothing to learn from, and messages trimmed at either end."""
    if not talk.accepted:
        lost["rejected_conversations"] += 1
        return
    for name, role in talk.roles.items():
        if role != "assistant":
            continue
        chat = trimmed(weighed(as_chat(talk.messages, name, talk.roles), talk, name), lost)
        if not any(message.get("weight") for message in chat):
            lost["nothing_to_learn"] += 1
            continue
        yield Lesson(talk, name, briefing(setting, name), chat, tool_list(setting, name))


def faultless(setting: Setting, talk: Conversation, lost: Counter[str]) -> Iterator[tuple[Lesson, Chat]]:
    """The lessons of a conversation with as much of each as may be learnt without weights, see `until_a_fault`."""
    for lesson in lessons(setting, talk, lost):
        if chat := until_a_fault(lesson.chat, lost):
            yield lesson, chat
        else:
            lost["nothing_to_learn"] += 1


def weighed(chat: Chat, talk: Conversation, name: str) -> Chat:
    """The chat with the loss mask on every assistant message."""
    slipped = {(slip.turn, slip.draft) for slip in talk.slips}
    turns = [turn for turn in talk.turns if turn.speaker == name and name in turn.message.audience]
    said = [message for message in chat if message["role"] == "assistant"]
    for turn, message in zip(turns, said, strict=True):
        message["weight"] = int(clean(turn, slipped))
    return chat


def clean(turn: Turn, slipped: set[tuple[int, int]]) -> bool:
    """Whether nothing is known against a turn's accepted draft."""
    return not turn.drafts[-1].markers and (turn.index, len(turn.drafts) - 1) not in slipped


def trimmed(chat: Chat, lost: Counter[str]) -> Chat:
    """From the first user message to the last assistant message that makes no call."""
    first = next((at for at, message in enumerate(chat) if message["role"] == "user"), len(chat))
    last = end_of_words(chat, first)
    for message in chat[:first]:
        lost[f"leading_{message['role']}_messages"] += 1
    for message in chat[last:]:
        lost[f"trailing_{message['role']}_messages"] += 1
    return chat[first:last]


def end_of_words(chat: Sequence[Mapping[str, Any]], first: int = 0) -> int:
    """The place behind the last assistant message that makes no call."""
    ends = [at for at, message in enumerate(chat) if message["role"] == "assistant" and "tool_calls" not in message]
    return ends[-1] + 1 if ends and ends[-1] > first else first


def until_a_fault(chat: Chat, lost: Counter[str]) -> Chat:
    """The chat up to its first message of weight 0, without weights, for a consumer that learns from all it is given.

    It ends with words of the assistant; what is cut off is counted. Empty: nothing is left."""
    at = next((at for at, message in enumerate(chat) if message.get("weight") == 0), len(chat))
    end = len(chat) if at == len(chat) else end_of_words(chat[:at])
    if end < len(chat):
        lost["messages_from_a_fault_on"] += len(chat) - end
    return [{key: value for key, value in message.items() if key != "weight"} for message in chat[:end]]


def with_objects(chat: Sequence[Mapping[str, Any]]) -> Chat:
    """The chat with the arguments of its calls as objects, which most chat templates want."""
    return [
        {**message, "tool_calls": [read(call) for call in message["tool_calls"]]}
        if "tool_calls" in message
        else dict(message)
        for message in chat
    ]


def read(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return {**call, "function": {**function, "arguments": json.loads(function["arguments"])}}


def about(talk: Conversation) -> dict[str, Any]:
    """Where a row comes from, in columns that are the same in every format."""
    success = [verdict.passed for verdict in talk.verdicts if verdict.judge == "success"]
    return {
        "conversation": talk.id,
        "scenario": talk.scenario,
        "seed": talk.seed,
        "end_reason": talk.end_reason.value,
        "success": success[-1] if success else None,
    }
