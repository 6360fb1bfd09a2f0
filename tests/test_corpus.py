"""A run as a corpus: rules, duplicates, leaks of evaluation sets, balance, splits, and the selection that comes out."""

import contextlib
import json
import random
import re
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from examples import scenario as shop_scenario
from examples import shop, two_party
from hypothesis import given, settings
from hypothesis import strategies as st

import tertulia
from tertulia.cli import app
from tertulia.commands import corpus_page
from tertulia.corpus.alike.contamination import Contaminated
from tertulia.corpus.alike.near import NearDuplicates, shingles
from tertulia.corpus.alike.novelty import Novel
from tertulia.corpus.balance import apportioned, targets
from tertulia.corpus.criteria import Balance, read_plan
from tertulia.corpus.distributions import Distributions, binned
from tertulia.corpus.expressions import ExpressionFault, parsed
from tertulia.corpus.fields import FIELDS, MISSING, Facts
from tertulia.corpus.selecting import Selected, select
from tertulia.corpus.selection import find_selection
from tertulia.errors import ScenarioError, UserError
from tertulia.exporting.rows import item_id, unpacked
from tertulia.lint.duplicates import alikeness
from tertulia.parts import load
from tertulia.records import Conversation, Draft, Message, Turn, Verdict
from tertulia.scenario import Scenario, Script
from tertulia.tool_schema import ToolSource

__all__ = ["shop"]

TINY = Scenario.model_validate(
    {
        "id": "tiny",
        "kind": "nothing_to_do",
        "cast": {"customer": {"role": "user"}, "agent": {"role": "assistant"}},
        "script": {"opening": "When does it come?"},
    }
)
VERDICTS = (
    Verdict(judge="size", passed=True, detail={"tokens": {"total": 120}}),
    Verdict(judge="markup", passed=False, score=0.5, reason="bold 1"),
)


def spoken(index: int, *said: str, **fields: Any) -> Conversation:
    """Customer and agent in turn, at a place of a run."""
    turns = [
        Turn(
            index=nth,
            speaker=("customer", "agent")[nth % 2],
            drafts=(Draft(message=Message(speaker="x", role=("user", "assistant")[nth % 2], text=text)),),
        )
        for nth, text in enumerate(said)
    ]
    values: dict[str, Any] = {
        "id": f"tiny-{index:06d}",
        "index": index,
        "scenario": "tiny",
        "seed": 7,
        "roles": {"customer": "user", "agent": "assistant"},
        "turns": tuple(turns),
        "end_reason": "goal_reached",
    }
    return Conversation.model_validate(values | fields)


def facts(**fields: Any) -> Facts:
    return Facts(TINY, spoken(0, "Hello there", "Hi", verdicts=VERDICTS, **fields))


def chosen(tmp_path: Path, text: str, talks: list[Conversation], played: Scenario = TINY) -> Selected:
    file = tmp_path / "criteria.yaml"
    file.write_text(f"id: tried\n{text}", encoding="utf-8")
    return select(read_plan(str(file)), ((played, talk) for talk in talks), tmp_path / "tried.jsonl")


def kept(tmp_path: Path, part: str = "") -> list[int]:
    return [place for place, _ in find_selection(tmp_path, str(tmp_path / "tried.jsonl"), part).places()]


# --- expressions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("accepted", True),
        ("not accepted", False),
        ("size.tokens.total > 100 and kind == 'nothing_to_do'", True),
        ("100 < size.tokens.total <= 119", False),
        ("kind in ['refusal', 'nothing_to_do']", True),
        ("'refund' not in tools", True),
        ("matches(opening, '^hello')", True),
        ("len(opening) + 1 == 12", True),
        ("share(2, 4) == 0.5 and -1 < 0", True),
        ("lower(opening) == 'hello there'", True),
        ("value('size.tokens.total') == 120", True),
        ("has(value('variant.slots.pick-up'))", False),
        ("markup.score < 0.6 or success.passed", True),
        ("markup.passed and success.passed", False),
        ("success.passed", None),
        ("not success.passed", None),
        ("success.score > 0.5", None),
        ("markup.passed or success.passed", None),
        ("size.tokens.user > 3", None),
        ("has(success.passed)", False),
        ("size.score > 0", None),
    ],
)
def test_a_rule_holds_does_not_or_is_unknown(text, held):
    assert parsed(text).holds(facts()) is held


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("sise.tokens > 1", "neither a field nor a judge", 0),
        ("accepted and (1 +", "cannot be read", None),
        ("__import__('os')", "there is no function", 0),
        ("opening.upper()", "there is no function", 0),
        ("accepted or [x for x in tools]", "not in the vocabulary", 12),
        ("lambda: 1", "not in the vocabulary", 0),
        ("2 ** 9 > 1", "not in the vocabulary", 0),
        ("tools[0] == 'a'", "not in the vocabulary", 0),
        ("matches(opening, '(')", "not a regular expression", 17),
        ("matches(opening, kind)", "in quotes", 17),
        ("len(tools, kind)", "takes 1 values, not 2", 0),
        ("value(kind) == 1", "a name in quotes", 6),
        ("value('sise.pick-up') == 1", "neither a field nor a judge", 0),
        ("value('kind', 2) == 1", "takes 1 values, not 2", 0),
        ("f'{kind}' == 'a'", "not in the vocabulary", 0),
        ("(" * 500 + "accepted" + ")" * 500, "nested too deep|cannot be read", None),
    ],
)
def test_what_is_not_in_the_vocabulary_is_a_fault_at_its_column(text, message, at):
    with pytest.raises(ExpressionFault, match=message) as found:
        parsed(text)
    assert at is None or found.value.at == at


