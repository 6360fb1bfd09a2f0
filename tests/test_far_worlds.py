"""Tools that others serve: over HTTP to named hosts alone, on MCP servers that may die, in Python that is allowed."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from langchain_core.tools import ToolException, tool
from openapi_examples import PETS

from tertulia import tool as marked
from tertulia.errors import ToolError, UserError
from tertulia.files import load_scenario
from tertulia.graph import Stage
from tertulia.permissions import allowing
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation, EndReason
from tertulia.scenario import McpServer, Operation, Place, Scenario, ToolSource
from tertulia.table import Item
from tertulia.world import Outcome, RemoteWorld
from tertulia.worlds.functions import FunctionsWorld, python_world
from tertulia.worlds.http_request import request_of
from tertulia.worlds.mcp import McpWorld, tools_of_server
from tertulia.worlds.openapi import HttpWorld
from tertulia.worlds.openapi_document import api_of
from tertulia.worlds.safe_http import refuse_private
from tertulia.worlds.sources import document_at

TOOLS = api_of(PETS, "pets.yaml").tools
SCENARIO = Scenario.model_validate(
    {
        "id": "new-pet",
        "kind": "single_call",
        "cast": {"visitor": {"role": "user", "knows": {"name": "Rex"}}, "desk": {"role": "assistant"}},
        "script": {
            "opening": "Hello, please create a pet for me, the name is Rex.",
            "wants": [{"call": "createPet", "with": {"name": "Rex"}}],
        },
    }
)
SERVER = str(Path(__file__).with_name("mcp_server.py"))


@pytest.fixture
def net() -> Iterator[None]:
    with allowing(net=True):
        yield


@asynccontextmanager
async def served(handler: Any) -> AsyncIterator[str]:
    """A server on loopback; gives its URL."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await runner.cleanup()


async def echo(request: web.Request) -> web.Response:
    told = {"method": request.method, "path": request.raw_path, "key": request.headers.get("X-Key", "")}
    return web.json_response(told | {"body": await request.text()})


async def asked(url: str, name: str, args: dict[str, Any], **source: Any) -> Outcome:
    """One call at a server on loopback."""
    given = {"openapi": "pets.yaml", "answers": "http", "server": url, "hosts": ("127.0.0.1",)} | source
    live = HttpWorld(TOOLS, source=ToolSource(**given)).open(SCENARIO)
    async with asyncio.timeout(20):
        outcome = await live.ask(name, args)
        await live.close()
    return outcome


# --- HTTP ------------------------------------------------------------------------------------------------------------


async def test_a_call_is_the_request_of_its_operation(net: None) -> None:
    async with served(echo) as url:
        made = json.loads((await asked(f"{url}/v1/", "createPet", {"name": "Rex"})).text)
        read = json.loads((await asked(url, "get_pets", {"species": "dog", "limit": 3})).text)

    assert made == {"method": "POST", "path": "/v1/pets", "key": "", "body": '{"name": "Rex"}'}
    assert (read["method"], read["path"]) == ("GET", "/pets?species=dog&limit=3")


