"""CPU of the client per model call: bare aiohttp, LangGraph with ChatOpenAI, and tertulia's full path, side by side.

The endpoint is a process of its own, so that only the client is counted. tertulia plays conversations with a model in
every role, with graph, critic, judges, journal, store and progress on, until the last of them is over (exports come
after that). The requests that it makes are written down once, and the other two then send exactly the same: (a) one
after the other on a shared aiohttp session, (b) from the nodes of a LangGraph graph, one node for each role, through
`langchain_openai.ChatOpenAI`. Each way runs in a process of its own, the three take turns, and the table gives medians
over the rounds and their ratios. Without langchain-openai, (b) is left out.

    python bench/model_calls.py             the full form
    python bench/model_calls.py --quick     a short form, for `make bench`
    python bench/model_calls.py --profile   and the five largest costs of tertulia's path
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any, TypedDict

import aiohttp

from tertulia.testing.fault_server import apart

MOST_OF_BARE, TIMES_CHEAPER = 4.5, 4.5  # wanted: of (a) at most, than (b) at least
AT_ONCE = 64
OWN = Path(__file__).resolve().parent.parent
KEY = "bench-key"
WAYS = {"bare": "(a) bare aiohttp", "langgraph": "(b) LangGraph + ChatOpenAI", "tertulia": "(c) tertulia, full path"}
SCENARIO = """
id: table-for-two
title: A table is booked, with every value asked for
kind: missing_information
policy: |
  You take bookings for a small restaurant that opens from 17:00 to 23:00 and is closed on mondays. Ask for whatever
  is missing: the day, the number of guests and the name. Look whether a table is free before you book one. Repeat
  the booking in full and ask for a yes before you make it. Offer no dishes and promise no particular table.
principles: [confirm_before_change, grounded_arguments]
tools:
  - name: find_free_table
    description: Look whether a table is free on a day for a number of guests.
    parameters:
      type: object
      properties:
        day: {type: string, description: the day of the week}
        guests: {type: integer, description: how many people will come}
      required: [day, guests]
    returns: {free: true}
  - name: book_table
    description: Book a table in somebody's name.
    writes: true
    parameters:
      type: object
      properties:
        day: {type: string, description: the day of the week}
        guests: {type: integer, description: how many people will come}
        name: {type: string, description: the name that the table is booked in}
      required: [day, guests, name]
    returns: {booked: true, number: B-2041}
cast:
  guest: {role: user, persona: a relaxed regular, knows: {day: friday, guests: 4, name: Ines Ferrer}}
  host: {role: assistant}
script:
  opening: "${opening}"
  wants:
    - call: book_table
      with: {day: friday, guests: 4, name: Ines Ferrer}
slots: {opening: "Hello, I would like to book a table for four people, please."}
vary:  # openings that leave more or less to be asked for
  slots.opening:
    - "Hello, I would like to book a table for four people, please."
    - "Hello, I would like to book a table, please."
    - "A table for four people on friday, please."
    - "Please book a table for four people on friday for me, Ines Ferrer."
"""

Bodies = list[list[dict[str, Any]]]  # the requests of each conversation, in order


# --- (a) ---------------------------------------------------------------------------------------------------------


async def bare(url: str, bodies: Bodies, at_once: int = AT_ONCE) -> None:
    """The same requests on one shared session, as plainly as aiohttp allows."""
    headers = {"Authorization": f"Bearer {KEY}"}
    queue = iter(bodies)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:

        async def work() -> None:
            for talk in queue:
                for body in talk:
                    async with session.post(f"{url}/chat/completions", json=body) as answer:
                        told = await answer.json()
                        told["choices"][0]["message"]

        await asyncio.gather(*(work() for _ in range(at_once)))


# --- (b) ---------------------------------------------------------------------------------------------------------


class Walk(TypedDict):
    """The state of the graph: what is still to be asked, and what was answered."""

    rest: Iterator[dict[str, Any]]
    now: dict[str, Any]
    said: list[str]


async def langgraph(url: str, bodies: Bodies) -> None:
    """Four nodes and a model call in each, as the usual stack writes it."""
    from langchain_openai import ChatOpenAI  # noqa: PLC0415 - optional, and only this process pays for it
    from langgraph.graph import END, START, StateGraph  # noqa: PLC0415
    from langgraph.types import Command  # noqa: PLC0415

    model = ChatOpenAI(model="rules", base_url=url, api_key=KEY, max_retries=0)  # type: ignore[arg-type]

    async def ask(state: Walk) -> Command[Any]:
        body = state["now"]
        settings = {key: it for key, it in body.items() if key not in ("model", "messages")}
        answer = await model.ainvoke(body["messages"], **settings)
        following = next(state["rest"], None)
        update = {"said": [*state["said"], str(answer.content)], "now": following}
        return Command(goto=role_of(following) if following else END, update=update)

    graph = StateGraph(Walk)
    for name in ("planner", "user", "assistant", "critic"):
        graph.add_node(name, ask, destinations=("planner", "user", "assistant", "critic", END))
    graph.add_conditional_edges(START, first_node)
    compiled = graph.compile()
    queue = iter(bodies)

    async def work() -> None:
        for talk in queue:
            rest = iter(talk)
            await compiled.ainvoke({"now": next(rest), "rest": rest, "said": []}, {"recursion_limit": 10_000})

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def first_node(state: Walk) -> str:
    return role_of(state["now"])


def role_of(body: dict[str, Any]) -> str:
    """The role that a request's system prompt names."""
    found = re.search(r"You are the (planner|user|assistant|critic)", body["messages"][0]["content"])
    return found[1] if found else "critic"


