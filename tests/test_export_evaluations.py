"""Evaluation items in the formats of others: each read by the library that reads it, the losses told to the field."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tertulia.corpus.alike.contamination import evaluation_items
from tertulia.errors import TertuliaError, UserError
from tertulia.evaluation.sets import read_set
from tertulia.export import export
from tertulia.exporters.bfcl import Bfcl
from tertulia.exporters.deepeval import Deepeval
from tertulia.exporters.tau2 import CARRIED, OPENS_WITH, Tau2
from tertulia.exporting.items import Items, unsaid
from tertulia.files import bundled_scenarios, load_scenario
from tertulia.graph import Item, Stage
from tertulia.importing import Asked, bring_in
from tertulia.permissions import allowing
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation, EndReason
from tertulia.scenario import Scenario
from tertulia.streams import number
from tertulia.variation import settle

FORMATS = ["tau2", "bfcl", "inspect", "deepeval", "adk", "openevals"]
END = EndReason.GOAL_REACHED
NAMES = sorted(bundled_scenarios())


def settled(name: str) -> Scenario:
    return settle(load_scenario(bundled_scenarios()[name]), {})


def talk_of(scenario: Scenario) -> Conversation:
    """A conversation of nothing: the formats of items look at its scenario alone."""
    roles = {name: party.role for name, party in scenario.cast.items()}
    return Conversation(id=f"{scenario.id}-0", scenario=scenario.id, index=0, seed=0, roles=roles, end_reason=END)


@pytest.fixture(scope="module")
def played() -> list[tuple[Scenario, Conversation]]:
    stage, pairs = Stage(bundled_recipe("user_script")), []
    for name in ("another-day", "broken-in-the-box", "restart-then-reset"):
        scenario = settled(name)
        item = Item(0, name, scenario, {}, number(7, name), 0.0)
        pairs.append((scenario, asyncio.run(stage.play(stage.seat(item)))))
    return pairs


# --- what is carried ---------------------------------------------------------------------------------------------


def test_a_scenario_goes_out_once_and_its_variants_are_numbered() -> None:
    items, one = Items(), settled("another-day")
    other = one.model_copy(update={"title": "Another"})

    assert [items.name(scenario, talk_of(scenario)) for scenario in (one, one, other)] == [
        "another-day",
        "",
        "another-day-2",
    ]


def test_a_field_is_unsaid_when_it_is_set_and_not_carried() -> None:
    scenario = settled("keep-it-after-all")

    assert "script.wants.change" in unsaid(scenario, CARRIED)
    assert "script.wants.change" not in unsaid(scenario, [*CARRIED, "script.wants.change"])
    assert "private" not in unsaid(scenario, CARRIED)  # it has its default


# --- our own, in both versions ---------------------------------------------------------------------------------


def as_version_1(path: Path) -> Path:
    """The same items as they were written before scenario and gold were JSON texts."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    older = [row | {"version": 1} | {name: json.loads(row[name]) for name in ("scenario", "gold")} for row in rows]
    made = path.with_name("older.jsonl")
    made.write_text("".join(json.dumps(row) + "\n" for row in older))
    return made


def test_items_of_both_versions_are_read_alike_by_all_who_read_them(tmp_path: Path) -> None:
    pairs = [(scenario := settled(name), talk_of(scenario)) for name in NAMES[:6]]
    newer = export("evalset", pairs, tmp_path / "newer.jsonl").path
    older = as_version_1(newer)

    assert all(isinstance(json.loads(line)["scenario"], str) for line in newer.read_text().splitlines())
    assert read_set([str(older)]).items == read_set([str(newer)]).items
    texts = [[(name, text) for _, name, text in evaluation_items(path)] for path in (older, newer)]
    assert texts[0] == texts[1]
    for path in (older, newer):
        bring_in("evalset", Asked(path), tmp_path / path.stem)
    for name in NAMES[:6]:
        assert load_scenario(tmp_path / "older" / f"{name}.yaml") == load_scenario(tmp_path / "newer" / f"{name}.yaml")


