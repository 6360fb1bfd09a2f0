"""Whether the user got what the scenario calls a success: calls, end state and words, held against gold."""

from tertulia.gold import measure
from tertulia.records import Conversation, EndReason, Verdict
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Success"]

ENDED_WELL = {
    EndReason.GOAL_REACHED,
    EndReason.SCRIPT_EXHAUSTED,
    EndReason.DONE_BY_USER,
    EndReason.DONE_BY_ASSISTANT,
}


class Success:
    """Every part of the scenario's `success` holds, and a party ended the conversation of its own will.

    The score is the share of parts that hold. `detail` says of each part whether it does, and gives precision,
    recall and F1 of the slots; a conversation that stopped at a limit or failed has no slots, so it scores 0 there
    unless no call was wanted (AutoDE, arXiv 2403.11128). How calls and values are compared: `tertulia.gold`."""

    def __init__(self) -> None:
        self.settings = Settings()

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        world = self.settings.of(scenario).world
        measured = measure(scenario, world, talk.messages)
        ended = "" if talk.end_reason in ENDED_WELL else f"stopped by {talk.end_reason.value}"
        faults = {"ended": ended, **measured.faults}
        slots = measure(scenario, world, ()).slots if ended else measured.slots
        wrong = {part: fault for part, fault in faults.items() if fault}
        return Verdict(
            judge="success",
            passed=not wrong,
            score=1 - len(wrong) / len(faults),
            reason="; ".join(f"{part}: {fault}" for part, fault in wrong.items()),
            detail={
                **{part: not fault for part, fault in faults.items()},
                "slot_precision": slots.precision,
                "slot_recall": slots.recall,
                "slot_f1": slots.f1,
            },
        )
