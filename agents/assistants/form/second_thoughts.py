"""What the assistant does instead of a call that was sent back."""

from tertulia.agents.assistants.form.desk import Desk
from tertulia.agents.assistants.form.moves import Ask, Call, Confirm, Consult, Decline, Move
from tertulia.agents.assistants.form.phrases import clause
from tertulia.language.filling import assemble, slots
from tertulia.principles import AskFirst
from tertulia.records import Marker

__all__ = ["reconsidered"]


def reconsidered(desk: Desk, move: Move) -> Move:
    """The move; in place of a call that was sent back as it is, what its markers ask for."""
    if not isinstance(move, Call):
        return move
    markers = objections(desk, move)
    if not markers:
        return move
    return without_values(desk, move, markers) or with_a_yes(desk, move, markers) or Decline("", "unknown")


def objections(desk: Desk, move: Call) -> list[Marker]:
    """The markers for which this very call was sent back in this turn."""
    return [
        marker
        for draft in desk.view.sent_back
        if any(call.name == move.tool.name and call.args == move.args for call in draft.message.calls)
        for marker in draft.markers
        if marker.revise
    ]


def without_values(desk: Desk, move: Call, markers: list[Marker]) -> Move | None:
    """Ask for a required value that a marker quotes, or leave out one that is not required."""
    wanted = slots(move.tool.parameters)
    values = desk.fill(move.tool)[0]
    for slot in wanted:
        said = f"{'.'.join(map(str, slot.path))}="
        if any(f" {said}" in f" {marker.quote.removeprefix(move.tool.name + ':')}" for marker in markers):
            kept = {path: value for path, value in values.items() if path != slot.path}
            if slot.required:
                return Ask(move.tool, slot, kept) if desk.times_asked(slot, wanted) < 2 else None
            return Call(move.tool, assemble(kept), move.towards)
    return None


def with_a_yes(desk: Desk, move: Call, markers: list[Marker]) -> Move | None:
    """Ask once more for the yes that a marker misses."""
    rules = {principle.id: principle.detector for principle in desk.view.principles}
    missing = {rule.of for marker in markers if isinstance(rule := rules.get(marker.principle), AskFirst)}
    said, client = clause(move.tool, move.args), desk.request.client if desk.request else ""
    if "user" in missing and desk.asked_about(said, client) < 2:
        return Confirm(move.tool, move.args)
    deciders = [colleague.name for colleague in desk.colleagues if move.tool.name in colleague.decides]
    if "colleague" in missing and deciders and desk.asked_about(said, deciders[0]) < 2:
        return Consult(move.tool, move.args, deciders[0])
    return None
