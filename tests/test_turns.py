"""Conversations that are answered at the same time go on a few at a time, the first to come first."""

import asyncio

import pytest

from tertulia.models.turns import Turns


async def test_those_that_came_first_go_on_first_and_few_at_a_time():
    turns, order = Turns(at_once=2), []

    async def work(name):
        await turns.take(name)
        order.append(name)
        assert len(turns.held) <= 2
        for _ in range(3):
            await asyncio.sleep(0)
        order.append(f"{name} asks")
        turns.give(name)

    async with asyncio.timeout(5):
        await asyncio.gather(*(work(name) for name in "abcdef"))

    assert [name for name in order if len(name) == 1] == list("abcdef")
    assert order.index("a asks") < order.index("c")
    assert not turns.held


async def test_one_that_holds_a_turn_does_not_wait_for_another():
    turns = Turns(at_once=1)
    async with asyncio.timeout(5):
        await turns.take("a")
        await turns.take("a")


async def test_one_that_never_asks_again_holds_nobody_up_for_long():
    turns = Turns(at_once=1, longest=0.001)
    async with asyncio.timeout(5):
        await turns.take("a")
        await turns.take("b")

    assert set(turns.held) == {"b"}


async def test_one_that_stops_waiting_takes_no_turn():
    turns = Turns(at_once=1)
    await turns.take("a")
    gone = asyncio.create_task(turns.take("b"))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    turns.give("a")

    async with asyncio.timeout(5):
        await turns.take("c")
    assert set(turns.held) == {"c"}


async def test_nobody_waits_for_a_turn_once_replies_come_at_once():
    turns = Turns(at_once=1)
    await turns.take("a")
    waits = asyncio.create_task(turns.take("b"))
    await asyncio.sleep(0)
    turns.replied(0.5)
    await asyncio.sleep(0)
    assert not waits.done()

    turns.replied(0.001)
    async with asyncio.timeout(5):
        await waits
        await turns.take("c")
    assert not turns.held
