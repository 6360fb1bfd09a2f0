"""Evaluation sets: ids, lines that cannot be read, wrong gold."""

import json
from pathlib import Path

import pytest
from evaluations import bundled, settings

from tertulia.errors import UserError
from tertulia.evaluation.agents.child import resolved
from tertulia.evaluation.agents.version import code_of_agent
from tertulia.evaluation.sets import read_set
from tertulia.evaluation.settings import manifest_of_evaluation
from tertulia.gold import gold_of


def line_of(item, **changes):
    scenario = item.scenario.model_copy(update={"id": item.source})
    row = {
        "version": 1,
        "id": "x",
        "scenario": scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "gold": gold_of(scenario).model_dump(mode="json"),
        "floors": {"none": {"passed": False, "slot_f1": 0.0}},
    }
    return json.dumps(row | changes)


@pytest.fixture(scope="module")
def parcels():
    return bundled("parcels")


def test_an_item_has_the_same_id_from_a_file_of_items_as_from_its_scenario(parcels, tmp_path):
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(map(line_of, parcels.items[:3])))

    assert [item.id for item in read_set([str(path)]).items] == [item.id for item in parcels.items[:3]]


@pytest.mark.parametrize("end", ["\u2028", "\x85"])
def test_an_item_may_hold_any_break_of_lines_but_the_one_that_ends_it(parcels, tmp_path, end):
    row = json.loads(line_of(parcels.items[0]))
    row["scenario"]["title"] = f"one{end}two"
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")

    assert [item.scenario.title for item in read_set([str(path)]).items] == [f"one{end}two"]


def test_variants_are_items_of_their_own():
    found = read_set(["missed-delivery"], variants=3)

    assert len(found.items) == 3
    assert {item.source for item in found.items} == {"missed-delivery"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", r"set\.jsonl:2: not JSON"),
        ("[]", r"set\.jsonl:2: not an item of format version 1"),
        ('{"version": 1, "scenario": {}, "gold": {}}', r"set\.jsonl:2: id: Field required"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(parcels, tmp_path, text, complaint):
    path = tmp_path / "set.jsonl"
    path.write_text(line_of(parcels.items[0]) + "\n" + text)

    with pytest.raises(UserError, match=complaint):
        read_set([str(path)])


def test_gold_that_does_not_follow_from_its_scenario_is_refused(parcels, tmp_path):
    path = tmp_path / "set.jsonl"
    gold = gold_of(parcels.items[0].scenario).model_dump(mode="json") | {"says": ["something else"]}
    path.write_text(line_of(parcels.items[0], gold=gold))

    with pytest.raises(UserError, match="the gold is not that of its scenario"):
        read_set([str(path)])


def test_an_item_with_wrong_gold_is_left_out_and_said_so(parcels, tmp_path):
    item = next(item for item in parcels.items if item.scenario.success.state)
    path, state = next(iter(item.scenario.success.state.items()))
    success = item.scenario.success.model_copy(update={"state": {path: "not this"}})
    wrong = item.scenario.model_copy(update={"id": item.source, "success": success})
    file = tmp_path / "set.jsonl"
    row = json.loads(line_of(item))
    row["scenario"] = wrong.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    row["gold"] = gold_of(wrong).model_dump(mode="json")
    other = next(one for one in parcels.items if one is not item)
    file.write_text(json.dumps(row) + "\n" + line_of(other))

    found = read_set([str(file)])

    assert state != "not this"
    assert [one.id for one in found.items] == [other.id]
    assert "gold-state" in next(iter(found.left_out.values()))


def test_what_the_lint_said_is_kept_for_the_next_time(tmp_path, monkeypatch):
    first = read_set(["missed-delivery"], known=tmp_path)
    monkeypatch.setattr("tertulia.evaluation.sets.wrong_gold", lambda scenario: "asked again")

    assert read_set(["missed-delivery"], known=tmp_path) == first
    with pytest.raises(UserError, match="asked again"):
        read_set(["missed-delivery"])


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """An agent in three files, one of them in a package, beside one that it does not import."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("import json\nfrom parts import prompt\ndef agent(messages, tools): return None\n")
    Path("parts").mkdir()
    Path("parts/__init__.py").write_text("")
    Path("parts/prompt.py").write_text("def text():\n    from . import words\n    return words.ALL\n")
    Path("parts/words.py").write_text("ALL = 'all'\n")
    Path("other.py").write_text("")


@pytest.mark.parametrize("edited", ["mine.py", "parts/__init__.py", "parts/prompt.py", "parts/words.py"])
def test_an_agent_is_another_one_when_its_file_or_a_local_module_that_it_imports_was_edited(mine, edited):
    before = code_of_agent("mine:agent")
    Path(edited).write_text(Path(edited).read_text() + "# edited\n")

    assert before
    assert code_of_agent("mine:agent") not in ("", before)


def test_what_an_agent_does_not_import_does_not_change_it(mine):
    before = code_of_agent("mine:agent")
    Path("other.py").write_text("something = 'else'\n")

    assert code_of_agent("mine:agent") == before


def test_an_installed_agent_is_its_own_package_alone_and_a_broken_file_is_no_error(mine):
    before = code_of_agent("yaml:load")
    Path("mine.py").write_text("from parts import (\n")

    assert before
    assert code_of_agent("mine:agent")
    assert code_of_agent("no_such_module:agent") == ""


def test_models_and_bundled_agents_have_no_code_of_their_own():
    for agent in ("rules", "openai:small", "http://127.0.0.1:1/agent"):
        assert "code of the agent" not in manifest_of_evaluation(settings(agent), bundled("parcels"))["settings"]


def test_what_cannot_be_asked_is_no_agent():
    with pytest.raises(AttributeError, match="sys:maxsize is of type int: neither a callable"):
        resolved("sys:maxsize")
    assert callable(resolved("json:dumps"))
