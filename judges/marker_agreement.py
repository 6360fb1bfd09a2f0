"""How far the markers that speakers put on their own drafts agree with those of the structured review."""

from collections import Counter
from collections.abc import Iterator

from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["MarkerAgreement"]

INLINE = "inline"


class MarkerAgreement:
    """Compares, for each draft of an assistant and each principle, who marked it.

    The score is the share of drafts with the same principles from both. `detail` counts pairs of draft and principle:
    marked by both, inline alone, the review alone; with the counts by principle. It judges critics and not the
    conversation, so it always passes. It means something where both are asked (critic `twofold`)."""

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        drafts = list(marked(talk))
        both: Counter[str] = Counter()
        inline: Counter[str] = Counter()
        review: Counter[str] = Counter()
        for own, found in drafts:
            both.update(own & found)
            inline.update(own - found)
            review.update(found - own)
        alike = sum(own == found for own, found in drafts)
        return Verdict(
            judge="marker_agreement",
            passed=True,
            score=alike / len(drafts) if drafts else None,
            reason=f"{alike} of {len(drafts)} drafts marked alike",
            detail={"both": dict(both), "inline": dict(inline), "review": dict(review), "drafts": len(drafts)},
        )


def marked(talk: Conversation) -> Iterator[tuple[set[str], set[str]]]:
    """For each draft of words by an assistant: the principles that it admits, and those that the review marked."""
    for turn in talk.turns:
        for draft in turn.drafts:
            if talk.roles.get(turn.speaker) == "assistant" and not draft.message.calls:
                own = {marker.principle for marker in draft.markers if marker.critic == INLINE}
                yield own, {marker.principle for marker in draft.markers if marker.critic != INLINE}
