"""Agents that speak OpenAI's chat format: what they are asked, and their message read as a turn.

An agent is given the messages from its own side (`system` first: policy, principles, who else is there) and its tools,
and gives one `assistant` message: `content`, or `tool_calls` with `function.name` and `function.arguments`, a JSON
text or an object. With `"done": true` beside the content it ends the conversation. A call of a tool that it has not,
or with arguments that do not fit, is carried to the table, where it is refused as it would be in service; what cannot
be read at all ends the trial, under the name of what is wrong with it.
"""

import json
from collections.abc import Mapping
from typing import Any

from tertulia.contracts import Utterance, View
from tertulia.evaluation.agents.seat import AgentMisspoke
from tertulia.models.answers import NotJson, clean, parse_json
from tertulia.models.records import Trouble
from tertulia.models.replies import addressees
from tertulia.models.speaking import roles
from tertulia.records import Signal, ToolCall
from tertulia.views import as_chat, brief

__all__ = ["asked", "read_message"]

SHOWN = 500  # characters of an unreadable answer that the record keeps


def asked(view: View) -> dict[str, Any]:
    """What a chat agent is asked, as JSON values: conversation, messages and tools."""
    system = brief(view.party, view.policy, view.principles, view.others)
    heard = as_chat(view.messages, view.name, roles(view))
    return {
        "conversation": view.conversation,
        "messages": [*([{"role": "system", "content": system}] if system else []), *heard],
        "tools": [tool.openai() for tool in view.tools],
    }


def read_message(message: Any, view: View) -> Utterance:
    """An agent's message as its turn.

    Raises:
        AgentMisspoke: naming what keeps it from being read."""
    if not isinstance(message, Mapping):
        raise unreadable(Trouble.WRONG_SCHEMA, "gave no message but a value that is none", message)
    if message.get("role", "assistant") != "assistant":
        raise unreadable(Trouble.WRONG_SCHEMA, f"gave a message of the role {message['role']!r}", message)
    content, calls = message.get("content") or "", message.get("tool_calls") or ()
    if not isinstance(content, str) or not isinstance(calls, list | tuple):
        raise unreadable(Trouble.WRONG_SCHEMA, "gave content that is no text, or tool_calls that are no list", message)
    if calls:
        return Utterance(calls=tuple([read_call(call) for call in calls]))
    return read_words(clean(content).strip(), view, done=message.get("done") is True, message=message)


def read_words(words: str, view: View, *, done: bool, message: Any) -> Utterance:
    """Spoken words, with whom they address."""
    to: tuple[str, ...] = ()
    if len(view.others) > 1:
        words, to = addressees(words, (other.name for other in view.others))
    if not words:
        raise unreadable(Trouble.EMPTY, "gave neither words nor calls", message)
    return Utterance(words, to=to, signal=Signal.CLOSED if done else None)


def read_call(call: Any) -> ToolCall:
    """A call in OpenAI's shape; its id is given at the table."""
    function = call.get("function", call) if isinstance(call, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(name, str) or not name:
        raise unreadable(Trouble.WRONG_SCHEMA, "gave a tool call without a name", call)
    given = function.get("arguments", "{}")
    try:
        args = parse_json(clean(given) or "{}") if isinstance(given, str) else given
    except NotJson as error:
        raise unreadable(Trouble.NOT_JSON, f"gave arguments of {name!r} that are not JSON ({error})", call) from None
    if not isinstance(args, Mapping):
        raise unreadable(Trouble.WRONG_ARGUMENTS, f"gave arguments of {name!r} that are no object", call)
    return ToolCall(id="", name=name, args=dict(args))


def unreadable(trouble: Trouble, what: str, given: Any) -> AgentMisspoke:
    """The failure for an answer that cannot be read, with the answer."""
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
    return AgentMisspoke(trouble, f"{what}: {text[:SHOWN]}")
