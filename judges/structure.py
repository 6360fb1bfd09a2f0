"""Whether a conversation is well formed: parties, turns, drafts, calls and their results, audiences, its end."""

from collections import Counter
from collections.abc import Iterator

from tertulia.records import Conversation, EndReason, Message, Turn, Verdict
from tertulia.scenario import Scenario

__all__ = ["Structure"]

LAST_WORD = {  # who must have spoken last when a party ended the conversation
    EndReason.GOAL_REACHED: "user",
    EndReason.SCRIPT_EXHAUSTED: "user",
    EndReason.DONE_BY_USER: "user",
    EndReason.DONE_BY_ASSISTANT: "assistant",
}
MOST_FAULTS = 20


class Structure:
    """Finds every fault of form. The score is 1 or 0."""

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        by_rule: dict[str, list[str]] = {
            "roles": list(wrong_roles(scenario, talk)),
            "turns": list(wrong_turns(talk)),
            "drafts": list(wrong_drafts(talk)),
            "calls": list(wrong_calls(talk)),
            "audience": list(wrong_audiences(talk)),
            "end": list(wrong_end(talk)),
        }
        faults = [fault for found in by_rule.values() for fault in found]
        return Verdict(
            judge="structure",
            passed=not faults,
            score=float(not faults),
            reason="; ".join(faults[:MOST_FAULTS]),
            detail={rule: not found for rule, found in by_rule.items()},
        )


def wrong_roles(scenario: Scenario, talk: Conversation) -> Iterator[str]:
    cast = {name: party.role for name, party in scenario.cast.items()}
    if talk.roles != cast:
        yield f"the roles are {talk.roles}, not those of the cast, {cast}"
    for turn in talk.turns:
        if turn.speaker not in cast:
            yield f"turn {turn.index}: {turn.speaker!r} is not in the cast"
        for number, draft in enumerate(turn.drafts):
            said = draft.message
            if said.speaker != turn.speaker:
                yield f"turn {turn.index}, draft {number}: {said.speaker!r} speaks in the turn of {turn.speaker!r}"
            elif said.role != cast.get(said.speaker, said.role):
                yield f"turn {turn.index}, draft {number}: {said.speaker!r} speaks as {said.role}"


def wrong_turns(talk: Conversation) -> Iterator[str]:
    for place, turn in enumerate(talk.turns):
        if turn.index != place:
            yield f"turn {place} carries the index {turn.index}"
        for number, draft in enumerate(turn.drafts):
            if not draft.message.text.strip() and not draft.message.calls:
                yield f"turn {place}, draft {number} is empty"


def wrong_drafts(talk: Conversation) -> Iterator[str]:
    """Markers and slips point at drafts that are there, and only drafts that were sent back have a successor."""
    held = {turn.index: len(turn.drafts) for turn in talk.turns}
    for turn in talk.turns:
        if not turn.drafts:
            yield f"turn {turn.index} has no draft"
        for number, draft in enumerate(turn.drafts):
            if any((marker.turn, marker.draft) != (turn.index, number) for marker in draft.markers):
                yield f"turn {turn.index}, draft {number}: a marker names another draft; one is missing"
            if number + 1 < len(turn.drafts) and not draft.sent_back:
                yield f"turn {turn.index}, draft {number} has a successor but was not sent back"
    for slip in talk.slips:
        if slip.turn >= 0 and slip.draft >= held.get(slip.turn, 0):
            yield f"turn {slip.turn}: draft {slip.draft}, in which {slip.kind!r} was planted, is missing"


def wrong_calls(talk: Conversation) -> Iterator[str]:
    """Every call is answered exactly once, in its own turn, and nothing else is."""
    ids = Counter(call.id for turn in talk.turns if turn.drafts for call in turn.message.calls)
    yield from (f"the call id {call!r} is used {times} times" for call, times in ids.items() if times > 1)
    for turn in talk.turns:
        calls = {call.id: call.name for call in turn.message.calls} if turn.drafts else {}
        answers = Counter(result.answers for result in turn.results)
        for call, name in calls.items():
            if answers[call] != 1:
                yield f"turn {turn.index}: the call {call!r} of {name} has {answers[call]} results"
        for result in turn.results:
            if result.answers not in calls:
                yield f"turn {turn.index}: a result answers {result.answers!r}, which is no call of its turn"
            elif result.role != "tool" or result.speaker != calls[result.answers]:
                yield f"turn {turn.index}: {result.answers!r} is answered by {result.speaker!r} as {result.role}"


def wrong_audiences(talk: Conversation) -> Iterator[str]:
    for turn in talk.turns:
        for number, draft in enumerate(turn.drafts):
            yield from deaf(turn, f"draft {number}", draft.message)
        for result in turn.results:
            yield from deaf(turn, f"result {result.answers!r}", result)


def deaf(turn: Turn, what: str, message: Message) -> Iterator[str]:
    if not message.audience:
        yield f"turn {turn.index}, {what}: nobody hears it"
    elif turn.speaker not in message.audience:
        yield f"turn {turn.index}, {what}: its speaker {turn.speaker!r} does not hear it"


def wrong_end(talk: Conversation) -> Iterator[str]:
    """Nothing is said after the party that ends the conversation has done so."""
    due = LAST_WORD.get(talk.end_reason)
    last = talk.turns[-1].speaker if talk.turns else ""
    if due and talk.roles.get(last) != due:
        yield f"ended by {talk.end_reason.value}, but {last or 'nobody'!r} has the last word"
