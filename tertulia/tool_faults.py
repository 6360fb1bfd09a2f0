"""Tools that fail on purpose, as a scenario declares it: which calls, by seed, and what their callers read instead."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tertulia.records import ToolCall
from tertulia.scenario import InjectedFault, Scenario
from tertulia.streams import stream
from tertulia.world import Outcome, RemoteWorld, World, failed

__all__ = ["Faults", "failure", "spoilt", "stale_answer"]

WORDS = {
    "timeout": "The service did not answer in time. Please try again.",
    "server_error": "503: the service is not available at the moment. Please try again later.",
    "rate_limit": "429: too many requests. Please wait a little and try again.",
}


@dataclass(slots=True)
class Faults:
    """The declared faults of one conversation, and the calls that it has made so far."""

    declared: tuple[InjectedFault, ...]
    seed: int
    made: Counter[str] = field(default_factory=Counter)

    def due(self, tool: str) -> InjectedFault | None:
        """The first fault that this call is to meet, if any. Each call is asked about once."""
        self.made[tool] += 1
        self.made[""] += 1
        found = (nth for nth, fault in enumerate(self.declared) if fault.tool in ("", tool) and self._meets(nth, fault))
        return next((self.declared[nth] for nth in found), None)

    def _meets(self, nth: int, fault: InjectedFault) -> bool:
        call = self.made[fault.tool]
        if fault.calls:
            return call in fault.calls
        if fault.rate:
            return stream(self.seed, "fault", nth, call).random() < fault.rate
        return call <= fault.times

    def draws(self, call: ToolCall) -> Random:
        """What the fault of a call is drawn from."""
        return stream(self.seed, "spoilt", call.name, self.made[""])


def failure(fault: InjectedFault) -> Outcome | None:
    """The error that a fault puts in the place of the call; None: the call is made, and its answer spoilt."""
    if fault.kind not in WORDS:
        return None
    return failed(fault.error or WORDS[fault.kind], fault.kind)


def spoilt(fault: InjectedFault, outcome: Outcome, rng: Random, stale: Callable[[], Outcome | None]) -> Outcome:
    """An answer as the fault leaves it; as it is, where that changes nothing. `stale` gives the answer of before."""
    if outcome.error:
        return outcome
    if fault.kind == "stale_read":
        old = stale()
        text = outcome.text if old is None or old.error else old.text
    else:
        try:
            value = json.loads(outcome.text)
        except ValueError:
            value = outcome.text
        made = drifted(value, rng) if fault.kind == "schema_drift" else partial(value, rng)
        text = json.dumps(made, ensure_ascii=False) if made != value else outcome.text
    return outcome if text == outcome.text else replace(outcome, text=text, fault=fault.kind)


def stale_answer(world: World, scenario: Scenario, name: str, args: Mapping[str, Any]) -> Outcome | None:
    """What a reading tool would have said when the conversation began; None for a tool that writes, or a world that
    cannot be asked twice."""
    if world.tools[name].writes:
        return None
    live = world.open(scenario)
    return None if isinstance(live, RemoteWorld) else live.call(name, args)


def drifted(value: Any, rng: Random) -> Any:
    """The value with one of its keys called otherwise, wherever it stands."""
    keys = sorted(keys_in(value))
    if not keys:
        return {"data": value}
    old = rng.choice(keys)
    new = rng.choice([f"{old}_v2", f"x_{old}", old.upper() if old.upper() != old else old.lower() + "_"])
    return renamed(value, old, new)


def keys_in(value: Any) -> set[str]:
    """Every key of every mapping in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_in, value.values()))
    return set().union(*map(keys_in, value)) if isinstance(value, list) else set()


def renamed(value: Any, old: str, new: str) -> Any:
    """The value with a key called otherwise, at any depth."""
    if isinstance(value, dict):
        return {new if key == old else key: renamed(one, old, new) for key, one in value.items()}
    return [renamed(one, old, new) for one in value] if isinstance(value, list) else value


def partial(value: Any, rng: Random) -> Any:
    """The value with a part of it missing: the end of a list, a text, or some keys of a mapping."""
    if isinstance(value, list | str) and len(value) > 1:
        return value[: (len(value) + 1) // 2]
    if not isinstance(value, dict) or not value:
        return value
    longest = max(value, key=lambda key: len(value[key]) if isinstance(value[key], list) else 0)
    if isinstance(value[longest], list) and len(value[longest]) > 1:
        return value | {longest: partial(value[longest], rng)}
    lost = set(rng.sample(sorted(value), (len(value) + 1) // 2))
    return {key: one for key, one in value.items() if key not in lost}