@pytest.mark.parametrize("text", ["turns > 'two'", "turns", "opening * 3 == 'x'", "not turns", "share(opening, 2) > 1"])
def test_what_values_do_not_allow_is_a_fault(text):
    with pytest.raises(ExpressionFault):
        parsed(text).holds(facts())


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_is_a_fault(text):
    with contextlib.suppress(ExpressionFault):
        assert parsed(text).text == text


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_a_conversation_can_be_read(name):
    assert facts(variant={"slots.day": "monday"}).value(name) is not None


def test_a_choice_of_vary_is_read_by_its_own_name():
    read = facts(variant={"slots.day": "monday"})

    assert (read.value("variant.slots.day"), read.value("variant.slots.hour")) == ("monday", MISSING)


# --- the file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("rules:\n  - keep: acepted\n", "3:11", "'acepted' is neither a field nor a judge"),
        ("rules:\n  - reject: 'turns > 3 and acepted'\n", "3:28", "'acepted' is neither"),
        ("rules:\n  - because: no\n", "3:5", "exactly one of 'keep' and 'reject'"),
        ("balance:\n  - by: [kynd]\n", "3:10", "'kynd' is neither a field nor a judge"),
        ("split: {shares: {train: 0.5, test: 0.2}}\n", "2:9", "the shares add up to 0.7, not to 1"),
        ("near: {likeness: 0.8}\n", "2:8", "likeness"),
    ],
)
def test_a_fault_of_the_file_is_named_at_its_place(tmp_path, text, at, message):
    with pytest.raises(ScenarioError, match=message) as found:
        chosen(tmp_path, text, [])
    assert f"criteria.yaml:{at}:" in str(found.value)


def test_a_rule_about_a_judge_that_nobody_asked_is_a_fault(tmp_path):
    with pytest.raises(ScenarioError, match=r"criteria\.yaml:3:13: .*judged by 'repetition'.*tertulia judge RUN"):
        chosen(tmp_path, "rules:\n  - reject: not repetition.passed\n", [spoken(0, "Hello")])


def test_a_rule_that_a_conversation_does_not_allow_is_a_fault_at_the_rule(tmp_path):
    with pytest.raises(ScenarioError, match=r"criteria\.yaml:3:13: .*tiny-000000"):
        chosen(tmp_path, "rules:\n  - reject: opening > 3\n", [spoken(0, "Hello")])


@pytest.mark.parametrize("name", ["plain", "careful"])
def test_the_bundled_criteria_are_sound_and_bear_their_name(name):
    assert read_plan(name).criteria.id == name


# --- rules and duplicates ----------------------------------------------------------------------------------------


def test_each_conversation_is_counted_at_the_first_criterion_that_takes_it(tmp_path):
    talks = [
        spoken(0, "One two"),
        spoken(1, "Three four", rejected_by="leaks"),
        spoken(2, "ONE, two!"),
        spoken(3, "No"),
    ]
    made = chosen(tmp_path, "rules:\n  - keep: accepted\n  - reject: opening == 'No'\n    because: says no\n", talks)

    steps = {step.name: (step.reached, step.rejected, step.left) for step in made.steps}
    assert steps == {"keep: accepted": (4, 1, 3), "says no": (3, 1, 2), "exact duplicate": (2, 1, 1)}
    assert made.steps[1].examples == [("tiny-000003", "opening = No", "No")]
    rows = [json.loads(line) for line in (tmp_path / "tried.jsonl").read_text().splitlines()]
    assert rows[0] == {"place": 0, "id": "tiny-000000", "kept": True}
    assert rows[2] | {"place": 2} == {
        "place": 2,
        "id": "tiny-000002",
        "kept": False,
        "rule": "exact duplicate",
        "note": "the same as tiny-000000",
    }


