"""Whether a draft that the critic sent back became part of the conversation."""

from collections import Counter

from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["Markers"]


class Markers:
    """No accepted draft, the plan's included, carries a marker that sends it back. Markers that only label may stay."""

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        accepted = [("the plan", draft) for draft in talk.plan_drafts[-1:]]
        accepted += [(f"turn {turn.index}", turn.drafts[-1]) for turn in talk.turns if turn.drafts]
        left = [(place, marker) for place, draft in accepted for marker in draft.markers if marker.revise]
        labels = Counter(m.principle for _, draft in accepted for m in draft.markers if not m.revise)
        return Verdict(
            judge="markers",
            passed=not left,
            score=1 - len({place for place, _ in left}) / len(accepted) if accepted else 1.0,
            reason="; ".join(f"{place} breaks {marker.principle}" for place, marker in left),
            detail={"left": dict(Counter(m.principle for _, m in left)), "labels": dict(labels)},
        )
