"""Stock phrases that messages begin with."""

import re
from collections import Counter
from typing import ClassVar

from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario
from tertulia.shares import percent

__all__ = ["Openings"]

MOST = 0.5  # share of an assistant's messages
STOCK = {
    "certainly": r"(?:certainly|absolutely|of course|definitely|sure(?: thing)?)\b[!,.]",
    "great question": r"(?:that(?:'s| is) )?an? (?:great|good|excellent|interesting|fantastic) (?:question|point|idea)",
    "happy to help": r"I(?:'d| would)? be (?:more than )?(?:happy|glad|delighted) to (?:help|assist)"
    r"|I(?:'m| am) (?:happy|glad|here) to (?:help|assist)",
    "thank you for": r"thank(?:s| you)(?: so much| very much)? for "
    r"(?:reaching out|contacting|your (?:question|message|patience|inquiry))",
    "as an AI": r"as an? (?:AI|(?:large )?language model)\b",
    "here is": r"(?:sure[,!] )?here(?:'s| is| are) (?:the|a|an|your|some)\b",
    "I understand": r"I (?:completely |fully |totally )?understand (?:that|how|your)\b",
    "I apologize": r"I (?:sincerely |deeply )?apologi[sz]e for\b",
}
PATTERNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in STOCK.items()}


class Openings:
    """Passes when at most `MOST` of the assistants' messages begin with a stock phrase, and no two in a row with the
    same one. The score is the share that does not.

    The phrases are those that filters of synthetic text take out (Cosmopedia), widened for service dialogues.
    `detail`: `stock` (messages by phrase), `share`, `in_a_row` (the longest row of messages with the same phrase)."""

    heuristic: ClassVar[bool] = True

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        said = [message.text.lstrip() for message in talk.messages if message.role == "assistant" and message.text]
        begun = [next((name for name, how in PATTERNS.items() if how.match(text)), "") for text in said]
        stock = Counter(filter(None, begun))
        share = stock.total() / len(said) if said else 0.0
        row, longest = 0, 0
        for nth, name in enumerate(begun):
            row = row + 1 if nth and name and name == begun[nth - 1] else int(bool(name))
            longest = max(longest, row)
        faults = [f"{percent(share, 0)} of messages begin with stock phrases"] * (share > MOST)
        faults += [f"{longest} messages in a row begin alike"] * (longest > 1)
        return Verdict(
            judge="openings",
            passed=not faults,
            score=1 - share if said else None,
            reason="; ".join(faults),
            detail={"stock": dict(stock), "share": share, "in_a_row": longest},
        )
