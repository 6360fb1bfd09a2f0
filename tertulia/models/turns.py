"""Who goes on first when many replies come at once: those that came first, a few at a time.

Conversations that all work at once all send their next request late, one after the other at the end of everybody's
work, and then all wait together. A few at a time, the first have their next request on its way while the others work.
That takes more rounds of the event loop, a tenth more processor time for each call; so where replies come at once, as
from a cache or a double, nobody waits for a turn.
"""

import asyncio
from collections import deque

__all__ = ["Turns"]

AT_ONCE = 2  # conversations that work between a reply and their next request
LONGEST = 0.05  # seconds after which a conversation that has not asked again no longer keeps others waiting
WORTH = 0.05  # seconds: an endpoint that answers faster than this is never waited for long


class Turns:
    """At most `at_once` conversations hold a turn. One that holds a turn already goes on at once."""

    def __init__(self, at_once: int = AT_ONCE, longest: float = LONGEST) -> None:
        self.at_once, self.longest = at_once, longest
        self.open = False  # nobody needs a turn any more
        self.held: dict[str, asyncio.TimerHandle] = {}
        self.waiting: deque[tuple[str, asyncio.Future[None]]] = deque()

    async def take(self, conversation: str) -> None:
        """Wait for a turn; it lasts until it is given back, or for `longest` seconds."""
        if self.open or conversation in self.held:
            return
        if len(self.held) < self.at_once and not self.waiting:
            self._hold(conversation)
            return
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append((conversation, turn))
        try:
            await turn
        except asyncio.CancelledError:
            self.give(conversation)  # it may have come in the same moment
            raise

    def give(self, conversation: str) -> None:
        """The conversation waits for something now, or is over. Without a turn this changes nothing."""
        timer = self.held.pop(conversation, None)
        if timer is None:
            return
        timer.cancel()
        while self.waiting and len(self.held) < self.at_once:
            following, turn = self.waiting.popleft()
            if not turn.done():
                self._hold(following)
                turn.set_result(None)

    def replied(self, seconds: float) -> None:
        """An endpoint took so long for a reply. Once that is next to nothing, everybody goes on at once."""
        if self.open or seconds >= WORTH:
            return
        self.open = True
        for timer in self.held.values():
            timer.cancel()
        self.held.clear()
        while self.waiting:
            _, turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def _hold(self, conversation: str) -> None:
        if conversation not in self.held:
            loop = asyncio.get_running_loop()
            self.held[conversation] = loop.call_later(self.longest, self.give, conversation)