def test_a_rule_by_the_name_of_another_criterion_is_counted_apart(tmp_path):
    talks = [spoken(0, "The same words."), spoken(1, "The same words."), spoken(2, "Others.")]
    made = chosen(tmp_path, "rules:\n  - {reject: index == 2, because: exact duplicate}\n", talks)

    assert {step.name: step.rejected for step in made.steps} == {"exact duplicate (2)": 1, "exact duplicate": 1}


def test_the_same_conversations_give_the_same_files(tmp_path):
    text = "balance:\n  - {by: [opening], most: 1}\nsplit: {shares: {a: 0.5, b: 0.5}, by: [id]}\n"
    talks = [spoken(n, f"word{n % 5}", f"reply{n}") for n in range(40)]
    chosen(tmp_path, text, talks)
    first = (tmp_path / "tried.jsonl").read_bytes(), (tmp_path / "tried.json").read_bytes()
    chosen(tmp_path, text, talks)

    assert first == ((tmp_path / "tried.jsonl").read_bytes(), (tmp_path / "tried.json").read_bytes())


WORDS = st.lists(st.sampled_from([f"w{n}" for n in range(30)]), min_size=3, max_size=60)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_shingles_are_as_many_as_the_distinct_runs(one, other):
    runs = {tuple(one[at : at + 3]) for at in range(len(one) - 2)}

    assert len(shingles(one, 3)) == len(runs)
    assert (set(shingles(one, 3)) == set(shingles(other, 3))) == (
        runs == {tuple(other[at : at + 3]) for at in range(len(other) - 2)}
    )


def test_near_duplicates_are_found_and_what_is_less_alike_is_kept():
    rng = random.Random(5)
    near, found = NearDuplicates(0.7, 3), Counter[str]()
    for n in range(300):
        said = [f"v{rng.randrange(100_000)}" for _ in range(100)]
        assert near.seen(10 * n, said) is None
        alike, other = list(said), list(said)
        for at in rng.sample(range(100), 3):
            alike[at] = "changed"
        for at in rng.sample(range(100), 25):
            other[at] = "changed"
        hit = near.seen(10 * n + 1, alike)
        found["alike"] += hit is not None and hit[0] == 10 * n
        found["other"] += near.seen(10 * n + 2, other) is None
    near.close()

    assert found["alike"] >= 297
    assert found["other"] == 300


def test_the_similarity_that_is_told_is_the_exact_one():
    near = NearDuplicates(0.5, 1)
    near.seen(0, ["a", "b", "c", "d"])

    assert near.seen(1, ["a", "b", "c", "e"]) == (0, pytest.approx(3 / 5))
    assert near.seen(2, []) is None
    near.close()


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["go", "to", "the", "shop", "now", "über"]), min_size=1, max_size=8), max_size=12)
)
def test_novelty_is_rouge_l_against_the_growing_pool(texts):
    pool, novel = [], Novel(0.7)
    for place, said in enumerate(texts):
        best = max((alikeness(tuple(said), tuple(old)) for _, old in pool), default=0.0)
        found = novel.seen(place, said)
        assert (found is None) == (best <= 0.7)
        if found is None:
            pool.append((place, said))
        else:
            assert found[1] == pytest.approx(best, abs=1e-3)


def test_meaning_keeps_the_first_of_two_that_point_the_same_way(tmp_path, monkeypatch):
    class SentenceTransformer:
        def __init__(self, name: str) -> None:
            assert name == "small"

        def encode(self, texts: list[str], show_progress_bar: bool) -> Any:
            return np.array([[1.0, 0.0] if "parcel" in text else [0.0, 1.0] for text in texts])

    fake = ModuleType("sentence_transformers")
    fake.SentenceTransformer = SentenceTransformer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", fake)
    monkeypatch.delitem(sys.modules, "tertulia.corpus.alike.meaning", raising=False)
    talks = [spoken(0, "my parcel"), spoken(1, "a line"), spoken(2, "that parcel"), spoken(3, "your line")]
    made = chosen(tmp_path, "meaning: {model: small, cosine: 0.9}\n", talks)

    assert kept(tmp_path) == [0, 1]
    assert made.steps[-1].examples[0][:2] == ("tiny-000002", "1.00 like tiny-000000")