@pytest.mark.parametrize("read", [lambda path: read_set([str(path)]), lambda path: list(evaluation_items(path))])
def test_an_item_whose_text_is_no_json_is_named_with_its_line(read: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"version": 2, "id": "x", "scenario": "{", "gold": "{}"}) + "\n")

    with pytest.raises(TertuliaError, match=r"set.jsonl:1(:1)?: .* no JSON"):
        read(path)
    with pytest.raises(UserError, match=r"set.jsonl:1: .* no JSON"):
        bring_in("evalset", Asked(path), tmp_path / "back")


# --- tau2 and back -----------------------------------------------------------------------------------------------


def flat(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a record by path; places in lists and names of parties are left out."""
    for name in type(value).model_fields:
        inner, path = getattr(value, name), f"{at}.{name}" if at else name
        many = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, tuple) else (inner,)
        if any(isinstance(one, BaseModel) for one in many):
            for one in many:
                if isinstance(one, BaseModel):
                    yield from flat(one, path)
        else:
            yield path, inner


def said_by(scenario: Scenario) -> dict[str, list[Any]]:
    """A scenario as paths and values: user and assistant alone, calls by role, secrets apart."""
    user = scenario.cast[scenario.user]
    wants = [want for want in scenario.script.wants if want.due]
    wants = [w.model_copy(update={"args": w.gold, "by": "user" if w.by == scenario.user else ""}) for w in wants]
    knows = {k: v for k, v in user.knows.items() if k not in (*user.secret, "task_instructions")}
    cast = {"user": user.model_copy(update={"knows": knows, "secret": ()})}
    plain = scenario.model_copy(
        update={"cast": cast, "script": scenario.script.model_copy(update={"wants": tuple(wants), "of": ""})}
    )
    found: dict[str, list[Any]] = {}
    for path, value in flat(plain):
        found.setdefault(path, []).append(value)
    return found


def within(path: str, whole: str) -> bool:
    return path == whole or path.startswith(f"{whole}.")


# Lost, and yet no difference: what an import makes of the rest (kind, limits, state), and what `said_by` sets apart
# (secrets, wants that are refused or taken back, what colleagues decide).
MADE_ANEW = {"kind", "limits", "success.state"}
MADE_ANEW |= {"cast.secret", "script.wants.outcome", "script.wants.change", "cast.decides"}
GAINED = {"limits.turns", "limits.tool_calls", "success.nothing_else"}  # what an import sets


@pytest.mark.parametrize("name", NAMES)
def test_an_evalset_comes_back_whole_and_tau2_with_what_was_lost_alone(name: str, tmp_path: Path) -> None:
    bundled = settled(name)
    export("evalset", [(bundled, talk_of(bundled))], tmp_path / "set.jsonl")
    bring_in("evalset", Asked(tmp_path / "set.jsonl"), tmp_path / "whole")
    scenario = load_scenario(tmp_path / "whole" / f"{name}.yaml")
    assert scenario == bundled

    report = export("tau2", [(scenario, talk_of(scenario))], tmp_path / "tau2")
    bring_in("tau2", Asked(tmp_path / "tau2" / str(scenario.world)), tmp_path / "back")
    back = load_scenario(tmp_path / "back" / f"{name}.yaml")

    before, after = said_by(scenario), said_by(back)
    differing = {path for path in before | after if before.get(path) != after.get(path)} - GAINED
    lost = {what for what in report.lost if " (" not in what}  # the others are about other parties
    assert {path for path in differing if not any(within(path, one) for one in lost)} == set()
    assert {one for one in lost if not any(within(path, one) for path in differing)} <= MADE_ANEW
    for kept in ("id", "title", "world", "script.opening", "script.wants.call", "script.wants.args", "success.says"):
        assert kept not in lost
        assert before.get(kept) == after.get(kept)


def test_what_tau2_says_in_words_alone_is_told_to_the_user_and_counted() -> None:
    scenario, exporter = settled("keep-it-after-all"), Tau2()
    (task, policy, db) = exporter.rows(scenario, talk_of(scenario))

    told = task["row"]["user_scenario"]["instructions"]["task_instructions"].splitlines()
    assert told[0] == OPENS_WITH + scenario.script.opening
    assert any(line.startswith("When asked to confirm") for line in told)
    assert exporter.lost["script.wants.change"] == 1
    assert (policy["file"], db["file"]) == ("parcels/policy.md", "parcels/db.json")


def test_a_folder_that_exists_is_kept_without_force_and_its_other_files_with_it(tmp_path: Path) -> None:
    pairs = [(scenario := settled("another-day"), talk_of(scenario))]
    export("tau2", pairs, tmp_path / "out")
    (tmp_path / "out" / "mine.txt").write_text("mine")

    with pytest.raises(UserError, match="to overwrite its files, give --force"):
        export("tau2", pairs, tmp_path / "out")
    export("tau2", pairs, tmp_path / "out", force=True)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_an_export_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    broken = settled("another-day").model_copy(update={"world": "no-such-world"})

    with pytest.raises(UserError, match="no world is called"):
        export("tau2", [(broken, talk_of(broken))], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# --- bfcl --------------------------------------------------------------------------------------------------------


def test_a_bfcl_turn_holds_all_values_of_its_calls_and_a_refused_want_is_an_abstain_turn() -> None:
    exporter = Bfcl()
    moved, refused = settled("another-day"), settled("already-delivered")
    (entry,) = exporter.rows(moved, talk_of(moved))
    (answer,) = exporter.sidecar(moved, talk_of(moved))
    (abstain,) = exporter.sidecar(refused, talk_of(refused))

    assert answer["ground_truth"] == [["reschedule_delivery(order='A1041', day='friday')"]]
    assert "friday" in entry["question"][0][0]["content"]
    assert abstain["ground_truth"] == [[]]


# --- read by their own libraries ---------------------------------------------------------------------------------


def written(format_name: str, played: list[tuple[Scenario, Conversation]], folder: Path) -> Path:
    return export(format_name, played, folder / f"{format_name}.jsonl").path


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_row_is_json_and_its_losses_are_counted(
    format_name: str, played: list[tuple[Scenario, Conversation]], tmp_path: Path
) -> None:
    report = export(format_name, played, tmp_path / f"{format_name}.jsonl")

    assert report.rows == len(played)
    assert report.failed == {}
    assert all(count > 0 for count in report.lost.values())


def test_tau2_reads_its_tasks(played: list[tuple[Scenario, Conversation]], tmp_path: Path) -> None:
    tasks = pytest.importorskip("tau2.data_model.tasks")
    folder = written("tau2", played, tmp_path)

    rows = [row for file in folder.glob("*/tasks.json") for row in json.loads(file.read_text())]
    read = [tasks.Task.model_validate(row) for row in rows]
    assert sorted(task.id for task in read) == sorted(scenario.id for scenario, _ in played)
    assert all(task.evaluation_criteria.actions for task in read)


def test_inspect_reads_its_samples(played: list[tuple[Scenario, Conversation]], tmp_path: Path) -> None:
    dataset = pytest.importorskip("inspect_ai.dataset")
    samples = list(dataset.json_dataset(str(written("inspect", played, tmp_path))))

    assert [sample.id for sample in samples] == [scenario.id for scenario, _ in played]
    assert [sample.input[-1].text for sample in samples] == [scenario.script.opening for scenario, _ in played]
    assert Scenario.model_validate(samples[0].metadata["scenario"]) == played[0][0]


def test_deepeval_reads_its_goldens(played: list[tuple[Scenario, Conversation]], tmp_path: Path) -> None:
    pytest.importorskip("deepeval")
    dataset = pytest.importorskip("deepeval.dataset").EvaluationDataset()
    dataset.add_goldens_from_jsonl_file(str(written("deepeval", played, tmp_path)))

    assert [golden.name for golden in dataset.goldens] == [scenario.id for scenario, _ in played]
    assert [golden.turns[0].content for golden in dataset.goldens] == [s.script.opening for s, _ in played]
    assert [golden.user_description for golden in dataset.goldens] == [s.cast[s.user].persona for s, _ in played]


def test_adk_reads_its_evaluation_set(played: list[tuple[Scenario, Conversation]], tmp_path: Path) -> None:
    eval_set = pytest.importorskip("google.adk.evaluation.eval_set")
    text = (written("adk", played, tmp_path) / "tertulia.evalset.json").read_text()
    read = eval_set.EvalSet.model_validate_json(text)

    assert [case.eval_id for case in read.eval_cases] == [scenario.id for scenario, _ in played]
    starts = [case.conversation_scenario.starting_prompt for case in read.eval_cases]
    assert starts == [scenario.script.opening for scenario, _ in played]


def test_bfcl_plays_its_answers_on_its_own_classes_and_finds_them_right(tmp_path: Path) -> None:
    checker = pytest.importorskip("bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker")
    home = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code.ticket_api:TicketAPI"
    wants = [
        {"call": "ticket_login", "with": {"username": "ada", "password": "pw"}},
        {"call": "create_ticket", "with": {"title": "Torn seat", "priority": 2}, "say": "Open a ticket: Torn seat, 2."},
    ]
    raw: dict[str, Any] = settled("another-day").model_dump(mode="json", exclude_defaults=True, by_alias=True)
    raw |= {"kind": "multi_call", "world": {"classes": {"of": [home], "data": {"ticket_counter": 1}}}}
    raw |= {"script": {"opening": "Log me in as ada with pw.", "wants": wants}, "success": {}, "principles": []}
    with allowing(code=True):
        scenario = Scenario.model_validate(raw)
        path = export("bfcl", [(scenario, talk_of(scenario))], tmp_path / "bfcl.jsonl").path
    entry = json.loads(path.read_text())
    answers = json.loads((tmp_path / "bfcl.sidecar.jsonl").read_text())["ground_truth"]

    def said(turns: list[list[str]], model: str) -> Any:
        steps = [[calls] for calls in turns]
        return checker.multi_turn_checker(steps, answers, entry, "multi_turn_base", model)["valid"]

    assert said(answers, "right") is True
    assert said([answers[0], ["create_ticket(title='Torn seat', priority=3)"]], "wrong") is False


def test_openevals_scores_its_trajectories(played: list[tuple[Scenario, Conversation]], tmp_path: Path) -> None:
    match = pytest.importorskip("openevals.trajectory.match")
    rows = [json.loads(line) for line in written("openevals", played, tmp_path).read_text().splitlines()]

    for row in rows:
        judge = match.create_trajectory_match_evaluator(trajectory_match_mode="superset")
        assert judge(outputs=row["trajectory"], reference_outputs=row["reference_trajectory"])["score"] is True
        nothing = [message for message in row["trajectory"] if not message.get("tool_calls")]
        assert judge(outputs=nothing, reference_outputs=row["reference_trajectory"])["score"] is False


def test_agentevals_scores_its_trajectories(played: list[tuple[Scenario, Conversation]], tmp_path: Path) -> None:
    match = pytest.importorskip("agentevals.trajectory.match")
    rows = [json.loads(line) for line in written("openevals", played, tmp_path).read_text().splitlines()]

    for row in rows:
        judge = match.create_trajectory_match_evaluator(trajectory_match_mode="superset")
        score = judge(outputs=row["trajectory"], reference_outputs=row["reference_trajectory"])
        assert score["score"] is True, row["metadata"]


def test_deepeval_goldens_come_back_with_persona_and_opening(tmp_path: Path) -> None:
    scenario = settled("another-day")
    export("deepeval", [(scenario, talk_of(scenario))], tmp_path / "goldens.jsonl")
    report = bring_in("deepeval", Asked(tmp_path / "goldens.jsonl"), tmp_path / "back")
    back = load_scenario(tmp_path / "back" / f"{report.scenarios[0]}.yaml")

    assert back.script.opening == scenario.script.opening
    assert back.cast["user"].persona == scenario.cast["customer"].persona
    assert {one.what for one in report.lost} == {"expected_outcome", "additional_metadata"}
    assert Deepeval().lost == {}
