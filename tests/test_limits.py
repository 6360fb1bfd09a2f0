"""The number of open calls adapts, and waits grow, respect the endpoint and end."""

import asyncio
from random import Random

import pytest

from tertulia.models.limits import Limiter, Patience
from tertulia.models.records import CallFailed, Trouble


async def test_no_more_than_the_limit_are_open_and_all_get_their_turn_in_order():
    limiter, most_open, order = Limiter(3), 0, []

    async def call(nth: int) -> None:
        nonlocal most_open
        await limiter.acquire()
        order.append(nth)
        most_open = max(most_open, limiter.open)
        await asyncio.sleep(0)
        limiter.release()

    async with asyncio.timeout(5):
        await asyncio.gather(*map(call, range(20)))

    assert most_open == 3
    assert order == list(range(20))
    assert limiter.open == 0


def test_a_round_in_which_every_call_meets_an_overload_halves_the_limit():
    limiter = Limiter(64)
    for _ in range(64):
        limiter.failed(Trouble.RATE_LIMITED)

    assert limiter.limit == 32


def test_the_limit_never_falls_below_one_nor_rises_above_the_most():
    limiter = Limiter(4)
    for _ in range(100):
        limiter.failed(Trouble.TIMEOUT)
    assert limiter.limit == 1

    for _ in range(100):
        limiter.succeeded()
    assert limiter.limit == 4


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.MALFORMED, Trouble.CONNECTION])
def test_what_is_no_overload_leaves_the_limit_alone(trouble):
    limiter = Limiter(8)
    limiter.failed(trouble)

    assert limiter.limit == 8


def test_the_limit_settles_near_what_an_endpoint_bears():
    limiter, bears, refused = Limiter(256), 20, 0
    for _ in range(400):
        asked = int(limiter.limit)
        for nth in range(asked):
            if nth < bears:
                limiter.succeeded()
            else:
                refused += 1
                limiter.failed(Trouble.RATE_LIMITED)

    assert bears - 4 <= limiter.limit <= bears + 8
    assert refused < 400 * 6 + 256 * 2


def test_stray_failures_do_not_bring_the_limit_down():
    limiter, chance = Limiter(32), Random(5)
    for _ in range(20_000):
        if chance.random() < 0.05:
            limiter.failed(Trouble.SERVER_ERROR)
        else:
            limiter.succeeded()

    assert limiter.limit > 24


async def test_a_cancelled_wait_takes_no_place():
    limiter = Limiter(1)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    limiter.release()

    async with asyncio.timeout(5):
        await limiter.acquire()
    assert limiter.open == 1


async def test_a_place_that_comes_in_the_moment_of_cancelling_is_given_on():
    limiter = Limiter(1)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    limiter.release()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert limiter.open == 0


# --- patience ----------------------------------------------------------------------------------------------------


def failed(trouble: Trouble = Trouble.SERVER_ERROR, retry_after: float | None = None) -> CallFailed:
    return CallFailed(trouble, "it broke", retry_after=retry_after)


def test_waits_are_anywhere_below_a_bound_that_doubles_up_to_the_longest():
    patience, chance = Patience(retries=20, first=0.5, longest=4.0), Random(1)
    for tried, bound in ((1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 4.0), (20, 4.0)):
        waits = [patience.wait(tried, failed(), chance) or 0.0 for _ in range(300)]
        assert max(waits) <= bound
        assert max(waits) > 0.9 * bound
        assert min(waits) < 0.1 * bound


def test_the_endpoints_own_wait_is_the_least():
    patience = Patience(first=0.5)

    wait = patience.wait(1, failed(Trouble.RATE_LIMITED, retry_after=7.0), Random(1))
    assert wait is not None
    assert 7.0 <= wait <= 7.5


def test_an_endpoint_that_asks_for_too_long_is_given_up():
    assert Patience(asked=600).wait(1, failed(Trouble.RATE_LIMITED, retry_after=3600), Random(1)) is None


def test_tries_are_bounded():
    patience = Patience(retries=2)

    assert patience.wait(2, failed(), Random(1)) is not None
    assert patience.wait(3, failed(), Random(1)) is None


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.TOO_LONG, Trouble.REFUSED])
def test_what_no_retry_mends_is_not_tried_again(trouble):
    assert Patience().wait(1, failed(trouble), Random(1)) is None


def test_jitter_is_the_same_for_the_same_seed():
    first = [Patience().wait(3, failed(), Random(9)) for _ in range(2)]

    assert first[0] == first[1]