def test_an_extra_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.delitem(sys.modules, "tertulia.corpus.alike.meaning", raising=False)

    with pytest.raises(UserError, match=r"pip install 'tertulia\[embed\]'"):
        chosen(tmp_path, "meaning: {}\n", [])


# --- evaluation sets ---------------------------------------------------------------------------------------------

ITEM = "how many red apples does the old farmer carry to the market on a cold monday in march".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("said", "leaks"),
    [
        (" ".join(ITEM), True),
        ("Well, " + " ".join(ITEM[:12]) + " I do not know.", True),
        (" ".join(ITEM[:9]), False),
        ("how many red apples does he carry", False),
    ],
)
def test_a_shared_run_and_an_aligned_match_are_a_leak(tmp_path, said, leaks):
    (tmp_path / "set.jsonl").write_text(json.dumps({"question": " ".join(ITEM), "n": 3}))
    made = chosen(tmp_path, "contamination: {against: [set.jsonl]}\n", [spoken(0, said)])

    assert made.kept == (not leaks)
    assert not leaks or made.steps[0].examples[0][1].endswith("set.jsonl:1")


def test_a_shared_run_in_a_long_item_that_does_not_match_stays(tmp_path):
    item = [*ITEM, *(f"word{n}" for n in range(30))]
    (tmp_path / "set.jsonl").write_text(json.dumps({"q": " ".join(item)}))

    assert chosen(tmp_path, "contamination: {against: [set.jsonl]}\n", [spoken(0, " ".join(ITEM))]).kept == 1


def test_sets_that_are_named_besides_the_file_are_looked_for_and_told(tmp_path):
    (tmp_path / "set.jsonl").write_text(json.dumps({"question": " ".join(ITEM)}))
    (tmp_path / "plain.yaml").write_text("id: tried\n")
    plan = read_plan(str(tmp_path / "plain.yaml"), [tmp_path / "set.jsonl"])
    made = select(plan, [(TINY, spoken(0, " ".join(ITEM))), (TINY, spoken(1, "Nothing of it."))])

    assert (made.kept, made.sets) == (1, {"set.jsonl": 1})


def test_sets_of_the_same_name_are_told_apart_and_one_that_is_named_twice_is_read_once(tmp_path):
    one, other = tmp_path / "one" / "set.jsonl", tmp_path / "other" / "set.jsonl"
    for path, said in ((one, ITEM), (other, ITEM[::-1])):
        path.parent.mkdir()
        path.write_text(json.dumps({"q": " ".join(said)}))
    sets = Contaminated([one, other, tmp_path / "one" / ".." / "one" / "set.jsonl"], 10, 0.5)
    leak = sets.leak(TINY, ITEM[::-1])

    assert sorted(Path(name).resolve() for name in sets.sets) == [one, other]
    assert list(sets.sets.values()) == [1, 1]
    assert leak is not None
    assert leak.item == f"{other.as_posix()}:1"


@pytest.mark.parametrize("text", ["", '{"q": "why me"}\n{"n": 7}\n'])
def test_an_evaluation_set_in_which_nothing_can_be_looked_for_is_refused(tmp_path, text):
    """It would take nothing out, and look as if nothing had leaked."""
    (tmp_path / "good.jsonl").write_text(json.dumps({"q": " ".join(ITEM)}))
    (tmp_path / "set.jsonl").write_text(text)

    with pytest.raises(UserError, match=r"set\.jsonl' has no item of 5 words or more"):
        Contaminated([tmp_path / "good.jsonl", tmp_path / "set.jsonl"], 10, 0.5)


def test_a_foreign_set_may_have_columns_by_the_names_of_ours(tmp_path):
    (tmp_path / "set.jsonl").write_text(json.dumps({"scenario": " ".join(ITEM), "gold": "yes"}))

    assert Contaminated([tmp_path / "set.jsonl"], 10, 0.5).leak(TINY, ITEM) is not None


@pytest.mark.parametrize(
    "scenario", ["[]", "{}", '{"script": "x"}', '{"script": {"wants": ["x"]}}', '{"script": {"wants": null}}']
)
def test_an_item_of_ours_without_a_script_is_named_with_its_line(tmp_path, scenario):
    (tmp_path / "set.jsonl").write_text(json.dumps({"version": 2, "scenario": scenario, "gold": "{}"}))

    with pytest.raises(ScenarioError, match=r"set\.jsonl:1:1: the scenario is none"):
        Contaminated([tmp_path / "set.jsonl"], 10, 0.5)


