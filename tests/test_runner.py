"""Many conversations at once: order, failures, stopping, and that concurrency changes nothing."""

import asyncio
import gc
import os
import signal
from collections import Counter
from typing import Any

import pytest

from tertulia.errors import RunInterrupted, SettingsError, StoreError, UserError
from tertulia.recipe import Recipe, RecipeCast, bundled_recipe
from tertulia.records import Conversation, EndReason, Verdict
from tertulia.running.items import Variants, plan_items
from tertulia.running.pool import Standing, play_all
from tertulia.running.reading import pairs
from tertulia.running.runner import Bench, Ensemble, ensembles
from tertulia.running.store import Store
from tertulia.scenario import Party, Scenario, Script
from tertulia.setting import Setting
from tertulia.table import Item, Table

CAST = RecipeCast(planner="p", user="u", assistant="a", colleague="c", critic="k")
RECIPE = Recipe(id="user_script", title="t", source="s", casts={"rules": CAST})


def scenario(name: str = "tiny", **fields: Any) -> Scenario:
    parties = {"customer": Party(role="user"), "agent": Party(role="assistant")}
    return Scenario(
        id=name, kind="nothing_to_do", cast=parties, script=Script(opening="Hello ${day} ${who}"), slots={"day": "x"}
    ).model_copy(update=fields)


class Double:
    """A stage that ends every conversation at once, or as `act` says."""

    recipe = RECIPE

    def __init__(self, act: Any = None) -> None:
        self.act = act
        self.open = self.most_open = 0
        self.played: list[int] = []

    def seat(self, item: Item) -> Table:
        return Table.laid(item, Setting.of(item.scenario))

    async def play(self, table: Table) -> Conversation:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await asyncio.sleep(0)
            if self.act:
                await self.act(table.item)
        finally:
            self.open -= 1
        self.played.append(table.item.index)
        table.end_reason = EndReason.GOAL_REACHED
        return table.record()


class Fixed:
    """A judge that passes conversations by their index."""

    def __init__(self, passes: Any) -> None:
        self.passes = passes

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        return Verdict(judge="fixed", passed=self.passes(talk.index))


def bench(**judges: Any) -> Bench:
    made = Bench(RECIPE)
    made.judges = {name: Fixed(passes) for name, passes in judges.items()}
    made.gates = tuple(judges)
    return made


async def played(folder: Any, stage: Double, n: int, concurrency: int = 8, judges: Bench | None = None) -> Standing:
    scenarios = [scenario("one"), scenario("two", vary={"slots.day": ("mon", "tue", "wed")})]
    with Store(folder, {"settings": {"n": n}}) as store:
        there = store.finished()
        standing = Standing(total=n, kept=len(there))
        players = {"user_script": Ensemble(stage, judges or bench())}
        items = plan_items(scenarios, n, 7, 0.0, there)
        async with asyncio.timeout(30):
            await play_all(store, players, items, standing, concurrency)
    return standing


def kept(folder: Any) -> list[Conversation]:
    with Store(folder) as store:
        return list(store.conversations())


async def test_concurrency_changes_no_conversation(tmp_path):
    for concurrency in (1, 3, 50):
        await played(tmp_path / str(concurrency), Double(), 40, concurrency)

    first = kept(tmp_path / "1")
    assert len(first) == 40
    assert kept(tmp_path / "3") == first
    assert kept(tmp_path / "50") == first


async def test_no_more_than_concurrency_are_open_and_all_of_them_are_used(tmp_path):
    stage = Double()
    await played(tmp_path, stage, 40, concurrency=5)

    assert stage.most_open == 5


async def test_what_is_there_is_not_played_again(tmp_path):
    await played(tmp_path, Double(), 20)
    with Store(tmp_path, {"settings": {"n": 20}}) as store:
        store.database.execute("DELETE FROM conversations WHERE place IN (3, 11)")
    stage = Double()
    standing = await played(tmp_path, stage, 20)

    assert sorted(stage.played) == [3, 11]
    assert (standing.kept, standing.done) == (18, 20)
    assert [talk.index for talk in kept(tmp_path)] == list(range(20))


