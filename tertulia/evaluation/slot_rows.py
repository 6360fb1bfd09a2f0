"""The slots of every trial as rows for `tertulia agreement`, which holds static and dynamic scores against people's.

A row is `{"item", "agent", "mode", "trial", "gold", "predicted"}`. A slot is one argument of one gold call, named
`NTH.TOOL.ARGUMENT`; each gold call is aligned with the most similar call of its tool that worked, and what else was
changed has names of its own. `predicted` is null for a dialogue that failed. What is set aside gives no row.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tertulia.evaluation.causes.blame import Judged
from tertulia.evaluation.reading import last_attempts, manifest_in, read_trials
from tertulia.gold import Made, calls_that_worked, comparable, counts, gold_of
from tertulia.records import Conversation
from tertulia.running.store import Store
from tertulia.setting import Settings
from tertulia.world import World

__all__ = ["slot_rows"]


async def slot_rows(folder: Path, k: int = 0) -> Iterator[dict[str, Any]]:
    """A row for each trial of an evaluation that counts, the last attempt at each."""
    told = manifest_in(folder)["settings"]
    trials = await read_trials(folder, k)
    return rows([one for one in last_attempts(trials) if not one.tainted], folder, told)


def rows(trials: Sequence[Judged], folder: Path, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    settings = Settings()
    with Store(folder) as store:
        scenarios, items = store.scenarios(), len(store.manifest["scenarios"])
        for one in trials:
            talk = store.conversation(one.score.trial.place(items))
            if talk is None:
                continue
            scenario = scenarios[talk.scenario]
            world = settings.of(scenario).world
            wanted = [comparable(c.name, c.by, c.args, world.tools) for c in gold_of(scenario).calls]
            gold, predicted = slots_of(wanted, made_in(talk, wanted, world))
            yield {
                "item": scenario.id,
                "agent": told["agent"],
                "mode": told["mode"],
                "trial": one.score.trial.trial,
                "gold": gold,
                "predicted": None if "ended" in one.score.broken else predicted,
            }


def made_in(talk: Conversation, wanted: Sequence[Made], world: World) -> list[Made]:
    """The calls that are predictions: those that write, and those of tools that are wanted."""
    return [call for call in calls_that_worked(talk.messages, world.tools) if counts(call, wanted, world.tools)]


def slots_of(wanted: Sequence[Made], made: Sequence[Made]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The gold slots and the predicted ones, under the same names where calls are aligned."""
    gold: dict[str, Any] = {}
    predicted: dict[str, Any] = {}
    left = list(made)
    for nth, want in enumerate(wanted):
        gold |= named(f"{nth}.{want.name}", want)
        rivals = [call for call in left if (call.name, call.by) == (want.name, want.by)]
        if rivals:
            best = max(rivals, key=lambda call: len({*call.args} & {*want.args}))
            left.remove(best)
            predicted |= named(f"{nth}.{want.name}", best)
    for nth, call in enumerate(left):
        predicted |= named(f"more{nth}.{call.name}", call)
    return gold, predicted


def named(prefix: str, call: Made) -> dict[str, Any]:
    return {f"{prefix}.{key}": json.loads(value) for key, value in call.args}
