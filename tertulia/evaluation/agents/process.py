"""An agent in a process of its own: it may crash, hang or answer garbage, and costs the trial at fault alone.

Many requests are open at once. When the process dies, every request that was open is suspected; each is tried again
alone in a fresh process, so only the one that kills it again is the agent's failure. A request that gets no answer
within the deadline is the agent's failure too; if the process does not even answer a ping then, it hangs as a whole:
it is killed, and what else was open is tried again alone.
"""

import asyncio
import json
import pickle
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import Any

from tertulia.contracts import Utterance, View
from tertulia.errors import SettingsError
from tertulia.evaluation.agents.chat import asked, read_message
from tertulia.evaluation.agents.child import own_place
from tertulia.evaluation.agents.seat import AgentFailed
from tertulia.models.records import Trouble

__all__ = ["AgentProcess", "Died", "Turnstile"]

CHILD = "tertulia.evaluation.agents.child"
LONGEST = 2**26  # bytes of one answer
TAIL = 40  # lines of standard error that are kept, to say why a process died
LOADING = 120.0  # seconds that an agent may take to load
PONG = 2.0  # seconds within which a process that lives answers a ping
PLACE = re.compile(r'  File "([^"]+)", line (\d+)')  # in a traceback
LEAVING = 2.0  # seconds that a process gets to end by itself


class Died(Exception):
    """The process went while a request was open in it."""

    def __init__(self, why: str, trouble: Trouble = Trouble.CRASHED) -> None:
        self.why, self.trouble = why, trouble
        super().__init__(why)


class Turnstile:
    """Lets any number work together, or one alone; whoever wants to be alone goes first."""

    def __init__(self) -> None:
        self.changed = asyncio.Condition()
        self.together, self.wanting, self.occupied = 0, 0, False

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        async with self.changed:
            await self.changed.wait_for(lambda: not self.wanting and not self.occupied)
            self.together += 1
        try:
            yield
        finally:
            async with self.changed:
                self.together -= 1
                self.changed.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        self.wanting += 1
        try:
            async with self.changed:
                await self.changed.wait_for(lambda: not self.together and not self.occupied)
                self.occupied = True
        finally:
            self.wanting -= 1
        try:
            yield
        finally:
            async with self.changed:
                self.occupied = False
                self.changed.notify_all()


