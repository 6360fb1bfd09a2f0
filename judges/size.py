"""How long a conversation is: characters, words and tokens by role, turns, calls."""

from collections import Counter
from typing import Any, ClassVar

from tertulia.language.wording import words
from tertulia.models.tokens import counter
from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["Size"]

MOST_TOKENS = 4096  # of the whole conversation, calls and results included, system prompt not
LEAST_SPOKEN = 2  # messages of words


class Size:
    """Passes with up to `MOST_TOKENS` tokens and at least `LEAST_SPOKEN` messages of words. There is no score.

    `detail`: `characters`, `words`, `tokens` and `messages` by role with `total`; `longest` message in words by role;
    `turns`, `calls`, and how tokens were counted. A call counts as its name and arguments, a result as its text."""

    heuristic: ClassVar[bool] = True

    def __init__(self) -> None:
        self.count, self.how = counter()

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        sums: dict[str, Counter[str]] = {unit: Counter() for unit in ("characters", "words", "tokens", "messages")}
        longest: dict[str, int] = {}
        for message in talk.messages:
            text = " ".join([message.text, *(f"{call.name} {call.args}" for call in message.calls)]).strip()
            length = len(words(message.text))
            for unit, number in (("characters", len(text)), ("words", length), ("tokens", self.count(text))):
                sums[unit][message.role] += number
            sums["messages"][message.role] += 1
            longest[message.role] = max(longest.get(message.role, 0), length)
        spoken = sums["messages"].total() - sums["messages"]["tool"]
        tokens = sums["tokens"].total()
        faults = [f"{tokens} tokens, more than {MOST_TOKENS}"] * (tokens > MOST_TOKENS)
        faults += [f"{spoken} messages of words or calls"] * (spoken < LEAST_SPOKEN)
        detail: dict[str, Any] = {unit: {**by, "total": by.total()} for unit, by in sums.items()}
        detail |= {"longest": longest, "turns": len(talk.turns), "counted": self.how}
        detail["calls"] = sum(len(message.calls) for message in talk.messages)
        return Verdict(judge="size", passed=not faults, reason="; ".join(faults), detail=detail)
