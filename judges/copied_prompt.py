"""Whether a party reads its instructions out: long runs of words that stand in its prompt."""

from typing import ClassVar

from tertulia.language.measures import ngrams
from tertulia.language.wording import words
from tertulia.memo import Memo
from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario
from tertulia.setting import Setting, Settings

__all__ = ["CopiedPrompt"]

RUN = 12  # words that make a copy; policies hold whole sentences, and shorter runs occur by chance
Grams = frozenset[tuple[str, ...]]


class CopiedPrompt:
    """Passes when no message holds `RUN` words in a row of what its speaker was told to be and to do: an assistant its
    policy and principles, a user its persona. The score is the share of messages of words without a copy.

    What the user was told to say (opening, wants) is no copy. `detail`: `messages` with a copy by role, `quotes`."""

    heuristic: ClassVar[bool] = True

    def __init__(self) -> None:
        self.settings = Settings()
        self.told: Memo[dict[str, Grams]] = Memo(256)

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        setting = self.settings.of(scenario)
        told = self.told.of((scenario,), lambda: {name: prompt_of(setting, name) for name in scenario.cast})
        copied: dict[str, int] = {}
        quotes: list[str] = []
        said = 0
        for message in talk.messages:
            if message.role == "tool" or not message.text:
                continue
            said += 1
            grams = ngrams(words(message.text), RUN)
            if found := next((gram for gram in grams if gram in told.get(message.speaker, ())), None):
                copied[message.role] = copied.get(message.role, 0) + 1
                quotes.append(" ".join(found))
        count = sum(copied.values())
        return Verdict(
            judge="copied_prompt",
            passed=not count,
            score=1 - count / said if said else None,
            reason=f"reads its instructions out: {quotes[0]!r}" if quotes else "",
            detail={"messages": copied, "quotes": quotes[:3]},
        )


def prompt_of(setting: Setting, name: str) -> Grams:
    """The runs of words that stand in what one party is told."""
    party = setting.scenario.cast[name]
    principles = [principle.text for principle in setting.principles[party.role]] if party.role != "user" else []
    texts = [setting.policies[name], party.persona, *principles]
    return frozenset(gram for text in texts for gram in ngrams(words(text), RUN))
