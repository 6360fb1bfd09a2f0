"""What a run may spend on models: calls, tokens, money. Reserved before a call, settled after it.

A call that is reserved counts as spent until it is settled, so the number of calls is exact however many are in
flight. Tokens and money are reserved by an estimate: a run can pass those by what the last calls were longer than
estimated, and starts no call after that.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tertulia.models.records import BudgetSpent

__all__ = ["Allowance", "Budget", "Cost", "Purse", "spent_of"]

NONE = 1e-9  # US dollars that rounding may be off


@dataclass(frozen=True, slots=True)
class Cost:
    """What calls cost, or are thought to cost."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.calls - other.calls, self.tokens - other.tokens, self.usd - other.usd)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The bounds that a run was given; None is no bound."""

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None

    @property
    def bounded(self) -> bool:
        return not (self.calls is None and self.tokens is None and self.usd is None)

    def passed_by(self, cost: Cost) -> str:
        """The option whose bound the cost passes, or an empty string."""
        if self.calls is not None and cost.calls > self.calls:
            return f"--max-calls {self.calls}"
        if self.tokens is not None and cost.tokens > self.tokens:
            return f"--max-tokens {self.tokens}"
        if self.usd is not None and cost.usd > self.usd + NONE:
            return f"--max-usd {self.usd:g}"
        return ""


class Purse(Protocol):
    """Where calls are paid from: a `Budget`, or a worker's line to the one that its driver holds."""

    @property
    def bounded(self) -> bool: ...
    async def reserve(self, need: Cost) -> None: ...
    def settle(self, need: Cost, paid: Cost | None) -> None: ...


class Budget:
    """The budget of a run; `spent` is what earlier attempts paid."""

    def __init__(self, most: Allowance, spent: Cost | None = None) -> None:
        self.most = most
        self.spent = spent or Cost()
        self.held = Cost()
        self.settled = asyncio.Event()

    @property
    def bounded(self) -> bool:
        return self.most.bounded

    async def reserve(self, need: Cost) -> None:
        """Set the cost of a call aside. Waits while calls in flight may still give back what they hold.

        Raises:
            BudgetSpent: when what is paid leaves no room for this call."""
        while True:
            if option := self.most.passed_by(self.spent + need):
                raise BudgetSpent(f"the budget of {option} is spent")
            if not self.most.passed_by(self.spent + self.held + need):
                self.held += need
                return
            await self.settled.wait()

    def settle(self, need: Cost, paid: Cost | None) -> None:
        """A call is over: what was set aside is free again, and what it cost is spent."""
        self.held -= need
        if paid is not None:
            self.spent += paid
        self.settled.set()
        self.settled = asyncio.Event()


def spent_of(totals: Mapping[str, float]) -> Cost:
    """What the journal's totals say was paid."""
    return Cost(
        int(totals.get("calls", 0)),
        int(totals.get("tokens_in", 0) + totals.get("tokens_out", 0)),
        totals.get("usd", 0.0),
    )
