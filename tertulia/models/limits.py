"""How many calls an endpoint is given at once, and how long to wait before one is tried again.

The number adapts by additive increase and multiplicative decrease, the decrease in proportion to the share of calls
that met an overload (as DCTCP does it: Alizadeh et al., SIGCOMM 2010). A round in which every call fails halves the
number; a few stray failures cost little. Waits grow exponentially with full jitter.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from random import Random

from tertulia.models.records import CallFailed, Trouble

__all__ = ["LOST", "OVERLOAD", "PASSING", "Limiter", "Patience"]

OVERLOAD = {Trouble.RATE_LIMITED, Trouble.SERVER_ERROR, Trouble.TIMEOUT}  # the endpoint has too much to do
PASSING = OVERLOAD | {Trouble.CONNECTION, Trouble.MALFORMED}  # may be gone when the call is tried again
LOST = 8  # calls on end that nobody took, each tried as often as patience allows, until the endpoint counts as gone
GAIN = 2.0  # added to the number by a round in which every call succeeds
LOSS = 0.5  # taken from the number by each call that meets an overload


class Limiter:
    """Lets at most `limit` calls be open at once; the limit moves between 1 and `most`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.open = 0
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for a place; `release` gives it back. The first to ask is the first to get one."""
        if self.open < int(self.limit) and not self.waiting:
            self.open += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # the place came in the same moment
            raise

    def release(self) -> None:
        self.open -= 1
        self._admit()

    def _admit(self) -> None:
        while self.waiting and self.open < int(self.limit):
            turn = self.waiting.popleft()
            if not turn.done():
                self.open += 1
                turn.set_result(None)

    def succeeded(self) -> None:
        """A reply came: a little more may be asked at once."""
        if self.limit < self.most:
            self.limit = min(self.most, self.limit + GAIN / self.limit)
            self._admit()

    def failed(self, trouble: Trouble) -> None:
        """No reply came: when that was an overload, less may be asked at once."""
        if trouble in OVERLOAD:
            self.limit = max(1.0, self.limit - LOSS)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take, and how often and after which waits it is tried again."""

    deadline: float = 120.0  # seconds for each try
    retries: int = 6
    first: float = 0.5  # seconds: the bound of the first wait; each later bound is twice the one before
    longest: float = 60.0  # seconds: the bound of any wait that the endpoint did not ask for
    asked: float = 600.0  # seconds: the longest wait that an endpoint may ask for

    def wait(self, tried: int, failed: CallFailed, chance: Random) -> float | None:
        """Seconds to wait after the `tried`th try failed; None when it should not be tried again."""
        if failed.trouble not in PASSING or tried > self.retries:
            return None
        jitter = chance.uniform(0.0, min(self.longest, self.first * 2.0 ** (tried - 1)))
        if failed.retry_after is None:
            return jitter
        return None if failed.retry_after > self.asked else max(0.0, failed.retry_after) + jitter
