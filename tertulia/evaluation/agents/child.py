"""The process of an agent: `python -m tertulia.evaluation.agents.child MODULE:NAME`, spoken to in lines of JSON.

It loads what is named, says `{"ready": true, "takes": "chat" | "view"}`, and answers requests as they come, many at
once. A request is `{"id", "conversation", "messages", "tools"}` for an agent that takes a chat: a callable of messages
and tools, awaited where it is to be, or a graph with `ainvoke`; or `{"id", "view"}` for a speaker of tertulia's own
contract. The answer is `{"id", "message"}` or `{"id", "error"}`. `{"ping": n}` is answered as long as the loop is
alive, and `{"cancel": id}` ends a request that nobody waits for any more.

The agent's own output goes to standard error, so that a `print` breaks nothing.
"""

import asyncio
import json
import os
import pickle
import sys
import threading
import time
import traceback
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from inspect import isawaitable, isclass, iscoroutinefunction
from typing import Any

__all__ = ["main", "own_place", "plain", "resolved"]

AT_ONCE = 4096  # agents that are no coroutines and may wait at the same time, each in a thread
NOTHING_LEFT = 0
LEAVING = 2.0  # seconds that the loop gets to end by itself when the other side has gone
NOT_OWN = (os.path.dirname(os.__file__), os.path.dirname(__file__))  # Python's library, and what serves the agent


def resolved(spec: str) -> Any:
    """The object that MODULE:NAME stands for; a class is made one of.

    Raises:
        ImportError, AttributeError: if there is none, or if it cannot be asked."""
    module, _, path = spec.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    agent = found() if isclass(found) else found
    if not (callable(agent) or hasattr(agent, "ainvoke") or hasattr(agent, "speak")):
        kind = type(agent).__name__
        raise AttributeError(f"{spec} is of type {kind}: neither a callable, nor a graph, nor anything that speaks")
    return agent


def plain(message: Any) -> Any:
    """A message as JSON values; LangChain's are put into OpenAI's shape."""
    if isinstance(message, Mapping) or not hasattr(message, "content"):
        return message
    content = message.content
    if isinstance(content, list):
        content = "".join(part if isinstance(part, str) else str(part.get("text", "")) for part in content)
    calls = [
        {"id": call.get("id"), "function": {"name": call["name"], "arguments": call["args"]}}
        for call in getattr(message, "tool_calls", None) or ()
    ]
    broken = [
        {"id": call.get("id"), "function": {"name": call["name"], "arguments": call["args"]}}
        for call in getattr(message, "invalid_tool_calls", None) or ()
    ]
    role = "assistant" if getattr(message, "type", "ai") in ("ai", "AIMessageChunk") else message.type
    return {"role": role, "content": content, "tool_calls": [*calls, *broken]}


def own_place(places: Iterable[tuple[str, int]]) -> str:
    """Where an error was raised, as `at FILE:LINE: `: the last place that is its own; empty where there is none.

    Python's library, installed packages and what serves the agent are not its own."""
    own = [
        (name, line) for name, line in places if not name.startswith(("<", *NOT_OWN)) and "site-packages" not in name
    ]
    if not own:
        return ""
    here, (name, line) = os.path.join(os.getcwd(), ""), own[-1]
    return f"at {name.removeprefix(here)}:{line}: "


class Serving:
    """An agent that is being asked."""

    def __init__(self, agent: Any, answer: Callable[[dict[str, Any]], None]) -> None:
        self.agent, self.answer = agent, answer
        self.open: dict[int, asyncio.Task[Any]] = {}
        self.threads = ThreadPoolExecutor(AT_ONCE)
        self.takes = "view" if hasattr(agent, "speak") else "chat"

    def take(self, line: bytes) -> None:
        """One line from the other side."""
        asked = json.loads(line)
        if "ping" in asked:
            self.answer({"pong": asked["ping"]})
        elif "cancel" in asked:
            if task := self.open.get(asked["cancel"]):
                task.cancel()
        else:
            task = asyncio.get_running_loop().create_task(self.reply(asked))
            self.open[asked["id"]] = task
            task.add_done_callback(lambda done: self.sent(asked["id"], done))

    async def reply(self, asked: dict[str, Any]) -> Any:
        if self.takes == "view":
            said = await self.agent.speak(pickle.loads(b64decode(asked["view"])))
            calls = [{"function": {"name": call.name, "arguments": call.args}} for call in said.calls]
            return {"content": said.text, "tool_calls": calls, "to": said.to, "done": said.signal is not None}
        messages, tools = asked["messages"], asked["tools"]
        if hasattr(self.agent, "ainvoke"):
            told = {"configurable": {"thread_id": asked["conversation"], "tools": tools}}
            given = await self.agent.ainvoke({"messages": messages}, told)
            return plain(given["messages"][-1] if isinstance(given, Mapping) else given)
        if iscoroutinefunction(self.agent) or iscoroutinefunction(type(self.agent).__call__):
            return plain(await self.agent(messages, tools))
        given = await asyncio.get_running_loop().run_in_executor(self.threads, self.agent, messages, tools)
        return plain(await given if isawaitable(given) else given)

    def sent(self, number: int, done: asyncio.Task[Any]) -> None:
        """Send what a request came to."""
        del self.open[number]
        if done.cancelled():
            self.answer({"id": number, "error": "raised CancelledError: the agent's own work was cancelled"})
        elif error := done.exception():
            said = "".join(traceback.format_exception_only(error)).strip()
            places = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
            trace = "".join(traceback.format_exception(error))
            self.answer({"id": number, "error": f"raised {own_place(places)}{said}", "trace": trace})
        else:
            self.answer({"id": number, "message": done.result()})


async def serve(spec: str, lines: Any, out: Any) -> None:
    """Load the agent and answer until the other side has gone."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()

    def answer(told: dict[str, Any]) -> None:
        out.write(json.dumps(told, default=repr).encode() + b"\n")
        out.flush()

    serving = Serving(resolved(spec), answer)
    answer({"ready": True, "takes": serving.takes})

    def read() -> None:
        for line in lines:
            loop.call_soon_threadsafe(serving.take, line)
        loop.call_soon_threadsafe(gone.set)
        time.sleep(LEAVING)
        os._exit(NOTHING_LEFT)  # an agent that blocks the loop would outlive whoever asked it

    threading.Thread(target=read, daemon=True).start()
    await gone.wait()


def main(spec: str) -> None:
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the agent prints is not ours
    asyncio.run(serve(spec, sys.stdin.buffer, out))
    os._exit(NOTHING_LEFT)  # threads of agents that never answered are not waited for


if __name__ == "__main__":
    main(sys.argv[1])
