"""Agreement: slot scores, coefficients with published answers, `tertulia agreement`, and rows that are wrong."""

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

from tertulia.cli import main
from tertulia.errors import ScenarioError
from tertulia.evaluation.agreement.coefficients import (
    cohen_kappa,
    fleiss_kappa,
    icc_2_1,
    krippendorff_alpha,
    pearson,
    spearman,
)
from tertulia.evaluation.agreement.rows import read_rows
from tertulia.evaluation.slots import slot_score


class Answer(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


@pytest.fixture
def agree(tmp_path, monkeypatch, capsys) -> Callable[..., Answer]:
    """Runs `tertulia agreement` on rows, each a mapping or the text of a line."""
    monkeypatch.chdir(tmp_path)

    def call(*files: list[Any], options: tuple[str, ...] = ("--json",)) -> Answer:
        names = [f"rows{place}.jsonl" for place, _ in enumerate(files)]
        for name, rows in zip(names, files, strict=True):
            lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
            (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["tertulia", "agreement", *names, *options])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        return Answer(int(left.value.code or 0), *capsys.readouterr())

    return call


def row(item="a", agent="x", mode="human", trial=0, gold=None, predicted=None):
    return {
        "item": item,
        "agent": agent,
        "mode": mode,
        "trial": trial,
        "gold": {"day": "friday", "time": "9:00"} if gold is None else gold,
        "predicted": predicted,
    }


ALL = {"day": "friday", "time": "9:00"}  # F1 1
HALF = {"day": "friday", "time": "10:00"}  # F1 1/2
ONE = {"day": "friday"}  # F1 2/3


# --- slots -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gold", "predicted", "precision", "recall", "f1"),
    [
        (ALL, ALL, 1, 1, 1),
        (ALL, ONE, 1, 1 / 2, 2 / 3),
        (ALL, HALF, 1 / 2, 1 / 2, 1 / 2),
        (ALL, {**ALL, "city": "Aden", "street": "Mill Lane"}, 1 / 2, 1, 2 / 3),
        (ALL, {"day": "Friday"}, 0, 0, 0),
        (ALL, {}, 0, 0, 0),
        (ALL, None, 0, 0, 0),
        ({}, {}, 1, 1, 1),
        ({}, {"day": "friday"}, 0, 0, 0),
        ({}, None, 0, 0, 0),
        (ONE, {"day": "friday", "time": None, "city": "", "zip": "null", "tags": []}, 1, 1, 1),
        ({"on": False, "n": 0}, {"on": False, "n": "0"}, 1, 1, 1),
        ({"n": 3, "x": 2.5}, {"n": 3.0, "x": "2.5"}, 1, 1, 1),
        ({"n": "3"}, {"n": "3 "}, 0, 0, 0),
        ({"tags": ["b", 1.0], "at": {"y": 1, "x": 2}}, {"tags": ["b", 1], "at": {"x": 2, "y": 1}}, 1, 1, 1),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, 0, 0, 0),
    ],
)
def test_slots_are_compared_exactly_and_a_failed_dialogue_scores_zero(gold, predicted, precision, recall, f1):
    found = slot_score(gold, predicted)

    assert (found.precision, found.recall, found.f1) == pytest.approx((precision, recall, f1))


# --- coefficients ------------------------------------------------------------------------------------------------

# item-macro F1 of five assistants: AutoDE, arXiv 2403.11128, and what it concludes from them
HUMAN = [76.77, 90.05, 58.97, 49.14, 19.40]
PUBLISHED = [
    ([75.43, 89.33, 63.21, 48.69, 10.71], 0.992),
    ([75.47, 84.38, 57.10, 50.05, 11.86], 0.993),
    ([93.86, 90.78, 89.90, 80.01, 29.40], 0.881),
]


@pytest.mark.parametrize(("scores", "known"), PUBLISHED)
def test_correlations_of_published_scores_are_those_published(scores, known):
    assert pearson(scores, HUMAN) == pytest.approx(known, abs=0.0006)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12))
