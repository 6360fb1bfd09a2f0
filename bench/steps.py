"""CPU per agent step of tertulia against a bare LangGraph graph that walks the same nodes and does nothing.

An agent step is one superstep of the compiled graph: one node that runs. Every round plays conversations that were
never played before, from settling the scenario to the record, and then judges them. Without a clock they are played
once more to write down the nodes that each of them visits, and the bare graph walks exactly those paths. So tertulia
and the bare graph take turns in one process, and whatever else the machine does falls on both; the table gives medians
over the rounds and of their ratios.

    python bench/steps.py             the full form
    python bench/steps.py --quick     a short form, for `make bench`
    python bench/steps.py --profile   and the five functions of tertulia that cost most
"""

import argparse
import asyncio
import cProfile
import pstats
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypedDict, TypeVar

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from tertulia.graph import Stage
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation
from tertulia.running.items import gathered, plan_items
from tertulia.running.pool import parts_frozen
from tertulia.running.runner import Bench
from tertulia.table import Item

WANTED = 2.0  # times the bare graph, at most
SEED, SLIPS = 7, 0.15
WARM, PROFILED = 84, 168  # conversations
LIMITS = {"recursion_limit": 10_000}
OWN = Path(__file__).resolve().parent.parent

Node = Literal["plan", "speak", "critic", "tools", "close"]
Nodes = list[Node]  # that one conversation visits, in order
Given = TypeVar("Given")
Function = tuple[str, int, str]  # file, line and name, as the profiler has it


class Walk(TypedDict):
    """The one channel of the bare graph: what is left of the path."""

    rest: Iterator[Node]


async def stride(state: Walk) -> Command[Node]:
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


@dataclass(slots=True)
class Round:
    """CPU seconds of one round, and how much was done in them."""

    conversations: int
    steps: int
    bare: float
    play: float
    judge: float


class Bout:
    """The bundled set, played on and on by the rule cast; no conversation comes up twice."""

    def __init__(self, each: int, rounds: int) -> None:
        scenarios, _ = gathered(())
        self.each = each
        self.items = plan_items(scenarios, WARM + each * rounds + PROFILED, SEED, SLIPS)
        self.stages = {name: Stage(bundled_recipe(name)) for name in {s.recipe for s in scenarios}}
        self.benches = {name: Bench(bundled_recipe(name)) for name in self.stages}
        self.bare = bare_graph()

    async def play(self) -> list[tuple[Item, Conversation]]:
        """The next conversations with the rule cast and its critic."""
        talks = []
        for item in islice(self.items, self.each):
            stage = self.stages[item.scenario.recipe]
            talks.append((item, await stage.play(stage.seat(item))))
        return talks

    async def judge(self, talks: Iterable[tuple[Item, Conversation]]) -> None:
        """Every judge of their recipe."""
        for item, talk in talks:
            await self.benches[item.scenario.recipe].judged(item.scenario, talk)

    async def path(self, item: Item) -> Nodes:
        stage = self.stages[item.scenario.recipe]
        visits = stage.graph.astream({"table": stage.seat(item)}, LIMITS, stream_mode="updates")
        return [node async for update in visits for node in update]

    async def walk(self, paths: Iterable[Nodes]) -> None:
        """The bare graph over the same paths."""
        for path in paths:
            await self.bare.ainvoke({"rest": iter(path[1:])}, LIMITS)

    async def round(self) -> Round:
        play, talks = await clocked(self.play())
        judge, _ = await clocked(self.judge(talks))
        paths = [await self.path(item) for item, _ in talks]
        bare, _ = await clocked(self.walk(paths))
        return Round(len(talks), sum(map(len, paths)), bare, play, judge)


async def clocked(work: Awaitable[Given]) -> tuple[float, Given]:
    """CPU seconds of this process, and what the work gave."""
    began = time.process_time()
    given = await work
    return time.process_time() - began, given


async def measured(bout: Bout, rounds: int) -> list[Round]:
    each, bout.each = bout.each, WARM
    await bout.round()  # every scenario once: imports, tools and the graphs themselves are warm from here on
    bout.each = each
    with parts_frozen():  # as in a run
        return [await bout.round() for _ in range(rounds)]


def table(rounds: Sequence[Round]) -> Iterator[str]:
    """The lines to print."""
    yield f"{'':12}{'us/step':>9}{'ratio':>8}{'least':>8}{'most':>8}{'conv/s':>9}"
    for name, spent in {
        "bare graph": [r.bare for r in rounds],
        "judges off": [r.play for r in rounds],
        "judges on": [r.play + r.judge for r in rounds],
    }.items():
        ratios = [mine / r.bare for mine, r in zip(spent, rounds, strict=True)]
        per_step = median(mine / r.steps for mine, r in zip(spent, rounds, strict=True)) * 1e6
        rate = median(r.conversations / mine for mine, r in zip(spent, rounds, strict=True))
        yield f"{name:12}{per_step:9.1f}{median(ratios):8.2f}{min(ratios):8.2f}{max(ratios):8.2f}{rate:9.1f}"


def costs(work: Callable[[], Coroutine[Any, Any, object]], most: int = 5) -> list[str]:
    """The functions of tertulia that cost most, and their shares of the whole.

    A function's own cost is its time without what other functions of tertulia take, but with the library calls it
    makes (patterns, records, random streams). The loop and LangGraph are nobody's own."""
    profile = cProfile.Profile()
    profile.enable()
    asyncio.run(work())
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
    parser.add_argument("--conversations", type=int, default=12, help="in each round")
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--quick", action="store_true", help="20 rounds")
    parser.add_argument("--profile", action="store_true", help="show the five largest own costs")
    options = parser.parse_args(arguments)
    each, count = options.conversations, 20 if options.quick else options.rounds
    bout = Bout(each, count)
    rounds = asyncio.run(measured(bout, count))
    steps = sum(r.steps for r in rounds) / sum(r.conversations for r in rounds)
    print(
        f"{count} rounds of {each} conversations, {steps:.1f} steps each, slips {SLIPS}, "
        f"langgraph {version('langgraph')}; CPU time, medians"
    )
    print("\n".join(table(rounds)))
    ratio = median(r.play / r.bare for r in rounds)
    print(f"an agent step costs {ratio:.2f} times a bare step, wanted at most {WANTED}")
    if options.profile:
        bout.each = PROFILED
        print("\n".join(costs(bout.play)))
    return int(ratio > WANTED)


if __name__ == "__main__":
    sys.exit(main())
