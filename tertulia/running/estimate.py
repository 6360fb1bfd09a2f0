"""What a run will cost, before it is paid for: calls, tokens and money, scaled up from a rehearsal of a few items.

Calls and tokens are those of the requests that the parts themselves would send (see `rehearsal`). The range of the
money is about what a rehearsal cannot know:

    low     every prompt that continues an earlier one is served from the prefix cache; replies are half as long
    mid     the same, at endpoints that cache by themselves; replies are as long as those of the rule cast
    high    nothing is cached, replies are twice as long, and a quarter more calls: drafts sent back, repairs, retries

To either side comes twice the standard error of the sample, unless the whole run was rehearsed.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import stdev

from pydantic import Field

from tertulia.models.endpoint import OPENAI
from tertulia.models.prices import Prices, prices_from
from tertulia.models.records import Request
from tertulia.models.spec import ModelSpec, RoleModel
from tertulia.models.tokens import Counter, counter
from tertulia.recipe import bundled_recipe
from tertulia.records import Record
from tertulia.running.items import plan_items
from tertulia.running.rehearsal import Foreseen, Rehearsal
from tertulia.scenario import Scenario

__all__ = ["Estimate", "Money", "RoleEstimate", "Tokens", "estimate"]

REHEARSED = 40  # conversations at least, or all of a smaller run
PER_MESSAGE = 4  # tokens that a chat template puts around a message
UNSEEN = 40  # tokens of a reply that no rule part writes: a judge's, a simulated tool's
BLOCK = 64  # characters of a prompt that a prefix cache keeps together
OPENAI_LEAST = 1024  # tokens that a prompt must have to be cached (OpenAI's guide to prompt caching)
SHORTER, LONGER, MORE_CALLS = 0.5, 2.0, 1.25
FIELDS = ("tokens_in", "tokens_out", "cached")


class Tokens(Record):
    """Tokens of prompts and of replies."""

    into: int = Field(alias="in")
    out: int
    cached: int = Field(description="of those in, what continues an earlier prompt")


class Money(Record):
    """US dollars."""

    low: float
    mid: float
    high: float


class RoleEstimate(Record):
    """One role's share."""

    model: str
    calls: int
    tokens: Tokens


class Estimate(Record):
    """What a run will cost."""

    conversations: int
    rehearsed: int
    calls: int
    tokens: Tokens
    usd: Money | None = Field(description="None when the price of a model is unknown; the notes say of which")
    roles: dict[str, RoleEstimate]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """One foreseen call."""

    role: str
    spec: ModelSpec
    tokens_in: int
    tokens_out: int
    cached: int


@dataclass
class Gauge:
    """Counts the tokens of requests, and those that a prefix cache would serve."""

    count: Counter
    counted: dict[str, int] = field(default_factory=dict)
    blocks: set[int] = field(default_factory=set)

    def cost(self, call: Foreseen, model: RoleModel) -> Cost:
        parts = tuple(texts(call.request))
        tokens_in = sum(map(self.of, parts)) + PER_MESSAGE * len(call.request.messages)
        tokens_out = UNSEEN if call.reply is None else self.of(call.reply)
        text = "".join(parts)
        cached = math.floor(tokens_in * self.known(text) / len(text)) if text else 0
        return Cost(call.role, model.spec, tokens_in, min(tokens_out, model.most_out or tokens_out), cached)

    def of(self, text: str) -> int:
        """A text's tokens. A message comes again in every later prompt, so its count is kept."""
        if text not in self.counted:
            self.counted[text] = self.count(text)
        return self.counted[text]

    def known(self, text: str) -> int:
        """How many characters at its beginning were sent before."""
        chain, known, on = 0, 0, True
        for start in range(0, len(text) - BLOCK + 1, BLOCK):
            chain = hash((chain, text[start : start + BLOCK]))
            on = on and chain in self.blocks
            known += BLOCK * on
            self.blocks.add(chain)
        return known


def texts(request: Request) -> Iterator[str]:
    """A request as the texts that a model reads: its tools, then each message."""
    for tool in (*request.tools, *([request.answer] if request.answer else [])):
        yield json.dumps(tool, ensure_ascii=False)
    for message in request.messages:
        yield str(message.get("content") or "")
        for call in message.get("tool_calls", ()):
            yield json.dumps(call["function"], ensure_ascii=False)