async def test_a_part_that_raises_fails_its_own_conversation_only(tmp_path):
    async def act(item: Item) -> None:
        if item.index == 4:
            raise ZeroDivisionError("the part has a bug")

    standing = await played(tmp_path, Double(act), 10)
    talks = kept(tmp_path)

    assert [talk.index for talk in talks if talk.end_reason is EndReason.FAILED] == [4]
    assert "ZeroDivisionError: the part has a bug" in talks[4].error
    assert talks[4].rejected_by == "failed"
    assert standing.rejected == Counter({"failed": 1})


async def test_a_choice_that_cannot_be_settled_fails_its_own_conversation_only(tmp_path):
    empty = {"slots.day": ("", "mon"), "slots.who": ("", "ana")}
    varied = scenario(script=Script(opening="${day}${who}"), slots={"day": "x", "who": "y"}, vary=empty)
    with Store(tmp_path / "run", {"settings": {}}) as store:
        store.keep_scenarios([varied])
        standing = Standing(total=12)
        items = plan_items([varied], 12, 7, 0.0)
        await play_all(store, {"user_script": Ensemble(Double(), bench())}, items, standing, 3)
        given = list(pairs(store))

    failed = [talk for _, talk in given if talk.end_reason is EndReason.FAILED]
    assert failed
    assert all(talk.variant == {"slots.day": "", "slots.who": ""} and not talk.turns for talk in failed)
    assert "scenario 'tiny' cannot be played with {'slots.day': '', 'slots.who': ''}" in failed[0].error
    assert standing.rejected == Counter({"failed": len(failed)})
    assert standing.accepted == 12 - len(failed)


async def test_a_world_that_does_not_open_fails_its_own_conversation_only(tmp_path):
    class Closed(Double):
        def seat(self, item: Item) -> Table:
            if item.index == 4:
                raise OSError("the world's data are gone")
            return super().seat(item)

    standing = await played(tmp_path, Closed(), 10)
    talks = kept(tmp_path)

    assert standing.done == 10
    assert [talk.index for talk in talks if talk.end_reason is EndReason.FAILED] == [4]
    assert "OSError: the world's data are gone" in talks[4].error
    assert (talks[4].roles, talks[4].rejected_by) == ({"customer": "user", "agent": "assistant"}, "failed")


async def test_a_judge_that_raises_rejects_the_conversation_and_keeps_it(tmp_path):
    def passes(index: int) -> bool:
        return 1 // index > 5

    await played(tmp_path, Double(), 2, judges=bench(success=passes))
    talks = kept(tmp_path)

    assert [talk.rejected_by for talk in talks] == ["failed", "success"]
    assert talks[0].end_reason is EndReason.GOAL_REACHED
    assert "ZeroDivisionError" in talks[0].error


async def test_the_first_gate_that_fails_is_the_cause(tmp_path):
    await played(tmp_path, Double(), 6, judges=bench(leaks=lambda i: i % 2 == 0, success=lambda i: i % 3 == 0))

    assert [talk.rejected_by for talk in kept(tmp_path)] == ["", "leaks", "success", "leaks", "success", "leaks"]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (EndReason.REJECTED, "revisions_spent"),
        (EndReason.MODEL_FAILURE, "model_failure"),
        (EndReason.PARSE_FAILURE, "parse_failure"),
    ],
)
def test_a_spoilt_end_is_the_cause_whatever_the_judges_say(talk, reason, cause):
    made = bench(success=lambda index: True)

    assert made.cause(talk(end_reason=reason), (Verdict(judge="success", passed=False),)) == cause


async def test_what_is_loaded_is_out_of_the_collectors_sight_while_a_run_plays(tmp_path):
    frozen = []

    async def act(item: Item) -> None:
        frozen.append(gc.get_freeze_count())

    await played(tmp_path, Double(act), 3)

    assert min(frozen) > 1000
    assert gc.get_freeze_count() == 0


