"""Which languages a conversation is in."""

from collections import Counter
from typing import ClassVar

from tertulia.detectors.language import language
from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["Languages"]


class Languages:
    """Passes when every message whose language is clear is in one language. The score is the share of them that are in
    the most frequent one; None when none is clear.

    Told by function words: English, German, French, Spanish, Italian, Portuguese, Dutch, from five words on.
    `detail`: `main` (ISO 639-1, empty: unclear), `messages` by language, `unclear`."""

    heuristic: ClassVar[bool] = True

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        told = Counter(language(message.text) for message in talk.messages if message.role != "tool" and message.text)
        unclear = told.pop("", 0)
        main = min(told, key=lambda code: (-told[code], code)) if told else ""
        return Verdict(
            judge="languages",
            passed=len(told) < 2,
            score=told[main] / told.total() if told else None,
            reason=f"in {', '.join(sorted(told))}" if len(told) > 1 else "",
            detail={"main": main, "messages": dict(told), "unclear": unclear},
        )
