"""Trials that share a simulator seed: what is the same in them, what differs, and what is told of it."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from evaluations import played, settings, some

from tertulia.cli import main
from tertulia.contracts import Speaker, Utterance, View
from tertulia.errors import SettingsError
from tertulia.evaluation.agents.bounds import Nothing, Oracle
from tertulia.evaluation.evaluating import evaluate, figures_of, folder_of
from tertulia.evaluation.figures import Figures, of_split
from tertulia.evaluation.statistics.passing import own_rates
from tertulia.evaluation.trials import Trial, every_trial, trial_items
from tertulia.parts import made
from tertulia.running.runs import Run
from tertulia.testing.faulty_user import FaultyUser

SIGN = "By the way, it is raining."


@dataclass(frozen=True)
class Moody:
    """Passes, or takes leave at once, as its own randomness has it."""

    oracle: Speaker

    async def speak(self, view: View) -> Utterance:
        opens = not any(message.speaker == view.name for message in view.messages)
        return await (Nothing() if opens and view.rng.random() < 0.5 else self.oracle).speak(view)


@dataclass(frozen=True)
class Superstitious:
    """Passes, unless the user begins with the sign."""

    oracle: Speaker

    async def speak(self, view: View) -> Utterance:
        warned = any(SIGN in message.text for message in view.messages)
        return await (Nothing() if warned else self.oracle).speak(view)


class Rainy:
    """The rule user, which begins every other conversation with the sign."""

    async def speak(self, view: View) -> Utterance:
        said: Utterance = await made("users", "agenda", "user").speak(view)
        opens = not any(message.speaker == view.name for message in view.messages)
        return replace(said, text=f"{said.text} {SIGN}") if opens and view.rng.random() < 0.5 else said


async def figures(agent, simulator=None, k=8, per_seed=2):
    items = some(6, "parcels")
    trials = await played(items, agent(Oracle(items.scenarios)), simulator, k, per_seed=per_seed)
    return of_trials(trials, k)


def of_trials(trials, k):
    return Figures(Path("runs/x"), "x", "dynamic", {}, trials, k=k)


# --- seeds -------------------------------------------------------------------------------------------------------


def test_so_many_trials_in_a_row_share_a_seed_and_the_agent_has_its_own_in_each():
    evalset = some(2, "parcels")
    played = list(trial_items(evalset, every_trial(2, 5), 7, per_seed=2))
    seeds = [item.seed for item in played if item.id.startswith(evalset.items[0].id)]

    assert seeds[0] == seeds[1] != seeds[2] == seeds[3] != seeds[4]  # the last group goes on with a larger k
    assert len({item.own_seed for item in played}) == 10
    assert len({item.id for item in played}) == 10


def test_with_one_trial_per_seed_trials_are_what_they_ever_were():
    evalset = some(2, "parcels")
    alone = list(trial_items(evalset, every_trial(2, 4), 7))

    assert len({item.seed for item in alone}) == 8
    assert {item.own_seed for item in alone} == {None}
    assert alone[0].seed == next(trial_items(evalset, every_trial(2, 1), 7, per_seed=3)).seed


def test_trials_that_are_played_again_have_another_seed_which_those_of_one_seed_share():
    again = list(trial_items(some(1, "parcels"), [Trial(0, 0, 0), Trial(1, 0, 0), Trial(1, 1, 0)], 7, per_seed=2))

    assert again[0].seed != again[1].seed == again[2].seed
    assert len({item.own_seed for item in again}) == 3


# --- where outcomes differ ---------------------------------------------------------------------------------------


async def test_of_an_agent_that_is_random_by_itself_all_is_the_agents():
    found = (await figures(Moody)).split
    shares = found.shares

    assert found.agent.low > 0.1
    assert found.simulator.low < 0 < found.simulator.high
    assert shares["agent"] > 0.6


async def test_of_a_simulator_that_is_random_and_an_agent_that_is_not_all_is_the_simulators():
    told = await figures(Superstitious, Rainy())
    found = told.split

    assert not told.tainted
    assert found.agent.value == 0
    assert found.simulator.low > 0.05
    assert found.shares["simulator"] > 0.8


async def test_where_seeds_are_not_shared_nothing_tells_the_two_apart():
    found = (await figures(Moody, k=4, per_seed=1)).split

    assert (found.simulator, found.agent) == (None, None)
    assert list(found.parts) == ["item", "trial"]


async def test_trials_of_one_seed_are_no_evidence_of_pass_hat_k():
    told = await figures(Superstitious, Rainy())
    every_other = [[row[nth] for nth in range(0, 8, 2)] for row in told.clean]  # the second of a seed is as the first

    assert [k for k, _ in told.passing(told.clean)] == [1, 2, 3, 4]
    for k, found in told.passing(told.clean):
        rates = own_rates(every_other, k)
        assert found.value == pytest.approx(sum(rates) / len(rates))


def test_json_keeps_an_estimate_below_zero_which_counts_as_none():
    told = of_trials([], 4)
    told.clean, told.seeds = [[1, 1, 0, 0]] * 3, [[0, 0, 1, 1]] * 3  # items are more alike than chance would have them
    variance = of_split(told.split)

    assert variance["item"]["value"] < 0
    assert variance["item"]["share"] == 0
    assert sum(part["share"] for part in variance.values()) == pytest.approx(1)


# --- folders -----------------------------------------------------------------------------------------------------


async def test_with_a_larger_k_a_seed_that_was_begun_is_gone_on_with(tmp_path):
    evalset = some(3, "parcels")
    for k in (3, 6):
        await evaluate(settings("rules", tmp_path / "a", k=k, per_seed=2), evalset=evalset)
    await evaluate(settings("rules", tmp_path / "b", k=6, per_seed=2), evalset=evalset)
    kept = [[talk.model_dump_json() for talk in Run(tmp_path / name).conversations()] for name in "ab"]

    assert kept[0] == kept[1]
    assert len(kept[0]) == 18


@pytest.mark.parametrize("mode", ["dynamic", "static"])
async def test_only_the_agent_says_other_things_in_trials_of_one_seed(tmp_path, mode):
    asked = settings("rules", tmp_path / "a", k=6, per_seed=3, mode=mode)
    folder = await evaluate(asked, evalset=some(6, "parcels").with_calls())
    said = {"user": defaultdict(set), "assistant": defaultdict(set)}
    for talk in Run(folder).conversations():
        for role, found in said.items():
            words = [turn.message.text for turn in talk.turns if talk.roles[turn.speaker] == role]
            found[talk.scenario, talk.seed].add("|".join(words))
    users = said["user"]

    assert {len(found) for found in users.values()} == {1}
    assert len({(item, *found) for (item, _), found in users.items()}) > len({item for item, _ in users})
    assert any(len(found) > 1 for found in said["assistant"].values()) == (mode == "dynamic")  # static: the record's


async def test_folders_of_other_sharing_are_kept_apart(tmp_path):
    evalset = some(2, "parcels")
    await evaluate(settings("rules", tmp_path / "a", k=2, per_seed=2), evalset=evalset)

    with pytest.raises(SettingsError, match="trials per simulator seed was 2, is 3"):
        await evaluate(settings("rules", tmp_path / "a", k=2, per_seed=3), evalset=evalset)
    with pytest.raises(SettingsError, match="trials per simulator seed was 2, is absent"):
        await evaluate(settings("rules", tmp_path / "a", k=2), evalset=evalset)
    names = {folder_of(settings("rules", k=2, per_seed=per_seed), evalset) for per_seed in (1, 2, 3)}
    assert len(names) == 3


async def test_a_tainted_seed_is_played_again_under_one_other_seed(tmp_path):
    evalset, user = some(8, "parcels"), FaultyUser(leaves=0.4, invents=0.0)
    asked = settings("rules", tmp_path / "a", k=4, per_seed=2, rerun=30)
    told = await figures_of(await evaluate(asked, simulator=user, evalset=evalset), 4)
    fates = defaultdict(set)
    for one in told.trials:
        fates[one.score.item, one.score.seed].add((one.tainted, one.score.trial.attempt))

    assert told.played_again > 4
    assert all(len(fate) == 1 for fate in fates.values())  # the simulator did the same in all trials of a seed
    assert told.seeds is not None
    again = [one for one in told.last if one.score.trial.attempt]
    of_seeds = {(one.score.item, one.score.seed) for one in again}
    assert len(of_seeds) < len(again)
    assert told.split.agent.value == 0


async def test_scores_made_again_are_split_alike(tmp_path):
    asked = settings("tertulia.testing.reference_agents:never_asks", tmp_path / "a", k=4, per_seed=2)
    folder = await evaluate(asked, evalset=some(4, "parcels"))
    first, again = [(await figures_of(folder, 4, again=again)).as_json()["variance"] for again in (False, True)]

    assert first == again
    assert list(first) == ["item", "simulator", "agent"]


COIN = """
from tertulia.evaluation.agents.bounds import Nothing
from tertulia.parts import made


class Coin:
    async def speak(self, view):
        opens = not any(message.speaker == view.name for message in view.messages)
        leaves = opens and view.rng.random() < 0.5
        return await (Nothing() if leaves else made("assistants", "form", "assistant")).speak(view)


flips = Coin()
"""


def test_the_command_tells_simulator_and_agent_apart(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("coin.py").write_text(COIN)
    words = ["evaluate", "missed-delivery", "forgotten-number", "--agent", "coin:flips", "-k", "8", "--per-seed", "2"]

    def told(*options):
        monkeypatch.setattr("sys.argv", ["tertulia", *words, "-q", "--no-floors", *options])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 0
        return capsys.readouterr().out

    variance = json.loads(told("--json").splitlines()[-1])["variance"]
    text = told()

    assert list(variance) == ["item", "simulator", "agent"]
    assert variance["agent"]["value"] > 0.1
    assert all(set(part) == {"value", "low", "high", "share"} for part in variance.values())
    assert f"trials of a seed: the agent   {variance['agent']['value']:.4f}" in text
    assert "pass^4" in text
    assert "pass^5" not in text
