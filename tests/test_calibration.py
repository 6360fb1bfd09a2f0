"""Critics and judges against planted slips and people's labels; what changed between two versions of a judge."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import tertulia
from tertulia.cli import app
from tertulia.commands.calibrate import people
from tertulia.corpus.calibration import Calibration, Counts, best_cut, calibrated
from tertulia.corpus.drift import drifted
from tertulia.errors import UserError
from tertulia.records import Conversation, Draft, Marker, Message, Slip, Turn, Verdict


def marker(principle: str, draft: int = 0, critic: str = "detectors") -> Marker:
    return Marker(principle=principle, turn=0, draft=draft, severity="medium", critic=critic)


def conversation(
    index: int, marks: tuple[Marker, ...] = (), breaks: tuple[str, ...] = (), verdicts: tuple[Verdict, ...] = ()
) -> Conversation:
    """One turn of one draft, with what was marked and what was planted."""
    said = Message(speaker="agent", role="assistant", text="Done.")
    slips = (Slip(kind="claim", speaker="agent", turn=0, draft=0, breaks=breaks),) if breaks else ()
    return Conversation(
        id=f"tiny-{index:06d}",
        index=index,
        scenario="tiny",
        seed=7,
        roles={"agent": "assistant"},
        turns=(Turn(index=0, speaker="agent", drafts=(Draft(message=said, markers=marks),)),),
        end_reason="goal_reached",  # type: ignore[arg-type]
        slips=slips,
        verdicts=verdicts,
    )


def verdict(judge: str = "size", passed: bool = True, score: float | None = None, **detail: Any) -> Verdict:
    return Verdict(judge=judge, passed=passed, score=score, detail=detail)


def test_each_critic_is_measured_on_its_own():
    talks = [
        conversation(0, (marker("be_plain"), marker("be_kind", critic="model")), ("be_plain",)),
        conversation(1, (marker("be_kind"),), ("be_plain",)),
        conversation(2),
    ]
    found = calibrated(talks, {}, 0.9).critics()

    assert found["detectors", "be_plain"] == Counts(true=1, false=0, missed=1, passed=1)
    assert found["detectors", "be_kind"] == Counts(true=0, false=1, missed=0, passed=2)
    assert found["model", "be_kind"] == Counts(true=0, false=1, missed=0, passed=2)
    assert found["model", "be_plain"] == Counts(true=0, false=0, missed=2, passed=1)


def test_filtering_by_trusted_marks_is_measured_on_the_half_that_did_not_choose_them():
    """One principle is always right, the other is a coin."""
    talks = []
    for n in range(400):
        breaks = ("be_plain",) if n % 4 == 0 else ()
        marks = (*((marker("be_plain"),) if breaks else ()), *((marker("be_kind"),) if n % 3 == 0 else ()))
        talks.append(conversation(n, marks, breaks))
    found = calibrated(talks, {}, 0.9)
    any_mark, trusted = found.filtered(), found.filtered(found.trusted())

    assert found.trusted() == {("detectors", "be_plain")}
    assert trusted.before == pytest.approx(0.25, abs=0.06)
    assert (trusted.after, trusted.false, trusted.missed) == (0.0, 0, 0)
    assert any_mark.false > 30
    assert any_mark.as_json()["false_alarm_rate"] == pytest.approx(1 / 3, abs=0.1)


def test_a_judge_is_held_against_slips_that_survived_and_against_people():
    talks = [
        conversation(0, (), ("be_plain",), (verdict(passed=False),)),
        conversation(1, (), ("be_plain",), (verdict(),)),
        conversation(2, (), (), (verdict(passed=False),)),
        conversation(3, (), (), (verdict(),)),
    ]
    found = calibrated(talks, {"tiny-000002": False, "tiny-000003": True}, 0.9)

    assert found.decided["slips", "size"] == Counts(1, 1, 1, 1)
    assert found.decided["people", "size"] == Counts(1, 0, 0, 1)


def test_a_slip_that_was_revised_away_is_no_fault_of_the_conversation():
    talk = conversation(0, (), ("be_plain",), (verdict(),))
    last = talk.turns[0].drafts[0]
    revised = talk.turns[0].model_copy(update={"drafts": (last, last)})
    found = calibrated([talk.model_copy(update={"turns": (revised,)})], {}, 0.9)

    assert found.decided["slips", "size"] == Counts(passed=1)


def test_the_cut_with_the_highest_recall_among_the_precise_ones_is_chosen():
    values = Counter(
        {(1.0, False): 10, (2.4, False): 1, (3.0, True): 9, (2.5, True): 6, (2.2, True): 1, (0.5, True): 1}
    )
    cut = best_cut("size.words", values, Counter({(3.0, True): 2, (2.0, True): 1, (1.0, False): 4}), 0.9)

    assert cut is not None
    assert (cut.at, cut.below, cut.chosen.true, cut.chosen.false) == (2.2, False, 16, 1)
    assert cut.measured == Counts(true=2, false=0, missed=1, passed=4)
    assert best_cut("size.words", Counter({(1.0, True): 5}), Counter(), 0.9) is None


def test_low_scores_are_cut_from_below():
    talks = [
        conversation(n, (), ("be_plain",) if n % 5 == 0 else (), (verdict(score=0.2 if n % 5 == 0 else 0.9),))
        for n in range(100)
    ]
    cut = calibrated(talks, {}, 0.9).cuts("slips")[0]

    assert cut.as_json()["reject"] == "size.score <= 0.2"
    assert (cut.measured.precision, cut.measured.recall) == (1.0, 1.0)


def test_a_number_that_few_conversations_have_is_no_signal():
    talks = [
        conversation(n, (), ("be_plain",) if n < 20 else (), (verdict(**({"rare": 1 + n} if n < 30 else {})),))
        for n in range(200)
    ]

    assert calibrated(talks, {}, 0.9).cuts("slips") == []


def test_drift_counts_verdicts_that_turned(talk):
    old = [conversation(n, verdicts=(verdict(passed=n < 5, score=0.5),)) for n in range(10)]
    new = [conversation(n, verdicts=(verdict(passed=n < 4, score=0.6),)) for n in range(10) if n != 9]
    (drift,) = drifted(old, new)

    assert (drift.both, drift.now_pass, drift.now_fail, drift.examples) == (9, 0, 1, ("tiny-000004",))
    assert drift.agreement == pytest.approx(8 / 9)
    assert drift.kappa == pytest.approx(0.7805, abs=1e-3)
    assert drift.shift == pytest.approx(0.1)


def test_what_people_say_is_read_from_rows_of_a_human_rater(tmp_path):
    rows = [
        {"item": "a", "rater": "human", "label": True},
        {"item": "b", "rater": "human", "label": "bad"},
        {"item": "c", "rater": "human", "label": None},
        {"item": "a", "rater": "critic", "label": False},
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))

    assert people(tmp_path / "labels.jsonl") == {"a": True, "b": False}


def test_a_label_that_is_neither_good_nor_bad_is_named(tmp_path):
    (tmp_path / "labels.jsonl").write_text(json.dumps({"item": "a", "rater": "human", "label": "meh"}))

    with pytest.raises(UserError, match="the label 'meh' of 'a' is neither good"):
        people(tmp_path / "labels.jsonl")


def called(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as left:
        app([*words, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return int(left.value.code or 0), found


def test_a_run_is_calibrated_and_compared_with_itself(tmp_path, capsys):
    run = tertulia.run("broadband", n=24, slips=0.6, out=tmp_path / "run")
    first = next(run.conversations())
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps({"item": first.id, "rater": "human", "label": False}))
    status, found = called("judge", str(run.folder), "--calibrate", "--labels", str(labels), capsys=capsys)

    assert (status, found["conversations"]) == (0, 24)
    assert found["drafts"]["any_mark"]["faulty_after"] < found["drafts"]["any_mark"]["faulty_before"]
    assert set(found["judges"]) == {"slips", "people"}
    assert json.loads(Path(found["path"]).read_text())["critics"] == found["critics"]
    status, drift = called("judge", str(run.folder), "--against", str(run.folder), capsys=capsys)
    assert (status, drift["changed"]) == (0, False)
    labels.write_text(json.dumps({"item": "nobody", "rater": "human", "label": False}))
    with pytest.raises(UserError, match="labels no conversation"):
        app(["judge", str(run.folder), "--calibrate", "--labels", str(labels)], standalone_mode=False)


def test_an_empty_calibration_says_nothing():
    assert Calibration().as_json()["critics"] == []
