"""The test kit: scripted models, recordings, and the fault server as any HTTP client sees it."""

import http.client
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.errors import ScenarioError, SettingsError, UserError
from tertulia.models.prompts import block, chat
from tertulia.models.records import CallFailed, Reply, Request, Trouble
from tertulia.testing import Fault, Faults, FaultServer, NoReply, Recording, Replaying, Scripted
from tertulia.testing.bodies import random_json, random_text
from tertulia.testing.endpoint import body_key
from tertulia.testing.fault_server import apart, counts
from tertulia.testing.faults import REPLY, REQUEST, TRANSPORT
from tertulia.testing.players import played
from tertulia.testing.prefixes import PrefixCache, prompt_text

TOOL = {
    "type": "function",
    "function": {
        "name": "reschedule_delivery",
        "description": "Move the delivery of an order to another day.",
        "parameters": {
            "type": "object",
            "properties": {"order": {"type": "string"}, "day": {"type": "string"}},
            "required": ["order", "day"],
        },
    },
}


def request(text: str = "Hello.", role: Any = "assistant", step: str = "agent/1/0", **fields: Any) -> Request:
    messages = ({"role": "user", "content": text},)
    return Request(conversation="tiny-000000", role=role, step=step, messages=messages, **fields)


def body(*said: dict[str, Any], **fields: Any) -> bytes:
    messages = list(said) or [{"role": "user", "content": "Hello."}]
    return json.dumps({"model": "any", "messages": messages, **fields}).encode()


class Client:
    """A plain HTTP client on one kept connection."""

    def __init__(self, server: FaultServer) -> None:
        self.wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)

    def post(self, data: bytes, **headers: str) -> tuple[int, Any, dict[str, str]]:
        self.wire.request("POST", "/v1/chat/completions", data, headers)
        answer = self.wire.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.headers)

    def message(self, data: bytes) -> dict[str, Any]:
        return self.post(data)[1]["choices"][0]["message"]


@pytest.fixture
def serve() -> Iterator[Any]:
    opened: list[FaultServer] = []

    def begin(*faults: str, **options: Any) -> FaultServer:
        server = FaultServer(Faults.parsed(faults), **options)
        opened.append(server.__enter__())
        return server

    yield begin
    for server in opened:
        server.__exit__()


@pytest.fixture
def connect() -> Iterator[Any]:
    opened: list[Client] = []

    def begin(server: FaultServer) -> Client:
        opened.append(Client(server))
        return opened[-1]

    yield begin
    for client in opened:
        client.wire.close()


# --- scripted models ---------------------------------------------------------------------------------------------


async def test_a_list_of_replies_is_given_in_order_and_what_was_asked_is_kept():
    model = Scripted(["One.", {"two": 2}, Reply(text="Three.", finish="length")])

    replies = [await model(request(str(nth))) for nth in range(3)]

    assert [reply.text for reply in replies] == ["One.", '{"two": 2}', "Three."]
    assert [asked.messages[0]["content"] for asked in model.asked] == ["0", "1", "2"]


async def test_a_scripted_model_that_runs_out_names_the_request_it_was_asked():
    model = Scripted([])

    with pytest.raises(NoReply, match=r"assistant 'agent/1/0' of conversation 'tiny-000000', which ends in 'Hello\.'"):
        await model.complete(request(), 1.0)


async def test_a_scripted_model_raises_what_it_is_told_to_raise():
    model = Scripted([CallFailed(Trouble.RATE_LIMITED, "later", retry_after=2.0)])

    with pytest.raises(CallFailed, match="later") as caught:
        await model(request())
    assert caught.value.retry_after == 2.0


