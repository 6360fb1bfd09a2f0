"""Evaluations by several processes: the same bytes as by one, whatever is killed, within one budget."""

import signal
import subprocess
import sys

import pytest
from evaluations import some

from tertulia.errors import RunStopped, SettingsError, UserError
from tertulia.evaluation.evaluating import evaluate, figures_of
from tertulia.evaluation.sets import read_set
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.running.run_settings import RunSettings
from tertulia.running.runs import Run
from tertulia.testing import FaultServer
from tertulia.testing.faulty_user import FaultyUser

CALLS = 25  # of the agent, until it kills
KILLER = f"""
import os, signal
from pathlib import Path

def parent(pid):
    return int(Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])

def talks(messages, tools):
    calls = Path(os.environ["CALLS"])
    with calls.open("a") as file:
        file.write(".")
    if os.environ.get("KILLS") and calls.stat().st_size == {CALLS}:
        worker = os.getppid()
        os.kill(worker if os.environ["KILLS"] == "worker" else parent(worker), signal.SIGKILL)
    said = len([message for message in messages if message["role"] == "assistant"])
    return {{"content": f"Is that all, for the time being, part {{said}}?", "done": said > 3}}
"""


def asked(agent, out, workers, **fields):
    run = RunSettings.of(out=str(out), workers=workers, concurrency=4)
    return EvaluationSettings.of(sets=("parcels",), agent=agent, run=run, **fields)


def kept(folder):
    return [talk.model_dump_json() for talk in Run(folder).conversations()]


@pytest.fixture
def killer(tmp_path, monkeypatch):
    """Says whom the agent `killer:talks` kills, if anybody."""
    (tmp_path / "killer.py").write_text(KILLER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))

    def kills(whom):
        (tmp_path / "calls").write_text("")
        monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
        monkeypatch.setenv("KILLS", whom)

    kills("")
    return kills


async def test_several_processes_give_the_bytes_of_one_with_trials_that_are_played_again(tmp_path):
    evalset, user = some(5, "parcels"), FaultyUser(invents=0.4, leaves=0.2)
    one = await evaluate(asked("rules", tmp_path / "one", 1, k=2, rerun=2), simulator=user, evalset=evalset)
    two = await evaluate(asked("rules", tmp_path / "two", 2, k=2, rerun=2), simulator=user, evalset=evalset)

    assert kept(two) == kept(one)
    first, other = (await figures_of(one)).as_json(), (await figures_of(two)).as_json()
    assert first["played_again"] == 2
    assert other | {"folder": ""} == first | {"folder": ""}


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
async def test_a_worker_or_a_driver_that_is_killed_costs_nothing_that_was_kept(killer, tmp_path):
    evalset = read_set(["missed-delivery"], variants=4)
    whole = await evaluate(asked("killer:talks", tmp_path / "whole", 1, k=3), evalset=evalset)

    killer("worker")
    with pytest.raises(UserError, match="a worker process died"):
        await evaluate(asked("killer:talks", tmp_path / "one", 2, k=3), evalset=evalset)
    killer("driver")
    options = ["--agent", "killer:talks", "-k", "3", "--workers", "2", "--concurrency", "4", "-q", "--no-floors"]
    command = [sys.executable, "-m", "tertulia", "evaluate", "missed-delivery", "--variants", "4", *options]
    killed = subprocess.run([*command, "--out", str(tmp_path / "two")], capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL

    killer("")
    for folder in (tmp_path / "one", tmp_path / "two"):
        before = kept(folder)
        await evaluate(asked("killer:talks", folder, 1, k=3), evalset=evalset)
        assert set(before) <= set(kept(folder))
        assert kept(folder) == kept(whole)


async def test_several_processes_share_one_budget_to_the_call(tmp_path):
    evalset = some(3, "parcels")
    with FaultServer() as server:
        told = {"out": str(tmp_path / "a"), "base_url": server.url, "model": "openai:simulator", "workers": 2}
        settings = EvaluationSettings.of(agent="openai:agent", k=2, run=RunSettings.of(**told, max_calls=9))
        with pytest.raises(RunStopped, match="--max-calls 9 is spent"):
            await evaluate(settings, evalset=evalset)
        assert server.tally.asked.total() == 9
        more = EvaluationSettings.of(agent="openai:agent", k=2, run=RunSettings.of(**told))
        several = await evaluate(more, evalset=evalset)
        alone = RunSettings.of(**told | {"out": str(tmp_path / "b"), "workers": 1})
        one = await evaluate(EvaluationSettings.of(agent="openai:agent", k=2, run=alone), evalset=evalset)

    assert kept(several) == kept(one)


async def test_an_agent_that_cannot_be_loaded_is_told_by_the_driver(tmp_path):
    with pytest.raises((SettingsError, UserError), match="cannot be loaded: it ended with status 1"):
        await evaluate(asked("no_such_module:agent", tmp_path / "a", 2), evalset=some(3, "parcels"))
