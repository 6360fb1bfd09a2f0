"""The one door to the models: the journal, then the budget, then the limits, then the call, then the journal again.

A part holds an `Ask` that is bound to its role. What a conversation cost, and what was wrong with the replies it used,
is counted in its account; what went wrong on the wire is counted for the whole run.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic
from typing import Any

import orjson

from tertulia.errors import SettingsError
from tertulia.models.budget import Cost, Purse
from tertulia.models.journal import Journal
from tertulia.models.limits import LOST, Limiter, Patience
from tertulia.models.records import (
    Ask,
    CallFailed,
    ChatEndpoint,
    EndpointDenies,
    Reply,
    Request,
    ToolForm,
    Trouble,
)
from tertulia.models.turns import Turns
from tertulia.records import Usage
from tertulia.streams import stream

__all__ = ["Account", "BoundAsk", "Caller", "Line", "Pricing"]

Pricing = Callable[[int, int, int], float]  # tokens in, out, and those of in that were cached -> US dollars
DENIALS = 16  # calls that are denied before the first reply comes, until the run gives up
KEY = 16  # bytes of a reply's key
LEAST_OUT = 256  # tokens that a reply is thought to have before any came


@dataclass(slots=True)
class Line:
    """A role's connection to its model."""

    name: str  # the model's spec, as messages show it
    mark: bytes  # what decides its replies besides the request: spec and sampling settings; part of every key
    endpoint: ChatEndpoint
    limiter: Limiter  # shared by the roles whose models stand behind the same address
    pricing: Pricing | None = None  # None: unknown
    most_out: int = 0  # tokens that a reply may have; 0: unbounded
    tool_form: ToolForm = "native"
    model: str = ""  # the spec without where it is served, as records name it
    others: "tuple[Line, ...]" = ()  # further candidates that draft for the same turns
    longest: int = LEAST_OUT  # tokens of the longest reply so far
    density: float = 1 / 3  # tokens per byte of a request, at most, as far as seen
    replied: bool = False
    denied: int = 0
    lost: int = 0  # calls on end that nobody took

    def estimate(self, size: int) -> Cost:
        """What a request of so many bytes will cost at most, as far as one can know."""
        tokens_in, tokens_out = int(size * self.density) + 1, self.most_out or self.longest
        usd = self.pricing(tokens_in, tokens_out, 0) if self.pricing else 0.0
        return Cost(1, tokens_in + tokens_out, usd)

    def cost(self, reply: Reply) -> Cost:
        usd = self.pricing(reply.tokens_in, reply.tokens_out, reply.cached_in) if self.pricing else 0.0
        return Cost(1, reply.tokens_in + reply.tokens_out, usd)

    def learn(self, size: int, reply: Reply) -> None:
        self.replied, self.lost = True, 0
        self.longest = max(self.longest, reply.tokens_out)
        self.density = max(self.density, reply.tokens_in / size)

    def missed(self, failed: CallFailed) -> None:
        """One more call that is not tried again.

        Raises:
            EndpointDenies: if nobody is there any more."""
        self.lost = self.lost + 1 if failed.trouble is Trouble.CONNECTION else 0
        if self.lost >= LOST:
            raise EndpointDenies(f"{self.name} gives no answer: {failed.detail}")


@dataclass(slots=True)
class Account:
    """What an open conversation has asked so far, and its replies from before."""

    kept: dict[bytes, bytes]
    asked: Counter[bytes] = field(default_factory=Counter)
    calls: int = 0
    tokens: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # by model: in, out, cached
    troubles: Counter[str] = field(default_factory=Counter)

    def count(self, model: str, reply: Reply) -> None:
        self.calls += 1
        before = self.tokens.get(model, (0, 0, 0))
        self.tokens[model] = (
            before[0] + reply.tokens_in,
            before[1] + reply.tokens_out,
            before[2] + reply.cached_in,
        )

    def usage(self, pricing: Mapping[str, Pricing | None]) -> Usage:
        prices = [price(*self.tokens[name]) if (price := pricing[name]) else None for name in sorted(self.tokens)]
        known = [price for price in prices if price is not None]
        return Usage(
            calls=self.calls,
            tokens_in=sum(tokens[0] for tokens in self.tokens.values()),
            tokens_out=sum(tokens[1] for tokens in self.tokens.values()),
            usd=round(sum(known), 9) if len(known) == len(prices) else None,
            troubles=dict(sorted(self.troubles.items())),
        )


