"""So many accepted of each sort: exactly that many, the same ones however they are played, or a word on what lacks."""

import asyncio
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tertulia
from tertulia.errors import RunInterrupted, RunStopped, SettingsError, TertuliaError
from tertulia.files import bundled_scenarios, load_scenario
from tertulia.records import Conversation, EndReason
from tertulia.running.pool import Standing, play_all
from tertulia.running.quotas import Grid, Quota, Quotas
from tertulia.running.runner import Bench
from tertulia.scenario import Scenario
from tertulia.streams import number, stream
from tertulia.table import Item


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return [load_scenario(path) for path in bundled_scenarios().values()]


def tossed(seed: int) -> bool:
    """Heads or tails, for a conversation's seed."""
    return bool(number(seed, "coin") % 2)


@dataclass
class Coin:
    """Plays nothing, and accepts half of it; takes its turns with others in an order drawn by seed."""

    order: int = 0
    folder: Path = Path()

    async def finished(self, item: Item) -> Conversation:
        for _ in range(stream(self.order, item.index).randrange(4)):
            await asyncio.sleep(0)
        cause = "coin" if tossed(item.seed) else ""
        return Conversation(**item.heading, end_reason=EndReason.GOAL_REACHED, rejected_by=cause)


class Kept(list[Conversation]):
    """Where conversations go; a signal comes after `most` of them."""

    folder = Path()

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.stop = most, asyncio.Event()

    def add(self, talk: Conversation) -> None:
        self.append(talk)
        if len(self) == self.most:
            self.stop.set()

    def flush(self) -> None: ...
    def flush_if_due(self) -> None: ...


async def played(
    scenarios: list[Scenario], quota: str, order: int = 0, concurrency: int = 16, stop_at: int = 0, **more: Any
) -> Any:
    wanted = Quota.of(quota)
    quotas = Quotas(Grid(scenarios, wanted, seed=3, slips=0.0), wanted.accepted, more.pop("finished", {}), **more)
    kept, standing = Kept(stop_at), Standing(total=quotas.missing)
    players: Any = dict.fromkeys({scenario.recipe for scenario in scenarios}, Coin(order))
    with pytest.raises(RunInterrupted) if stop_at else nullcontext():
        await play_all(kept, players, quotas, standing, concurrency, stop=kept.stop)
    return SimpleNamespace(quotas=quotas, kept=kept, standing=standing)


def accepted(found: Any) -> Counter[str]:
    """By cell."""
    cells = found.quotas.cells
    return Counter(cells[talk.index % len(cells)].name for talk in found.kept if talk.accepted)


async def test_forty_accepted_per_principle_per_world_are_exactly_that(scenarios):
    found = await played(scenarios, "principles,world=40")

    cells = {f"{p if isinstance(p, str) else p.id} / {s.world}" for s in scenarios for p in s.principles}
    assert accepted(found) == dict.fromkeys(cells, 40)
    assert len(cells) > 60
    assert 1.8 < len(found.kept) / (40 * len(cells)) < 2.2
    assert found.quotas.unmet == {}
    assert found.standing.done == found.standing.total == len(found.kept)


async def test_each_conversation_is_played_for_a_cell_in_which_its_scenario_stands(scenarios):
    found = await played(scenarios, "principles,world=3")

    by_id, cells = {scenario.id: scenario for scenario in scenarios}, found.quotas.cells
    wanted = Quota.of("principles,world=3")
    assert all(cells[talk.index % len(cells)].name in wanted.cells(by_id[talk.scenario]) for talk in found.kept)
    assert len({talk.index for talk in found.kept}) == len(found.kept)


@pytest.mark.parametrize(("order", "concurrency"), [(1, 1), (2, 64), (3, 5)])
async def test_the_order_in_which_conversations_end_changes_nothing(scenarios, order, concurrency):
    one = await played(scenarios, "kind,world=5")
    other = await played(scenarios, "kind,world=5", order, concurrency)

    assert {talk.index: talk.accepted for talk in one.kept} == {talk.index: talk.accepted for talk in other.kept}


async def test_a_run_that_was_stopped_goes_on_to_the_same_end(scenarios):
    whole = await played(scenarios, "kind,world=5")
    some = await played(scenarios, "kind,world=5", order=4, stop_at=100)
    there = {talk.index: talk.accepted for talk in some.kept}
    rest = await played(scenarios, "kind,world=5", finished=there)

    assert 100 <= len(there) < len(whole.kept)
    assert {talk.index: talk.accepted for talk in rest.kept} | there == {t.index: t.accepted for t in whole.kept}