def test_an_item_may_hold_any_break_of_lines_but_the_one_that_ends_it(tmp_path):
    (tmp_path / "set.jsonl").write_text(json.dumps({"q": " ".join(ITEM) + "\u2028end\x85"}, ensure_ascii=False) + "\n")

    assert chosen(tmp_path, "contamination: {against: [set.jsonl]}\n", [spoken(0, " ".join(ITEM))]).kept == 0


def test_a_short_item_is_found_as_a_whole_and_a_tiny_one_is_counted(tmp_path):
    rows = [{"q": "who painted the blue door"}, {"q": "why me"}]
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    talks = [spoken(0, "Tell me, who painted the blue door?"), spoken(1, "why me, and who painted the door")]
    made = chosen(tmp_path, "contamination: {against: [set.jsonl]}\n", talks)

    assert (made.kept, made.too_short) == (1, 1)


@pytest.mark.usefixtures("shop")
def test_who_played_an_item_of_our_own_set_is_found_whatever_was_said(tmp_path):
    rows = list(load("exporters", "evalset")().rows(shop_scenario(), two_party()))
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sets = Contaminated([tmp_path / "own.jsonl"], 10, 0.5)

    assert rows[0]["id"] == item_id(shop_scenario())
    assert sets.leak(shop_scenario(), ["nothing", "alike"]) is not None
    assert sets.leak(shop_scenario(id="other-delivery"), ["nothing", "alike"]) is None


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [("{", "", r"set\.jsonl:1:2: no JSON"), ("[]", "", "expected a JSON object"), ("{}", "fields: [q]", "with 'q'")],
)
def test_an_evaluation_set_that_cannot_be_read_is_named_with_its_line(tmp_path, text, fields, message):
    (tmp_path / "set.jsonl").write_text(text)

    with pytest.raises(ScenarioError, match=message):
        chosen(tmp_path, f"contamination: {{against: [set.jsonl], {fields}}}\n", [])


# --- balance and splits ------------------------------------------------------------------------------------------

COUNTS = {"a": 100, "b": 10, "c": 40}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, {"a": 10, "b": 10, "c": 10}),
        ({"most": 30}, {"a": 30, "b": 10, "c": 30}),
        ({"total": 90}, {"a": 40, "b": 10, "c": 40}),
        ({"total": 91}, {"a": 41, "b": 10, "c": 40}),
        ({"total": 90, "most": 35}, {"a": 35, "b": 10, "c": 35}),
        ({"shares": {"a": 0.5, "b": 0.1, "c": 0.4}}, {"a": 50, "b": 10, "c": 40}),
        ({"shares": {"a": 0.8, "c": 0.2}, "total": 50}, {"a": 40, "b": 0, "c": 10}),
        ({"shares": {"a": 0.5, "b": 0.5}, "total": 60}, {"a": 30, "b": 30, "c": 0}),
    ],
)
def test_targets_follow_the_shares_the_total_and_the_bound(wanted, found):
    assert targets(COUNTS, Balance.model_validate({"by": ("kind",), **wanted})) == found


