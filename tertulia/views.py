"""Who may see what: the audience of a message, a conversation as chat messages from one party's side, and what a critic
can see of its turns."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tertulia.contracts import Hearing, Neighbour
from tertulia.principles import Principle
from tertulia.records import Conversation, Message, Turn
from tertulia.scenario import Party
from tertulia.setting import Setting

__all__ = ["as_chat", "audience_of", "brief", "briefing", "heard_by", "hearings", "tool_list"]

Chat = list[dict[str, Any]]


def audience_of(
    speaker: str, parties: Iterable[str], *, calls: bool, to: Iterable[str] = (), private: bool = False
) -> frozenset[str]:
    """The parties that may see what a speaker does.

    Calls, and the results they give, are for the caller alone. Words are for everybody, except in a private
    scenario, where a message that addresses somebody is for its addressees."""
    addressed = frozenset(to)
    if calls:
        return frozenset({speaker})
    if private and addressed:
        return addressed | {speaker}
    return frozenset(parties)


def heard_by(messages: Iterable[Message], name: str) -> list[Message]:
    """The messages that a party said, heard or got, in order."""
    return [message for message in messages if name in message.audience]


def hearings(setting: Setting, talk: Conversation, speaker: str) -> Iterator[Hearing]:
    """What a critic could see of each turn of a party in a record: of the last draft, which was heard."""
    spoken: list[Message] = []
    for turn in talk.turns:
        if turn.speaker == speaker and turn.drafts:
            yield hearing(setting, talk, turn, tuple(spoken))
        spoken += (turn.message, *turn.results)


def hearing(setting: Setting, talk: Conversation, turn: Turn, spoken: tuple[Message, ...]) -> Hearing:
    scenario, name = setting.scenario, turn.speaker
    party = scenario.cast[name]
    return Hearing(
        scenario=scenario,
        speaker=name,
        party=party,
        role=party.role,
        turn=turn.index,
        draft=len(turn.drafts) - 1,
        message=turn.message,
        seen=heard_by(spoken, name),
        spoken=spoken,
        tools=setting.tools[name],
        policy=setting.policies[name],
        principles=setting.principles[party.role],
        plan=talk.plan,
        script=scenario.script if name == scenario.user else None,
        conversation=talk.id,
    )


def as_chat(messages: Iterable[Message], viewer: str, roles: Mapping[str, str]) -> Chat:
    """The conversation in the shape of OpenAI's chat completions, from one party's side.

    The viewer's own messages are `assistant`, whatever its role is here, and everybody else's are `user`. Messages of
    others that follow each other are one `user` message with an empty line between them, since many chat templates
    want the roles to alternate. With more than two parties every line of another party begins with its name and a
    colon, and a message that addresses somebody names them as `@name` in front. The content of a message that only
    calls tools is an empty text: some templates fail on null."""
    named = len(roles) > 2
    chat: Chat = []
    for message in heard_by(messages, viewer):
        if message.role == "tool":
            chat.append({"role": "tool", "tool_call_id": message.answers, "content": message.text})
        elif message.speaker == viewer:
            chat.append(own(message, named))
        elif message.text:
            line = f"{message.speaker}: {addressed(message)}" if named else message.text
            if chat and chat[-1]["role"] == "user":
                chat[-1]["content"] += f"\n\n{line}"
            else:
                chat.append({"role": "user", "content": line})
    return chat


def own(message: Message, named: bool) -> dict[str, Any]:
    """A message as its speaker's own `assistant` message."""
    said: dict[str, Any] = {"role": "assistant", "content": addressed(message) if named else message.text}
    if message.calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.args, ensure_ascii=False)},
            }
            for call in message.calls
        ]
    return said


def addressed(message: Message) -> str:
    """The text with the parties it addresses in front."""
    return " ".join([*(f"@{name}" for name in message.to), message.text]) if message.text else ""


def briefing(setting: Setting, name: str) -> str:
    """A party's system prompt in exports: policy, what is on its own card, its principles, and who else is there.

    It never holds the card of another party, a script, a plan or a gold value."""
    party = setting.scenario.cast[name]
    return brief(party, setting.policies[name], setting.principles[party.role], setting.others[name])


def brief(party: Party, policy: str, principles: Sequence[Principle], others: Sequence[Neighbour]) -> str:
    """The same from what a speaker is handed: see `tertulia.contracts.View`."""
    parts = [policy.strip(), party.persona.strip()]
    if party.knows:
        parts.append("You know:\n" + "\n".join(fact(key, party) for key in party.knows))
    if principles:
        parts.append("Hold to these principles:\n" + "\n".join(f"- {rule.text}" for rule in principles))
    if len(others) > 1:
        named = ", ".join(f"{other.name} ({other.role})" for other in others)
        parts.append(
            f"Several parties talk with you: {named}. Each message begins with the name of who says it. "
            "Begin yours with @name when it is meant for one of them."
        )
    return "\n\n".join(part for part in parts if part)


def fact(key: str, party: Party) -> str:
    value = party.knows[key]
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"- {key}: {told}" + (" (never tell it)" if key in party.secret else "")


def tool_list(setting: Setting, name: str) -> list[dict[str, Any]]:
    """A party's tools in the shape of OpenAI's chat completions."""
    return [tool.openai() for tool in setting.tools[name]]
