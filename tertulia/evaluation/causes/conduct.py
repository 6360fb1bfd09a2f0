"""The agent's turns of one trial, read once: what it said and called, and which parts of success do not hold."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tertulia.contracts import Hearing
from tertulia.evaluation.scoring import Score
from tertulia.gold import Made, comparable
from tertulia.records import Conversation, Message, ToolCall
from tertulia.scenario import Want
from tertulia.setting import Setting
from tertulia.views import hearings

__all__ = ["Called", "Conduct", "shown"]

SIDE_EFFECTS = {"writes", "refused", "never_calls", "nothing_else", "unchanged"}  # parts that an extra call breaks


@dataclass(frozen=True, slots=True)
class Called:
    """A call with its turn and its result, if there is one."""

    turn: int
    call: ToolCall
    result: Message | None

    @property
    def worked(self) -> bool:
        return self.result is not None and not self.result.error

    @property
    def refused(self) -> bool:
        """Whether it was refused for what it was, not through a fault of its tool."""
        return self.result is not None and self.result.error and not self.result.injected

    @property
    def answer(self) -> str:
        """The result's words; of an error, those behind its key."""
        text = self.result.text if self.result else ""
        try:
            told = json.loads(text)
        except ValueError:
            return text
        return str(told["error"]) if isinstance(told, dict) and "error" in told else text


@dataclass
class Conduct:
    """An agent in one trial."""

    setting: Setting
    talk: Conversation
    score: Score
    forced: bool = False  # the agent made the calls alone: static evaluation

    @cached_property
    def agent(self) -> str:
        return self.setting.scenario.assistant

    @cached_property
    def hearings(self) -> list[Hearing]:
        return list(hearings(self.setting, self.talk, self.agent))

    @cached_property
    def words(self) -> list[tuple[int, Message]]:
        """What it said, with the turn."""
        return [(heard.turn, heard.message) for heard in self.hearings if not heard.message.calls]

    @property
    def last_words(self) -> tuple[int, str]:
        """The last that it said, with the turn; -1 where it said nothing."""
        return (self.words[-1][0], self.words[-1][1].text) if self.words else (-1, "")

    # --- calls ---------------------------------------------------------------------------------------------------

    @cached_property
    def calls(self) -> list[Called]:
        results = {message.answers: message for message in self.talk.messages if message.role == "tool"}
        return [Called(h.turn, call, results.get(call.id)) for h in self.hearings for call in h.message.calls]

    @cached_property
    def unmended(self) -> list[Called]:
        """The calls that were refused for what they were and whose tool never worked after that."""
        return [one for nth, one in enumerate(self.calls) if one.refused and not self.mended(nth)]

    def mended(self, nth: int) -> bool:
        """Whether a later call of the same tool worked."""
        return any(later.worked and later.call.name == self.calls[nth].call.name for later in self.calls[nth + 1 :])

    def writes(self, call: ToolCall) -> bool:
        return any(tool.name == call.name and tool.writes for tool in self.setting.tools[self.agent])

    def plain(self, call: ToolCall) -> Made:
        """A call as gold compares it."""
        return comparable(call.name, self.agent, call.args, self.setting.world.tools)

    # --- what was wanted -----------------------------------------------------------------------------------------

    @cached_property
    def wants(self) -> list[Want]:
        """What the agent itself has to call."""
        return [want for want in self.setting.scenario.script.wants if want.due and want.by in ("", self.agent)]

    @cached_property
    def wanted(self) -> list[Made]:
        """The gold calls that the agent has to make."""
        return [comparable(want.call, self.agent, want.gold, self.setting.world.tools) for want in self.wants]

    @cached_property
    def taken_back(self) -> list[Made]:
        """What the user asks for and then does not want, or not so."""
        tools, wants = self.setting.world.tools, self.setting.scenario.script.wants
        asked = [comparable(want.call, self.agent, want.args, tools) for want in wants]
        return [call for call in asked if call not in self.wanted]

    # --- what failed ---------------------------------------------------------------------------------------------

    def broke(self, *parts: str) -> bool:
        return not set(parts).isdisjoint(self.score.broken)

    @property
    def undone(self) -> bool:
        """Something wanted was not done."""
        return self.broke("calls", "state")

    @property
    def astray(self) -> bool:
        """Something was done that nobody wanted."""
        return self.broke(*SIDE_EFFECTS)

    @property
    def wanting(self) -> bool:
        """Something wanted was not done, not said, or not brought to an end."""
        return self.undone or self.broke("says", "ended")

    @property
    def only_told(self) -> bool:
        """All is well but for what was said and should not have been."""
        return set(self.score.broken) <= {"never_says"}

    def actions_astray(self) -> Iterator[Called]:
        """The calls that worked, change something, and are not wanted so, or not so often."""
        left = list(self.wanted)
        for one in self.calls:
            if not one.worked or not self.writes(one.call):
                continue
            if self.plain(one.call) in left:
                left.remove(self.plain(one.call))
            else:
                yield one


def shown(call: ToolCall) -> str:
    return f"{call.name}({json.dumps(call.args, ensure_ascii=False, default=str)})"
