"""The share of a scenario's `says` facts that the user was told, as a model reads the conversation."""

from functools import partial
from typing import Any

from tertulia.models.asking import Reading, ask_for, raw_of, read_answer
from tertulia.models.prompts import block, fill_prompt, lines, read_prompt
from tertulia.models.records import Ask, BadReply, ModelFailure, Reply, Request, Trouble
from tertulia.models.transcript import as_line
from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["GoalMet"]

TEXT = read_prompt("tertulia.judges", "goal_met.txt")
ANSWER = {
    "type": "object",
    "properties": {
        "facts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "number": {"type": "integer"},
                    "evidence": {"type": "string"},
                    "holds": {"type": "boolean"},
                },
                "required": ["number", "evidence", "holds"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["facts"],
    "additionalProperties": False,
}


class GoalMet:
    """Asks a model of each fact whether it was told. Without a readable answer there is no score, and `detail` says
    under `error` what was wrong; a scenario without facts has none either, and passes."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def prompt(self, scenario: Scenario, talk: Conversation) -> Request | None:
        """The request for this conversation; None when there is nothing to ask."""
        if not scenario.success.says:
            return None
        facts = {str(number): fact for number, fact in enumerate(scenario.success.says, 1)}
        heard = [m for m in talk.messages if m.role != "tool" and not m.calls and scenario.user in m.audience]
        return Request(
            conversation=talk.id,
            role="judge",
            step="judge/goal_met",
            messages=(
                {"role": "system", "content": fill_prompt(TEXT, {"facts": block("facts", facts)})},
                {"role": "user", "content": lines("transcript", map(as_line, heard))},
            ),
            answer=ANSWER,
        )

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        request, facts = self.prompt(scenario, talk), scenario.success.says
        if request is None:
            return Verdict(judge="goal_met", passed=True, reason="nothing had to be said")
        try:
            held = await ask_for(self.ask, request, partial(read_facts, len(facts)))
        except ModelFailure as error:
            detail = {"error": error.trouble.value}
            return Verdict(judge="goal_met", passed=False, reason=f"gave no verdict: {error}", detail=detail)
        missing = [fact for fact, holds in zip(facts, held, strict=True) if not holds]
        return Verdict(
            judge="goal_met",
            passed=not missing,
            score=sum(held) / len(held),
            reason="not told: " + ", ".join(missing) if missing else "",
            detail={"holds": dict(zip(facts, held, strict=True))},
        )


def read_facts(count: int, reply: Reply) -> Reading[tuple[bool, ...]]:
    """Whether each fact holds, in order.

    Raises:
        BadReply: when the reply is no such answer, or leaves out, doubles or makes up a number."""
    reading: Reading[Any] = read_answer(reply, ANSWER)
    told = {entry["number"]: entry["holds"] for entry in reading.value["facts"]}
    if sorted(told) != list(range(1, count + 1)) or len(reading.value["facts"]) != count:
        raise BadReply(Trouble.WRONG_SCHEMA, f"every number from 1 to {count} is wanted once", raw_of(reply))
    return Reading(tuple(told[number] for number in range(1, count + 1)), reading.troubles)
