"""Evaluations: what trivial agents score, who is blamed, what is kept, and what is told."""

import json
import re
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from html.parser import HTMLParser
from statistics import fmean

import pytest
from evaluations import bundled, played, settings, some

from tertulia.cli import main
from tertulia.errors import RunStopped, SettingsError
from tertulia.evaluation import sharing
from tertulia.evaluation.agents.bounds import Nothing, Oracle
from tertulia.evaluation.comparing import compare_folders
from tertulia.evaluation.evaluating import all_there, evaluate, figures_of
from tertulia.evaluation.html import page_of
from tertulia.evaluation.reading import read_trials
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.evaluation.slot_rows import slot_rows
from tertulia.evaluation.slots import slot_score
from tertulia.evaluation.trials import AGAIN, Trial, trial_of
from tertulia.models.records import BudgetSpent
from tertulia.parts import load
from tertulia.running.run_settings import RunSettings
from tertulia.running.runs import Run
from tertulia.testing import FaultServer, reference_agents
from tertulia.testing.faulty_user import FaultyUser

IN_PROCESS = sorted(set(reference_agents.DEFECTS) - {"slow", "crashes", "garbles"})


async def test_the_oracle_passes_every_bundled_item():
    evalset = bundled()

    assert [one.name for one in await played(evalset, Oracle(evalset.scenarios)) if one.cause] == []


async def test_doing_nothing_passes_only_where_nothing_is_to_be_done():
    passed = [one.score.kind for one in await played(bundled(), Nothing()) if one.score.passed]

    assert set(passed) == {"nothing_to_do"}


async def test_the_rule_user_is_faithful_to_its_script():
    found = await played(bundled("parcels"), load("assistants", "form")())

    assert [finding for one in found for finding in one.simulator] == []


@pytest.mark.parametrize("world", ["parcels", "clinic", "broadband"])
@pytest.mark.parametrize("name", IN_PROCESS)
async def test_the_first_cause_of_a_defective_agents_failures_is_its_defect(name, world):
    found = await played(bundled(world), getattr(reference_agents, name))
    causes = Counter(one.fault.what for one in found if one.cause == "agent")

    assert causes.most_common(1)[0][0] == reference_agents.DEFECTS[name]
    assert {one.cause for one in found} <= {"agent", ""}


async def test_the_simulators_faults_are_the_simulators():
    evalset, agent = bundled("parcels"), load("assistants", "form")()
    found = await played(evalset, agent, FaultyUser(), k=2)

    assert {one.cause for one in found if not one.score.passed} == {"simulator"}
    assert all(one.tainted for one in found if one.cause)
    assert any(one.tainted and one.score.passed for one in found)  # a success proves as little


async def test_a_tool_that_fails_by_itself_is_never_the_agents_fault():
    evalset = some(99, "parcels")
    items = tuple(item for item in evalset.items if item.scenario.faults)
    faults = tuple(fault.model_copy(update={"times": 20}) for fault in items[0].scenario.faults)
    broken = items[0].scenario.model_copy(update={"faults": faults})
    evalset = type(evalset)("broken", (type(items[0])(items[0].id, broken, items[0].source),))

    found = await played(evalset, load("assistants", "form")())

    assert [one.cause for one in found] == ["tool"]


async def test_where_even_the_oracle_fails_the_gold_is_at_fault(tmp_path):
    evalset = some(2, "parcels")
    folder = await evaluate(settings("none", tmp_path / "a"), evalset=evalset)
    found = await read_trials(folder, unreachable={evalset.items[0].id})

    assert [one.cause for one in found] == ["gold", "agent"]


async def test_a_limit_that_nothing_explains_is_the_limits():
    evalset = some(99, "parcels")
    item = next(item for item in evalset.items if item.source == "missed-delivery")
    short = item.scenario.model_copy(update={"limits": item.scenario.limits.model_copy(update={"turns": 2})})
    found = await played(
        type(evalset)("short", (type(item)(item.id, short, item.source),)), load("assistants", "form")()
    )

    assert [(one.cause, one.score.end_reason.value) for one in found] == [("limit", "turn_limit")]