def test_correlations_are_those_of_scipy(pairs):
    one, other = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert pearson(one, other) is spearman(one, other) is None
        return
    assert pearson(one, other) == pytest.approx(stats.pearsonr(one, other).statistic, abs=1e-9)
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-9)


def test_two_pairs_are_no_correlation():
    assert pearson([0, 1], [0, 1]) is None


def test_icc_is_that_of_shrout_and_fleiss():
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

    assert icc_2_1(ratings) == pytest.approx(0.29, abs=0.005)
    assert icc_2_1([[0, 0], [1, 1], [0.5, 0.5]]) == pytest.approx(1)
    assert icc_2_1([[0, 0.5], [0.5, 1]]) < 0.7  # rise together, and differ
    assert icc_2_1([[1, 1], [1, 1]]) is icc_2_1([[1, 0]]) is icc_2_1([]) is None


def test_cohens_kappa_is_that_computed_by_hand():
    ours = ["y"] * 25 + ["n"] * 25
    theirs = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15

    assert cohen_kappa(ours, theirs) == pytest.approx((0.7 - 0.5) / 0.5)
    assert cohen_kappa(["y"], ["y"]) is cohen_kappa([], []) is None


def test_fleiss_kappa_is_that_of_a_worked_example():
    # ten subjects, fourteen raters, five categories: the example of the English Wikipedia, "Fleiss' kappa"
    counts = [
        *((0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1)),
        *((7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7)),
    ]
    items = [[str(label) for label, count in enumerate(row) for _ in range(count)] for row in counts]

    assert fleiss_kappa(items) == pytest.approx(0.210, abs=0.0005)
    assert fleiss_kappa([]) is fleiss_kappa([["a", "a"]]) is None
    with pytest.raises(ValueError, match="as many labels"):
        fleiss_kappa([["a", "b"], ["a"]])


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=3, max_size=3), min_size=2, max_size=9))
def test_krippendorffs_alpha_is_that_of_the_reference_library(items):
    ours = krippendorff_alpha([[label for label in labels if label] for labels in items])
    paired = [labels for labels in items if sum(map(bool, labels)) > 1]
    if len({label for labels in paired for label in labels if label}) < 2:
        assert ours is None
        return
    table = np.array([[np.nan if not label else "abc".index(label) for label in labels] for labels in paired]).T

    assert ours == pytest.approx(krippendorff.alpha(table, level_of_measurement="nominal"))


# --- the command -------------------------------------------------------------------------------------------------


def three_agents():
    """Human and dynamic agree in every item of agents x and y; static overstates; z fails with people alone."""
    rows = []
    for agent, human, dynamic in (("x", (ALL, HALF), (ALL, HALF)), ("y", (HALF, None), (HALF, None)), ("z", *NONE)):
        for item, mine, theirs in zip("ab", human, dynamic, strict=True):
            rows.append(row(item, agent, "human", predicted=mine))
            rows.append(row(item, agent, "dynamic", 0, predicted=theirs))
            rows.append(row(item, agent, "dynamic", 1, predicted=theirs if item == "a" else None))
            rows.append(row(item, agent, "static", predicted=ALL))
    return rows


NONE = ((None, None), (HALF, None))


def test_scores_and_agreement_of_rows_made_by_hand(agree):
    found = agree(three_agents()).json
    f1 = {(one["agent"], one["mode"]): one for one in found["f1"]}

    assert f1["x", "human"] == {"agent": "x", "mode": "human", "mean": 0.75, "std": None, "trials": 1, "items": 2}
    assert f1["x", "dynamic"]["mean"] == pytest.approx((0.75 + 0.5) / 2)
    assert f1["x", "dynamic"]["std"] == pytest.approx(0.25 / 2**0.5)  # unbiased
    assert (f1["y", "dynamic"]["mean"], f1["y", "dynamic"]["std"]) == (0.25, 0)
    ours, people = [0.625, 0.25, 0.25], [0.75, 0.25, 0.0]
    assert found["pearson"] == {"dynamic": pytest.approx(stats.pearsonr(ours, people)[0]), "static": None}
    assert found["spearman"] == {"dynamic": pytest.approx(stats.spearmanr(ours, people)[0]), "static": None}
    assert found["gap"] == {
        "dynamic": pytest.approx((12.5 + 0 + 25) / 3),
        "static": pytest.approx((25 + 75 + 100) / 3),
    }
    assert found["icc"]["dynamic"] == pytest.approx(
        icc_2_1([(1, 1), (0.25, 0.5), (0.5, 0.5), (0, 0), (0.5, 0), (0, 0)])
    )
    assert found["icc_form"] == "ICC(2,1)"
    assert found["notes"] == []