@dataclass(frozen=True)
class Ledger:
    """The foreseen calls of each rehearsed conversation, and what they cost a run of `n`."""

    talks: Sequence[Sequence[Cost]]
    n: int
    roles: Mapping[str, RoleModel]
    prices: Prices

    @property
    def scale(self) -> float:
        return self.n / len(self.talks) if self.talks else 0.0

    @cached_property
    def by_role(self) -> dict[str, list[Cost]]:
        found: dict[str, list[Cost]] = defaultdict(list)
        for talk in self.talks:
            for cost in talk:
                found[cost.role].append(cost)
        return dict(found)

    def tokens(self, costs: Sequence[Cost]) -> Tokens:
        into, out, cached = (round(self.scale * sum(getattr(c, f) for c in costs)) for f in FIELDS)
        return Tokens(**{"in": into}, out=out, cached=cached)

    def unpriced(self) -> list[str]:
        specs = {str(cost.spec): cost.spec for costs in self.by_role.values() for cost in costs}
        return sorted(name for name, spec in specs.items() if self.prices.of(spec) is None)

    def money(self) -> Money:
        """The range of what the run costs. Every price must be known."""
        mids = [self.spent(talk, 1.0, self.cached) for talk in self.talks]
        mean = sum(mids) / len(mids) if mids else 0.0
        error = 0.0
        if mean and 1 < len(mids) < self.n:
            error = min(1.0, 2 * stdev(mids) / math.sqrt(len(mids)) / mean)
        low = sum(self.spent(talk, SHORTER, lambda cost: cost.cached) for talk in self.talks)
        high = MORE_CALLS * sum(self.spent(talk, LONGER, lambda cost: 0) for talk in self.talks)
        return Money(low=self.scale * low * (1 - error), mid=self.n * mean, high=self.scale * high * (1 + error))

    def spent(self, talk: Sequence[Cost], length: float, cached: Callable[[Cost], int]) -> float:
        total = 0.0
        for cost in talk:
            price = self.prices.of(cost.spec)
            assert price is not None
            total += price(cost.tokens_in, round(cost.tokens_out * length), cached(cost))
        return total

    def cached(self, cost: Cost) -> int:
        """The cached tokens at an endpoint that caches by itself; LangChain's providers are not told to."""
        spec = cost.spec
        if spec.provider != "openai" or (spec.base_url == OPENAI and cost.tokens_in < OPENAI_LEAST):
            return 0
        return cost.cached


def asked(call: Foreseen, calls: Sequence[Foreseen], roles: Mapping[str, RoleModel]) -> list[RoleModel]:
    """The models that a call goes to: every candidate of its role, and the critic once for each candidate's draft."""
    if call.role == "critic" and "assistant" in roles:
        reviewed = any(one.role == "assistant" and one.request.step == call.request.step for one in calls)
        return [roles["critic"]] * (len(roles["assistant"].candidates) if reviewed else 1)
    return list(roles[call.role].candidates)


async def estimate(
    scenarios: Sequence[Scenario],
    roles: Mapping[str, RoleModel],
    *,
    n: int,
    cast: str = "rules",
    seed: int = 0,
    slips: float = 0.0,
    prices: Prices | None = None,
) -> Estimate:
    """What `n` conversations cost when models play `roles` in this cast. Nothing is sent anywhere.

    Raises:
        SettingsError: if a recipe has no such cast, or a part needs a model that is not in `roles`."""
    count, how = counter()
    forms = {role: model.tool_form for role, model in roles.items()}
    stages = {name: Rehearsal(bundled_recipe(name), cast, forms) for name in {s.recipe for s in scenarios}}
    rounds = math.ceil(REHEARSED / len(scenarios)) if scenarios else 0
    sample = min(n, rounds * len(scenarios))
    gauge, talks = Gauge(count), []
    for item in plan_items(scenarios, sample, seed, slips):
        calls = [] if item.unplayable else await stages[item.scenario.recipe].play(item)
        talks.append([gauge.cost(call, model) for call in calls for model in asked(call, calls, roles)])
    ledger = Ledger(talks, n, roles, prices or prices_from())
    unforeseen = sorted({name for stage in stages.values() for name in stage.unforeseen})
    return summed(ledger, notes_on(ledger, how, unforeseen))


def summed(ledger: Ledger, notes: tuple[str, ...]) -> Estimate:
    everything = [cost for talk in ledger.talks for cost in talk]
    return Estimate(
        conversations=ledger.n,
        rehearsed=len(ledger.talks),
        calls=round(ledger.scale * len(everything)),
        tokens=ledger.tokens(everything),
        usd=None if ledger.unpriced() else ledger.money(),
        roles={
            role: RoleEstimate(
                model=", ".join(str(model.spec) for model in ledger.roles[role].candidates),
                calls=round(ledger.scale * len(costs)),
                tokens=ledger.tokens(costs),
            )
            for role, costs in ledger.by_role.items()
        },
        notes=notes,
    )


def notes_on(ledger: Ledger, how: str, unforeseen: Sequence[str]) -> tuple[str, ...]:
    """What a reader must know to judge the numbers."""
    notes = [f"tokens are {how}; a model that reasons writes more than is counted here"]
    if len(ledger.talks) < ledger.n:
        notes.append(f"scaled up from {len(ledger.talks)} of {ledger.n} conversations, played by the rule cast")
    if unpriced := ledger.unpriced():
        notes.append(f"the price of {', '.join(unpriced)} is unknown; name it in a file for --prices")
    if unforeseen:
        notes.append(f"not in here are the calls of {', '.join(unforeseen)}, which cannot say what they will ask")
    return tuple(notes)
