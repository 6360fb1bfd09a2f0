"""The one door to the models: what is asked, tried again, kept, counted and refused."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from tertulia.errors import SettingsError
from tertulia.models.budget import Allowance, Budget
from tertulia.models.caller import DENIALS, Caller, Line
from tertulia.models.journal import TABLES, Batch, Journal, write
from tertulia.models.limits import LOST, Limiter, Patience
from tertulia.models.records import (
    BudgetSpent,
    CallFailed,
    EndpointDenies,
    ModelFailure,
    Reply,
    Request,
    Trouble,
)
from tertulia.records import Usage

Act = Callable[[Request], Reply]
FREE = Patience(first=0.0)


class Echo:
    """An endpoint that says how often it was asked; `faults` come first."""

    def __init__(self, *faults: CallFailed, act: Act | None = None) -> None:
        self.faults, self.act = list(faults), act
        self.asked: list[Request] = []
        self.deadlines: list[float] = []
        self.open = self.most_open = 0

    async def complete(self, request: Request, deadline: float) -> Reply:
        self.asked.append(request)
        self.deadlines.append(deadline)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        await asyncio.sleep(0)
        self.open -= 1
        if self.faults:
            raise self.faults.pop(0)
        if self.act:
            return self.act(request)
        return Reply(text=f"reply {len(self.asked)}", tokens_in=100, tokens_out=10, cached_in=60)


@pytest.fixture
def database(tmp_path):
    made = sqlite3.connect(tmp_path / "run.sqlite", isolation_level=None)
    made.executescript("PRAGMA synchronous = OFF;" + TABLES)
    yield made
    made.close()


def line(endpoint: Echo, **fields: Any) -> Line:
    return Line(**{"name": "openai:m", "mark": b"m", "endpoint": endpoint, "limiter": Limiter(8)} | fields)


def caller(database: sqlite3.Connection, *lines: Line, most: Allowance | None = None, **more: Any) -> Caller:
    def keep(batch: Batch) -> None:
        database.execute("BEGIN")
        write(database, batch)
        database.execute("COMMIT")

    named = dict(zip(("assistant", "critic"), lines, strict=False))
    return Caller(named, Journal(database, keep), Budget(most or Allowance()), **{"patience": FREE} | more)


def request(step: str = "agent/1/0", text: str = "Hello", conversation: str = "c", **fields: Any) -> Request:
    messages = ({"role": "user", "content": text},)
    return Request(conversation=conversation, role="assistant", step=step, messages=messages, **fields)


def failed(trouble: Trouble, **fields: Any) -> CallFailed:
    return CallFailed(trouble, "it broke", **fields)


# --- the journal -------------------------------------------------------------------------------------------------


async def test_the_same_conversation_later_pays_nothing_and_hears_the_same(database):
    first, again = Echo(), Echo()
    steps = [request(f"agent/{n}/0", f"turn {n}") for n in range(5)]
    door = caller(database, line(first))
    said = [await door.ask_for("assistant")(step) for step in steps]
    usage = door.leave("c")
    door.journal.close()

    later = caller(database, line(again))
    assert [await later.ask_for("assistant")(step) for step in steps] == said
    assert again.asked == []
    assert later.leave("c") == usage
    assert later.journal.totals["journal_hits"] == 5
    assert later.journal.totals["calls"] == 5


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Good day"},
        {"step": "agent/1/1"},
        {"conversation": "d"},
        {"tools": ({"type": "function"},)},
        {"answer": {"type": "object"}},
        {"stop": ("x",)},
        {"seed": 1},
        {"logprobs": True},
    ],
)
async def test_whatever_is_asked_otherwise_is_asked_anew(database, change):
    endpoint = Echo()
    await caller(database, line(endpoint)).ask_for("assistant")(request())
    await caller(database, line(endpoint)).ask_for("assistant")(request(**change))

    assert len(endpoint.asked) == 2


async def test_another_model_or_setting_is_asked_anew(database):
    endpoint = Echo()
    await caller(database, line(endpoint)).ask_for("assistant")(request())
    await caller(database, line(endpoint, mark=b"m, hotter")).ask_for("assistant")(request())

    assert len(endpoint.asked) == 2


async def test_the_very_same_request_twice_is_two_draws_now_and_later(database):
    endpoint, again = Echo(), Echo()
    ask = caller(database, line(endpoint)).ask_for("assistant")
    said = [await ask(request()), await ask(request())]
    assert [reply.text for reply in said] == ["reply 1", "reply 2"]

    ask = caller(database, line(again)).ask_for("assistant")
    assert [await ask(request()), await ask(request())] == said
    assert again.asked == []


async def test_half_a_surrogate_pair_in_a_request_is_no_obstacle(database):
    endpoint = Echo()
    for _ in range(2):
        await caller(database, line(endpoint)).ask_for("assistant")(request("agent/1/0", "half \ud83d"))

    assert len(endpoint.asked) == 1


async def test_nothing_of_a_conversation_stays_when_it_is_over(database):
    door = caller(database, line(Echo()))
    for n in range(50):
        await door.ask_for("assistant")(request(conversation=str(n)))
        door.leave(str(n))

    assert door.accounts == {}


# --- failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [Trouble.TIMEOUT, Trouble.RATE_LIMITED, Trouble.SERVER_ERROR, Trouble.CONNECTION, Trouble.MALFORMED],
)
async def test_what_may_pass_is_tried_again_and_counted_for_the_run(database, trouble):
    endpoint = Echo(failed(trouble), failed(trouble))
    door = caller(database, line(endpoint))

    assert (await door.ask_for("assistant")(request())).text == "reply 3"
    assert door.journal.totals[f"http.{trouble}"] == 2
    assert door.journal.totals["calls"] == 1
    assert door.leave("c") == Usage(calls=1, tokens_in=100, tokens_out=10, usd=None)


async def test_tries_end_and_the_trouble_and_what_came_are_told(database):
    endpoint = Echo(*(failed(Trouble.SERVER_ERROR, raw="oops") for _ in range(9)))
    door = caller(database, line(endpoint), patience=Patience(retries=3, first=0.0))

    with pytest.raises(ModelFailure) as caught:
        await door.ask_for("assistant")(request())
    assert len(endpoint.asked) == 4
    assert (caught.value.trouble, caught.value.raw) == (Trouble.SERVER_ERROR, "oops")


async def test_what_is_denied_fails_at_once(database):
    endpoint = Echo(failed(Trouble.DENIED))

    with pytest.raises(ModelFailure):
        await caller(database, line(endpoint)).ask_for("assistant")(request())
    assert len(endpoint.asked) == 1


async def test_an_endpoint_that_denies_everything_ends_the_run(database):
    endpoint = Echo(*(failed(Trouble.DENIED) for _ in range(DENIALS)))
    ask = caller(database, line(endpoint)).ask_for("assistant")
    for n in range(DENIALS - 1):
        with pytest.raises(ModelFailure):
            await ask(request(f"agent/{n}/0"))

    with pytest.raises(EndpointDenies, match="openai:m denies every call: it broke"):
        await ask(request())


async def test_denials_among_replies_end_nothing(database):
    endpoint = Echo()
    ask = caller(database, line(endpoint)).ask_for("assistant")
    await ask(request())
    endpoint.faults = [failed(Trouble.DENIED) for _ in range(2 * DENIALS)]

    for n in range(2 * DENIALS):
        with pytest.raises(ModelFailure):
            await ask(request(f"agent/{n + 2}/0"))


async def test_an_endpoint_that_is_gone_ends_the_run(database):
    endpoint = Echo()
    ask = caller(database, line(endpoint), patience=Patience(first=0.0, retries=1)).ask_for("assistant")
    await ask(request())
    endpoint.faults = [failed(Trouble.CONNECTION) for _ in range(2 * LOST)]
    for n in range(LOST - 1):
        with pytest.raises(ModelFailure):
            await ask(request(f"agent/{n + 2}/0"))

    with pytest.raises(EndpointDenies, match="openai:m gives no answer: it broke"):
        await ask(request(f"agent/{LOST + 1}/0"))
    assert endpoint.faults == []


@pytest.mark.parametrize("sign", [None, Trouble.TIMEOUT])
async def test_an_endpoint_that_gives_a_sign_now_and_then_is_not_gone(database, sign):
    endpoint = Echo()
    ask = caller(database, line(endpoint), patience=Patience(first=0.0, retries=0)).ask_for("assistant")
    for n in range(2 * LOST):
        if n % (LOST - 1):
            endpoint.faults = [failed(Trouble.CONNECTION)]
        elif sign:
            endpoint.faults = [failed(sign)]
        with pytest.raises(ModelFailure) if endpoint.faults else nullcontext():
            await ask(request(f"agent/{n}/0"))


async def test_every_try_gets_the_deadline(database):
    endpoint = Echo(failed(Trouble.TIMEOUT))
    await caller(database, line(endpoint), patience=Patience(deadline=7.0, first=0.0)).ask_for("assistant")(request())

    assert endpoint.deadlines == [7.0, 7.0]


async def test_overloads_lower_what_is_asked_at_once(database):
    seen: list[float] = []
    made = line(Echo(*(failed(Trouble.RATE_LIMITED) for _ in range(8))), limiter=Limiter(8))
    ask = caller(database, made).ask_for("assistant")

    def act(asked: Request) -> Reply:
        seen.append(made.limiter.limit)
        return Reply()

    made.endpoint.act = act
    async with asyncio.timeout(10):
        await asyncio.gather(*(ask(request(f"agent/{n}/0")) for n in range(40)))

    assert made.endpoint.most_open == 8
    assert min(seen) == 4
    assert made.limiter.open == 0


async def test_a_failure_gives_its_place_and_its_budget_back(database):
    endpoint = Echo(failed(Trouble.DENIED))
    door = caller(database, line(endpoint, limiter=Limiter(1)), most=Allowance(calls=1))
    with pytest.raises(ModelFailure):
        await door.ask_for("assistant")(request())

    async with asyncio.timeout(5):
        await door.ask_for("assistant")(request())
    with pytest.raises(BudgetSpent):
        await door.ask_for("assistant")(request("agent/2/0"))


# --- budgets -----------------------------------------------------------------------------------------------------


async def test_calls_stop_exactly_with_many_in_flight_and_replays_are_free(database):
    endpoint = Echo()
    door = caller(database, line(endpoint), most=Allowance(calls=10))
    ask = door.ask_for("assistant")
    async with asyncio.timeout(10):
        said = await asyncio.gather(*(ask(request(f"agent/{n}/0")) for n in range(30)), return_exceptions=True)
    assert len(endpoint.asked) == 10
    assert sum(isinstance(one, BudgetSpent) for one in said) == 20

    again = Echo()
    ask = caller(database, line(again), most=Allowance(calls=0)).ask_for("assistant")
    for n in range(10):
        await ask(request(f"agent/{n}/0"))
    assert again.asked == []


async def test_tokens_are_set_aside_by_what_replies_were_so_far(database):
    endpoint = Echo(act=lambda asked: Reply(tokens_in=50, tokens_out=1_000))
    ask = caller(database, line(endpoint), most=Allowance(tokens=3_000)).ask_for("assistant")
    await ask(request("agent/1/0"))
    await ask(request("agent/2/0"))

    with pytest.raises(BudgetSpent, match="--max-tokens 3000"):
        await ask(request("agent/3/0"))


async def test_money_is_counted_by_the_price_of_each_model(database):
    cheap = line(Echo(), pricing=lambda into, out, cached: (into - cached) * 1e-6 + out * 2e-6)
    dear = line(Echo(), name="openai:dear", mark=b"d", pricing=lambda into, out, cached: into * 1e-3)
    door = caller(database, cheap, dear)
    await door.ask_for("assistant")(request())
    await door.ask_for("critic")(request())

    assert door.journal.totals["usd"] == pytest.approx(0.1 + 60e-6)
    usage = door.leave("c")
    assert (usage.calls, usage.tokens_in, usage.tokens_out, usage.usd) == (2, 200, 20, 0.10006)


async def test_an_unknown_price_is_said_to_be_unknown(database):
    door = caller(database, line(Echo(), pricing=lambda *tokens: 1.0), line(Echo(), name="openai:other"))
    await door.ask_for("assistant")(request())
    await door.ask_for("critic")(request())

    assert door.journal.totals["unpriced"] == 1
    assert door.leave("c").usd is None


# --- parts -------------------------------------------------------------------------------------------------------


async def test_what_is_wrong_with_replies_is_counted_for_the_conversation_and_kept(database):
    door = caller(database, line(Echo()))
    ask = door.ask_for("assistant")
    await ask(request())
    ask.note(request(), Trouble.EMPTY)
    ask.note(request("agent/2/0"), Trouble.EMPTY, "  ")
    ask.note(request(), Trouble.NOT_JSON, "What a lovely day")
    door.journal.close()

    assert door.leave("c").troubles == {"empty": 2, "not_json": 1}
    rows = database.execute("SELECT step, trouble, raw FROM remarks ORDER BY step, trouble").fetchall()
    assert rows == [
        ("agent/1/0", "empty", ""),
        ("agent/1/0", "not_json", "What a lovely day"),
        ("agent/2/0", "empty", "  "),
    ]


def test_a_role_without_a_model_is_told_how_to_get_one(database):
    with pytest.raises(SettingsError, match="--role-model critic=SPEC"):
        caller(database, line(Echo())).ask_for("critic")


def test_a_role_knows_how_its_model_takes_tools(database):
    assert caller(database, line(Echo(), tool_form="prompt")).ask_for("assistant").tool_form == "prompt"
