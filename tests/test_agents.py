"""Agents of other people: in a process of their own, behind an address, as a graph; what goes wrong with them."""

import asyncio
import json
import re
import subprocess
import sys
from random import Random

import pytest
from aiohttp import web
from evaluations import bundled, played, settings, some
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from tertulia.contracts import Neighbour, View
from tertulia.errors import SettingsError
from tertulia.evaluation.agents.chat import asked, read_message
from tertulia.evaluation.agents.child import Serving
from tertulia.evaluation.agents.process import AgentProcess
from tertulia.evaluation.agents.remote import RemoteAgent
from tertulia.evaluation.agents.seat import AgentFailed, AgentMisspoke, Blamed
from tertulia.evaluation.agents.seating import seated
from tertulia.evaluation.sets import EvalSet
from tertulia.models.records import Trouble
from tertulia.records import Message, Signal, ToolCall
from tertulia.scenario import Party
from tertulia.world import ToolSpec

BOTH = ("customer", "agent")
TOOL = ToolSpec(name="find_order", parameters={"type": "object", "properties": {"order": {"type": "string"}}})
MOODY = """
import asyncio, ctypes, os, time

async def moody(messages, tools):
    print("not part of the answer")
    word = messages[-1]["content"]
    if word == "exit":
        os._exit(7)
    if word == "segfault":
        ctypes.string_at(0)
    if word == "block":
        time.sleep(600)
    if word == "dawdle":
        await asyncio.sleep(600)
    if word == "raise":
        raise ValueError("no idea")
    return {"role": "assistant", "content": f"You said {word}."}

def thoughtful(messages, tools):
    if messages[-1]["content"] == "block":
        time.sleep(600)
    return {"content": "Goodbye.", "done": True}

class Speaks:
    async def speak(self, view):
        from tertulia.contracts import Utterance
        return Utterance(f"{view.name} heard {view.messages[-1].text}", to=("customer",))

nothing = None
"""


def view_of(text="hello", **fields):
    message = Message(speaker="customer", role="user", text=text, audience=BOTH)
    values = {
        "name": "agent",
        "party": Party(role="assistant"),
        "others": (Neighbour("customer", "user"),),
        "messages": [message],
        "tools": (TOOL,),
        "policy": "Be kind.",
        "principles": (),
        "rng": Random(1),
        "conversation": "item-000001",
    }
    return View(**values | fields)


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "moods.py").write_text(MOODY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


async def outcome(agent, text):
    try:
        return (await agent.speak(view_of(text))).text
    except (AgentFailed, AgentMisspoke) as failure:
        return failure.trouble, str(failure)


async def test_a_crash_or_a_hang_costs_the_trial_at_fault_alone(module):
    agent = AgentProcess("moods:moody", deadline=1.0)
    words = ["a", "exit", "b", "raise", "c", "segfault", "d", "dawdle"]
    try:
        async with asyncio.timeout(60):
            found = dict(zip(words, await asyncio.gather(*(outcome(agent, word) for word in words)), strict=True))
    finally:
        await agent.close()

    assert [found[word] for word in "abcd"] == [f"You said {word}." for word in "abcd"]
    assert found["exit"][0] is Trouble.CRASHED
    assert found["exit"][1].startswith("crashed: the agent ended with status 7")
    assert found["segfault"][0] is Trouble.CRASHED
    assert "SIGSEGV" in found["segfault"][1]
    line = 1 + MOODY.splitlines().index('        raise ValueError("no idea")')
    assert found["raise"][0] is Trouble.CRASHED
    assert re.fullmatch(rf"crashed: the agent raised at /.*moods\.py:{line}: ValueError: no idea", found["raise"][1])
    assert found["dawdle"] == (Trouble.TIMEOUT, "timeout: the agent gave no answer within 1 s")


async def test_an_agent_that_stops_its_whole_process_costs_itself_alone(module, monkeypatch):
    monkeypatch.setattr("tertulia.evaluation.agents.process.PONG", 0.2)
    agent = AgentProcess("moods:moody", deadline=0.5)
    try:
        async with asyncio.timeout(60):
            blocked, spared = await asyncio.gather(outcome(agent, "block"), outcome(agent, "a"))
    finally:
        await agent.close()

    assert blocked == (Trouble.TIMEOUT, "timeout: the agent gave no answer within 0.5 s")
    assert spared == "You said a."


def test_an_agent_that_hangs_does_not_outlive_whoever_asked_it(module):
    messages = [{"role": "user", "content": "block"}]
    asked = json.dumps({"id": 1, "conversation": "c", "messages": messages, "tools": []}) + "\n"
    command = [sys.executable, "-m", "tertulia.evaluation.agents.child", "moods:moody"]
    done = subprocess.run(command, input=asked.encode(), capture_output=True, timeout=60)

    assert done.returncode == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"ready": True, "takes": "chat"}]


