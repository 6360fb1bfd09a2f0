"""What a verification finds: the faults that exporters are known for are planted, and must be named by their row."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from examples import Scene, scenario, shop, three_party, three_party_scenario, two_party, with_tool_error

from tertulia.errors import UserError
from tertulia.export import columns_of, export, sidecar_of
from tertulia.exporting.card import About
from tertulia.parts import names
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.verifying import verify as module
from tertulia.verifying.consumers import CONSUMERS
from tertulia.verifying.libraries import LIBRARIES, Library
from tertulia.verifying.pairs import FEW, LengthBias
from tertulia.verifying.verify import verify

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")

FORMATS = [name for name in names("exporters") if columns_of(name)]
Row = dict[str, Any]


@pytest.fixture(autouse=True)
def without_extras(monkeypatch):
    """The rules alone; what the consumers' libraries find is tested where they are installed."""
    monkeypatch.setattr(module, "installed", lambda *modules: False)


def played() -> Iterator[tuple[Scenario, Conversation]]:
    yield scenario(), two_party(id="one-0")
    yield three_party_scenario(), three_party(id="two-1", index=1)
    yield scenario(), with_tool_error(id="three-2", index=2)


def written(name: str, folder: Path, change: Callable[[Row], None] = lambda row: None) -> Path:
    """An export whose first row is changed."""
    path = export(name, played(), folder / f"{name}.jsonl").path
    lines = path.read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    change(first)
    path.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n", encoding="utf-8")
    return path


def faults(name: str, folder: Path, change: Callable[[Row], None]) -> list[str]:
    return verify(name, written(name, folder, change), played()).faults


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("name", FORMATS)
def test_what_we_export_has_no_fault(name, ending, tmp_path):
    path = export(name, played(), tmp_path / f"{name}.{ending}").path
    found = verify(name, path, played())

    assert found.faults == []
    assert found.rows > 0
    assert {"columns", "rules"} <= set(found.checked)


def last(row: Row) -> Row:
    message: Row = row["messages"][-1]
    return message


def calls(row: Row) -> Row:
    call: Row = next(message for message in row["messages"] if "tool_calls" in message)["tool_calls"][0]
    return call


def without_results(row: Row) -> None:
    row["messages"] = [message for message in row["messages"] if message["role"] != "tool"]


def without_tools(chat: list[Row]) -> None:
    chat[:] = [message for message in chat if message["role"] != "tool"]


def orphan(row: Row) -> None:
    row["prompt"]["replies"][0]["parent_id"] = "nobody"


def twice(row: Row) -> None:
    row["prompt"]["replies"][0]["message_id"] = row["prompt"]["message_id"]