class Caller:
    """Calls the models of a run, one line for each role that a model plays."""

    def __init__(
        self,
        lines: Mapping[str, Line],
        journal: Journal,
        budget: Purse,
        patience: Patience | None = None,
        seed: int = 0,
    ) -> None:
        self.lines = dict(lines)
        self.journal = journal
        self.budget = budget
        self.patience = patience or Patience()
        self.seed = seed
        self.turns = Turns()
        self.accounts: dict[str, Account] = {}
        self.pricing = {one.name: one.pricing for line in self.lines.values() for one in (line, *line.others)}

    def ask_for(self, role: str) -> Ask:
        """The door for the parts of a role.

        Raises:
            SettingsError: if no model was named for it."""
        if role not in self.lines:
            raise SettingsError(f"the {role} needs a model: name one with --model SPEC or --role-model {role}=SPEC")
        return BoundAsk(self, self.lines[role])

    def account(self, conversation: str) -> Account:
        account = self.accounts.get(conversation)
        if account is None:
            account = self.accounts[conversation] = Account(self.journal.replies(conversation))
        return account

    def leave(self, conversation: str) -> Usage:
        """A conversation is over: what it cost. Nothing of it stays in memory."""
        self.turns.give(conversation)
        account = self.accounts.pop(conversation, None)
        return account.usage(self.pricing) if account else Usage()

    async def ask(self, line: Line, request: Request) -> Reply:
        """The reply from the journal, or else from the model.

        Raises:
            ModelFailure, BudgetSpent, EndpointDenies, StoreError"""
        account = self.account(request.conversation)
        key, size = keyed(line.mark, request)
        nth = account.asked[key] = account.asked[key] + 1
        if nth > 1:  # the very same request again is another draw, and another reply
            key = sha256(key + nth.to_bytes(4)).digest()[:KEY]
        kept = account.kept.pop(key, None)
        if kept is None:
            self.turns.give(request.conversation)
            reply = await self.paid(line, request, key, size)
            await self.turns.take(request.conversation)
        else:
            reply = self.journal.unpacked(kept)
            self.journal.count("journal_hits")
        account.count(line.name, reply)
        return reply

    async def paid(self, line: Line, request: Request, key: bytes, size: int) -> Reply:
        """A reply from the model, committed to the journal."""
        need = line.estimate(size) if self.budget.bounded else None
        if need:
            await self.budget.reserve(need)
        cost = None
        self.journal.under_way += 1
        try:
            reply = await self.served(line, request)
            line.learn(size, reply)
            cost = line.cost(reply)
            await self.journal.put(request, key, reply, counts_of(line, reply, cost))
        finally:
            self.journal.under_way -= 1
            if need:
                self.budget.settle(need, cost)
        return reply

    async def served(self, line: Line, request: Request) -> Reply:
        """A reply from the model, after as many tries as patience allows."""
        tried = 0
        while True:
            tried += 1
            await line.limiter.acquire()
            asked = monotonic()
            try:
                reply = await line.endpoint.complete(request, self.patience.deadline)
            except CallFailed as failed:
                line.limiter.failed(failed.trouble)
                caught = failed
            else:
                line.limiter.succeeded()
                self.turns.replied(monotonic() - asked)
                return reply
            finally:
                line.limiter.release()
            await self.mourned(line, request, caught, tried)

    async def mourned(self, line: Line, request: Request, failed: CallFailed, tried: int) -> None:
        """Count what went wrong, and wait until it is time to try again.

        Raises:
            CallFailed: when it is not worth another try.
            EndpointDenies: when the endpoint has denied everything so far, or is gone."""
        self.journal.count(f"http.{failed.trouble}")
        if failed.trouble is Trouble.DENIED and not line.replied:
            line.denied += 1
            if line.denied >= DENIALS:
                raise EndpointDenies(f"{line.name} denies every call: {failed.detail}")
        chance = stream(self.seed, "retry", request.conversation, request.step, tried)
        wait = self.patience.wait(tried, failed, chance)
        if wait is None:
            line.missed(failed)
            raise failed
        self.journal.count("retries")
        await asyncio.sleep(wait)


class BoundAsk:
    """An `Ask`: the door as the parts of one role see it."""

    def __init__(self, caller: Caller, line: Line) -> None:
        self.caller, self.line = caller, line

    @property
    def tool_form(self) -> ToolForm:
        return self.line.tool_form

    @property
    def model(self) -> str:
        return self.line.model

    @property
    def candidates(self) -> tuple[Ask, ...]:
        return (self, *(BoundAsk(self.caller, line) for line in self.line.others))

    async def __call__(self, request: Request) -> Reply:
        return await self.caller.ask(self.line, request)

    def note(self, request: Request, trouble: Trouble, raw: str = "") -> None:
        self.caller.account(request.conversation).troubles[trouble.value] += 1
        self.caller.journal.remark(request.conversation, request.role, request.step, trouble.value, raw)


def keyed(mark: bytes, request: Request) -> tuple[bytes, int]:
    """A request's key within its conversation, and its size in bytes."""
    asked: tuple[Any, ...] = (
        *(request.messages, request.tools, request.answer, request.stop, request.seed, request.logprobs),
        *((request.wants,) if request.wants != "reply" else ()),
    )
    try:
        body = orjson.dumps(asked)
    except orjson.JSONEncodeError:  # half a surrogate pair in a text
        body = json.dumps(asked).encode()
    place = f"{request.role}\0{request.step}\0".encode("utf-8", "surrogatepass")
    return sha256(place + mark + b"\0" + body).digest()[:KEY], len(body)


def counts_of(line: Line, reply: Reply, cost: Cost) -> dict[str, float]:
    """What the run's counters grow by."""
    counts = {"calls": 1, "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out, "cached_in": reply.cached_in}
    return counts | ({"usd": cost.usd} if line.pricing else {"unpriced": 1})