async def test_a_function_that_is_no_coroutine_and_a_speaker_are_agents_too(module):
    function, speaker = AgentProcess("moods:thoughtful", 30.0), AgentProcess("moods:Speaks", 30.0)
    try:
        said, told = await asyncio.gather(function.speak(view_of()), speaker.speak(view_of("hello")))
    finally:
        await asyncio.gather(function.close(), speaker.close())

    assert (said.text, said.signal) == ("Goodbye.", Signal.CLOSED)
    assert (told.text, told.to) == ("agent heard hello", ("customer",))


async def test_an_agent_that_cannot_be_loaded_is_named_before_anything_is_played(module):
    with pytest.raises(SettingsError, match="cannot be loaded: it ended with status 1: ModuleNotFoundError"):
        async with seated(settings("no_such_module:agent"), some(1, "parcels")):
            pass


async def test_an_agent_that_fails_while_it_is_loaded_is_told_with_its_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "half.py").write_text("import json\n\njson.loads('{')\n")

    with pytest.raises(SettingsError, match=r"it ended with status 1: at .*half\.py:3: json.decoder.JSONDecodeError"):
        async with seated(settings("half:agent"), some(1, "parcels")):
            pass


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("ruels", r"did you mean 'rules'\?"),
        ("agents/mine.py:answer", "MODULE is a dotted name, without .py: agents.mine:answer"),
        ("opnai:small", r"did you mean 'openai'\?"),
    ],
)
async def test_an_agent_that_is_none_is_told_what_was_perhaps_meant(spec, hint):
    with pytest.raises(SettingsError, match=hint):
        async with seated(settings(spec), some(1, "parcels")):
            pass


async def test_a_crash_in_an_evaluation_is_the_agents_and_the_others_go_on():
    agent = AgentProcess("tertulia.testing.reference_agents:crashes", 30.0)
    whole = bundled("parcels")
    chosen = tuple(item for item in whole.items if item.source in ("missed-delivery", "only-saying-thanks"))
    try:
        found = await played(EvalSet("two", chosen), Blamed(agent))
    finally:
        await agent.close()

    assert [one.name for one in found] == ["agent: crashed", ""]
    assert "status 3" in found[0].fault.text


# --- messages ----------------------------------------------------------------------------------------------------


def test_an_agent_is_asked_from_its_own_side_alone():
    call = ToolCall(id="c1", name="find_order", args={"order": "A1"})
    heard = [
        Message(speaker="customer", role="user", text="Where is A1?", audience=BOTH),
        Message(speaker="agent", role="assistant", calls=(call,), audience=("agent",)),
        Message(speaker="find_order", role="tool", text="{}", answers="c1", audience=("agent",)),
        Message(speaker="customer", role="user", calls=(call,), audience=("customer",)),
    ]
    told = asked(view_of(messages=heard))

    assert [message["role"] for message in told["messages"]] == ["system", "user", "assistant", "tool"]
    assert told["messages"][0]["content"] == "Be kind."
    assert told["messages"][2]["tool_calls"][0]["function"]["name"] == "find_order"
    assert told["tools"] == [TOOL.openai()]