PLANTED: dict[str, tuple[str, Callable[[Row], Any], str]] = {
    "a call that nothing answers": ("sft", without_results, "is not answered before it"),
    "a result without a call": ("sft", lambda r: r["messages"].insert(2, answer("x")), "answers no call"),
    "arguments that are no object": ("sft", lambda r: calls(r)["function"].update(arguments=3), "are no object"),
    "a call of no tool": ("sft", lambda r: calls(r)["function"].update(name="fly"), "'fly', which is no tool"),
    "a message with nothing in it": ("sft", lambda r: last(r).update(content=" "), "says and calls nothing"),
    "a null for a content": ("sft", lambda r: last(r).update(content=None), "the content is no text"),
    "nulls filled into a message": ("sft", lambda r: last(r).update(tool_call_id=None), "the key 'tool_call_id'"),
    "nulls filled into a tool": ("sft", lambda r: r.update(tools=hollowed(r["tools"])), "holds a null"),
    "an end with a question": ("sft", lambda r: r["messages"].pop(), "is not words of the assistant"),
    "a step of the plan": ("sft", lambda r: r["messages"][0].update(content=STEP), "it shows a step of the plan"),
    "another's secret": ("dpo", lambda r: r["prompt"][0].update(content="Code K7731."), "what 'customer' holds"),
    "a persona": ("alpaca", lambda r: r.update(input=PERSONA), "what 'customer' holds"),
    "what must not be said": ("reward", lambda r: shared_prompt(r, "my brother took it"), "what must never be said"),
    "chosen equals rejected": ("dpo", lambda r: r.update(rejected=r["chosen"]), "say the same"),
    "different prompts": ("reward", lambda r: r["chosen"].pop(1), "have different prompts"),
    "an answer of two messages": ("dpo", lambda r: r["chosen"].append(r["chosen"][0]), "not one message"),
    "a label that is a word": ("kto", lambda r: r.update(label="yes"), "label: str where bool belongs"),
    "an orphan": ("oasst", orphan, "is an orphan: parent_id is 'nobody'"),
    "two messages of one id": ("oasst", twice, "two messages have this id"),
    "ranks with a gap": ("oasst", lambda r: r["prompt"]["replies"][0].update(rank=3), "have the ranks [3]"),
    "a field that the schema lacks": ("oasst", lambda r: r["prompt"].update(mood=1), "'mood' is no field"),
    "an answer by one's own role": ("oasst", lambda r: r["prompt"]["replies"][0].update(role="prompter"), "own role"),
    "a key that an upload refuses": ("openai", lambda r: r.update(id="x"), "no column of this name"),
    "a weight of 2": ("openai", lambda r: last(r).update(weight=2), "neither 0 nor 1"),
    "no weight at all": (
        "openai",
        lambda r: [m.update(weight=0) for m in r["messages"] if "weight" in m],
        "nothing to",
    ),
    "arguments as an object": ("openai", lambda r: calls(r)["function"].update(arguments={}), "are no JSON text"),
    "a long id": ("openai", lambda r: renamed(r, "i" * 41), "over 40 characters"),
    "two calls at once": ("openai", lambda r: doubled(r), "parallel_tool_calls is false"),
    "parameters of no object": (
        "openai",
        lambda r: r["tools"][0]["function"].update(parameters={"type": "array"}),
        "are no JSON Schema of an object",
    ),
    "a label that the schema lacks": (
        "oasst",
        lambda r: r["prompt"].update(labels={"mood": {"value": 0.5, "count": 1}}),
        "label 'mood' is none of the schema's",
    ),
    "a label out of its range": (
        "oasst",
        lambda r: r["prompt"].update(labels={"quality": {"value": 5, "count": 1}}),
        "outside 0 to 1",
    ),
    "an emoji without a number": ("oasst", lambda r: r["prompt"].update(emojis={"+1": "two"}), "is counted 'two'"),
    "a detoxify score of its own": ("oasst", lambda r: r["prompt"].update(detoxify={"rude": 0.1}), "'rude' is none of"),
    "a language that is none": ("oasst", lambda r: r["prompt"].update(lang="?"), "'?' is no language tag"),
    "a role twice": ("sharegpt", lambda r: r["conversations"].pop(2), "human follows human"),
    "a broken tag": ("hermes", lambda r: broken_tag(r), "<tool_call> holds no JSON"),
    "a mask for nobody": ("daring_anteater", lambda r: r.update(mask="Tool"), "is no role of the conversation"),
    "a rating out of range": ("ultrafeedback", lambda r: rate(r, "7"), "is not 1 to 5 or N/A"),
    "a mean of its own": (
        "ultrafeedback",
        lambda r: r["completions"][0].update({"fine-grained_score": 4.5}),
        "not the mean of its",
    ),
    "one completion": ("ultrafeedback", lambda r: r["completions"].pop(), "fewer than two completions"),
    "no hard negative": ("triplets", lambda r: r.update(negative=r["positive"]), "are the same"),
    "a role twice in words": ("sdsd", lambda r: r["messages"].pop(1), "follows itself"),
    "a span out of the draft": ("argilla", lambda r: spanned(r), "is out of the draft"),
    "an accepted draft to be revised": ("critic", lambda r: r.update(verdict="revise"), "bears no marker"),
    "a scenario that is none": (
        "evalset",
        lambda r: within(r, "scenario", lambda s: s.pop("cast")),
        "scenario: cast: Field",
    ),
    "a scenario that is no JSON": ("evalset", lambda r: r.update(scenario="{"), "scenario is no JSON"),
    "a gold that does not follow": ("evalset", lambda r: r.update(gold="{}"), "the gold is not that of its scenario"),
    "an input of the assistant": ("inspect", lambda r: r["input"][-1].update(role="assistant"), "not a user's message"),
    "an outcome of nothing": ("deepeval", lambda r: r.update(expected_outcome=""), "expected_outcome is empty"),
    "a turn by nobody": ("deepeval", lambda r: r["turns"][0].update(role="tool"), "no words of user or assistant"),
    "a path to nowhere": ("bfcl", lambda r: r["path"].append("Else.move"), "leads to none of the involved classes"),
    "an answer with fewer turns": ("bfcl", lambda r: r["question"].append(r["question"][0]), "as many turns"),
    "a wanted tool left out": ("bfcl", lambda r: r["excluded_function"].append("move_delivery"), "and excluded"),
    "a mode of its own": ("openevals", lambda r: r.update(trajectory_match_mode="near"), "none that the evaluators"),
    "an unanswered call": ("openevals", lambda r: without_tools(r["trajectory"]), "is not answered before it"),
    "a row without what it needs": ("inspect", lambda r: r["input"][0].pop("content"), "KeyError: 'content'"),
    "a conversation that is not there": ("sft", lambda r: r["meta"].update(conversation="x"), "does not have at this"),
    "a text for a number": ("sft", lambda r: r["meta"].update(cut="0"), "meta.cut: str where int belongs"),
}
STEP = "Now: when asked, say what move_delivery needs to know!"
PERSONA = "You talk to a carpenter who types in a hurry between two jobs."


