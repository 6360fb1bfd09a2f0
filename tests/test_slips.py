"""The critic's precision and recall against planted slips."""

import itertools
from random import Random

import pytest
from examples import Scene, marker, scenario, shop, two_party

from tertulia.records import Conversation, Draft, Message, Slip, Turn
from tertulia.slips import KEPT, Tally, account

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")


def talk_with(
    slips: dict[tuple[str, ...], tuple[str, ...]], index: int = 0, held_out: tuple[str, ...] = ()
) -> Conversation:
    """One turn per entry: the principles that its slip breaks, and those that are marked on it. A slip that breaks one
    of `held_out` is in held-out words."""
    turns, planted = [], []
    for at, (breaks, marked) in enumerate(slips.items()):
        message = Message(speaker="agent", role="assistant", text=f"draft {at}", audience=("agent",))
        marks = tuple(marker(principle, at, 0) for principle in marked)
        turns.append(Turn(index=at, speaker="agent", drafts=(Draft(message=message, markers=marks),)))
        if breaks:
            apart = bool({*held_out} & {*breaks})
            planted.append(Slip(kind="fault", speaker="agent", turn=at, draft=0, breaks=breaks, held_out=apart))
    return Scene(scenario()).end(id=f"talk-{index}", index=index, turns=tuple(turns), slips=tuple(planted))


def test_a_found_slip_and_a_marker_with_no_slip_are_told_apart():
    tally = account(two_party())
    assert tally.by_principle["confirm_first"].precision == 1.0
    assert tally.by_principle["confirm_first"].recall == 1.0
    assert tally.by_principle["no_empty_claims"].precision == 0.0
    assert tally.by_principle["no_empty_claims"].recall is None
    assert [(case.turn, case.draft) for case in tally.false_alarms] == [(6, 0), (6, 1)]
    assert tally.false_alarms[0].text == "It comes on friday, and I have paid you 5 euros."
    assert tally.false_alarms[0].reason == "it breaks no_empty_claims"


def test_every_principle_that_a_slip_breaks_is_to_be_found():
    tally = account(talk_with({("a", "b", "c"): ("c", "b")}))
    assert dict(tally.found) == {"b": 1, "c": 1}
    assert dict(tally.missed) == {"a": 1}
    assert dict(tally.true) == {"b": 1, "c": 1}
    assert tally.overall.recall == pytest.approx(2 / 3)
    assert tally.slips == 1
    assert [(case.principle, case.reason) for case in tally.misses] == [("a", "breaks a, b, c; marked: c, b.")]


def test_recall_on_held_out_wordings_is_told_apart():
    tally = account(talk_with({("a",): ("a",), ("b",): (), ("c", "d"): ("c",)}, held_out=("b", "d")))
    assert tally.overall.recall == 0.5
    assert tally.held_out.recall == pytest.approx(1 / 3)
    assert {name: counts.recall for name, counts in tally.held_out_by_principle.items()} == {"b": 0, "c": 1, "d": 0}
    assert [case.held_out for case in tally.misses] == [True, True]


def test_a_false_alarm_says_what_else_was_planted_in_its_draft():
    tally = account(talk_with({("a",): ("a", "z"), (): ("z",)}))
    assert [case.kind for case in tally.false_alarms] == ["fault", ""]


def test_a_marker_of_another_principle_is_a_miss_and_a_false_alarm():
    tally = account(talk_with({("a",): ("z",)}))
    assert (tally.overall.missed, tally.overall.false, tally.overall.true) == (1, 1, 0)
    assert "marked: z" in tally.misses[0].reason


def test_a_slip_that_breaks_nothing_in_force_is_left_out():
    talk = talk_with({("a",): ("a",)})
    idle = Slip(kind="idle", speaker="agent", turn=0, draft=0, breaks=())
    assert account(talk.model_copy(update={"slips": (*talk.slips, idle)})).slips == 1


def test_a_slip_in_a_draft_that_was_never_reviewed_is_no_miss():
    talk = talk_with({("a",): ("a",)})
    unread = Slip(kind="fault", speaker="agent", turn=1, draft=0, breaks=("a",))
    unread_plan = unread.model_copy(update={"speaker": "planner", "turn": -1})
    tally = account(talk.model_copy(update={"slips": (*talk.slips, unread, unread_plan)}))
    assert (tally.overall.found, tally.overall.missed, tally.misses) == (1, 0, [])


def test_a_plans_slips_and_markers_stand_at_turn_minus_one():
    draft = Draft(message=Message(speaker="planner", role="user", text="plan"), markers=(marker("whole_plan", -1, 0),))
    slip = Slip(kind="forgets", speaker="planner", turn=-1, draft=0, breaks=("whole_plan",))
    tally = account(talk_with({(): ()}).model_copy(update={"plan_drafts": (draft,), "slips": (slip,)}))
    assert tally.overall.precision == tally.overall.recall == 1.0


def test_nothing_planted_and_nothing_marked_has_neither_precision_nor_recall():
    overall = account(talk_with({(): ()})).overall
    assert overall.precision is None
    assert overall.recall is None


def test_calls_of_a_missed_draft_are_shown():
    scene = Scene(scenario())
    scene.slip("skip_confirmation", "confirm_first")
    scene.call("agent", "refund", order="A1042", amount=5)
    assert account(scene.end()).misses[0].text == "refund(order='A1042', amount=5)"


def test_merging_gives_the_same_tally_in_every_order():
    parts = [account(talk_with({("a",): (), ("b",): ("b", "z"), (): ("a",)}, index)) for index in range(2 * KEPT)]
    tallies = []
    for seed in range(3):
        Random(seed).shuffle(parts)
        total = Tally()
        for part in parts:
            total.merge(part)
        tallies.append(total)
    for one, other in itertools.pairwise(tallies):
        assert one == other
    assert tallies[0].missed["a"] == 2 * KEPT
    assert [case.index for case in tallies[0].misses] == list(range(KEPT))
    assert len(tallies[0].false_alarms) == KEPT
