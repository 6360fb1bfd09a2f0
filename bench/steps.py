"""CPU per agent step of tertulia against a bare LangGraph graph that walks the same nodes and does nothing.

An agent step is one superstep of the compiled graph: one node that runs. Every conversation of the measured set is
first played once without a clock, and the nodes that it visits are written down; the bare graph then walks exactly
those paths. Bare graph and tertulia take turns in one process, so that whatever else the machine does falls on both;
the table gives medians over the rounds and their ratio.

    python bench/steps.py             the full form
    python bench/steps.py --quick     a short form, for `make bench`
    python bench/steps.py --profile   and the five functions of tertulia that cost most by themselves
"""

import argparse
import asyncio
import cProfile
import gc
import pstats
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from tertulia.graph import Stage
from tertulia.items import gathered, plan_items
from tertulia.recipe import bundled_recipe
from tertulia.runner import Bench
from tertulia.table import Item

WANTED = 2.0  # times the bare graph, at most
SEED, SLIPS = 7, 0.15
LIMITS = {"recursion_limit": 10_000}
OWN = Path(__file__).resolve().parent.parent

Nodes = list[str]  # that one conversation visits, in order
Function = tuple[str, int, str]  # file, line and name, as the profiler has it


class Walk(TypedDict):
    """The one channel of the bare graph: what is left of the path."""

    rest: Iterator[str]


async def stride(state: Walk) -> Command[Literal["plan", "speak", "critic", "tools", "close"]]:
    return Command(goto=next(state["rest"]))


async def stop(state: Walk) -> None:
    return None


def bare_graph() -> Any:
    """The nodes of tertulia's graph without their work."""
    graph = StateGraph(Walk)
    for name in ("plan", "speak", "critic", "tools"):
        graph.add_node(name, stride)
    graph.add_node("close", stop)
    graph.add_edge(START, "plan")
    graph.add_edge("close", END)
    return graph.compile()


class Bout:
    """The measured set, and the three ways of going through it."""

    def __init__(self, conversations: int) -> None:
        scenarios, _ = gathered(())
        self.stages = {name: Stage(bundled_recipe(name)) for name in {s.recipe for s in scenarios}}
        self.benches = {name: Bench(bundled_recipe(name)) for name in self.stages}
        self.items = list(plan_items(scenarios, conversations, SEED, SLIPS))
        self.bare = bare_graph()
        self.paths: list[Nodes] = []

    async def write_down(self) -> None:
        """Play everything once and keep the nodes that were visited; this also warms every cache."""
        for item in self.items:
            stage = self.stages[item.scenario.recipe]
            visits = stage.graph.astream({"table": stage.seat(item)}, LIMITS, stream_mode="updates")
            self.paths.append([node async for update in visits for node in update])

    @property
    def steps(self) -> int:
        return sum(map(len, self.paths))

    async def walk(self) -> None:
        """The bare graph over the same paths."""
        for path in self.paths:
            await self.bare.ainvoke({"rest": iter(path[1:])}, LIMITS)

    async def play(self) -> None:
        """The conversations with the rule cast and its critic, from seating to the record."""
        for item in self.items:
            await self.played(item)

    async def play_and_judge(self) -> None:
        """The same, and every judge of the recipe."""
        for item in self.items:
            await self.benches[item.scenario.recipe].judged(item.scenario, await self.played(item))

    async def played(self, item: Item) -> Any:
        stage = self.stages[item.scenario.recipe]
        return await stage.play(stage.seat(item))


async def seconds(work: Callable[[], Awaitable[None]]) -> float:
    """CPU time of this process for one pass."""
    gc.collect()
    began = time.process_time()
    await work()
    return time.process_time() - began


async def measure(bout: Bout, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each round, all three ways in turn."""
    ways = {"bare graph": bout.walk, "judges off": bout.play, "judges on": bout.play_and_judge}
    await bout.walk()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            taken[name].append(await seconds(work))
    return taken


def table(bout: Bout, taken: dict[str, list[float]]) -> tuple[list[str], float]:
    """The lines to print, and the ratio that counts: with judges off."""
    steps, base = bout.steps, taken["bare graph"]
    lines = [f"{'':12}{'us/step':>9}{'ratio':>8}{'least':>8}{'most':>8}{'conv/s':>9}"]
    for name, times in taken.items():
        ratios = [mine / bare for mine, bare in zip(times, base, strict=True)]
        per_step, rate = median(times) / steps * 1e6, len(bout.items) / median(times)
        lines.append(f"{name:12}{per_step:9.1f}{median(ratios):8.2f}{min(ratios):8.2f}{max(ratios):8.2f}{rate:9.1f}")
    return lines, median(mine / bare for mine, bare in zip(taken["judges off"], base, strict=True))


def costs(work: Callable[[], Awaitable[None]], most: int = 5) -> list[str]:
    """The functions of tertulia that cost most, and their shares of the whole.

    A function's own cost is its time without what other functions of tertulia take, but with the library calls it
    makes (patterns, records, random streams). The loop and LangGraph are nobody's own."""
    profile = cProfile.Profile()
    profile.enable()
    asyncio.run(work())  # type: ignore[arg-type]
    profile.disable()
    stats: dict[Function, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    own = {function: figures[2] for function, figures in stats.items() if is_ours(function)}
    for function, (_, _, _, _, callers) in stats.items():
        if function not in own and not any(engine in function[0] for engine in ("langgraph", "asyncio", "langchain")):
            for caller, (_, _, _, total) in callers.items():
                if caller in own:
                    own[caller] += total
    whole = sum(figures[2] for figures in stats.values())
    lines = [f"{'own':>7}{'with calls':>12}{'calls':>9}  function"]
    for function in sorted(own, key=own.__getitem__, reverse=True)[:most]:
        file, line, name = function
        where = f"{Path(file).resolve().relative_to(OWN)}:{line} {name}"
        lines.append(f"{own[function] / whole:7.1%}{stats[function][3] / whole:12.1%}{stats[function][1]:9}  {where}")
    return lines


def is_ours(function: Function) -> bool:
    path = Path(function[0])
    return path.is_absolute() and path.resolve().is_relative_to(OWN) and path.resolve().parent != OWN / "bench"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--conversations", type=int, default=420)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="84 conversations, 3 rounds")
    parser.add_argument("--profile", action="store_true", help="show the five largest own costs")
    options = parser.parse_args(arguments)
    bout = Bout(84 if options.quick else options.conversations)
    asyncio.run(bout.write_down())
    taken = asyncio.run(measure(bout, 3 if options.quick else options.rounds))
    lines, ratio = table(bout, taken)
    print(
        f"{len(bout.items)} conversations, {bout.steps} steps ({bout.steps / len(bout.items):.1f} each), "
        f"slips {SLIPS}, langgraph {version('langgraph')}; medians of {len(taken['bare graph'])} rounds, CPU time"
    )
    print("\n".join(lines))
    print(f"an agent step costs {ratio:.2f} times a bare step, wanted at most {WANTED}")
    if options.profile:
        print("\n".join(costs(bout.play)))
    return int(ratio > WANTED)


if __name__ == "__main__":
    sys.exit(main())
