"""Whether parties say or call with values that they have seen nowhere."""

from typing import ClassVar

from tertulia.detectors import Scene, find
from tertulia.principles import Grounded
from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.views import hearings

__all__ = ["Grounding"]

DETECTORS = (Grounded(kind="grounded", where="text"), Grounded(kind="grounded", where="arguments"))
SHOWN = 10


class Grounding:
    """Passes when no value in the words and calls of assistants and colleagues was made up: each stands in what they
    heard, called and got, or in their policy, knowledge and tools. The score is the share of their turns without one.

    Told by rules (`tertulia.detectors.grounding`): identifiers, numbers, dates, weekdays, addresses, amounts.
    `detail`: `text` and `arguments` (values made up), `turns` (looked at), `values` (up to ten, quoted)."""

    heuristic: ClassVar[bool] = True

    def __init__(self) -> None:
        self.settings = Settings()

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        setting = self.settings.of(scenario)
        counts, wrong, turns = {"text": 0, "arguments": 0}, 0, 0
        values: list[str] = []
        for name, role in talk.roles.items():
            for heard in hearings(setting, talk, name) if role != "user" else ():
                scene, turns = Scene(heard), turns + 1
                found = {detector.where: find(detector, scene) for detector in DETECTORS}
                for where, cases in found.items():
                    counts[where] += len(cases)
                    values += [case.quote for case in cases]
                wrong += any(found.values())
        return Verdict(
            judge="grounding",
            passed=not wrong,
            score=1 - wrong / turns if turns else None,
            reason="seen nowhere: " + ", ".join(values[:SHOWN]) if values else "",
            detail={**counts, "turns": turns, "values": values[:SHOWN]},
        )