async def test_a_file_answers_by_role_and_step_and_uses_an_entry_up(tmp_path):
    path = tmp_path / "replies.yaml"
    path.write_text(
        "replies:\n"
        "- {role: user, text: I am a user.}\n"
        "- {step: 'agent/1/*', times: 1, calls: [{name: find_order, args: {order: A1042}}]}\n"
        "- {role: assistant, json: {done: true}}\n"
    )
    model = Scripted.from_file(path)

    assert (await model(request(role="user"))).text == "I am a user."
    called = await model(request())
    assert (called.calls[0].name, json.loads(called.calls[0].arguments)) == ("find_order", {"order": "A1042"})
    assert called.finish == "tool_calls"
    assert (await model(request())).text == '{"done": true}'
    with pytest.raises(NoReply, match=r"replies\.yaml' has no reply for critic"):
        await model(request(role="critic"))


def test_a_file_of_replies_is_read_strictly(tmp_path):
    path = tmp_path / "replies.yaml"
    path.write_text("replies:\n- {role: planer, text: x}\n")

    with pytest.raises(ScenarioError, match=r"replies\.yaml:2:"):
        Scripted.from_file(path)


# --- recordings --------------------------------------------------------------------------------------------------


async def test_a_recording_is_replayed_without_the_model(tmp_path):
    path = tmp_path / "replies.jsonl"
    with Recording(Scripted(["One.", "Two.", "Other."]), path) as recording:
        for asked in (request("a"), request("a"), request("b")):
            await recording.complete(asked, 1.0)

    replay = Replaying(path)
    again = [(await replay.complete(request(text, step="agent/7/0"))).text for text in ("b", "a", "a", "a")]
    assert again == ["Other.", "One.", "Two.", "Two."]


async def test_a_request_that_was_never_recorded_is_named(tmp_path):
    path = tmp_path / "replies.jsonl"
    with Recording(Scripted(["One."]), path) as recording:
        await recording.complete(request("a"), 1.0)

    with pytest.raises(NoReply, match=r"replies\.jsonl' holds no reply for assistant 'agent/1/0'.*'Goodbye\.'"):
        await Replaying(path).complete(request("Goodbye."))


def test_a_damaged_recording_names_its_line(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text('{"request": 1}\n')

    with pytest.raises(UserError, match=r"replies\.jsonl:1: not a line of a recording"):
        Replaying(path)


# --- faults ------------------------------------------------------------------------------------------------------


def test_faults_are_drawn_by_seed_and_as_often_as_asked():
    faults = Faults.mixed(0.2, seed=3)
    drawn = [faults.drawn(f"{nth:x}", 1) for nth in range(5000)]

    assert drawn == [Faults.mixed(0.2, seed=3).drawn(f"{nth:x}", 1) for nth in range(5000)]
    assert drawn != [Faults.mixed(0.2, seed=4).drawn(f"{nth:x}", 1) for nth in range(5000)]
    assert 0.17 < sum(fault is not None for fault in drawn) / 5000 < 0.22
    assert set(drawn) == {None, *Fault}


def test_a_retry_draws_transport_faults_anew_and_keeps_faults_of_the_reply():
    resets, empties = Faults({Fault.RESET: 0.5}), Faults({Fault.EMPTY: 0.5})

    assert len({resets.drawn("key", attempt) for attempt in range(20)}) == 2
    assert len({empties.drawn("key", attempt) for attempt in range(20)}) == 1


@pytest.mark.parametrize("text", ["nonsense=0.1", "0.2x", "hang=2", "hang=-0.1"])
def test_a_fault_that_does_not_exist_or_a_share_that_is_none_is_refused(text):
    with pytest.raises(SettingsError):
        Faults.parsed([text])


@given(st.integers())
def test_random_replies_can_always_travel(seed):
    assert isinstance(json.loads(json.dumps(random_text(Random(seed)))), str)
    json.dumps(random_json(Random(seed)))


# --- the server --------------------------------------------------------------------------------------------------


def test_the_server_counts_each_body_and_names_it_in_the_reply(serve, connect):
    server = serve()
    client = connect(server)

    first = client.post(body())[1]
    client.post(body())

    assert first["id"] == body_key(body())
    assert server.tally.asked == server.tally.answered == {body_key(body()): 2}


def test_the_server_tells_how_long_it_was_busy_from_the_first_request_to_the_last_completion(serve, connect):
    server = serve(latency=0.02)
    client = connect(server)
    for _ in range(2):
        client.post(body())

    assert server.endpoint.counts()["seconds"] >= 0.04


def test_the_server_asks_for_its_key(serve, connect):
    client = connect(serve(key="k-123"))

    assert client.post(body())[0] == 401
    assert client.post(body(), Authorization="Bearer k-123")[0] == 200


def test_a_body_that_is_no_request_is_refused_and_the_connection_lives_on(serve, connect):
    client = connect(serve())

    assert [client.post(data)[0] for data in (b"{", b"[]", b'{"messages": []}', b'{"messages": 3}')] == [400] * 4
    assert client.post(body())[0] == 200


@pytest.mark.parametrize(
    ("fault", "status"), [("rate_limited", 429), ("server_error", 500), ("unavailable", 503), ("not_a_completion", 200)]
)
def test_transport_faults_that_answer_do_so_with_their_status(serve, connect, fault, status):
    server = serve(f"{fault}=1", retry_after=3)

    got, told, headers = connect(server).post(body())

    assert got == status
    assert "choices" not in told
    assert headers.get("Retry-After") == ("3" if status == 429 else None)
    assert server.tally.faults == {fault: 1}
    assert server.tally.answered == {}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", ConnectionResetError),
        ("truncated_body", http.client.IncompleteRead),
        ("malformed_json", json.JSONDecodeError),
        ("hang", TimeoutError),
    ],
)
def test_transport_faults_that_break_off_do_so(serve, connect, fault, error):
    client = connect(serve(f"{fault}=1"))
    client.wire.timeout = 0.2

    with pytest.raises(error):
        client.post(body())