async def test_a_judge_that_raises_is_the_judges_fault(monkeypatch):
    async def raises(self, scenario, talk):
        raise ValueError("no")

    monkeypatch.setattr(load("judges", "structure"), "judge", raises)
    found = await played(some(1, "parcels"), Nothing())

    assert [one.cause for one in found] == ["judge"]


class Buggy:
    async def speak(self, view):
        raise ValueError("no idea")


async def test_what_an_agent_raises_in_this_process_is_its_own_fault():
    (one,) = await played(some(1, "parcels"), Buggy())

    assert one.name == "agent: crashed"
    assert one.fault.text == "ValueError: no idea"
    assert not one.tainted


async def test_what_a_simulator_raises_is_the_simulators_fault():
    (one,) = await played(some(1, "parcels"), Nothing(), simulator=Buggy())

    assert (one.name, one.fault.text, one.tainted) == ("simulator", "ValueError: no idea", True)


@pytest.mark.parametrize(
    ("raises", "cause"), [("tertulia.evaluation.casting.Labelling.review", "judge"), ("tertulia.graph.answer", "tool")]
)
async def test_what_a_critic_or_a_world_raises_is_neither_the_agents_fault_nor_the_simulators(
    monkeypatch, raises, cause
):
    def raising(*told):
        raise ValueError("no idea")

    monkeypatch.setattr(raises, raising)
    whole = bundled("parcels").with_calls()
    items = replace(whole, items=whole.items[:1])
    (one,) = await played(items, Oracle(items.scenarios))

    assert (one.name, one.fault.text, one.tainted) == (cause, "ValueError: no idea", False)


def test_places_are_trials_and_attempts():
    assert Trial(0, 3, 2).place(10) == 32
    assert trial_of(2 * AGAIN + 32, 10) == Trial(2, 3, 2)


# --- folders -----------------------------------------------------------------------------------------------------


def kept(folder):
    return [talk.model_dump_json() for talk in Run(folder).conversations()]


async def test_more_trials_go_on_in_the_same_folder(tmp_path):
    evalset = some(4, "parcels")
    await evaluate(settings("rules", tmp_path / "a", k=1), evalset=evalset)
    await evaluate(settings("rules", tmp_path / "a", k=3), evalset=evalset)
    await evaluate(settings("rules", tmp_path / "b", k=3), evalset=evalset)

    assert kept(tmp_path / "a") == kept(tmp_path / "b")
    assert len(kept(tmp_path / "a")) == 12


async def test_an_evaluation_that_was_stopped_ends_as_one_that_was_not(tmp_path, monkeypatch):
    evalset, left = some(4, "parcels"), [30]

    class Tired(Oracle):
        async def speak(self, view):
            left[0] -= 1
            if left[0] < 0:
                raise BudgetSpent("enough")
            return await super().speak(view)

    @asynccontextmanager
    async def seated(told, items):
        yield Tired(items.scenarios)

    asked = settings("oracle", tmp_path / "a", k=8)
    with monkeypatch.context() as patch:
        patch.setattr(sharing, "seated", seated)
        with pytest.raises(RunStopped):
            await evaluate(asked, evalset=evalset)
    some_there = len(kept(tmp_path / "a"))
    await evaluate(asked, evalset=evalset)
    await evaluate(settings("oracle", tmp_path / "b", k=8), evalset=evalset)

    assert 0 < some_there < 32
    assert kept(tmp_path / "a") == kept(tmp_path / "b")