def answer(name: str) -> Row:
    return {"role": "tool", "tool_call_id": name, "content": "1"}


def within(row: Row, name: str, change: Callable[[Row], Any]) -> None:
    """Change what stands in a row as JSON text."""
    made = json.loads(row[name])
    change(made)
    row[name] = json.dumps(made)


def hollowed(tools: str) -> str:
    made = json.loads(tools)
    made[0]["function"]["parameters"]["items"] = None
    return json.dumps(made)


def shared_prompt(row: Row, text: str) -> None:
    for side in ("chosen", "rejected"):
        row[side][0]["content"] += f" {text}"


def renamed(row: Row, name: str) -> None:
    calls(row)["id"] = name
    next(message for message in row["messages"] if message["role"] == "tool")["tool_call_id"] = name


def doubled(row: Row) -> None:
    at, message = next((at, m) for at, m in enumerate(row["messages"]) if "tool_calls" in m)
    message["tool_calls"].append({**message["tool_calls"][0], "id": "second"})
    row["messages"].insert(at + 2, answer("second"))


def broken_tag(row: Row) -> None:
    turn = next(turn for turn in row["conversations"] if turn["value"].startswith("<tool_call>"))
    turn["value"] = turn["value"].replace("{", "", 1)


def rate(row: Row, rating: str) -> None:
    row["completions"][0]["annotations"]["honesty"]["Rating"] = rating


def spanned(row: Row) -> None:
    span = {"start": 0, "end": 10_000, "label": "x"}
    row["suggestions"].append({"question_name": "markers", "value": [span]})


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_fault_is_named_with_its_row(what, tmp_path):
    name, change, told = PLANTED[what]
    found = faults(name, tmp_path, change)

    assert found, "nothing was found"
    assert all(fault.startswith(f"{tmp_path / name}.jsonl:") for fault in found)
    assert any(fault.startswith(f"{tmp_path / name}.jsonl:1: ") and told in fault for fault in found), found


def test_the_same_completion_wanted_and_unwanted_is_a_fault(tmp_path):
    path = export("kto", played(), tmp_path / "kto.jsonl").path
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[0].replace('"label":true', '"label":false').replace('"id":"', '"id":"x')]))

    assert "is wanted in one row and unwanted in another" not in "".join(verify("kto", path, played()).faults)
    again = [lines[0], lines[0].replace('"label":true', '"label":false').replace('"id":"', '"id":"x'), *lines[1:]]
    path.write_text("\n".join(again))
    assert "is wanted in one row and unwanted in another" in "".join(verify("kto", path, played()).faults)


def test_prompts_of_one_turn_must_be_equal(tmp_path):
    path = export("dpo", played(), tmp_path / "dpo.jsonl").path
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[2]["prompt"][1]["content"] += "!"
    path.write_text("\n".join(map(json.dumps, rows)))

    (fault,) = verify("dpo", path, played()).faults
    assert fault.startswith(f"{path}:3: prompt or chosen differ from those of the row before")


