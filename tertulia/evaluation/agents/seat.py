"""The agent's seat: whoever sits on it, what goes wrong there is the agent's, and says so in the record.

A conversation that an agent's failure ends keeps `TROUBLE: the agent ...` as its error, so that it can be told from
a failure of a simulated party. What an agent in this process raises as a bug is known by its trace, which leads over
this seat.
"""

from dataclasses import dataclass

from tertulia.contracts import Speaker, Utterance, View
from tertulia.models.limits import PASSING
from tertulia.models.records import BadReply, EndpointDenies, ModelFailure, Trouble
from tertulia.records import Conversation, EndReason

__all__ = ["UNREACHED", "AgentFailed", "AgentGone", "AgentMisspoke", "Blamed", "agent_trouble"]

WHO = "the agent"
SEAT = "evaluation/agents/seat.py"  # in the trace of what an agent in this process raised
UNREACHED = PASSING - {Trouble.TIMEOUT} | {Trouble.DENIED}  # a trial that ended so is played again on a resume


class AgentFailed(ModelFailure):
    """No answer came from the agent: it died, hung or could not be reached."""

    def __init__(self, trouble: Trouble, detail: str, raw: str = "") -> None:
        super().__init__(trouble, f"{WHO} {detail}", raw)


class AgentMisspoke(BadReply):
    """An answer came from the agent, and it could not be read."""

    def __init__(self, trouble: Trouble, detail: str, raw: str = "") -> None:
        super().__init__(trouble, f"{WHO} {detail}", raw)


class AgentGone(EndpointDenies):
    """Nobody answers at the agent's address: to go on would only count trials that were never played."""


@dataclass(frozen=True, slots=True)
class Blamed:
    """A speaker whose failures are the agent's."""

    speaker: Speaker

    async def speak(self, view: View) -> Utterance:
        try:
            return await self.speaker.speak(view)
        except (AgentFailed, AgentMisspoke):
            raise
        except BadReply as failure:
            raise AgentMisspoke(failure.trouble, f"gave: {failure.detail}", failure.raw) from failure
        except ModelFailure as failure:
            raise AgentFailed(failure.trouble, f"gave nothing: {failure.detail}", failure.raw) from failure


def agent_trouble(talk: Conversation) -> Trouble | None:
    """What the agent's failure was that ended this conversation, if one did."""
    if talk.end_reason is EndReason.FAILED:
        return Trouble.CRASHED if SEAT in talk.error else None
    cause = talk.rejected_by
    if not talk.error.startswith(f"{cause}: {WHO} ") or cause not in set(Trouble):
        return None
    return Trouble(cause)