async def test_a_store_that_fails_ends_the_run(tmp_path):
    class Full(Store):
        def add(self, talk: Conversation) -> None:
            raise StoreError("disk full")

    with Full(tmp_path, {"settings": {}}) as store:
        players = {"user_script": Ensemble(Double(), bench())}
        items = plan_items([scenario()], 30, 1, 0.0)
        with pytest.raises(StoreError, match="disk full"):
            await play_all(store, players, items, Standing(total=30), 4)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
async def test_a_signal_keeps_what_has_finished_and_the_rest_is_played_later(tmp_path, name):
    async def act(item: Item) -> None:
        if item.index == 12:
            os.kill(os.getpid(), getattr(signal, name))
            await asyncio.sleep(0)

    with pytest.raises(RunInterrupted, match="of 1000 conversations are kept"):
        await played(tmp_path, Double(act), 1000)
    some = {talk.index for talk in kept(tmp_path)}
    assert 10 < len(some) < 1000

    standing = await played(tmp_path, Double(), 1000)
    assert standing.kept == len(some)
    assert [talk.index for talk in kept(tmp_path)] == list(range(1000))


async def test_a_stopped_run_does_not_wait_for_what_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr("tertulia.running.pool.GRACE", 0.05)

    async def act(item: Item) -> None:
        if item.index == 1:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

    with pytest.raises(RunInterrupted):
        await played(tmp_path, Double(act), 50, concurrency=4)
    assert 1 not in {talk.index for talk in kept(tmp_path)}


async def test_progress_is_told_at_the_end_at_least(tmp_path):
    seen = []
    with Store(tmp_path, {"settings": {}}) as store:
        players = {"user_script": Ensemble(Double(), bench())}
        items = plan_items([scenario()], 5, 1, 0.0)
        await play_all(store, players, items, Standing(total=5), 2, lambda standing: seen.append(standing.done))

    assert seen[-1] == 5


def test_scenarios_take_turns_and_their_grids_stay_balanced():
    scenarios = [scenario("one"), scenario("two", vary={"slots.day": ("mon", "tue", "wed")})]
    items = list(plan_items(scenarios, 24, 5, 0.25))

    assert Counter(item.scenario.id for item in items) == {"one": 12, "two": 12}
    assert Counter(item.choice["slots.day"] for item in items if item.choice) == {"mon": 4, "tue": 4, "wed": 4}
    assert items[17].id == "two-000017"
    assert {item.slips for item in items} == {0.25}
    assert len({item.seed for item in items}) == 24


def test_an_item_does_not_depend_on_what_is_skipped():
    scenarios = [scenario("one"), scenario("two", vary={"slots.day": ("mon", "tue", "wed")})]
    whole = list(plan_items(scenarios, 30, 5, 0.1))

    assert list(plan_items(scenarios, 30, 5, 0.1, skip=set(range(29)))) == whole[29:]
    assert list(plan_items(scenarios, 12, 5, 0.1)) == whole[:12]


def test_variants_are_shared_and_bounded():
    variants = Variants(most=2)
    tiny = scenario()
    first = variants.of(tiny, {"slots.day": "mon"})

    assert variants.of(tiny, {"slots.day": "mon"}) is first
    for day in ("tue", "wed", "thu"):
        variants.of(tiny, {"slots.day": day})
    assert len(variants.kept) == 2


def test_a_choice_that_cannot_be_played_names_scenario_and_choice():
    with pytest.raises(UserError, match=r"scenario 'tiny' cannot be played with {'customer.persona': \[1\]}"):
        Variants().of(scenario(), {"customer.persona": [1]})


def test_an_unknown_cast_is_refused_by_name():
    with pytest.raises(SettingsError, match=r"no cast 'rule' \(did you mean 'rules'\?\)"):
        ensembles([scenario()], "rule")


def test_every_gate_of_the_bundled_recipe_is_among_its_judges():
    recipe = bundled_recipe("user_script")

    assert set(recipe.gates) <= set(recipe.judges)