def test_lines_that_are_no_rows_and_ids_that_repeat_are_faults(tmp_path):
    path = export("sft", played(), tmp_path / "sft.jsonl").path
    first = path.read_text().splitlines()[0]
    path.write_text(f"{first}\n{{\n[1]\n{first}\n")
    found = verify("sft", path, played())

    assert [fault.removeprefix(f"{path}:")[:11] for fault in found.faults] == [
        "2: no JSON:",
        "3: no objec",
        "4: the id " + first[7],
    ]
    assert found.rows == 2


def test_what_the_assistant_heard_is_no_secret(tmp_path):
    scene = Scene(scenario())
    scene.say("customer", "My door code is K7731, my brother took it.")
    scene.say("agent", "I noted K7731.")
    talk = scene.end(id="one-0")

    path = export("sft", [(scenario(), talk)], tmp_path / "sft.jsonl").path
    assert verify("sft", path, [(scenario(), talk)]).faults == []


@pytest.mark.parametrize("longer", ["chosen", "rejected"])
def test_a_bias_in_length_is_reported_above_its_threshold(longer):
    bias, short, long = LengthBias(), {"content": "no"}, {"content": "no, never, not at all"}
    for _ in range(FEW):
        bias.add(*((long, short) if longer == "chosen" else (short, long)))

    (note,) = bias.notes()
    assert note.startswith(f"length bias: {longer} is the longer side in 100% of {FEW} pairs")
    for _ in range(FEW):
        bias.add(*((short, long) if longer == "chosen" else (long, short)))
    assert list(bias.notes()) == []


def test_an_upload_of_too_few_rows_and_a_set_of_one_label_are_noted(tmp_path):
    uploads = verify("openai", written("openai", tmp_path), played())
    assert uploads.notes == ["3 rows: a fine-tuning job is refused below 10"]
    path = export("kto", played(), tmp_path / "kto.jsonl").path
    path.write_text("".join(line + "\n" for line in path.read_text().splitlines() if '"label":true' in line))
    assert verify("kto", path, played()).notes == ["all labels are the same: KTO needs both"]


def test_an_upload_that_is_too_large_is_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(CONSUMERS["openai"], "MOST", 1024**2 // 1024)
    notes = verify("openai", written("openai", tmp_path), played()).notes
    assert "MB: an upload is refused above" in notes[-1]


def test_what_cannot_be_verified_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match="is not there; export it first"):
        verify("sft", tmp_path / "sft.jsonl", played())
    path = export("sft", played(), tmp_path / "sft.jsonl").path
    with pytest.raises(UserError, match="no such folder"):
        verify("sft", path, played(), "nowhere")


FOLDERS = {
    "tau2": ("shop/tasks.json", "shop/policy.md"),
    "adk": ("tertulia.evalset.json", "tertulia.evalset.json"),
}


def foldered(name: str, folder: Path) -> Path:
    return export(name, played(), folder / f"{name}.jsonl", about=About()).path


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_verified_by_its_rules_and_its_manifest(name, tmp_path):
    path = foldered(name, tmp_path)
    found = verify(name, tmp_path / f"{name}.jsonl", played())

    assert (found.faults, found.checked[:2]) == ([], ["manifest", "rules"])
    assert found.rows == 2  # two of the three conversations played one scenario
    (path / FOLDERS[name][1]).unlink()
    assert f"{path}: {name}/{FOLDERS[name][1]} is not there" in "".join(verify(name, path, played()).faults)


def task(row: Row) -> None:
    row["evaluation_criteria"]["actions"][0]["requestor"] = "nobody"


IN_FOLDERS: dict[str, tuple[str, Callable[[Row], Any], str]] = {
    "an action of nobody": ("tau2", task, "is not one of assistant or user"),
    "a domain of another folder": (
        "tau2",
        lambda r: r["user_scenario"]["instructions"].update(domain="x"),
        "stands in the folder of 'shop'",
    ),
    "a reward for nothing": (
        "tau2",
        lambda r: r["evaluation_criteria"].update(reward_basis=["LUCK"]),
        "'LUCK', which is unknown",
    ),
    "a number for a text": ("tau2", lambda r: r.update(id=7), "id: int where text belongs"),
    "a case without a conversation": ("adk", lambda r: r.pop("conversation_scenario"), "needs either a conversation"),
    "an empty plan": ("adk", lambda r: r["conversation_scenario"].update(conversation_plan=""), "plan is empty"),
    "an empty rubric": (
        "adk",
        lambda r: r["rubrics"][0]["rubric_content"].update(text_property=""),
        "success_0 says nothing",
    ),
}