@settings(deadline=None)
@given(st.integers(0, 500), st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_apportioned_numbers_add_up(total, weights):
    shares = {str(nth): weight / sum(weights) for nth, weight in enumerate(weights)}
    found = apportioned(total, shares)

    assert sum(found.values()) == total
    assert all(abs(found[name] - total * share) < 1 for name, share in shares.items())


def test_balance_keeps_as_many_of_each_and_tells_what_is_missing(tmp_path):
    talks = [spoken(n, f"opening {'b' if n % 10 == 0 else 'a'}", f"reply number {n}") for n in range(50)]
    text = "balance:\n  - {by: [opening], shares: {opening a: 0.5, opening b: 0.5}, total: 20}\n"
    made = chosen(tmp_path, text, talks)

    assert made.balance[0].before == {"opening a": 45, "opening b": 5}
    assert made.balance[0].after == {"opening a": 10, "opening b": 5}
    assert made.balance[0].short == {"opening b": 5}
    assert len(kept(tmp_path)) == made.kept == 15


def test_a_field_with_several_values_is_bounded_in_each(tmp_path):
    talks = [spoken(n, f"hello {n}", "yes", verdicts=[tagged(n)]) for n in range(60)]
    made = chosen(tmp_path, "balance:\n  - {by: [size.tags], most: 12}\n", talks)

    assert max(made.balance[0].after.values()) == 12
    assert made.balance[0].short == {}


def test_targets_of_a_field_with_several_values_are_met_as_far_as_they_can_be_and_the_rest_is_told(tmp_path):
    """Sixty of t0, t1 and t2 in turn; half of each with `all`, half with `some`; ten more are rare beside `all`."""
    talks = [spoken(n, f"hello {n}", "yes", verdicts=[tagged(n)]) for n in range(60)]
    rare = Verdict(judge="size", passed=True, detail={"tags": ["rare", "all"]})
    talks += [spoken(60 + n, f"hello {60 + n}", "yes", verdicts=[rare]) for n in range(10)]
    by_share = chosen(
        tmp_path,
        "balance:\n  - by: [size.tags]\n    total: 60\n"
        "    shares: {all: 0.3, some: 0.3, rare: 0.1, t0: 0.1, t1: 0.1, t2: 0.1}\n",
        talks,
    ).balance[0]
    even = chosen(tmp_path, "balance:\n  - {by: [size.tags]}\n", talks).balance[0]

    assert by_share.before == {"all": 40, "rare": 10, "some": 30, "t0": 20, "t1": 20, "t2": 20}
    assert [by_share.after[tag] for tag in ("rare", "t0", "t1", "t2")] == [6, 6, 6, 6]
    assert by_share.after["all"] + by_share.after["some"] == 24
    assert by_share.short == {tag: 18 - by_share.after[tag] for tag in ("all", "some") if by_share.after[tag] < 18}
    assert even.after["rare"] == even.after["all"] == 10
    assert max(even.after.values()) == 10


def tagged(n: int) -> Verdict:
    return Verdict(judge="size", passed=True, detail={"tags": [f"t{n % 3}", "all" if n % 2 else "some"]})


def test_no_group_straddles_two_parts_and_the_shares_are_met(tmp_path):
    """Openings chain groups together: those of one opening, and those of one reply."""
    talks = [
        spoken(n, f"opening {n % 40}", f"reply {n}", variant={"document": f"d{(n % 40) // 2}"}) for n in range(400)
    ]
    text = "split: {shares: {train: 0.8, dev: 0.1, test: 0.1}, by: [opening, variant.document]}\n"
    made = chosen(tmp_path, text, talks)

    part_of = {place: part for part in ("train", "dev", "test") for place in kept(tmp_path, part)}
    groups: dict[str, set[str]] = {}
    for talk in talks:
        groups.setdefault(talk.variant["document"], set()).add(part_of[talk.index])
    assert all(len(parts) == 1 for parts in groups.values())
    assert made.parts == {"train": 320, "dev": 40, "test": 40}
    with pytest.raises(UserError, match="has no part 'tests'; it has: dev, test, train"):
        kept(tmp_path, "tests")


GROUPED = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from(["hello", "hi there", "good day", "help me"]), st.booleans()),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=40)
@given(GROUPED, st.sampled_from([{"train": 0.9, "test": 0.1}, {"a": 0.4, "b": 0.3, "c": 0.3}]), st.integers(0, 3))
def test_twins_documents_and_scenarios_never_straddle_two_parts(drawn, shares, seed):
    """Whatever chains them together; what has no document is not joined by having none."""
    with TemporaryDirectory() as folder:
        talks = []
        for nth, (name, words, by_document) in enumerate(drawn):
            world = ToolSource(openapi=f"{name}.yaml") if by_document else ""
            played = TINY.model_copy(
                update={"id": f"{name}-{words[:2]}", "script": Script(opening=words), "world": world}
            )
            talks.append((played, spoken(nth, f"unlike any other {nth}", scenario=played.id)))
        file = Path(folder) / "criteria.yaml"
        file.write_text(f"id: tried\nseed: {seed}\nexact: false\nsplit: {{shares: {json.dumps(shares)}}}\n")
        made = select(read_plan(str(file)), talks, Path(folder) / "tried.jsonl")
        rows = [json.loads(line) for line in (Path(folder) / "tried.jsonl").read_text().splitlines()]
    part_of = {row["place"]: row["part"] for row in rows}

    assert sum(made.parts.values()) == len(drawn) == len(part_of)
    for field in ("scenario", "twin", "document"):
        groups: dict[Any, set[str]] = {}
        for played, talk in talks:
            if (value := Facts(played, talk).value(field)) is not MISSING:
                groups.setdefault(value, set()).add(part_of[talk.index])
        assert all(len(parts) == 1 for parts in groups.values())
    assert len(made.notes) == sum(not count for count in made.parts.values())