def test_order_and_division_of_the_rows_change_nothing(agree):
    rows = three_agents()

    assert agree(rows).json == agree(rows[::-2], rows[-2::-2]).json


def test_modes_are_compared_on_the_items_that_both_have_and_it_is_said(agree):
    rows = [row("a", predicted=ALL), row("a", mode="d", predicted=ALL), row("b", mode="d")]
    rows += [row("a", "y", "d", predicted=ONE), row("a", mode="d", trial=1, predicted=ALL)]
    answer = agree(rows, options=())

    assert "agent 'x', mode 'd': compared on the 1 item that 'human' has too" in answer.err
    assert "agent 'x', mode 'd': trial 1 lacks 1 of its 2 items" in answer.err
    assert "agent 'y' has no row of the mode 'human', and is left out of what stands against it: 'd'" in answer.err
    assert agree(rows).json["gap"] == {"d": 0}
    assert (agree(rows).json["agents"], agree(rows).json["items"]) == ({"d": 1}, {"d": 1})


def test_tables_fit_a_narrow_terminal_with_their_titles_and_headers_on_one_line(agree, monkeypatch):
    monkeypatch.setattr("tertulia.commands.agreement.console", lambda: Console(width=60, highlight=False))
    shown = agree(three_agents(), options=()).out.splitlines()

    assert "against human, by agent" in shown
    assert "mode    agents Pearson Spearman   gap" in shown
    assert "mode    items ICC(2,1) Pearson Spearman" in shown


def test_a_file_that_is_not_there_is_named_with_the_one_that_is(agree, tmp_path, monkeypatch, capsys):
    agree([row(predicted=ALL)])
    monkeypatch.setattr(sys, "argv", ["tertulia", "agreement", "row0.jsonl"])
    with pytest.raises(SystemExit):
        main()

    assert capsys.readouterr().err == "tertulia: there is no file 'row0.jsonl' (did you mean 'rows0.jsonl'?)\n"


def test_without_people_there_are_scores_and_a_word_that_nothing_is_compared(agree):
    answer = agree([row(mode="static", predicted=ALL)])

    assert answer.json["pearson"] == answer.json["gap"] == {}
    assert answer.json["f1"][0]["mean"] == 1
    assert "nothing to compare with" in answer.json["notes"][0]


def label(item, rater, value):
    return {"item": str(item), "rater": rater, "label": value}


def test_a_critic_is_held_against_peoples_labels(agree):
    human = [True] * 5 + [False] * 5
    critic = [True] * 4 + [False] * 4 + [True, None]
    rows = [label(i, "human", value) for i, value in enumerate(human)]
    rows += [label(i, "critic", value) for i, value in enumerate(critic)]
    found = agree(rows).json["labels"]
    (one,) = found["raters"]

    assert (one["rater"], one["items"]) == ("critic", 9)
    assert (one["precision"], one["recall"]) == (0.8, 0.8)
    assert one["cohen_kappa"] == pytest.approx((7 / 9 - 41 / 81) / (1 - 41 / 81))
    assert one["classes"][1] == {
        **{"label": "true", "precision": 0.8, "recall": 0.8},
        **{"found": 4, "missed": 1, "false": 1},
    }
    assert found["fleiss_items"] == 9
    table = [[float(v) for v in human], [np.nan if v is None else float(v) for v in critic]]
    assert found["krippendorff_alpha"] == pytest.approx(krippendorff.alpha(table, level_of_measurement="nominal"))


