"""Critics and judges against planted slips and people's labels; what changed between two versions of a judge."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import tertulia
from tertulia.cli import app
from tertulia.corpus.fields import Facts
from tertulia.corpus.trust.calibration import PEOPLE, SLIPS, Calibration, best_cut, calibrated
from tertulia.corpus.trust.drift import drifted
from tertulia.corpus.trust.labels import Labels, read_labels
from tertulia.corpus.trust.marks import SEVERITIES
from tertulia.corpus.trust.rates import Counts, interval
from tertulia.errors import ScenarioError, UserError
from tertulia.records import Conversation, Draft, Marker, Message, Severity, Slip, Turn, Verdict


def marker(principle: str, critic: str = "detectors", severity: Severity = "medium") -> Marker:
    return Marker(principle=principle, turn=0, draft=0, severity=severity, critic=critic)


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
    found = calibrated(talks, Labels(), 0.9).marks[SLIPS].critics()

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
    found = calibrated(talks, Labels(), 0.9).marks[SLIPS]
    any_mark, trusted = found.filtered(), found.filtered(found.trusted(0.9))

    assert found.trusted(0.9) == {("detectors", "be_plain"): 0}
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
    found = calibrated(talks, Labels(good={"tiny-000002": False, "tiny-000003": True}), 0.9)

    assert found.decided[SLIPS, "size"] == Counts(1, 1, 1, 1)
    assert found.decided[PEOPLE, "size"] == Counts(1, 0, 0, 1)


def test_a_slip_that_was_revised_away_is_no_fault_of_the_conversation():
    talk = conversation(0, (), ("be_plain",), (verdict(),))
    last = talk.turns[0].drafts[0]
    revised = talk.turns[0].model_copy(update={"drafts": (last, last)})
    found = calibrated([talk.model_copy(update={"turns": (revised,)})], Labels(), 0.9)

    assert found.decided[SLIPS, "size"] == Counts(passed=1)


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
    cut = calibrated(talks, Labels(), 0.9).cuts("slips")[0]

    assert cut.as_json()["reject"] == "size.score <= 0.2"
    assert (cut.measured.precision, cut.measured.recall) == (1.0, 1.0)


def test_a_number_that_few_conversations_have_is_no_signal():
    talks = [
        conversation(n, (), ("be_plain",) if n < 20 else (), (verdict(**({"rare": 1 + n} if n < 30 else {})),))
        for n in range(200)
    ]

    assert calibrated(talks, Labels(), 0.9).cuts("slips") == []


def test_drift_counts_verdicts_that_turned(talk):
    old = [conversation(n, verdicts=(verdict(passed=n < 5, score=0.5),)) for n in range(10)]
    new = [conversation(n, verdicts=(verdict(passed=n < 4, score=0.6),)) for n in range(10) if n != 9]
    (drift,) = drifted(old, new)

    assert (drift.both, drift.now_pass, drift.now_fail, drift.examples) == (9, 0, 1, ("tiny-000004",))
    assert drift.agreement == pytest.approx(8 / 9)
    assert drift.kappa == pytest.approx(0.7805, abs=1e-3)
    assert drift.shift == pytest.approx(0.1)


# --- people's labels ---------------------------------------------------------------------------------------------


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def violation(item: str, violates: bool | None, principle: str = "be_plain", **more: Any) -> dict[str, Any]:
    row = {"item": item, "rater": "human", "turn": 0, "draft": 0, "principle": principle, "violates": violates}
    return row | more


def test_what_people_say_is_read_from_rows_of_a_human_rater(tmp_path):
    rows = [
        {"item": "a", "rater": "human", "label": True},
        {"item": "b", "rater": "human", "label": "bad"},
        {"item": "c", "rater": "human", "label": None},
        {"item": "a", "rater": "critic", "label": False},
        {"item": "a", "agent": "x", "mode": "human", "trial": 0, "gold": {}, "predicted": {}},
        violation("a", True),
        violation("a", False, "be_kind"),
        violation("a", None, "be_brief"),
        violation("a", False, rater="critic"),
    ]
    found = read_labels(written(tmp_path / "labels.jsonl", *rows), {"be_plain", "be_kind", "be_brief"})

    assert found.good == {"a": True, "b": False}
    assert found.drafts == {"a": {(0, 0): {"be_plain": True, "be_kind": False}}}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"item": "a", "rater": "human", "label": "meh"}, "the label 'meh' of 'a' is neither good"),
        (violation("a", True, "be_plane"), "no scenario of this run has a principle 'be_plane' (did you mean"),
        (violation("a", True, turn=-2), "turn: expected at least -1, got -2"),
        (violation("a", "yes"), "violates: expected true or false"),  # type: ignore[arg-type]
        ({"item": "a", "rater": "human", "turn": 1, "principle": "be_plain", "violates": True}, "missing key 'draft'"),
        ({"item": "a", "label": True}, "missing key 'rater'"),
        ({"item": "first", "rater": "human", "label": True}, "'first' is labelled on an earlier line"),
        (violation("first", False), "turn 0, draft 0 of 'first' has a label for 'be_plain' already"),
    ],
)
def test_a_label_that_cannot_be_used_is_named_with_its_line(tmp_path, row, message):
    good = {"item": "first", "rater": "human", "label": True}
    path = written(tmp_path / "labels.jsonl", good, violation("first", True), row)

    with pytest.raises(ScenarioError) as told:
        read_labels(path, {"be_plain", "be_kind"})
    assert f"labels.jsonl:3:1: {message}" in str(told.value)


def test_a_row_may_hold_any_break_of_lines_but_the_one_that_ends_it(tmp_path):
    path = tmp_path / "labels.jsonl"
    rows = [{"item": "a\u2028b\x85c", "rater": "human", "label": True}, {"item": "d", "rater": "human", "label": 0}]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode())

    assert read_labels(path, set()).good == {"a\u2028b\x85c": True, "d": False}


def test_text_that_is_no_row_is_named_with_its_line(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text('\n{"item": \n[1]\n')

    with pytest.raises(ScenarioError, match=r"(?s)labels.jsonl:2:1: not JSON.*labels.jsonl:3:1"):
        read_labels(path, set())
    path.write_text("\n")
    with pytest.raises(UserError, match="says anything"):
        read_labels(path, set())
    with pytest.raises(UserError, match="there is no file"):
        read_labels(tmp_path / "nowhere.jsonl", set())


def test_a_label_of_a_draft_that_the_run_has_not_is_named_with_its_line(tmp_path):
    rows = [violation("tiny-000000", True), violation("tiny-000000", True, draft=1), violation("tiny-000001", True)]
    labels = read_labels(written(tmp_path / "labels.jsonl", *rows), {"be_plain"})

    with pytest.raises(ScenarioError) as told:
        calibrated([conversation(0)], labels, 0.9)
    assert [fault.line for fault in told.value.faults] == [2, 3]
    assert "'tiny-000000' has no turn 0 with a draft 1 in this run" in str(told.value)


def test_critics_are_held_against_what_people_say_of_single_drafts():
    """Of five drafts people have read four for be_plain and one for be_kind."""
    talks = [
        conversation(0, (marker("be_plain"), marker("be_kind"))),
        conversation(1, (marker("be_plain"),)),
        conversation(2),
        conversation(3),
        conversation(4, (marker("be_plain"),)),
    ]
    said = {0: {"be_plain": True, "be_kind": False}, 1: {"be_plain": False}, 2: {"be_plain": True}}
    said[3] = {"be_plain": False}
    labels = Labels(drafts={f"tiny-{n:06d}": {(0, 0): broken} for n, broken in said.items()})
    found = calibrated(talks, labels, 0.9).marks[PEOPLE].critics()

    assert found["detectors", "be_plain"] == Counts(true=1, false=1, missed=1, passed=1)
    assert found["detectors", "be_plain"].kappa == 0.0
    assert found["detectors", "be_kind"] == Counts(false=1)


def test_marks_are_trusted_from_the_severity_on_that_people_bear_out():
    """High marks are right, medium ones mostly, low ones a coin: of those that are precise enough the lowest counts."""
    talks, said = [], {}
    for n in range(600):
        severity = SEVERITIES[n % 3]
        right = {"high": True, "medium": n % 60 != 1, "low": n % 2 == 0}[severity]
        talks.append(conversation(n, (marker("be_plain", severity=severity),)))  # type: ignore[arg-type]
        said[f"tiny-{n:06d}"] = {(0, 0): {"be_plain": right}}
    found = calibrated(talks, Labels(drafts=said), 0.9)
    told = found.as_json()["critics"][PEOPLE]
    (critic,) = told["critics"]

    assert found.marks[PEOPLE].trusted(0.9) == {("detectors", "be_plain"): SEVERITIES.index("medium")}
    assert (critic["from"], critic["trusted"]) == ("medium", True)
    assert critic["reject"] == ("'detectors/be_plain/medium' in marks_left or 'detectors/be_plain/high' in marks_left")
    assert critic["measured"]["precision"] > 0.9 > critic["precision"]
    assert told["drafts"]["trusted_marks"]["false"] < 0.2 * told["drafts"]["any_mark"]["false"]


def test_the_rule_that_is_told_for_a_critic_reads_the_marks_of_accepted_drafts():
    talk = conversation(0, (marker("be_plain", severity="high"),))

    found = Facts(None, talk).value("marks_left")  # type: ignore[arg-type]

    assert found == ["detectors/be_plain", "detectors/be_plain/high"]


@pytest.mark.parametrize(
    ("part", "whole", "ends"),
    [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (5, 10, (0.2366, 0.7634)), (15, 1000, (0.0091, 0.0246))],
)
def test_intervals_are_those_of_wilson(part, whole, ends):
    assert interval(part, whole) == pytest.approx(ends, abs=1e-4)
    assert interval(0, 0) is None


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
    drafts = found["critics"]["slips"]["drafts"]["any_mark"]
    assert drafts["faulty_after"] < drafts["faulty_before"]
    assert drafts["ci95"]["faulty_before"][0] < drafts["faulty_before"] < drafts["ci95"]["faulty_before"][1]
    assert set(found["judges"]) == {"slips", "people"}
    assert json.loads(Path(found["path"]).read_text())["critics"] == found["critics"]
    status, drift = called("judge", str(run.folder), "--against", str(run.folder), capsys=capsys)
    assert (status, drift["changed"]) == (0, False)
    labels.write_text(json.dumps({"item": "nobody", "rater": "human", "label": False}))
    with pytest.raises(UserError, match="labels no conversation"):
        app(["judge", str(run.folder), "--calibrate", "--labels", str(labels)], standalone_mode=False)


@pytest.mark.parametrize("words", [("judge", "--calibrate"), ("corpus", "--preview")])
def test_labelled_conversations_that_a_run_has_not_are_counted(tmp_path, capsys, words):
    run = tertulia.run("missed-delivery", n=2, out=tmp_path / "run")
    names = ("elsewhere", next(run.conversations()).id, "nowhere")
    labels = written(tmp_path / "x.jsonl", *({"item": name, "rater": "human", "label": True} for name in names))
    with pytest.raises(SystemExit) as left:
        app([words[0], str(run.folder), words[1], "--labels", str(labels)])

    assert left.value.code == 0
    told = f"{labels}: 2 of its conversations are not in {run.folder}; the first is 'elsewhere' (line 1)"
    assert told in capsys.readouterr().err.replace("\n", " ")


def test_what_was_chosen_is_written_as_criteria_that_filter_another_run(tmp_path, capsys):
    """The first run's slips choose the rules; on the second, both error rates are told."""
    first = tertulia.run("broadband", n=60, slips=0.5, out=tmp_path / "first")
    other = tertulia.run("broadband", n=24, slips=0.5, seed=1, out=tmp_path / "other")
    rules = tmp_path / "trusted.yaml"
    called("judge", str(first.folder), "--calibrate", "--criteria", str(rules), capsys=capsys)
    status, found = called("corpus", str(other.folder), str(rules), "--preview", capsys=capsys)
    (shares,) = found["faulty"]

    assert (status, shares["truth"]) == (0, "slips")
    assert rules.read_text().startswith("# chosen by planted slips, at a precision of 0.9\nid: trusted\nrules:\n- ")
    assert shares["planted"] > shares["rules"]["true"] + shares["rules"]["missed"]
    assert shares["rules"]["faulty_after"] <= shares["rules"]["faulty_before"] < 1
    with pytest.raises(UserError, match="is there already"):
        app(["judge", str(first.folder), "--calibrate", "--criteria", str(rules)], standalone_mode=False)


def test_an_empty_calibration_says_nothing():
    assert Calibration().as_json()["critics"] == {}
