"""What model judges share: what they are shown of a conversation, and how their ratings are read."""

from collections.abc import Mapping, Sequence
from typing import Any

from tertulia.models.asking import Reading, raw_of, read_answer
from tertulia.models.prompts import block, lines
from tertulia.models.records import BadReply, Reply, Request, Trouble
from tertulia.models.transcript import as_line
from tertulia.records import Conversation, Message
from tertulia.scenario import Scenario

__all__ = ["LEAST", "MOST", "asked", "in_unit", "ratings_schema", "read_ratings", "told_to"]

LEAST, MOST = 1, 5  # of every rating


def told_to(scenario: Scenario, talk: Conversation) -> list[Message]:
    """What an assistant said, heard, called and got: the whole conversation from its side."""
    return [message for message in talk.messages if scenario.assistant in message.audience or not message.audience]


def asked(
    talk: Conversation, step: str, system: str, messages: Sequence[Message], schema: Mapping[str, Any], **shown: Any
) -> Request:
    """A request of a judge: its instructions, then the transcript, then whatever else is shown, each as a block."""
    blocks = [lines("transcript", map(as_line, messages)), *(block(name, value) for name, value in shown.items())]
    return Request(
        conversation=talk.id,
        role="judge",
        step=step,
        messages=({"role": "system", "content": system}, {"role": "user", "content": "\n".join(filter(None, blocks))}),
        answer=dict(schema),
    )


def ratings_schema(names: Sequence[str]) -> dict[str, Any]:
    """One entry for each name: a reason, then a rating from 1 to 5, or null where it does not apply."""
    entry = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "enum": list(names)},
            "reason": {"type": "string"},
            "score": {"type": ["integer", "null"], "minimum": LEAST, "maximum": MOST},
        },
        "required": ["name", "reason", "score"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"ratings": {"type": "array", "items": entry}},
        "required": ["ratings"],
        "additionalProperties": False,
    }


def read_ratings(names: Sequence[str], reply: Reply) -> Reading[dict[str, dict[str, Any]]]:
    """Score (None: not applicable) and reason by name.

    Raises:
        BadReply: when the reply is no such answer, or leaves a name out or rates it twice."""
    reading: Reading[Any] = read_answer(reply, ratings_schema(names))
    rated = {entry["name"]: {"score": entry["score"], "reason": entry["reason"]} for entry in reading.value["ratings"]}
    if sorted(rated) != sorted(names) or len(reading.value["ratings"]) != len(names):
        raise BadReply(Trouble.WRONG_SCHEMA, f"each of {', '.join(names)} is wanted once", raw_of(reply))
    return Reading({name: rated[name] for name in names}, reading.troubles)


def in_unit(rating: float) -> float:
    """A rating of 1 to 5 as a score of 0 to 1."""
    return (rating - LEAST) / (MOST - LEAST)