@pytest.mark.parametrize(
    ("message", "trouble"),
    [
        (17, Trouble.WRONG_SCHEMA),
        (None, Trouble.WRONG_SCHEMA),
        ({"role": "user", "content": "hi"}, Trouble.WRONG_SCHEMA),
        ({"content": ["hi"]}, Trouble.WRONG_SCHEMA),
        ({"content": "  "}, Trouble.EMPTY),
        ({}, Trouble.EMPTY),
        ({"tool_calls": "f"}, Trouble.WRONG_SCHEMA),
        ({"tool_calls": ["f"]}, Trouble.WRONG_SCHEMA),
        ({"tool_calls": [{"function": {"name": ""}}]}, Trouble.WRONG_SCHEMA),
        ({"tool_calls": [{"function": {"name": "f", "arguments": "{nope"}}]}, Trouble.NOT_JSON),
        ({"tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}, Trouble.WRONG_ARGUMENTS),
    ],
)
def test_garbage_is_named(message, trouble):
    with pytest.raises(AgentMisspoke) as failure:
        read_message(message, view_of())

    assert failure.value.trouble is trouble


@pytest.mark.parametrize("arguments", ['{"order": "A1"}', {"order": "A1"}])
def test_calls_are_read_and_words_beside_them_dropped(arguments):
    call = {"id": "x", "type": "function", "function": {"name": "anything", "arguments": arguments}}
    said = read_message({"role": "assistant", "content": "wait", "tool_calls": [call]}, view_of())

    assert (said.text, said.calls) == ("", (ToolCall(id="", name="anything", args={"order": "A1"}),))


async def test_a_graph_gives_its_last_message_as_the_turn():
    def node(state):
        word = state["messages"][-1].content
        call = {"id": "1", "name": "find_order", "args": {"order": word}}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    request = asked(view_of("A1"))
    given = await Serving(graph.compile(), lambda told: None).reply(request)

    assert read_message(given, view_of()).calls == (ToolCall(id="", name="find_order", args={"order": "A1"}),)


# --- over HTTP ---------------------------------------------------------------------------------------------------


async def served(answer):
    """An agent on loopback; its URL and how to close it."""
    app = web.Application()
    app.router.add_post("/agent", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/agent", runner


async def test_an_agent_over_http_is_sent_the_chat_and_its_key(monkeypatch):
    seen = []

    async def answer(request):
        seen.append((request.headers.get("Authorization"), await request.json()))
        return web.json_response({"message": {"role": "assistant", "content": "Hello."}})

    monkeypatch.setenv("AGENT_KEY", "s3cret")
    url, runner = await served(answer)
    said = await RemoteAgent(f"{url}#AGENT_KEY", 10.0).speak(view_of())
    await runner.cleanup()

    assert said.text == "Hello."
    assert seen[0][0] == "Bearer s3cret"
    assert set(seen[0][1]) == {"conversation", "messages", "tools"}


async def test_the_key_of_a_model_is_not_sent_to_an_agent(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-model")

    assert "Authorization" not in RemoteAgent("http://127.0.0.1:9/agent", 1.0).endpoint.headers


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (200, "{", Trouble.NOT_JSON),
        (200, "[]", Trouble.WRONG_SCHEMA),
        (200, json.dumps({"message": 3}), Trouble.WRONG_SCHEMA),
        (404, "{}", Trouble.DENIED),
    ],
)
async def test_a_wrong_answer_over_http_is_named(status, body, trouble):
    async def answer(request):
        return web.Response(status=status, text=body)

    url, runner = await served(answer)
    with pytest.raises((AgentFailed, AgentMisspoke)) as failure:
        await RemoteAgent(url, 10.0).speak(view_of())
    await runner.cleanup()

    assert failure.value.trouble is trouble
    assert ": the agent " in str(failure.value)


async def test_what_passes_over_http_is_tried_again(monkeypatch):
    monkeypatch.setattr("tertulia.models.limits.Patience.wait", lambda *told: 0.0)
    answers = [503, 503, 200]

    async def answer(request):
        status = answers.pop(0)
        return web.json_response({"message": {"content": "At last."}}, status=status)

    url, runner = await served(answer)
    said = await RemoteAgent(url, 10.0).speak(view_of())
    await runner.cleanup()

    assert said.text == "At last."