async def test_secrets_come_from_the_environment_and_are_shown_to_nobody(
    net: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PETS_KEY", 'sesame "open"')
    heard = []

    async def keeper(request: web.Request) -> web.Response:
        heard.append(request.headers["X-Key"])
        return await echo(request)

    async with served(keeper) as url:
        outcome = await asked(url, "getPet", {"petId": 7}, auth={"key": "PETS_KEY"})
        world = HttpWorld(TOOLS, source=ToolSource(openapi="p", server=url, auth={"key": "PETS_KEY"}))

    assert heard == ['sesame "open"']
    assert json.loads(outcome.text)["key"] == "[key]"
    assert "sesame" not in repr(world.open(SCENARIO)) + repr(outcome)


async def test_a_secret_that_is_not_set_is_named(net: None) -> None:
    with pytest.raises(UserError, match="the environment variable PETS_NO_KEY is not set"):
        await asked("http://127.0.0.1:1", "getPet", {"petId": 7}, auth={"key": "PETS_NO_KEY"})


@pytest.mark.parametrize(
    ("status", "fault"), [(404, ""), (400, ""), (429, "rate_limit"), (500, "server_error"), (504, "timeout")]
)
async def test_what_is_the_services_own_failure_is_not_the_callers(net: None, status: int, fault: str) -> None:
    async def failing(request: web.Request) -> web.Response:
        return web.json_response({"error": "no"}, status=status)

    async with served(failing) as url:
        outcome = await asked(url, "getPet", {"petId": 7})

    assert (outcome.error, outcome.fault, outcome.text) == (True, fault, '{"error": "no"}')


async def test_silence_and_too_long_an_answer_end_in_time(net: None) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(40):
            await response.write(b"x" * (1 << 16))
        return response

    async def silent(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with served(endless) as url:
        assert "larger than 1024 KiB" in (await asked(url, "getPet", {"petId": 7})).text
    async with served(silent) as url:
        assert (await asked(url, "getPet", {"petId": 7}, timeout=0.2)).fault == "timeout"


async def test_nobody_there_is_a_loss_that_no_caller_is_blamed_for(net: None) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = await asked(f"http://127.0.0.1:{taken.getsockname()[1]}", "getPet", {"petId": 7})

    assert (outcome.error, outcome.fault) == (True, "lost")


async def test_redirects_to_other_hosts_are_not_followed(net: None) -> None:
    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://localhost:1/elsewhere")

    async def onward(request: web.Request) -> web.Response:
        if request.path != "/pets/8":
            raise web.HTTPFound("/pets/8")
        return web.json_response({"name": "Bo"})

    async with served(away) as url:
        assert "redirects to another host, 'localhost'" in (await asked(url, "getPet", {"petId": 7})).text
    async with served(onward) as url:
        assert (await asked(url, "getPet", {"petId": 7})).text == '{"name": "Bo"}'
        assert "redirects a request that writes" in (await asked(url, "createPet", {"name": "Bo"})).text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0.0.0.0"])
async def test_private_addresses_are_refused_unless_they_are_named(net: None, host: str) -> None:
    outcome = await asked(f"http://{host}:9", "getPet", {"petId": 7}, hosts=())

    assert outcome.fault == "lost"
    assert "private address" in outcome.text


async def test_only_hosts_that_are_named_are_called(net: None) -> None:
    async with served(echo) as url:
        outcome = await asked(url, "getPet", {"petId": 7}, hosts=("pets.example",))

    assert "'127.0.0.1' is not among the hosts that may be called" in outcome.text


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.1", "::1", "fe80::1%eth0", "::ffff:10.0.0.1", "224.0.0.1"])
def test_what_is_not_of_the_public_internet_is_private(address: str) -> None:
    with pytest.raises(OSError, match="private"):
        refuse_private("host", address)


async def test_nothing_is_called_without_the_flag() -> None:
    with pytest.raises(UserError, match="to let it, give --allow-net"):
        await asked("http://127.0.0.1:9", "getPet", {"petId": 7})
    with pytest.raises(UserError, match="to let it, give --allow-net"):
        document_at("http://127.0.0.1:9/pets.yaml")


async def test_a_document_is_fetched_from_its_url(net: None) -> None:
    async def document(request: web.Request) -> web.Response:
        return web.Response(text=PETS)

    async with served(document) as url:
        text = await asyncio.to_thread(document_at, f"{url}/pets.yaml", ["127.0.0.1"])
        with pytest.raises(UserError, match="private address"):
            await asyncio.to_thread(document_at, f"{url}/pets.yaml")

    assert len(api_of(text, url).tools) == 5


@pytest.mark.parametrize("value", ["../secret", "..", "a/b?c#d", "ü"])
def test_a_value_stays_one_segment_of_its_path(value: str) -> None:
    operation = Operation(method="get", path="/a/{x}/b", places={"x": (Place(at="path", name="x"),)})
    if value == "..":
        with pytest.raises(ToolError, match="is no value"):
            request_of(operation, "http://h", {"x": value}, {})
    else:
        path = request_of(operation, "http://h", {"x": value}, {}).url.removeprefix("http://h/a/")
        assert path.count("/") == 1
        assert not {"?", "#"} & set(path)


def test_a_header_may_hold_no_line_break() -> None:
    operation = Operation(method="get", path="/", places={"x": (Place(at="header", name="X-A"),)})

    with pytest.raises(ToolError, match="no line break"):
        request_of(operation, "http://h", {"x": "a\r\nX-B: c"}, {})


@pytest.mark.parametrize(
    ("style", "explode", "value", "query"),
    [
        ("", None, ["a", "b"], "x=a&x=b"),
        ("form", False, ["a", "b"], "x=a%2Cb"),
        ("pipeDelimited", None, ["a", "b"], "x=a%7Cb"),
        ("deepObject", True, {"a": 1}, "x%5Ba%5D=1"),
        ("", None, {"a": True}, "a=true"),
    ],
)
def test_lists_and_objects_are_written_in_their_style(style: str, explode: bool | None, value: Any, query: str) -> None:
    place = Place(at="query", name="x", style=style, explode=explode)
    operation = Operation(method="get", path="/", places={"x": (place,)})

    assert request_of(operation, "http://h", {"x": value}, {}).url == f"http://h/?{query}"


async def test_a_scenario_is_played_on_a_server(net: None, tmp_path: Path) -> None:
    async def shelter(request: web.Request) -> web.Response:
        return web.json_response({"id": 1} | await request.json(), status=201)

    async with served(shelter) as url:
        (tmp_path / "pets.yaml").write_text(PETS)
        world = {"openapi": "pets.yaml", "answers": "http", "server": url, "hosts": ["127.0.0.1"]}
        raw = SCENARIO.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"world": world}
        (tmp_path / "new-pet.yaml").write_text(json.dumps(raw))
        talk = await played(load_scenario(tmp_path / "new-pet.yaml"))

    assert talk.end_reason is EndReason.GOAL_REACHED
    assert [json.loads(m.text) for m in talk.messages if m.role == "tool"] == [{"id": 1, "name": "Rex"}]


async def played(scenario: Scenario) -> Conversation:
    stage = Stage(bundled_recipe("user_script"))
    async with asyncio.timeout(60):
        return await stage.play(stage.seat(Item(0, f"{scenario.id}-0", scenario, {}, seed=1)))


# --- MCP -------------------------------------------------------------------------------------------------------------


def stdio(**more: Any) -> ToolSource:
    return ToolSource(mcp=McpServer(command=(sys.executable, SERVER), env=("NOTES_WORD",)), **more)


async def test_a_server_over_stdio_keeps_a_conversations_own_notes_until_it_dies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NOTES_WORD", "hello")
    monkeypatch.setenv("NOTES_SECRET", "never")
    with allowing(code=True):
        tools = await asyncio.to_thread(tools_of_server, stdio())
        one, other = (McpWorld(tools, source=stdio(timeout=20)).open(SCENARIO) for _ in range(2))
        assert isinstance(one, RemoteWorld)
        kept, _ = await asyncio.gather(
            one.ask("add_note", {"name": "a", "text": "milk"}), other.ask("add_note", {"name": "b", "text": "tea"})
        )
        answers = [
            await one.ask("get_note", {"name": "a"}),
            await other.ask("get_note", {"name": "a"}),
            await one.ask("add_note", {"name": 7}),
            await one.ask("environment", {"name": "NOTES_WORD"}),
            await one.ask("environment", {"name": "NOTES_SECRET"}),
            await one.ask("crash", {}),
            await one.ask("get_note", {"name": "a"}),
        ]
        await one.close()
        await other.close()

    assert {tool.name: tool.writes for tool in tools}["get_note"] is False
    assert {tool.name: tool.writes for tool in tools}["add_note"] is True
    assert json.loads(kept.text) == {"name": "a", "text": "milk"}
    assert [(answer.error, answer.fault) for answer in answers] == [
        (False, ""),
        (True, ""),
        (True, ""),
        (False, ""),
        (False, ""),
        (True, "lost"),
        (True, "lost"),
    ]
    assert [json.loads(answer.text) for answer in answers[3:5]] == ["[NOTES_WORD]", ""]


async def test_a_conversation_goes_on_when_its_server_dies() -> None:
    with allowing(code=True):
        tools = await asyncio.to_thread(tools_of_server, stdio(operations=("crash",)))
        script = {"opening": "Please crash.", "wants": [{"call": "crash"}], "patience": 1}
        raw = SCENARIO.model_dump(mode="json", by_alias=True, exclude_unset=True)
        scenario = Scenario.model_validate(
            raw | {"script": script, "world": stdio().model_dump(), "tools": [tool.model_dump() for tool in tools]}
        )
        talk = await played(scenario)

    results = [message for message in talk.messages if message.role == "tool"]
    assert results
    assert {(result.error, result.injected, result.fault) for result in results} == {(True, True, "lost")}
    assert not talk.error
    assert talk.end_reason is not EndReason.FAILED


async def test_a_server_over_streamable_http_is_asked_where_it_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = await asyncio.create_subprocess_exec(
        sys.executable, SERVER, str(port), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert server.stderr
    try:
        async with asyncio.timeout(60):
            while b"running on" not in await server.stderr.readline():
                assert server.returncode is None
        source = ToolSource(mcp=McpServer(url=f"http://127.0.0.1:{port}/mcp"), hosts=("127.0.0.1",), timeout=20)
        with allowing(net=True):
            tools = await asyncio.to_thread(tools_of_server, source)
            live = McpWorld(tools, source=source).open(SCENARIO)
            kept = await live.ask("add_note", {"name": "a", "text": "milk"})
            server.kill()
            await server.wait()
            lost = await live.ask("get_note", {"name": "a"})
            await live.close()
    finally:
        if server.returncode is None:
            server.kill()
        await server.communicate()

    assert json.loads(kept.text) == {"name": "a", "text": "milk"}
    assert (lost.error, lost.fault) == (True, "lost")


def test_a_server_is_neither_run_nor_asked_without_the_flags() -> None:
    with pytest.raises(UserError, match="give --allow-code"):
        tools_of_server(stdio())
    with pytest.raises(UserError, match="give --allow-net"):
        tools_of_server(ToolSource(mcp=McpServer(url="http://127.0.0.1:9/mcp")))
    with allowing(net=True), pytest.raises(UserError, match="private address"):
        tools_of_server(ToolSource(mcp=McpServer(url="http://127.0.0.1:9/mcp")))


def test_a_command_that_is_no_server_is_told_in_one_line() -> None:
    with allowing(code=True), pytest.raises(UserError, match="gives no tools: The server cannot be reached"):
        tools_of_server(ToolSource(mcp=McpServer(command=("/nowhere/server",))))


# --- Python ----------------------------------------------------------------------------------------------------------


def get_price(item: str, pieces: int = 1) -> dict[str, Any]:
    """What something costs.

    Args:
        item: what it is
    """
    if item == "gold":
        raise ValueError("gold has no price")
    return {"item": item, "cents": 250 * pieces}


@marked(writes=True)
async def order(item: str) -> str:
    """Order something."""
    await asyncio.sleep(0)
    return f"{item} is ordered"


@tool
def search_items(words: str) -> list[str]:
    """Look for things."""
    if words == "nothing":
        raise ToolException("no words")
    return [words]


THINGS = [get_price, order, search_items]


def shelf() -> list[Any]:
    """Tools over a state of their own."""
    kept: list[str] = []

    def put_item(item: str) -> int:
        kept.append(item)
        return len(kept)

    return [put_item]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name under which this very module can be imported."""
    monkeypatch.setitem(sys.modules, "far_things", sys.modules[__name__])
    return "far_things"


async def test_functions_and_langchain_tools_are_tools(here: str) -> None:
    with allowing(code=True):
        world = python_world(ToolSource(python=f"{here}:THINGS"), "")
        live = world.open(SCENARIO)
        assert isinstance(live, RemoteWorld)
        answers = [
            await live.ask("get_price", {"item": "tea", "pieces": 2}),
            await live.ask("get_price", {"item": "gold"}),
            await live.ask("get_price", {"item": 7}),
            await live.ask("order", {"item": "tea"}),
            await live.ask("search_items", {"words": "tea"}),
            await live.ask("search_items", {"words": "nothing"}),
        ]
        also = await asyncio.to_thread(live.call, "order", {"item": "tea"})

    assert {name: spec.writes for name, spec in world.tools.items()} == {
        "get_price": False,
        "order": True,
        "search_items": False,
    }
    assert world.tools["get_price"].parameters["properties"]["item"]["description"] == "what it is"
    assert [answer.error for answer in answers] == [False, True, True, False, False, True]
    assert [json.loads(answers[nth].text) for nth in (0, 1, 3, 4)] == [
        {"item": "tea", "cents": 500},
        {"error": "gold has no price"},
        "tea is ordered",
        ["tea"],
    ]
    assert also == answers[3]


def test_what_is_made_for_each_conversation_keeps_its_state_to_itself(here: str) -> None:
    with allowing(code=True):
        world = python_world(ToolSource(python=f"{here}:shelf()"), "")
        one, other = world.open(SCENARIO), world.open(SCENARIO)

        assert [live.call("put_item", {"item": "tea"}).text for live in (one, one, other)] == ["1", "2", "1"]


def test_a_toolkit_in_the_working_directory_is_a_world_with_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corner_shop.py").write_text(CORNER_SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = ToolSource(python="corner_shop:CornerShop")
    with allowing(code=True):
        with pytest.raises(UserError, match=r"needs a file data\.json"):
            python_world(source, "")
        (tmp_path / "data.json").write_text('{"stock": {"tea": 3}}')
        (tmp_path / "policy.md").write_text("Be kind.")
        world = python_world(source, "And brief.")
        live = world.open(SCENARIO)

        assert world.policy == "Be kind.\n\nAnd brief."
        assert [change.path for change in live.call("sell", {"item": "tea"}).changes] == ["stock.tea"]
        assert live.call("sell", {"item": "gold"}).error
        assert live.call("sell", {}).error


CORNER_SHOP = '''
from pydantic import BaseModel

from tertulia import Toolkit, ToolError, tool


class Stock(BaseModel):
    stock: dict[str, int]


class CornerShop(Toolkit):
    state: Stock

    @tool(writes=True)
    def sell(self, item: str) -> int:
        """Sell one piece."""
        if item not in self.state.stock:
            raise ToolError("There is none.")
        self.state.stock[item] -= 1
        return self.state.stock[item]
'''


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("far_things:get_prise", "has no 'get_prise' (did you mean 'get_price'?)"),
        ("no_such_module:x", "cannot be imported"),
        ("far_things", "write MODULE:NAME"),
        ("far_things:SERVER", "is no function, tool, toolkit or list of them"),
    ],
)
def test_python_that_is_not_there_is_told_in_one_line(here: str, python: str, said: str) -> None:
    with allowing(code=True), pytest.raises(UserError) as caught:
        python_world(ToolSource(python=python), "")

    assert said in str(caught.value)


def test_no_python_is_run_without_the_flag(here: str) -> None:
    with pytest.raises(UserError, match="to let it, give --allow-code"):
        python_world(ToolSource(python=f"{here}:THINGS"), "")
    with pytest.raises(UserError, match="to let it, give --allow-code"):
        FunctionsWorld((), source=ToolSource(python=f"{here}:THINGS")).open(SCENARIO)