def test_a_server_that_bears_two_at_a_time_sends_the_third_away(serve, connect):
    server = serve(at_once=2, latency=0.3)
    clients = [connect(server) for _ in range(3)]
    for client in clients:
        client.wire.request("POST", "/v1/chat/completions", body())
    statuses = [client.wire.getresponse().status for client in clients]

    assert sorted(statuses) == [200, 200, 429]
    assert server.tally.turned_away == 1


def test_each_fault_of_a_reply_shows_in_the_message(serve, connect):
    seen = {}
    for fault in REPLY:
        told = connect(serve(f"{fault}=1")).post(body(tools=[TOOL]))[1]["choices"][0]
        seen[fault] = told
        assert set(told["message"]) >= {"role", "content"}

    assert seen[Fault.EMPTY]["message"]["content"] is None
    assert seen[Fault.LENGTH]["finish_reason"] == "length"
    assert seen[Fault.REFUSAL]["message"]["refusal"]
    assert seen[Fault.REASONING_LEAK]["message"]["content"].startswith("<think>")
    assert seen[Fault.UNKNOWN_TOOL]["message"]["tool_calls"][0]["function"]["name"] == "consult_oracle"
    assert len(seen[Fault.SEVERAL_CALLS]["message"]["tool_calls"]) == 2
    assert seen[Fault.CALL_AND_TEXT]["message"]["content"]
    assert (*TRANSPORT, *REPLY, *REQUEST) == tuple(Fault)


def test_the_server_runs_in_a_process_of_its_own_and_tells_its_counts():
    with apart("--faults", "empty=1") as url:
        port = int(url.removesuffix("/v1").rpartition(":")[2])
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        wire.request("POST", "/v1/chat/completions", body())
        assert wire.getresponse().status == 200
        wire.close()
        assert counts(url)["faults"] == {"empty": 1}


def test_cached_tokens_are_those_of_the_prefix_seen_before(serve, connect):
    client = connect(serve())
    long = {"role": "system", "content": "Be kind. " * 100}
    first = client.post(body(long, {"role": "user", "content": "Hello."}))[1]["usage"]
    second = client.post(body(long, {"role": "user", "content": "Good morning."}))[1]["usage"]

    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert 0.8 < second["prompt_tokens_details"]["cached_tokens"] / second["prompt_tokens"] < 1