async def test_tainted_trials_are_played_again_within_the_budget(tmp_path):
    evalset, user = some(6, "parcels"), FaultyUser(invents=0.4, leaves=0.2)
    without = await evaluate(settings("rules", tmp_path / "a", k=2), simulator=user, evalset=evalset)
    with_some = await evaluate(settings("rules", tmp_path / "b", k=2, rerun=5), simulator=user, evalset=evalset)
    twice = await evaluate(settings("rules", tmp_path / "b", k=2, rerun=5), simulator=user, evalset=evalset)
    before, after = await figures_of(without, 2), await figures_of(with_some, 2)

    assert twice == with_some
    assert after.played_again == 5
    assert before.raw == after.raw
    assert after.set_aside < before.set_aside
    assert all(value in (True, None) for row in after.clean for value in row)


async def test_scores_are_made_again_from_what_is_kept(tmp_path, monkeypatch):
    evalset, asked = some(4, "parcels"), settings("rules", tmp_path / "a")
    folder = await evaluate(asked, evalset=evalset)
    monkeypatch.setattr("tertulia.gold.said_in", lambda text, heard: False)

    as_played, again = [await read_trials(folder, again=again) for again in (False, True)]

    assert all(one.score.success for one in as_played)
    assert "says" in {part for one in again for part in one.score.broken}
    assert all_there(asked, evalset)
    assert not all_there(settings("rules", tmp_path / "a", k=2), evalset)


async def test_evaluations_of_different_versions_are_compared_only_by_force(tmp_path):
    four, five = some(4, "parcels"), some(5, "parcels")
    one = await evaluate(settings("rules", tmp_path / "a"), evalset=four)
    other = await evaluate(settings("none", tmp_path / "b"), evalset=five)

    with pytest.raises(SettingsError, match="cannot be compared: set"):
        await compare_folders(one, other)
    found = await compare_folders(one, other, force=True)

    assert found.comparison.items == 4
    assert found.comparison.difference > 0.5
    assert found.comparison.better > 0.95


# --- static ------------------------------------------------------------------------------------------------------


async def test_static_evaluation_hides_that_an_agent_never_asks():
    evalset, agent = bundled("parcels").with_calls(), reference_agents.never_asks
    rates = [fmean([o.score.slot_f1 for o in await played(evalset, agent, static=mode)]) for mode in (True, False)]

    assert rates[0] == 1.0
    assert rates[1] < 0.9


async def test_what_the_record_calls_again_is_no_gift_to_the_agent():
    whole = bundled("parcels").with_calls()
    item = next(item for item in whole.items if item.scenario.faults)
    found = await played(type(whole)("one", (item,)), reference_agents.wrong_type, static=True)

    assert [one.name for one in found] == ["agent: wrong_type"]


async def test_the_oracle_passes_every_static_item():
    evalset = bundled("parcels").with_calls()

    assert [one.cause for one in await played(evalset, Oracle(evalset.scenarios), static=True) if one.cause] == []


async def test_static_evaluation_is_kept_as_such(tmp_path):
    evalset = bundled("parcels").with_calls()
    evalset = type(evalset)("some", evalset.items[:2])
    figures = await figures_of(await evaluate(settings("none", tmp_path / "a", mode="static"), evalset=evalset))

    assert figures.mode == "static"
    assert set(figures.fine) == {"missing_call"}


async def test_a_model_is_an_agent_and_models_play_its_users(tmp_path):
    evalset = some(3, "parcels")
    with FaultServer() as server:
        run = RunSettings.of(out=str(tmp_path / "a"), base_url=server.url, model="openai:simulator")
        asked = EvaluationSettings.of(agent="openai:agent", k=2, run=run)
        figures = await figures_of(await evaluate(asked, evalset=evalset))

    assert figures.cost["model_calls"] > 4
    assert figures.mode == "dynamic"
    assert {one.cause for one in figures.trials} == {""}


async def test_the_rows_for_agreement_score_as_the_evaluation_does(tmp_path):
    evalset = some(6, "parcels")
    folder = await evaluate(settings("none", tmp_path / "a", k=2), evalset=evalset)
    rows, figures = list(await slot_rows(folder)), await figures_of(folder)
    f1 = [slot_score(row["gold"], row["predicted"]).f1 for row in rows]

    assert len(rows) == 12
    assert {row["mode"] for row in rows} == {"dynamic"}
    assert fmean(f1) == pytest.approx(figures.slot_f1.value)


