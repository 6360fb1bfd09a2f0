"""Calls are exact, whatever is in flight; tokens and money stop the run."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.models.budget import Allowance, Budget, Cost, spent_of
from tertulia.models.records import BudgetSpent

ONE = Cost(calls=1, tokens=10, usd=0.01)


async def spend(budget: Budget, chance: Random, fails: float = 0.0) -> int:
    """Call until the budget is spent; some calls fail and cost nothing."""
    paid = 0
    while True:
        try:
            await budget.reserve(ONE)
        except BudgetSpent:
            return paid
        await asyncio.sleep(0)
        if chance.random() < fails:
            budget.settle(ONE, None)
        else:
            paid += 1
            budget.settle(ONE, ONE)


@settings(max_examples=40)
@given(most=st.integers(0, 60), at_once=st.integers(1, 20), fails=st.sampled_from([0.0, 0.3, 0.8]))
def test_exactly_as_many_calls_as_allowed_are_paid(most, at_once, fails):
    async def run() -> None:
        budget, chance = Budget(Allowance(calls=most)), Random(most)
        async with asyncio.timeout(10):
            paid = await asyncio.gather(*(spend(budget, chance, fails) for _ in range(at_once)))
        assert sum(paid) == most
        assert budget.spent.calls == most
        assert (budget.held.calls, budget.held.tokens) == (0, 0)

    asyncio.run(run())


async def test_what_earlier_attempts_paid_counts():
    budget = Budget(Allowance(calls=10), Cost(calls=7))

    assert await spend(budget, Random(1)) == 3


@pytest.mark.parametrize(
    ("allowance", "calls", "option"),
    [
        (Allowance(calls=3), 3, "--max-calls 3"),
        (Allowance(tokens=55), 5, "--max-tokens 55"),
        (Allowance(usd=0.04), 4, r"--max-usd 0\.04"),
        (Allowance(calls=9, usd=0.02), 2, r"--max-usd 0\.02"),
    ],
)
async def test_the_first_bound_that_is_reached_is_named(allowance, calls, option):
    budget = Budget(allowance)

    assert await spend(budget, Random(1)) == calls
    with pytest.raises(BudgetSpent, match=option):
        await budget.reserve(ONE)


async def test_a_call_waits_for_room_that_may_still_be_given_back():
    budget = Budget(Allowance(calls=1))
    await budget.reserve(ONE)
    waiting = asyncio.create_task(budget.reserve(ONE))
    await asyncio.sleep(0)
    assert not waiting.done()

    budget.settle(ONE, None)
    async with asyncio.timeout(5):
        await waiting


async def test_a_call_that_waits_is_refused_once_the_room_is_paid_for():
    budget = Budget(Allowance(calls=1))
    await budget.reserve(ONE)
    waiting = asyncio.create_task(budget.reserve(ONE))
    await asyncio.sleep(0)
    budget.settle(ONE, ONE)

    async with asyncio.timeout(5):
        with pytest.raises(BudgetSpent):
            await waiting


async def test_a_call_that_cost_more_than_thought_stops_the_next():
    budget = Budget(Allowance(tokens=100))
    await budget.reserve(ONE)
    budget.settle(ONE, Cost(calls=1, tokens=95))

    with pytest.raises(BudgetSpent):
        await budget.reserve(ONE)


def test_what_was_spent_is_read_from_the_counters():
    totals = {"calls": 3, "tokens_in": 40, "tokens_out": 2, "usd": 0.5, "journal_hits": 9}

    assert spent_of(totals) == Cost(calls=3, tokens=42, usd=0.5)
    assert spent_of({}) == Cost()