# --- (c) ---------------------------------------------------------------------------------------------------------


def tertulia(url: str, conversations: int, folder: Path) -> tuple[int, float]:
    """A whole run; gives the number of model calls it made, and the CPU of this process when all was played."""
    from tertulia import run  # noqa: PLC0415 - only this process pays for it

    scenario = folder / "table-for-two.yaml"
    scenario.write_text(SCENARIO)
    ended = 0.0

    def note(standing: Any) -> None:
        nonlocal ended
        ended = time.process_time()

    done = run(
        [str(scenario)],
        n=conversations,
        out=folder / f"run-{time.monotonic_ns()}",
        slips=0.0,
        model="openai:rules",
        base_url=url,
        concurrency=AT_ONCE,
        on_progress=note,
    )
    return int(done.summary.counters["calls"]), ended


def written_down(url: str, folder: Path, conversations: int) -> Bodies:
    """The requests of each conversation of a small run."""
    from tertulia.models.client import OpenAIChat  # noqa: PLC0415
    from tertulia.models.completions import body_of, options_of  # noqa: PLC0415

    made: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    complete = OpenAIChat.complete

    async def keeping(self: Any, request: Any, deadline: float) -> Any:
        made[request.conversation].append(body_of("rules", list(request.messages), options_of(request), {}))
        return await complete(self, request, deadline)

    OpenAIChat.complete = keeping  # type: ignore[method-assign]
    tertulia(url, conversations, folder)
    OpenAIChat.complete = complete  # type: ignore[method-assign]
    return list(made.values())


# --- measuring ---------------------------------------------------------------------------------------------------


def once(way: str, url: str, conversations: int, folder: Path, profiled: bool) -> dict[str, Any]:
    """CPU of one pass in this process, after a small one that warms everything."""
    if way == "tertulia":
        tertulia(url, AT_ONCE, folder)
        with sampled(profiled) as samples:
            began = time.process_time()
            calls, ended = tertulia(url, conversations, folder)
        return {"cpu": ended - began, "calls": calls, "samples": samples.most_common()}
    bodies: Bodies = json.loads((folder / "bodies.json").read_text())
    chosen = [bodies[nth % len(bodies)] for nth in range(conversations)]
    work = {"bare": bare, "langgraph": langgraph}[way]
    with asyncio.Runner() as runner:
        runner.run(work(url, bodies[:AT_ONCE]))
        began = time.process_time()
        runner.run(work(url, chosen))
    return {"cpu": time.process_time() - began, "calls": sum(map(len, chosen))}


@contextmanager
def sampled(wanted: bool) -> Iterator[Counter[str]]:
    """Whose code is running, asked again and again as CPU time passes; nothing when it is not wanted."""
    owners: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        while frame is not None and (name := owner(frame.f_code.co_filename)) is None:
            frame = frame.f_back
        owners[name if frame else "event loop"] += 1

    if wanted:
        signal.signal(signal.SIGPROF, look)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    yield owners
    signal.setitimer(signal.ITIMER_PROF, 0)


LANGGRAPH = {"langgraph", "langchain_core", "langsmith", "uuid_utils", "ormsgpack"}  # the graph and what it brings
WIRE = {"aiohttp", "multidict", "yarl", "frozenlist", "propcache", "aiosignal"}
AREAS = {  # tertulia's own modules by what they do
    "tertulia/models/": "requests, replies, journal and limits",
    "judges/": "judges",
    "tertulia/gold": "judges",
    "tertulia/running/store": "records and store",
    "tertulia/records": "records and store",
    "agents/": "parts",
    "tertulia/": "graph nodes, table, views and world",
}