# --- what is told ------------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """The tags that are open, and the addresses that a page names."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.ids, self.tags = [], [], set(), Counter()

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags[tag] += 1
        self.ids |= {told["id"]} if "id" in told else set()
        self.links += [told[name] for name in ("href", "src") if name in told]
        if tag not in ("meta", "wbr", "rect", "path", "circle", "polygon", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()


async def test_the_page_stands_alone_and_links_to_each_failed_dialogue(tmp_path):
    folder = await evaluate(settings("none", tmp_path / "a"), evalset=some(5, "parcels"))
    figures = await figures_of(folder)
    figures.agent = "<script>alert(1)</script>"
    page, outline = page_of(figures), Outline()
    outline.feed(page)

    assert outline.open == []
    assert outline.tags["script"] == 0
    assert len({link for link in outline.links if link.startswith("#trial-")}) == len(figures.failures) > 0
    assert {f"#{name}" for name in outline.ids} >= set(outline.links)
    assert page.count("turn failing") == len(figures.failures)
    assert not re.search(r"https?://", page)


def test_the_command_prints_the_keys_that_scripts_rely_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["tertulia", "evaluate", "missed-delivery", "--agent", "none", "--json", "-q"])
    with pytest.raises(SystemExit) as left:
        main()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])

    assert left.value.code == 0
    assert told["attribution"] == {"agent": 1}
    assert told["agent_causes"] == {"stopped_early": 1}
    assert told["floors"] == {"none": 0.0, "rules": 1.0, "oracle": 1.0}
    assert set(told["pass"][0]) == {"k", "value", "low", "high"}
    assert {"agent", "items", "trials", "slot_f1", "success_rate", "set_aside", "mdd"} <= set(told)
    assert next((tmp_path / "runs").glob("eval-none-*/exports/report.html")).is_file()


def test_an_evaluation_of_which_no_trial_has_finished_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    agent = ["--agent", "openai:m", "--base-url", "http://127.0.0.1:9/v1", "--max-calls", "0"]
    monkeypatch.setattr("sys.argv", ["tertulia", "evaluate", "missed-delivery", *agent, "--json", "-q"])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr()

    assert (left.value.code, told.out) == (1, "")
    assert re.fullmatch(r"tertulia: the budget of --max-calls 0 is spent.*\n", told.err)


async def test_only_items_with_a_trial_that_counts_in_both_are_compared(tmp_path):
    """The difference is that of the two rates told beside it."""
    evalset = some(6, "parcels")
    faithless = FaultyUser(invents=0.2, leaves=0.0)
    one = await evaluate(settings("rules", tmp_path / "a"), simulator=faithless, evalset=evalset)
    other = await evaluate(settings("none", tmp_path / "b"), simulator=FaultyUser(0.0, 0.0), evalset=evalset)
    counting = [judged for judged in await read_trials(one) if not judged.tainted]
    found = await compare_folders(one, other)

    assert 2 <= len(counting) < 6
    assert found.comparison.items == len(counting)
    assert found.rates[0] - found.rates[1] == pytest.approx(found.comparison.difference)
    hopeless = await evaluate(settings("rules", tmp_path / "c"), simulator=FaultyUser(1.0, 0.0), evalset=evalset)
    with pytest.raises(SettingsError, match="needs two items with trials that count in both"):
        await compare_folders(hopeless, other)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["missed-delivery"], "name the agent with --agent"),
        (["missed-delivery", "--agent", "nobody"], "--agent 'nobody': write rules, none, oracle"),
        (["missed-delivery", "--agent", "rules", "--mode", "other"], "--mode 'other': should be 'dynamic' or 'static'"),
        (["missed-delivery", "--agent", "rules", "--role-model", "assistant=rules"], "the assistant is the agent"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path, monkeypatch, capsys, options, complaint):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["tertulia", "evaluate", *options])
    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code == 2
    assert complaint in capsys.readouterr().err