def test_labels_of_several_kinds_give_means_over_the_kinds(agree):
    pairs = [("bug", "bug"), ("bug", "ok"), ("ok", "ok"), ("odd", "ok")]
    rows = [label(i, name, pair[place]) for i, pair in enumerate(pairs) for place, name in ((0, "human"), (1, "judge"))]
    (one,) = agree(rows).json["labels"]["raters"]

    assert one["precision"] == pytest.approx((1 + 1 / 3) / 2)  # nobody but the human says odd
    assert one["recall"] == pytest.approx((1 / 2 + 0 + 1) / 3)


def test_people_read_tables(agree):
    answer = agree([*three_agents(), label(1, "human", True), label(1, "critic", True)], options=())

    assert answer.status == 0
    assert "Pearson" in answer.out
    assert "Krippendorff's alpha" in answer.out
    first = next(line for line in answer.out.splitlines() if line.startswith("x "))
    assert first.split() == ["x", "dynamic", "62.50", "17.68", "2", "2"]


def test_every_wrong_row_is_named_with_file_and_line_and_nothing_is_reported(agree):
    good = row(predicted=ALL)
    answer = agree(
        [good, "{nope", "", "[1]", {**good, "trial": "0"}, {**good, "trial": 1, "golden": {}}],
        [good, row("a", "y", gold={"day": "monday"}), {k: v for k, v in row("b").items() if k != "predicted"}],
        ['{"item": "a", "rater": "j", "label": 0.5}', label(1, "j", True), label(1, "j", False)],
        ['{"item": "c", "item": "d"}', '{"item": NaN}', '{"item": "c", "rater": "", "label": 1}'],
    )
    lines = answer.err.splitlines()

    assert (answer.status, answer.out) == (2, "")
    starts = [
        *("rows0.jsonl:2:2: not JSON", "rows0.jsonl:4:1: expected an object", "rows0.jsonl:5:1: trial: expected"),
        "rows0.jsonl:6:1: unknown key 'golden' (did you mean 'gold'?)",
        "rows1.jsonl:1:1: item 'a', agent 'x', mode 'human', trial 0 stands already in rows0.jsonl:1",
        "rows1.jsonl:2:1: gold: item 'a' has another gold in rows0.jsonl:1",
        *("rows1.jsonl:3:1: missing key 'predicted'", "rows2.jsonl:1:1: label"),
        "rows2.jsonl:3:1: rater 'j' has labelled item '1' already in rows2.jsonl:2",
        "rows3.jsonl:1:1: not a row: the key 'item' stands twice",
        *("rows3.jsonl:2:1: not a row: NaN", "rows3.jsonl:3:1: rater"),
    ]
    told = list(dict.fromkeys(line.split(":")[0] + line.split(":")[1] for line in lines[:-1]))
    assert len(told) == len(starts)
    for start in starts:
        assert any(line.startswith(start) for line in lines), (start, lines)
    assert "to mend" in lines[-1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\n", "tertulia: no row in rows.jsonl"),
        (b"{\n\xff{", "rows.jsonl:1:2: not JSON: Expecting property name enclosed in double quotes"),
        (b"{\n\xff{", "rows.jsonl:2:1: not UTF-8"),
    ],
)
def test_a_file_that_is_empty_or_no_text_is_named(agree, tmp_path, monkeypatch, capsys, content, told):
    (tmp_path / "rows.jsonl").write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["tertulia", "agreement", "rows.jsonl"])
    with pytest.raises(SystemExit, match="2"):
        main()

    assert told in capsys.readouterr().err.splitlines()


def test_a_file_that_is_not_there_is_named(agree, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tertulia", "agreement", "nowhere.jsonl"])
    with pytest.raises(SystemExit, match="2"):
        main()

    assert "there is no file" in capsys.readouterr().err


def test_a_label_of_no_type_and_a_misspelt_key_are_one_fault_each(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"item": "a", "rater": "human", "label": 1.5}\n{"item": "a", "ratr": "human", "label": true}\n')
    with pytest.raises(ScenarioError) as told:
        read_rows([path])

    assert [(fault.line, fault.message) for fault in told.value.faults] == [
        (1, "label: expected true, false, a whole number or a text, got 1.5"),
        (2, "missing key 'rater'"),
        (2, "unknown key 'ratr'"),
    ]