@pytest.mark.parametrize("what", IN_FOLDERS)
def test_a_planted_fault_in_a_folder_is_named_with_file_and_row(what, tmp_path):
    name, change, told = IN_FOLDERS[what]
    path = foldered(name, tmp_path)
    file = path / FOLDERS[name][0]
    head, first, rest = file.read_text(encoding="utf-8").split("\n", 2)
    row = json.loads(first.rstrip(","))
    change(row)
    file.write_text("\n".join([head, json.dumps(row) + ",", rest]), encoding="utf-8")

    manifest, fault, *_ = verify(name, path, played()).faults
    assert manifest.startswith(f"{path}: {name}/{FOLDERS[name][0]} is not what {name}.manifest.json describes")
    assert fault.startswith(f"{file}:1: ")
    assert told in fault


def test_a_folder_that_is_broken_is_told_in_one_line(tmp_path):
    path = foldered("adk", tmp_path)
    (path / FOLDERS["adk"][0]).write_text('{"eval_cases": []}', encoding="utf-8")
    assert any("does not begin with" in fault for fault in verify("adk", path, played()).faults)
    file = foldered("tau2", tmp_path) / FOLDERS["tau2"][0]
    file.write_text("[\n{\n]\n", encoding="utf-8")
    assert any("shop/tasks.json:1: no JSON" in fault for fault in verify("tau2", tmp_path / "tau2", played()).faults)


def test_a_file_that_was_changed_or_cut_after_its_export_is_not_what_its_manifest_describes(tmp_path):
    path = export("dpo", played(), tmp_path / "dpo.jsonl", about=About()).path
    assert "manifest" in verify("dpo", path, played()).checked
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))

    (fault,) = verify("dpo", path, played()).faults
    assert fault == f"{path}: dpo.jsonl is not what dpo.manifest.json describes: another SHA-256; export it anew"
    (tmp_path / "dpo.manifest.json").write_text("[]")
    assert "dpo.manifest.json is no manifest" in verify("dpo", path, played()).faults[0]


@pytest.mark.parametrize("name", ["oasst", "openai", "bfcl"])
def test_a_sidecar_must_have_the_line_of_each_row(name, tmp_path):
    path = export(name, played(), tmp_path / f"{name}.jsonl").path
    beside = sidecar_of(path)
    first, *others = beside.read_text(encoding="utf-8").splitlines()
    beside.write_text("\n".join([*others, first, first]) + "\n", encoding="utf-8")

    told = "\n".join(verify(name, path, played()).faults)
    assert f"{beside.name} has a line for which there is no row" in told
    if name != "openai":  # whose lines differ by what they weigh alone
        assert f"{path}:1: its " in told


def test_a_library_that_refuses_a_row_is_quoted_in_one_line(tmp_path, monkeypatch):
    def read(path: Path) -> Iterator[tuple[int, str]]:
        yield 1, "no such role"
        raise ValueError("two\nlines")

    monkeypatch.setitem(LIBRARIES, "samples", Library("json", "made-up", read))
    monkeypatch.setattr(module, "installed", lambda *modules: modules == ("json",))
    found = verify("inspect", export("inspect", played(), tmp_path / "x.jsonl").path, played())

    assert found.faults == [f"{found.file}:1: made-up: no such role", f"{found.file}: made-up: ValueError: two lines"]
    assert "made-up" in found.checked


def test_another_package_called_tau2_is_not_the_benchmark_and_the_benchmark_is_named_with_its_source(
    tmp_path, monkeypatch
):
    other = tmp_path / "installed" / "tau2" / "__init__.py"
    other.parent.mkdir(parents=True)
    other.write_text("RELAXATION = 1.0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    monkeypatch.delitem(sys.modules, "tau2", raising=False)
    found = verify("tau2", foldered("tau2", tmp_path), played())

    assert found.faults == []
    assert found.unchecked == {"tau2": "tau2 @ git+https://github.com/sierra-research/tau2-bench"}


def test_without_the_consumers_libraries_it_says_what_was_not_checked(tmp_path):
    found = verify("sft", written("sft", tmp_path), played())
    assert found.unchecked == {"datasets": "tertulia[train]", "template": "tertulia[train]"}
    assert sidecar_of(Path("a/openai.parquet")) == Path("a/openai.sidecar.jsonl")
