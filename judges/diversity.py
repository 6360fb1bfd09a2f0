"""How varied the words of a conversation are."""

from typing import ClassVar

from tertulia.language.measures import mtld, ttr
from tertulia.language.wording import words
from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["Diversity"]

LEAST_MTLD = 30.0  # words; English prose lies between 70 and 120 (McCarthy and Jarvis 2010)
ENOUGH = 50  # words; MTLD of fewer says little


class Diversity:
    """Passes when the MTLD of each role that says at least `ENOUGH` words is at least `LEAST_MTLD`. There is no score.

    `detail` by role: `words`, `types` (distinct words), `ttr` (types by words, 0 to 1), `mtld` (in words)."""

    heuristic: ClassVar[bool] = True

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        by_role: dict[str, list[str]] = {}
        for message in talk.messages:
            if message.role != "tool":
                by_role.setdefault(message.role, []).extend(words(message.text))
        detail = {
            role: {"words": len(said), "types": len(set(said)), "ttr": ttr(said), "mtld": mtld(said)}
            for role, said in by_role.items()
            if said
        }
        poor = [
            f"{role}: MTLD {found:.1f}"
            for role, said in by_role.items()
            if len(said) >= ENOUGH and (found := mtld(said) or 0.0) < LEAST_MTLD
        ]
        return Verdict(judge="diversity", passed=not poor, reason="; ".join(poor), detail=detail)
