"""Whether a model prefers what the assistant said in the end to the draft that the critic sent back.

Each pair is shown in both orders; a preference that turns with the order is the model's and not the draft's.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from tertulia.models.asking import Reading, ask_for, read_answer
from tertulia.models.prompts import read_prompt
from tertulia.models.rating import asked
from tertulia.models.records import Ask, ModelFailure, Reply
from tertulia.models.transcript import as_line
from tertulia.records import Conversation, Draft, Message, Turn, Verdict
from tertulia.scenario import Scenario

__all__ = ["Pairwise"]

TEXT = read_prompt("tertulia.judges", "pairwise.txt")
MOST = 4  # pairs of one conversation
Preferred = Literal["first", "second", "tie"]
ANSWER = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "better": {"type": "string", "enum": ["first", "second", "tie"]}},
    "required": ["reason", "better"],
    "additionalProperties": False,
}
TURNED = {"first": "second", "second": "first", "tie": "tie"}


class Pairwise:
    """The score is the share of pairs in which the revised draft is preferred in both orders, ties counting half; it
    passes from one half on. A pair on which the orders disagree counts as a tie. None without pairs.

    `detail`: `pairs`, `better`, `worse`, `tie`, `turned` (orders disagree), `errors` (unreadable, by trouble), and
    under `turns` what was said of each pair. Pairs: the last draft of a turn of the assistant against the first one
    that was sent back, up to `MOST` of a conversation."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        counts: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        turns: list[dict[str, Any]] = []
        for turn, before in pairs(scenario, talk):
            try:
                said = [await self.prefers(talk, turn, before, swapped=swapped) for swapped in (False, True)]
            except ModelFailure as error:
                errors[error.trouble.value] += 1
                continue
            one, other = said[0], TURNED[said[1]]
            outcome = {"first": "better", "second": "worse", "tie": "tie"}[one] if one == other else "turned"
            counts[outcome] += 1
            turns.append({"turn": turn.index, "outcome": outcome, "said": said})
        total = counts.total()
        score = (counts["better"] + (counts["tie"] + counts["turned"]) / 2) / total if total else None
        return Verdict(
            judge="pairwise",
            passed=not errors and (score is None or score >= 0.5),
            score=score,
            reason=", ".join(f"{name} {count}" for name, count in sorted((counts + errors).items())),
            detail={
                "pairs": total,
                **{name: counts[name] for name in ("better", "worse", "tie", "turned")},
                "errors": dict(errors),
                "turns": turns,
            },
        )

    async def prefers(self, talk: Conversation, turn: Turn, before: tuple[Message, ...], *, swapped: bool) -> Preferred:
        """What the model says of one order: the revised draft comes first unless it is swapped."""
        last, first = turn.drafts[-1], turn.drafts[0]
        shown = (first, last) if swapped else (last, first)
        step = f"judge/pairwise/{turn.index}/{int(swapped)}"
        request = asked(talk, step, TEXT, before, ANSWER, first=said_in(shown[0]), second=said_in(shown[1]))
        found: dict[str, Any] = await ask_for(self.ask, request, read)
        preferred: Preferred = found["better"]
        return preferred


def read(reply: Reply) -> Reading[Any]:
    return read_answer(reply, ANSWER)


def said_in(draft: Draft) -> dict[str, Any]:
    return as_line(draft.message)


def pairs(scenario: Scenario, talk: Conversation) -> Iterator[tuple[Turn, tuple[Message, ...]]]:
    """Turns of the assistant with a draft that was sent back and one that says something else, and what came before."""
    before: list[Message] = []
    found = 0
    for turn in talk.turns:
        revised = len(turn.drafts) > 1 and turn.speaker == scenario.assistant
        if revised and said_in(turn.drafts[0]) != said_in(turn.drafts[-1]) and found < MOST:
            found += 1
            yield turn, tuple(message for message in before if scenario.assistant in message.audience)
        before += (turn.message, *turn.results)
