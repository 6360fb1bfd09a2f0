"""Whether user and assistant take turns, as chat templates want it."""

from itertools import pairwise
from typing import ClassVar

from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["Alternation"]


class Alternation:
    """Of the messages between user and assistant, each is of the other role than the one before, the first is the
    user's, and neither of them is empty. Calls belong to the assistant message that follows them. The score is the
    share of neighbouring messages that alternate; None with fewer than two.

    `detail`: `begins_with`, `ends_with` (roles, empty without messages), `breaks` (neighbours of one role), `pairs`.
    Conversations with a colleague pass when user and assistant do so among themselves."""

    heuristic: ClassVar[bool] = True

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        roles = [
            message.role
            for message in talk.messages
            if message.role in ("user", "assistant")
            and message.text.strip()
            and not message.calls
            and among(message.audience, talk)
        ]
        pairs = list(pairwise(roles))
        breaks = sum(one == other for one, other in pairs)
        first = roles[0] if roles else ""
        faults = [f"{breaks} times the same role twice in a row"] * bool(breaks)
        faults += [f"begins with {first or 'nobody'}"] * (first != "user")
        return Verdict(
            judge="alternation",
            passed=not faults,
            score=1 - breaks / len(pairs) if pairs else None,
            reason="; ".join(faults),
            detail={
                "begins_with": first,
                "ends_with": roles[-1] if roles else "",
                "breaks": breaks,
                "pairs": len(pairs),
            },
        )


def among(audience: tuple[str, ...], talk: Conversation) -> bool:
    """Whether both a user and an assistant hear it; a message without an audience is heard by all."""
    return not audience or {"user", "assistant"} <= {talk.roles.get(name, "") for name in audience}