@dataclass(slots=True)
class Child:
    """One process and the requests that are open in it."""

    process: Process
    takes: str = ""
    open: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    pongs: dict[int, asyncio.Future[None]] = field(default_factory=dict)
    said: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    tasks: tuple[asyncio.Task[None], ...] = ()

    def write(self, told: dict[str, Any]) -> None:
        assert self.process.stdin
        if not self.process.stdin.is_closing():
            self.process.stdin.write(json.dumps(told, default=str).encode() + b"\n")

    async def listen(self) -> None:
        """Hand out the answers until the process is gone; then tell all who wait."""
        assert self.process.stdout
        with suppress(ValueError, ConnectionError):  # a line that is too long, or no JSON, ends it
            async for line in self.process.stdout:
                self.heard(json.loads(line))
        with suppress(TimeoutError):  # its own end tells more than ours
            await asyncio.wait_for(self.process.wait(), LEAVING)
        self.kill()
        await self.process.wait()
        await asyncio.wait(self.tasks[1:], timeout=LEAVING)
        for future in self.open.values():
            if not future.done():
                future.set_exception(Died(self.why()))

    def heard(self, told: dict[str, Any]) -> None:
        if "ready" in told:
            self.takes = told["takes"]
            told = {"id": 0}
        if "pong" in told:
            pong = self.pongs.pop(told["pong"], None)
            if pong and not pong.done():
                pong.set_result(None)
            return
        future = self.open.get(told["id"])
        if future and not future.done():
            future.set_result(told)

    async def keep_what_it_says(self) -> None:
        assert self.process.stderr
        with suppress(ValueError):
            async for line in self.process.stderr:
                self.said.append(line.decode("utf-8", "replace").rstrip())

    def why(self) -> str:
        """How the process ended, with the last words that it had."""
        code = self.process.returncode or 0
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        last = next((line for line in reversed(self.said) if line.strip()), "")
        where = own_place((place[1], int(place[2])) for line in self.said if (place := PLACE.match(line)))
        return f"ended {how}: {where}{last[:300]}" if last else f"ended {how}"

    def kill(self) -> None:
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()

    async def lives(self, number: int) -> bool:
        """Whether it answers a ping."""
        self.pongs[number] = asyncio.get_running_loop().create_future()
        self.write({"ping": number})
        done, _ = await asyncio.wait((self.pongs[number],), timeout=PONG)
        return bool(done)

    async def end(self) -> None:
        """Let it end by itself, or end it."""
        if self.process.returncode is None and self.process.stdin:
            self.process.stdin.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), LEAVING)
        self.kill()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class AgentProcess:
    """A `module:NAME` agent as a speaker."""

    def __init__(self, spec: str, deadline: float) -> None:
        self.spec, self.deadline = spec, deadline
        self.child: Child | None = None
        self.starting = asyncio.Lock()
        self.turnstile = Turnstile()
        self.numbers = count(1)

    async def speak(self, view: View) -> Utterance:
        """The agent's turn.

        Raises:
            AgentFailed, AgentMisspoke: naming what is wrong with it."""
        child = await self.alive()
        request = as_view(view) if child.takes == "view" else asked(view)
        answer = await self.answer(request)
        if "error" in answer:
            raise AgentFailed(Trouble.CRASHED, answer["error"], answer.get("trace", ""))
        message = answer["message"]
        said = read_message(message, view)
        to = tuple(message.get("to", ())) if child.takes == "view" else ()
        return replace(said, to=to) if to else said

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request: beside others, and once more alone if the process died with it open."""
        with suppress(Died):
            async with self.turnstile.shared():
                return await self.attempt(request)
        async with self.turnstile.alone():
            try:
                return await self.attempt(request)
            except Died as died:
                raise AgentFailed(died.trouble, died.why) from None

    async def attempt(self, request: dict[str, Any]) -> dict[str, Any]:
        child, number = await self.alive(), next(self.numbers)
        future = child.open[number] = asyncio.get_running_loop().create_future()
        try:
            child.write(request | {"id": number})
            done, _ = await asyncio.wait((future,), timeout=self.deadline)
            if done:
                answer: dict[str, Any] = future.result()
                return answer
            late = f"gave no answer within {self.deadline:g} s"
            if await child.lives(number):
                child.write({"cancel": number})
                raise AgentFailed(Trouble.TIMEOUT, late)
            child.kill()
            await asyncio.wait(child.tasks)
            raise Died(late, Trouble.TIMEOUT)
        finally:
            del child.open[number]
            if future.done() and not future.cancelled():
                future.exception()

    async def alive(self) -> Child:
        """The process, for a request.

        Raises:
            AgentFailed: if it has gone and cannot be started again."""
        try:
            return await self.running()
        except SettingsError as error:
            raise AgentFailed(Trouble.CRASHED, f"cannot be started again: {error}") from None

    async def running(self) -> Child:
        """The process, started anew where it has gone.

        Raises:
            SettingsError: if the agent cannot be loaded."""
        async with self.starting:
            if self.child is None or self.child.tasks[0].done():
                self.child = await self.started()
            return self.child

    async def started(self) -> Child:
        """A fresh process with the agent loaded.

        Raises:
            SettingsError: if it cannot be loaded."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", CHILD, self.spec),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=LONGEST,
            start_new_session=True,  # a Ctrl-C is for us, who end it in our own time
        )
        child = Child(process)
        ready = child.open[0] = asyncio.get_running_loop().create_future()
        child.tasks = (asyncio.create_task(child.listen()), asyncio.create_task(child.keep_what_it_says()))
        try:
            await asyncio.wait_for(ready, LOADING)
        except Died as died:
            raise SettingsError(f"--agent {self.spec!r} cannot be loaded: it {died.why}") from None
        except TimeoutError:
            await child.end()
            raise SettingsError(f"--agent {self.spec!r} was not loaded within {LOADING:g} s") from None
        del child.open[0]
        return child

    async def close(self) -> None:
        if self.child:
            await self.child.end()


def as_view(view: View) -> dict[str, Any]:
    """A view for a speaker in the other process, without what an assistant has no use for."""
    kept = replace(view, messages=tuple(view.messages), script=None, plan=None, slip_rng=Random(0))
    return {"view": b64encode(pickle.dumps(kept)).decode()}
