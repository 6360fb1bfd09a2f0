"""The share of faulty conversations before and after a selection's rules, and both error rates."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tertulia.commands.corpus import faulty
from tertulia.corpus.criteria import read_plan
from tertulia.corpus.selecting import Selected, select
from tertulia.corpus.trust.labels import Labels, read_labels
from tertulia.errors import ScenarioError
from tertulia.records import Conversation, Draft, EndReason, Message, Slip, Turn
from tertulia.scenario import Scenario

TINY = Scenario.model_validate(
    {
        "id": "tiny",
        "kind": "nothing_to_do",
        "cast": {"customer": {"role": "user"}, "agent": {"role": "assistant"}},
        "script": {"opening": "When does it come?"},
    }
)


def spoken(index: int, turns: int, planted: bool = False, revised: bool = False) -> Conversation:
    """So many turns; in the first draft of the first a fault is planted, which a second one may replace."""

    def draft(text: str) -> Draft:
        return Draft(message=Message(speaker="agent", role="assistant", text=text))

    first = (draft(f"Whatever {index}."), draft(f"On friday {index}.")) if revised else (draft(f"Whatever {index}."),)
    said = [Turn(index=0, speaker="agent", drafts=first)]
    said += [Turn(index=nth, speaker="agent", drafts=(draft(f"{nth} of {index}"),)) for nth in range(1, turns)]
    return Conversation(
        id=f"tiny-{index:06d}",
        index=index,
        scenario="tiny",
        seed=7,
        roles={"customer": "user", "agent": "assistant"},
        turns=tuple(said),
        end_reason=EndReason.GOAL_REACHED,
        slips=(Slip(kind="claim", speaker="agent", turn=0, draft=0, breaks=("be_plain",)),) if planted else (),
    )


def chosen(folder: Path, text: str, talks: list[Conversation], labels: Labels | None = None) -> Selected:
    (folder / "c.yaml").write_text(f"id: c\n{text}")
    return select(read_plan(str(folder / "c.yaml")), ((TINY, talk) for talk in talks), labels=labels)


def corpus() -> list[Conversation]:
    """Of 100 every fifth is long. A fault was planted in 40, replaced in 20, and is still in half of the long ones."""
    talks = []
    for n in range(100):
        is_long, planted = n % 5 == 0, n % 10 == 0 or n % 10 in (1, 2, 3)
        talks.append(spoken(n, 9 if is_long else 2, planted, revised=n % 10 in (2, 3)))
    return talks


def test_the_rules_are_measured_against_faults_that_are_still_there(tmp_path):
    """20 faulty: 10 long, which go, and 10 short, which stay. 10 good ones are long."""
    (shares,) = chosen(tmp_path, "rules:\n  - reject: turns > 5\n", corpus()).faulty
    rules = shares.rules

    assert (shares.truth, shares.planted) == ("slips", 40)
    assert (rules.true, rules.missed, rules.false, rules.passed) == (10, 10, 10, 70)
    assert (rules.before, rules.after) == (0.2, 0.125)
    assert (shares.kept, shares.kept_faulty) == (80, 10)


def test_what_goes_for_another_reason_is_no_false_alarm_and_counts_in_the_end(tmp_path):
    talks = [
        *corpus(),
        *(talk.model_copy(update={"index": 100 + talk.index, "id": f"x-{talk.index}"}) for talk in corpus()),
    ]
    (shares,) = chosen(tmp_path, "rules:\n  - reject: turns > 5\nbalance:\n  - {by: [kind], most: 40}\n", talks).faulty

    assert (shares.rules.false, shares.rules.total) == (20, 200)
    assert shares.kept == 40
    assert shares.kept_faulty < 20


def test_people_count_where_they_have_spoken(tmp_path):
    labels = Labels(good={"tiny-000000": False, "tiny-000001": True, "tiny-000005": True, "tiny-000006": False})
    slips, people = chosen(tmp_path, "rules:\n  - reject: turns > 5\n", corpus(), labels).faulty

    assert (people.truth, slips.rules.total) == ("people", 100)
    assert (people.rules.true, people.rules.passed, people.rules.false, people.rules.missed) == (1, 1, 1, 1)
    assert (people.kept, people.kept_faulty) == (2, 1)


def test_a_draft_that_people_call_broken_makes_a_conversation_faulty_if_it_was_accepted(tmp_path):
    """Of the second conversation the first draft was replaced; of the third nobody has said enough."""
    broken, fine = {"be_plain": True, "be_kind": False}, {"be_plain": False}
    said = {"tiny-000000": {(0, 0): broken}, "tiny-000002": {(0, 0): broken}, "tiny-000003": {(0, 1): fine}}
    labels = Labels(good={"tiny-000002": True}, drafts=said)
    _, people = chosen(tmp_path, "rules:\n  - reject: turns > 5\n", corpus(), labels).faulty

    assert (people.rules.true, people.rules.passed, people.rules.total) == (1, 1, 2)


def test_labels_of_what_the_run_has_not_are_told(tmp_path):
    """A conversation may be of another run, for one file may be about several; a draft of this run may not."""
    rows = [{"item": name, "rater": "human", "label": True} for name in ("tiny-000003", "tiny-000777")]
    broken = {"item": "tiny-000003", "rater": "human", "turn": 9, "draft": 0, "principle": "be_plain", "violates": True}
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    labels = read_labels(path, {"be_plain"})
    chosen(tmp_path, "", corpus(), labels)

    assert labels.unseen == {"tiny-000777": 2}
    path.write_text("\n".join(map(json.dumps, [*rows, broken])))
    with pytest.raises(ScenarioError, match=r"labels.jsonl:3:1: 'tiny-000003' has no turn 9 with a draft 0"):
        chosen(tmp_path, "", corpus(), read_labels(path, {"be_plain"}))


def test_where_nothing_was_planted_and_nobody_has_spoken_nothing_is_told(tmp_path):
    honest = [spoken(n, 2) for n in range(5)]

    assert chosen(tmp_path, "", honest).faulty == []
    assert chosen(tmp_path, "", honest).as_json()["faulty"] == []


def shown(parts: Any) -> str:
    screen = Console(width=120, record=True, force_terminal=False)
    with screen.capture() as told:
        for part in parts:
            screen.print(part)
    return str(told.get())


@pytest.mark.parametrize("rule", ["turns > 5", "turns > 50"])
def test_the_shares_are_shown_with_their_intervals(tmp_path, rule):
    (shares,) = chosen(tmp_path, f"rules:\n  - reject: {rule}\n", corpus()).faulty
    told = shown(faulty(shares))

    assert "as first drafted 100     40 40.00% [30.94%, 49.80%]" in told
    if rule == "turns > 5":
        assert "after the rules   80     10 12.50% [6.93%, 21.50%]" in told
        assert "the rules let 50.00% [29.93%, 70.07%] of the faulty pass and reject 12.50% [6.93%, 21.50%]" in told
    else:
        assert "the rules let 100.00% [83.89%, 100.00%] of the faulty pass and reject 0.00% [0.00%, 4.58%]" in told