def test_contrast_pairs_are_twins_and_another_request_is_not():
    base = {"cast": {"customer": {"role": "user"}, "agent": {"role": "assistant"}}, "kind": "refusal"}
    asked = {"script": {"opening": "Where is it?", "wants": [{"call": "track", "with": {"id": "A1"}}]}}
    one = Scenario.model_validate({"id": "one", "principles": ["be_plain"], **base, **asked})
    other = Scenario.model_validate({"id": "other", "policy": "Refuse.", **base, **asked, "kind": "single_call"})
    third = other.model_copy(
        update={
            "script": other.script.model_copy(
                update={"wants": (other.script.wants[0].model_copy(update={"args": {}}),)}
            )
        }
    )

    assert FIELDS["twin"][0](one, spoken(0)) == FIELDS["twin"][0](other, spoken(0))
    assert FIELDS["twin"][0](one, spoken(0)) != FIELDS["twin"][0](third, spoken(0))


def test_a_part_that_got_nothing_is_told_with_the_group_that_took_all(tmp_path):
    made = chosen(tmp_path, "split: {shares: {train: 0.8, test: 0.2}}\n", [spoken(n, f"word{n}") for n in range(9)])

    assert made.parts == {"train": 9, "test": 0}
    assert made.notes[0].startswith(
        "nothing is left for the part 'test': 9 of 9 conversations are one group, of scenario 'tiny'"
    )


def test_coverage_counts_two_fields_before_and_after(tmp_path):
    talks = [spoken(0, "a"), spoken(1, "a"), spoken(2, "b", end_reason="turn_limit")]
    made = chosen(tmp_path, "coverage: [[end_reason, opening]]\n", talks)

    assert made.coverage[0]["before"] == {"goal_reached": {"a": 2}, "turn_limit": {"b": 1}}
    assert made.coverage[0]["after"] == {"goal_reached": {"a": 1}, "turn_limit": {"b": 1}}


# --- distributions -----------------------------------------------------------------------------------------------


def test_revisions_that_helped_are_told_from_those_in_vain(talk):
    found = Distributions.of([talk(0), talk(1)])

    assert (found.helped, found.in_vain) == (Counter({"be_plain": 2}), Counter())
    assert found.length_bias == pytest.approx(4.0)


def test_whole_numbers_lie_in_bins_of_whole_numbers():
    assert binned({0.0: 267, 1.0: 32, 2.0: 1}) == {"0": 267, "1": 32, "2": 1}


@settings(deadline=None)
@given(st.dictionaries(st.floats(-1e6, 1e6), st.integers(1, 5), max_size=30))
def test_bins_lose_nothing_and_are_few(counts):
    found = binned(counts)

    assert sum(found.values()) == sum(counts.values())
    assert len(found) <= 14


def test_what_a_plot_has_no_room_for_is_one_bar_with_its_sums():
    found = Distributions()
    for nth in range(corpus_page.MOST + 5):
        found.helped[f"rule_{nth:02d}"], found.in_vain[f"rule_{nth:02d}"] = 3, 1
    shares = corpus_page.shares(("judge", "not passed", "of", "share"), {f"judge {n:02d}": (1, 9) for n in range(23)})

    assert re.findall(r"5 others.*?>15<.*?>5<.*?>75.0%<", corpus_page.revisions(found), re.DOTALL)
    assert re.findall(r"3 others.*?>3<.*?>27<", shares, re.DOTALL)


# --- the whole way -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tertulia.Run:
    return tertulia.run("parcels", n=36, out=tmp_path_factory.mktemp("runs") / "parcels")


