"""What it costs to evaluate: CPU per step and memory of `tertulia evaluate`, beside `tertulia run` on the same items.

A step is one node of the state machine that runs. Both play the rule cast without planted faults, each in a process of
its own, one after the other in the same minute: `run` plays, judges and exports; `evaluate` plays, judges, scores again
from what is kept, finds causes and writes the page. The set is read without the gold lint, which plays its own part.

    python bench/evaluate.py             1,000 items x 4 trials
    python bench/evaluate.py --quick     a short form, for `make bench`
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tertulia.evaluation.evaluating import evaluate, figures_of
from tertulia.evaluation.html import page_of
from tertulia.evaluation.sets import EvalSet, named, of_scenarios
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.records import Conversation
from tertulia.running.items import gathered
from tertulia.running.playing import play
from tertulia.running.run_settings import RunSettings
from tertulia.running.runs import Run

WANTED = 1.5  # times the CPU of a plain run, at most
TRIALS = 4
SPARE = 4  # times as many variants as are wanted: a small grid gives some of them twice


def steps_of(talk: Conversation) -> int:
    """Nodes that ran: plan, speak and critic for every draft, tools, close."""
    drafts = len(talk.plan_drafts) + sum(len(turn.drafts) for turn in talk.turns)
    return 2 * drafts + sum(bool(turn.results) for turn in talk.turns) + 1


def evaluated(items: int, out: Path) -> None:
    scenarios = len(gathered(())[0])
    found = {one.id: one for one in map(named, of_scenarios((), -(-items // scenarios) * SPARE, 0))}
    evalset = EvalSet("bench", tuple(found.values())[:items])
    settings = EvaluationSettings.of(agent="rules", k=TRIALS, run=RunSettings.of(out=str(out)))
    start = time.process_time(), time.perf_counter()

    async def whole() -> None:
        figures = await figures_of(await evaluate(settings, evalset=evalset), TRIALS)
        page_of(figures)

    asyncio.run(whole())
    tell(start, out, len(evalset.items))


def run(items: int, out: Path) -> None:
    settings = RunSettings.of(n=items * TRIALS, slips=0.0, out=str(out))
    start = time.process_time(), time.perf_counter()
    asyncio.run(play(settings))
    tell(start, out, items)


def tell(start: tuple[float, float], out: Path, items: int) -> None:
    """What it took, as JSON."""
    cpu, wall = time.process_time() - start[0], time.perf_counter() - start[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    steps = [steps_of(talk) for talk in Run(out).conversations()]
    told = {"items": items, "trials": len(steps), "steps": sum(steps), "cpu": cpu, "wall": wall, "peak": peak}
    print(json.dumps(told))


def measured(what: str, items: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--one", what, "--items", str(items), "--out", f"{folder}/run"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--items", type=int, default=1000)
    options.add_argument("--one", choices=("run", "evaluate"))
    options.add_argument("--out", type=Path)
    asked = options.parse_args()
    if asked.one:
        {"run": run, "evaluate": evaluated}[asked.one](asked.items, asked.out)
        return 0
    items = 42 if asked.quick else asked.items
    rows = {what: measured(what, items) for what in ("run", "evaluate")}
    print(f"{'':10} {'items':>6} {'trials':>7} {'steps':>8} {'CPU s':>8} {'us/step':>8} {'wall s':>8} {'peak MB':>8}")
    for what, row in rows.items():
        each = 1e6 * row["cpu"] / row["steps"]
        sizes = f"{row['items']:6} {row['trials']:7} {row['steps']:8}"
        print(f"{what:10} {sizes} {row['cpu']:8.1f} {each:8.0f} {row['wall']:8.1f} {row['peak']:8.0f}")
    one, other = (rows[what]["cpu"] / rows[what]["steps"] for what in ("evaluate", "run"))
    print(f"CPU per step: {one / other:.2f} x plain run (wanted: at most {WANTED})")
    return int(one / other > WANTED)


if __name__ == "__main__":
    sys.exit(main())
