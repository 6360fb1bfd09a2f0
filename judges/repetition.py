"""Whether a party repeats itself: n-grams that come again, messages that are alike, self-BLEU."""

from typing import Any, ClassVar

from tertulia.language.measures import repeated, self_bleu
from tertulia.language.wording import words
from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario
from tertulia.shares import percent

__all__ = ["Repetition"]

MOST_REPEATED = 0.2  # share of 4-grams within one message
MOST_SELF_BLEU = 0.6  # of one party's messages
N = 4


class Repetition:
    """Passes when no message repeats more than `MOST_REPEATED` of its own 4-grams, no party says one message of five
    words or more twice, and the self-BLEU of each party's messages is at most `MOST_SELF_BLEU`.

    The score is 1 minus the largest of these shares. `detail` by party: `within` (largest share of 4-grams that came
    before in the same message, 0 to 1), `same` (messages said before word for word), `self_bleu` (0 to 1; null for
    fewer than two messages)."""

    heuristic: ClassVar[bool] = True

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        detail: dict[str, dict[str, Any]] = {}
        for party in talk.roles:
            said = [words(message.text) for message in talk.messages if message.speaker == party and message.text]
            long = [text for text in said if len(text) >= N + 1]
            if said:
                detail[party] = {
                    "within": max((repeated(text, N) or 0.0 for text in said), default=0.0),
                    "same": len(long) - len(set(long)),
                    "self_bleu": self_bleu(said),
                }
        faults = [fault for party, found in detail.items() for fault in faults_of(party, found)]
        worst = max((max(found["within"], found["self_bleu"] or 0.0) for found in detail.values()), default=0.0)
        return Verdict(judge="repetition", passed=not faults, score=1 - worst, reason="; ".join(faults), detail=detail)


def faults_of(party: str, found: dict[str, Any]) -> list[str]:
    faults = []
    if found["within"] > MOST_REPEATED:
        faults.append(f"{party} repeats {percent(found['within'], 0)} of a message's 4-grams")
    if found["same"]:
        faults.append(f"{party} says {found['same']} messages again")
    if (found["self_bleu"] or 0.0) > MOST_SELF_BLEU:
        faults.append(f"{party}: self-BLEU {found['self_bleu']:.2f}")
    return faults