def test_a_prefix_that_differs_early_is_not_cached():
    cache = PrefixCache()
    cache.shared("a" * 640)

    assert cache.shared("a" * 640) == 640
    assert cache.shared("b" + "a" * 639) == 0
    assert prompt_text(json.loads(body(tools=[TOOL]))).startswith('[{"type": "function"')


# --- the players -------------------------------------------------------------------------------------------------


def asked_as(role: str, *history: dict[str, Any], tools: tuple[Any, ...] = (), **known: Any) -> dict[str, Any]:
    system = "\n\n".join([f"You are the {role} in a simulated conversation.", *(block(*it) for it in known.items())])
    return {"messages": list(chat(system, history)), **({"tools": list(tools)} if tools else {})}


WANT = {"number": 1, "what": "move it", "call": "reschedule_delivery", "with": {"order": "A1042", "day": "friday"}}


def test_the_user_player_releases_what_it_is_asked_for_and_ends_when_all_is_done():
    card = {"you": {"name": "customer"}, "facts": {"order": "A1042"}, "wants": [WANT]}
    opening = {"role": "assistant", "content": "Can you move my delivery?"}
    ask = {"role": "user", "content": "What is the order number?"}
    done = {"role": "user", "content": "I have rescheduled the delivery of order A1042 to friday."}

    told = played(asked_as("user", opening, ask, **card)).text
    assert "A1042" in told
    said = played(asked_as("user", opening, ask, {"role": "assistant", "content": told}, done, **card)).text
    assert said.endswith("[GOAL REACHED]")


def test_the_assistant_player_asks_for_a_yes_and_then_calls():
    wish = {"role": "user", "content": "Please move the delivery of order A1042 to friday."}
    asks = played(asked_as("assistant", wish, tools=(TOOL,)))
    yes = ({"role": "assistant", "content": asks.text}, {"role": "user", "content": "Yes, please."})
    calls = played(asked_as("assistant", wish, *yes, tools=(TOOL,))).calls

    assert asks.text.endswith("?")
    assert json.loads(calls[0].arguments) == {"order": "A1042", "day": "friday"}


def test_planner_critic_judge_and_tool_answer_in_their_shape():
    cast = [{"name": "customer", "role": "user"}, {"name": "agent", "role": "assistant"}]
    plan = json.loads(played(asked_as("planner", scenario={"cast": cast, "wants": [WANT]})).text)
    rules = [{"id": "no_flattery", "text": "x"}]
    draft = {"about": {"speaker": "agent", "role": "assistant"}, "principles": rules, "draft": {"says": "Hello."}}
    heard = [{"speaker": "agent", "says": "It comes on Friday."}]
    facts = {"1": "friday", "2": "monday"}

    assert "reschedule_delivery" in plan["steps"][0]
    assert set(plan["order"]) == {"customer", "agent"}
    assert json.loads(played(asked_as("critic", **draft)).text) == {"markers": []}
    system = asked_as("judge", facts=facts)
    system["messages"][-1]["content"] = f"<transcript>\n{json.dumps(heard[0])}\n</transcript>"
    assert [fact["holds"] for fact in json.loads(played(system).text)["facts"]] == [True, False]
    call = {"name": "find_order", "arguments": {"order": "A1042"}}
    assert json.loads(played(asked_as("tool", tool={"name": "find_order"}, call=call)).text)["status"] == "ok"


@given(st.text(), st.sampled_from(["user", "assistant", "colleague", "planner", "critic", "judge", "tool"]))
def test_the_players_answer_whatever_they_are_sent(text, role):
    played({"messages": [{"role": "system", "content": f"You are the {role}\n<wants>\n{text}\n</wants>"}]})
    played({"messages": [{"role": "user", "content": text}]})
