"""The share of prompt characters that an endpoint's prefix cache can serve: prompts must grow at their end alone.

Conversations of at least eight turns, with tools and a policy, are played with a model in every role (the rule cast
stands in for the model; it sees the same requests). Every prompt is laid out as chat templates do it, tools first, then
the messages, and is compared with what was asked before:

    follow-up    with the earlier requests of the same role in the same conversation, where there are any; a cache
                 keeps them all, so the one that shares most counts (a critic reviews several speakers in turn)
    cold         the same, and a first request counts as wholly new
    warm         with every request before it, as a server sees them that has served other conversations

    python bench/prefix_cache.py             the full form
    python bench/prefix_cache.py --quick     a short form, for `make bench`
"""

import argparse
import asyncio
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tertulia.graph import Stage
from tertulia.models.completions import body_of, options_of
from tertulia.models.records import Reply, Request
from tertulia.recipe import SEATS, bundled_recipe
from tertulia.records import Conversation
from tertulia.running.items import gathered, plan_items
from tertulia.testing import Scripted
from tertulia.testing.players import played
from tertulia.testing.prefixes import PrefixCache, prompt_text

WANTED = 0.90  # of the characters of all prompts of a run, at least
TURNS, SEED = 8, 7


@dataclass(slots=True)
class Share:
    """Characters of prompts, and how many of them were at the start of an earlier one."""

    requests: int = 0
    whole: int = 0
    shared: int = 0

    def add(self, whole: int, shared: int) -> None:
        self.requests += 1
        self.whole += whole
        self.shared += shared

    @property
    def rate(self) -> float:
        return self.shared / self.whole if self.whole else 0.0


class Meter:
    """Listens to the requests of a run, one conversation after the other."""

    def __init__(self) -> None:
        self.shares: defaultdict[tuple[str, str], Share] = defaultdict(Share)  # by role and measure
        self.cache = PrefixCache()
        self.talk: list[tuple[str, str]] = []  # role and prompt

    def answer(self, request: Request) -> Reply:
        body = body_of("rules", list(request.messages), options_of(request), {})
        self.talk.append((request.role, prompt_text(body)))
        return played(body)

    def close(self, counted: bool) -> None:
        """The conversation is over; is it one of those that count?"""
        before: defaultdict[str, list[str]] = defaultdict(list)
        for role, prompt in self.talk:
            warm = self.cache.shared(prompt)
            shared = max((in_common(earlier, prompt) for earlier in before[role]), default=0)
            for name in (role, "all roles") if counted else ():
                self.shares[name, "warm"].add(len(prompt), warm)
                self.shares[name, "cold"].add(len(prompt), shared)
                if before[role]:
                    self.shares[name, "follow-up"].add(len(prompt), shared)
            before[role].append(prompt)
        self.talk = []


def in_common(one: str, other: str) -> int:
    """How many characters two prompts share at their start: by halves, since they are long."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


async def measured(conversations: int) -> tuple[Meter, int]:
    """Play that many of the bundled set; only the long ones with tools and a policy count."""
    meter, counted = Meter(), 0
    model = Scripted(meter.answer)
    scenarios, _ = gathered(())
    stages = {s.recipe: Stage(bundled_recipe(s.recipe), "rules", lambda role: model, SEATS) for s in scenarios}
    for item in plan_items(scenarios, conversations, SEED, slips=0.0):
        stage = stages[item.scenario.recipe]
        table = stage.seat(item)
        talk = await stage.play(table)
        long = utterances(talk) >= TURNS and bool(table.setting.policies[item.scenario.assistant])
        meter.close(long)
        counted += long
        model.asked.clear()
    return meter, counted


def utterances(talk: Conversation) -> int:
    return sum(bool(turn.message.text) for turn in talk.turns)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="60 conversations")
    options = parser.parse_args(arguments)
    conversations = 60 if options.quick else options.conversations
    meter, counted = asyncio.run(measured(conversations))
    print(f"{counted} of {conversations} conversations have {TURNS} turns or more, with tools and a policy")
    print(f"{'':12}{'requests':>9}{'characters each':>17}{'follow-up':>11}{'cold':>11}{'warm':>11}")
    for role in sorted({role for role, _ in meter.shares}, key=lambda role: (role == "all roles", role)):
        cold = meter.shares[role, "cold"]
        rates = "".join(f"{meter.shares[role, name].rate:11.3f}" for name in ("follow-up", "cold", "warm"))
        print(f"{role:12}{cold.requests:9}{cold.whole / cold.requests:17.0f}{rates}")
    run, alone = (meter.shares["all roles", name].rate for name in ("warm", "cold"))
    print(f"over a run {run:.3f} of the characters of all prompts are cached, wanted at least {WANTED}")
    print(f"within one conversation alone, first requests counted as wholly new, {alone:.3f}")
    return int(run < WANTED)


if __name__ == "__main__":
    sys.exit(main())