def called(*words: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    with pytest.raises(SystemExit) as left:
        app([*words, "--json"])
    assert not left.value.code
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_a_run_is_tagged_selected_and_exported_in_parts(run, tmp_path, capsys):
    called("judge", str(run.folder), "--tags", capsys=capsys)
    page = tmp_path / "page.html"
    made = called("corpus", str(run.folder), "careful", "--html", str(page), capsys=capsys)
    train = called("export", str(run.folder), "sft", "--select", "careful", "--split", "train", capsys=capsys)
    test = called("export", str(run.folder), "sft", "--select", "careful", "--split", "test", capsys=capsys)

    assert made["kept"] == sum(made["parts"].values()) > 20
    ids = [
        {json.loads(line)["meta"]["scenario"] for line in Path(one["path"]).read_text().splitlines()}
        for one in (train, test)
    ]
    assert not ids[0] & ids[1]
    assert train["path"].endswith("sft-careful-train.jsonl")
    manifest = json.loads(Path(train["path"]).with_suffix(".manifest.json").read_text())
    assert (manifest["selection"]["name"], manifest["selection"]["part"]) == ("careful", "train")
    text = page.read_text()
    assert "<svg" in text
    assert "://" not in text


def test_an_evaluation_set_and_what_trains_on_its_scenarios_are_told_apart(run):
    def exported(name: str, part: str = "") -> str:
        return run.export(name, force=True, selection=run.selection("halves", part) if part else None).apart

    (run.folder / "exports" / "evalset.jsonl").unlink()
    file = run.folder / "selections" / "halves.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("id: halves\nsplit: {shares: {train: 0.5, test: 0.5}}\n")
    run.select(str(file))
    assert exported("sft", "train") == ""
    told = exported("evalset", "test")

    assert "sft-halves-train.jsonl" not in told
    assert re.match(
        r"evalset-halves-test\.jsonl shares \d+ scenarios with critic\.jsonl, dpo\.jsonl, .*sft\.jsonl: no", told
    )
    assert told in (run.folder / "exports" / "README.md").read_text()
    told = exported("hermes")
    assert told.startswith("hermes.jsonl shares")
    assert "with evalset-halves-test.jsonl: no" in told
    trained = {row["meta"]["scenario"] for row in lines_of(run.folder / "exports" / "sft-halves-train.jsonl")}
    asked = {unpacked(row["scenario"])["id"] for row in lines_of(run.folder / "exports" / "evalset-halves-test.jsonl")}
    assert trained
    assert asked
    assert not trained & asked


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_that_was_selected_and_calibrated_is_still_a_run_and_starts_anew_without_them(tmp_path):
    run = tertulia.run("parcels", n=2, slips=0.0, out=tmp_path / "run")
    run.select("plain")
    (run.folder / "calibration.json").write_text("{}")
    assert run.judge().conversations == 2
    tertulia.run("parcels", n=2, slips=0.0, out=tmp_path / "run", fresh=True)

    assert not (run.folder / "selections").exists()
    assert not (run.folder / "calibration.json").exists()


def test_a_preview_writes_nothing(run, capsys):
    made = called("corpus", str(run.folder), "plain", "--preview", capsys=capsys)

    assert made["path"] == ""
    assert not (run.folder / "selections" / "plain.jsonl").exists()


@pytest.mark.parametrize(("missing", "criteria"), [("datasketch", "near: {}"), ("rapidfuzz", "novelty: {}")])
def test_an_extra_that_a_criterion_needs_is_named_and_the_others_do_without(tmp_path, monkeypatch, missing, criteria):
    for name in (
        "tertulia.corpus.alike.near",
        "tertulia.corpus.alike.novelty",
        "rapidfuzz.distance",
        "rapidfuzz.process",
    ):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)

    assert chosen(tmp_path, "", [spoken(0, "Hello")]).kept == 1
    with pytest.raises(UserError, match=r"pip install 'tertulia\[corpus\]'"):
        chosen(tmp_path, f"{criteria}\n", [spoken(0, "Hello")])


def test_a_selection_that_is_not_there_is_named(run):
    with pytest.raises(UserError, match="no selection 'nothing'"):
        run.selection("nothing")


@pytest.mark.parametrize(("place", "name"), [(3, "of-another-run-000003"), (99, "of-another-run-000099")])
def test_a_selection_of_another_run_is_refused(run, tmp_path, place, name):
    rows = [{"place": 0, "id": next(run.conversations()).id, "kept": True}, {"place": place, "id": name, "kept": True}]
    (tmp_path / "theirs.jsonl").write_text("\n".join(map(json.dumps, rows)))

    with pytest.raises(UserError, match=f"keeps '{name}' at place {place}, which this run has not"):
        run.export("sft", tmp_path / "sft.jsonl", selection=run.selection(str(tmp_path / "theirs.jsonl")))
    assert not list(tmp_path.glob("*sft*"))


def test_the_report_shows_measures_and_revisions_and_writes_one_page(run, tmp_path, capsys):
    called("judge", str(run.folder), "--tags", capsys=capsys)
    page = tmp_path / "report.html"
    found = called("report", str(run.folder), "--html", str(page), capsys=capsys)["distributions"]

    assert found["conversations"] == 36
    assert 2 < found["turns"]["min"] <= found["turns"]["median"] <= found["turns"]["max"]
    assert found["tags"]["tokens"]["max"] > found["tags"]["tokens"]["min"]
    assert sum(one["helped"] for one in found["revisions"].values()) > 10
    assert page.read_text().count("<svg") > 8