def owner(file: str) -> str | None:
    """What a file belongs to; None for the standard library, whose time is its caller's."""
    if found := re.search(r"/site-packages/(\w+)", file):
        package = found[1]
        return "LangGraph" if package in LANGGRAPH else "HTTP client (aiohttp)" if package in WIRE else package
    if str(OWN) not in file:
        return None
    return next((area for start, area in AREAS.items() if f"{OWN}/{start}" in file), "the benchmark")


def costs(told: dict[str, Any]) -> list[str]:
    """The five largest costs of a profiled pass."""
    samples = [(name, count) for name, count in told["samples"] if name != "the benchmark"]
    whole, each = sum(count for _, count in samples), told["cpu"] / told["calls"] * 1e6
    lines = [f"what the {each:.0f} us of a call go to ({whole} samples):"]
    return lines + [f"{count / whole:7.1%}{count / whole * each:7.0f} us  {name}" for name, count in samples[:5]]


def child(way: str, url: str, conversations: int, folder: Path, *more: str) -> dict[str, Any]:
    """One pass in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--url", url, "--folder", str(folder)]
    environment = {**os.environ, "OPENAI_API_KEY": KEY}
    asked = [*command, "--conversations", str(conversations), *more]
    done = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def table(taken: dict[str, list[dict[str, Any]]]) -> tuple[list[str], dict[str, float]]:
    """The lines to print, and the CPU per call of each way in ms."""
    per_call = {way: median(t["cpu"] / t["calls"] * 1e3 for t in times) for way, times in taken.items()}
    lines = [f"{'':28}{'CPU ms/call':>12}{'x (a)':>8}{'calls per CPU s':>17}"]
    for way, cost in per_call.items():
        rounds = zip(taken[way], taken["bare"], strict=True)
        ratio = median(mine["cpu"] / mine["calls"] / its["cpu"] * its["calls"] for mine, its in rounds)
        lines.append(f"{WAYS[way]:28}{cost:12.3f}{ratio:8.2f}{1e3 / cost:17.0f}")
    return lines, per_call


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="100 conversations, 2 rounds")
    parser.add_argument("--profile", action="store_true", help="show what the CPU of tertulia's path goes to")
    for hidden in ("--way", "--url", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.way == "write-down":
        bodies = written_down(options.url, Path(options.folder), 24)
        (Path(options.folder) / "bodies.json").write_text(json.dumps(bodies))
        print(json.dumps({"conversations": len(bodies)}))
        return 0
    if options.way:
        told = once(options.way, options.url, options.conversations, Path(options.folder), options.profile)
        print(json.dumps(told))
        return 0
    return compare(
        100 if options.quick else options.conversations, 2 if options.quick else options.rounds, options.profile
    )


def compare(conversations: int, rounds: int, profiled: bool) -> int:
    """All ways in turn, against one endpoint."""
    ways = [way for way in WAYS if way != "langgraph" or find_spec("langchain_openai")]
    taken: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory(prefix="tertulia-calls-") as name, apart("--no-caching") as url:
        folder = Path(name)
        child("write-down", url, 0, folder)
        bodies: Bodies = json.loads((folder / "bodies.json").read_text())
        sizes = [len(json.dumps(body["messages"])) for talk in bodies for body in talk]
        for _ in range(rounds):
            for way in ways:
                taken[way].append(child(way, url, conversations, folder))
        shown = costs(child("tertulia", url, conversations, folder, "--profile")) if profiled else []
    print(
        f"{conversations} conversations of {len(sizes) / len(bodies):.1f} calls, messages of "
        f"{sum(sizes) // len(sizes)} characters in each; {AT_ONCE} at once, medians of {rounds} rounds"
    )
    lines, per_call = table(taken)
    print("\n".join([*lines, *shown]))
    bare_ratio = per_call["tertulia"] / per_call["bare"]
    print(f"tertulia costs {bare_ratio:.2f} times bare aiohttp, wanted at most {MOST_OF_BARE}")
    if "langgraph" not in taken:
        print("langchain-openai is not installed: no comparison with ChatOpenAI")
        return int(bare_ratio > MOST_OF_BARE)
    cheaper = per_call["langgraph"] / per_call["tertulia"]
    print(f"LangGraph + ChatOpenAI costs {cheaper:.2f} times tertulia, wanted at least {TIMES_CHEAPER}")
    return int(bare_ratio > MOST_OF_BARE or cheaper < TIMES_CHEAPER)


if __name__ == "__main__":
    sys.exit(main())
