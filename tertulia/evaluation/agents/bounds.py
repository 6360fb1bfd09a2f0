"""The two agents between which every other stands: one that does nothing, and one that knows the gold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tertulia.contracts import Utterance, View
from tertulia.language.wording import humanize
from tertulia.records import Message, Signal, ToolCall
from tertulia.scenario import Scenario, Want

__all__ = ["Nothing", "Oracle"]

FAREWELL = "I have nothing to add. Goodbye."
WAIT = "One moment, please."


class Nothing:
    """Does nothing, and takes leave at once: what it scores is for free."""

    async def speak(self, view: View) -> Utterance:
        return Utterance(FAREWELL, signal=Signal.CLOSED)


@dataclass(frozen=True, slots=True)
class Oracle:
    """Makes the gold calls, asks users to make theirs, says what must be said, and takes leave.

    What it does not reach is out of reach: the ceiling of a set. It knows the scenario of each conversation by the
    item's id, which the conversation's id begins with."""

    scenarios: Mapping[str, Scenario]

    async def speak(self, view: View) -> Utterance:
        scenario = self.scenarios[view.conversation.rpartition("-")[0]]
        left = unmet(scenario, view)
        if not left:
            return Utterance(" ".join(scenario.success.says) or FAREWELL, signal=Signal.CLOSED)
        if left[0].by not in ("", view.name):
            return instruct(left[0], view)
        if rounds(view.messages, view.name) >= scenario.limits.rounds:
            return Utterance(WAIT)
        own = [want for want in left if want.by in ("", view.name)]
        together = own if len(own) == len(left) and not scenario.faults else own[:1]
        return Utterance(calls=tuple(ToolCall(id="", name=want.call, args=want.gold) for want in together))


def unmet(scenario: Scenario, view: View) -> list[Want]:
    """The wants that are due and for which no call has worked yet, in order.

    A user's own calls are not seen; what it says after it was asked to make one counts as done."""
    worked = {message.answers for message in view.messages if message.role == "tool" and not message.error}
    done = [(call.name, call.args) for m in view.messages for call in m.calls if call.id in worked]
    told = [message.text for message in view.messages if message.speaker == view.name and message.text]
    left = []
    for want in scenario.script.wants:
        if not want.due:
            continue
        if want.by not in ("", view.name):
            if request(want) in told:
                told.remove(request(want))
                continue
        elif (want.call, want.gold) in done:
            done.remove((want.call, want.gold))
            continue
        left.append(want)
    return left


def request(want: Want) -> str:
    """The words with which a user is asked to make a call of its own."""
    return f"Please {humanize(want.call)} at your end and tell me what you see."


def instruct(want: Want, view: View) -> Utterance:
    several = len(view.others) > 1
    return Utterance(request(want), to=(want.by,) if several else ())


def rounds(messages: Sequence[Message], name: str) -> int:
    """How many tool rounds in a row have just been made."""
    count = 0
    for message in reversed(messages):
        if message.role == "tool":
            continue
        if message.speaker != name or not message.calls:
            break
        count += 1
    return count
