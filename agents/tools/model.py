"""The model tool simulator: answers calls on tools that are described by their schemas alone.

It remembers nothing itself: each request holds the earlier calls of the conversation with their answers, so what it
says agrees within a conversation and starts afresh in the next (after ToolAlpaca, arXiv 2306.05301, whose simulator
keeps its chat for each API, so that conversations played at once would mix).
"""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from tertulia.contracts import CallView
from tertulia.memo import Memo
from tertulia.models.answers import faults
from tertulia.models.asking import Reading, ask_for, raw_of, read_answer
from tertulia.models.prompts import block, fill_prompt, read_prompt
from tertulia.models.records import Ask, BadReply, Reply, Request, Trouble
from tertulia.records import Message
from tertulia.world import Outcome, ToolSpec, as_text, refusal

__all__ = ["Model"]

TEXT = read_prompt("tertulia.agents.tools", "model.txt")
ANSWER = {
    "type": "object",
    "properties": {"status": {"type": "string", "enum": ["ok", "error"]}, "result": {}},
    "required": ["status", "result"],
    "additionalProperties": False,
}


class Model:
    """Simulates tools with a model."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.systems: Memo[str] = Memo()

    def prompt(self, view: CallView) -> Request:
        """The request for this call."""
        return Request(
            conversation=view.conversation,
            role="tool",
            step=view.step,
            messages=(
                {"role": "system", "content": self.systems.of((view.tools,), lambda: system(view.tools))},
                *answered(view.earlier),
                {"role": "user", "content": called(view.call.name, view.call.args)},
            ),
            answer=ANSWER,
            seed=view.rng.getrandbits(31),
        )

    async def answer(self, view: CallView) -> Outcome:
        tool = next(tool for tool in view.tools if tool.name == view.call.name)
        return await ask_for(self.ask, self.prompt(view), partial(read_result, tool))


def system(tools: Sequence[ToolSpec]) -> str:
    return fill_prompt(TEXT, {"tools": block("tools", list(map(card, tools)))})


def card(tool: ToolSpec) -> dict[str, Any]:
    known: dict[str, Any] = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return known | {"writes": tool.writes} | ({"output": tool.output} if tool.output else {})


def called(name: str, args: dict[str, Any]) -> str:
    return block("call", {"name": name, "arguments": args})


def answered(earlier: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """The calls so far, each with the answer that it got."""
    results = {message.answers: message for message in earlier if message.role == "tool"}
    for call in (call for message in earlier for call in message.calls):
        if call.id in results:
            yield {"role": "user", "content": called(call.name, call.args)}
            yield {"role": "assistant", "content": told(results[call.id])}


def told(result: Message) -> str:
    """A result in the shape in which the model gives one."""
    try:
        value = json.loads(result.text)
    except ValueError:
        value = result.text
    if result.error and isinstance(value, dict):
        value = value.get("error", value)
    return json.dumps({"status": "error" if result.error else "ok", "result": value}, ensure_ascii=False)


def read_result(tool: ToolSpec, reply: Reply) -> Reading[Outcome]:
    """The result in a reply, held against what the tool says it returns.

    Raises:
        BadReply: when it is no result, or none that the tool could give."""
    reading = read_answer(reply, ANSWER)
    result = reading.value["result"]
    if reading.value["status"] == "error":
        return Reading(refusal(result if isinstance(result, str) else as_text(result)), reading.troubles)
    if wrong := faults(result, tool.output):
        raise BadReply(Trouble.WRONG_SCHEMA, "result: " + "; ".join(wrong[:3]), raw_of(reply))
    return Reading(Outcome(as_text(result)), reading.troubles)