async def test_what_cannot_be_met_ends_with_the_most_that_may_be_played(scenarios):
    found = await played(scenarios, "world=40", most=90)

    assert len(found.kept) == 90
    assert found.quotas.unmet == accepted(found)
    assert set(found.quotas.unmet) == {"broadband", "clinic", "parcels"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("world", "expected FIELD"),
        ("world=0", "expected FIELD"),
        ("wrld=3", r"'wrld' is not known before playing \(did you mean 'world'\?\)"),
        ("end_reason=3", "'end_reason' is not known before playing"),
    ],
)
def test_a_quota_that_cannot_be_read_is_named(text, message):
    with pytest.raises(SettingsError, match=message):
        Quota.of(text)


def test_a_real_run_rejected_half_of_the_time_ends_with_exactly_that(tmp_path, monkeypatch):
    def coin(self: Bench, talk: Conversation, verdicts: Any) -> str:
        return "coin" if tossed(talk.seed) else ""

    monkeypatch.setattr(Bench, "cause", coin)
    run = tertulia.run("parcels", quota="kind=3", out=tmp_path / "run", slips=0.0)

    cells = sorted({load_scenario(path).kind for path in bundled_scenarios().values() if "parcels" in str(path)})
    found = Counter(cells[talk.index % len(cells)] for talk in run.conversations(accepted_only=True))
    assert found == dict.fromkeys(cells, 3)
    assert run.summary.rejected["coin"] > len(cells)
    assert run.unfinished == ""
    again = tertulia.run("parcels", quota="kind=3", out=tmp_path / "run", slips=0.0)
    assert again.summary == run.summary


def test_a_quota_that_is_not_met_is_told_and_a_larger_bound_goes_on(tmp_path, monkeypatch):
    def coin(self: Bench, talk: Conversation, verdicts: Any) -> str:
        return "coin" if tossed(talk.seed) else ""

    seed = next(s for s in range(20) if tossed(number(s, "conversation", 0)))
    monkeypatch.setattr(Bench, "cause", coin)
    with pytest.raises(RunStopped, match=r"the quota of 2 is not met by 1 of 1 after 2 conversations each: clinic \d"):
        tertulia.run("clinic", quota="world=2", n=2, seed=seed, out=tmp_path / "run", slips=0.0)
    run = tertulia.run("clinic", quota="world=2", n=20, seed=seed, out=tmp_path / "run", slips=0.0)

    assert run.summary.accepted == 2


HALF = """id: half
rules:
  - keep: accepted
  - reject: size.tokens.total > 350
    because: long
"""


def test_several_processes_end_with_the_same_exports_and_what_criteria_reject_does_not_count(tmp_path):
    (tmp_path / "half.yaml").write_text(HALF)
    for workers in (1, 2):
        run = tertulia.run(
            "clinic",
            quota="world=4",
            criteria=str(tmp_path / "half.yaml"),
            workers=workers,
            slips=0.5,
            out=tmp_path / str(workers),
        )
    one, two = (sorted((tmp_path / name / "exports").rglob("*")) for name in "12")

    assert [path.name for path in one] == [path.name for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    talks = list(run.conversations())
    tokens = [next(v.detail["tokens"]["total"] for v in talk.verdicts if v.judge == "size") for talk in talks]
    causes = {talk.rejected_by for talk in talks}
    assert causes > {"", "long"}
    assert all(
        (total <= 350) == talk.accepted
        for total, talk in zip(tokens, talks, strict=True)
        if talk.rejected_by in ("", "long")
    )
    assert run.summary.accepted == 4
    before = run.summary.rejected
    assert run.judge().rejected == before


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("keep: acepted", r"half\.yaml:3:11: .*'acepted' is neither a field nor a judge"),
        ("reject: opening > 3", r"half\.yaml:3:13: .* \(in .*-00000\d\)"),
        ("reject: rubric.score < 3", "rubric"),
    ],
)
def test_a_rule_that_no_run_can_have_as_a_gate_is_named_at_its_place(tmp_path, rule, message):
    (tmp_path / "half.yaml").write_text(f"id: half\nrules:\n  - {rule}\n")

    with pytest.raises(TertuliaError, match=message):
        tertulia.run("clinic", n=2, criteria=str(tmp_path / "half.yaml"), out=tmp_path / "run")
