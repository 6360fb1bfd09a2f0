"""How a conversation ended, and what it took: turns, drafts, calls of models, tokens, money."""

from typing import ClassVar

from tertulia.records import Conversation, EndReason, Verdict
from tertulia.scenario import Scenario

__all__ = ["Ending"]

BY_A_PARTY = {
    EndReason.GOAL_REACHED,
    EndReason.SCRIPT_EXHAUSTED,
    EndReason.DONE_BY_USER,
    EndReason.DONE_BY_ASSISTANT,
}


class Ending:
    """Passes when a party ended the conversation of its own will. There is no score.

    `detail`: `how`, `turns`, `limit` (of turns), `used` (turns by limit, 0 to 1), `drafts` sent back, and the cost:
    `calls`, `tokens_in`, `tokens_out`, `usd` (null: unknown), all 0 for the rule cast; `troubles` by sort."""

    heuristic: ClassVar[bool] = True

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        limit, usage = scenario.limits.turns, talk.usage
        passed = talk.end_reason in BY_A_PARTY
        return Verdict(
            judge="ending",
            passed=passed,
            reason="" if passed else f"ended by {talk.end_reason.value}",
            detail={
                "how": talk.end_reason.value,
                "turns": len(talk.turns),
                "limit": limit,
                "used": min(1.0, len(talk.turns) / limit),
                "drafts": sum(max(0, len(turn.drafts) - 1) for turn in talk.turns),
                "calls": usage.calls,
                "tokens_in": usage.tokens_in,
                "tokens_out": usage.tokens_out,
                "usd": usage.usd,
                "troubles": usage.troubles,
            },
        )
