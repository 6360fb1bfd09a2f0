"""Checks of what counts as success, and of the state that a scenario starts from."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from tertulia.checks.reading import Reading, Variant
from tertulia.errors import Fault, did_you_mean
from tertulia.language.wording import squeezed, stands_in
from tertulia.scenario import Scenario
from tertulia.state_paths import along, look_up, put
from tertulia.validation import Complaint, complaints, inside, shown, unwrapped
from tertulia.worlds.toolkit import ToolkitWorld

__all__ = ["CHECKS"]


def no_state(r: Reading) -> Iterator[Fault]:
    if r.scenario.world or r.scenario.answers == "simulated" or not r.intact("world"):
        return
    for at, given in ((("start",), r.scenario.start), (("success", "state"), r.scenario.success.state)):
        if given:
            yield from r.fault(at, "there is no state: tools that are given as JSON Schema keep none", on_key=True)


def start_paths(r: Reading) -> Iterator[Fault]:
    seen: set[object] = set()
    for variant, scenario, world, state in _stateful(r):
        for raw, (path, value) in zip(r.scenario.start, scenario.start.items(), strict=False):
            if wrong := lost_step(state, path, world.model, new="last"):
                if path not in seen:
                    seen.add(path)
                    yield from r.fault(
                        variant.path(("start", raw)), f"{variant.label}{wrong[0]}", wrong[1], on_key=True
                    )
            else:
                put(state, path, value)
        for at, complaint in _refused(r.scenario, scenario, world, state):
            if (at, complaint.message) not in seen:
                seen.add((at, complaint.message))
                where = ".".join(map(str, complaint.at))
                message = f"{variant.label}the world refuses {where or 'this state'}: {complaint.message}"
                yield from r.fault(variant.path(at), message, complaint.suggestion)


def _refused(
    raw: Scenario, scenario: Scenario, world: ToolkitWorld, state: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], Complaint]]:
    """What the state's model says against the start values, each with the value that it is about."""
    try:
        world.model.model_validate(state)
    except ValidationError as error:
        for complaint in complaints(world.model, error):
            where = ".".join(map(str, complaint.at))
            about = [
                key
                for key, path in zip(raw.start, scenario.start, strict=False)
                if (where + ".").startswith(path + ".")
            ]
            yield ("start", *about[:1]), complaint


def _stateful(r: Reading) -> Iterator[tuple[Variant, Scenario, ToolkitWorld, dict[str, Any]]]:
    """Every variant with the world's own first state, where the world has one."""
    if isinstance(r.world, ToolkitWorld):
        for variant, scenario in r.settled:
            yield variant, scenario, r.world, deepcopy(r.world.start(scenario.model_copy(update={"start": {}})))


def lost_step(state: Any, path: str, model: type[BaseModel], *, new: str) -> tuple[str, str] | None:
    """Where a path leaves the state, as message and suggestion.

    Mappings of records may get new keys: with `new="last"` as the path's last step, with `new="any"` anywhere."""
    keys, lost = along(state, path)
    if not lost:
        return None
    kind: Any = model
    for key in keys:
        kind = inside(kind, key)
    grows = get_origin(unwrapped(kind)) is dict or kind is Any
    if grows and (new == "any" or (new == "last" and len(lost) == 1)):
        return None
    there = look_up(state, ".".join(keys)) if keys else state
    before = ".".join(keys) or "the state"
    known = there if isinstance(there, Mapping) else ()
    return f"there is no {path!r} in the world: {before} has no {lost[0]!r}", did_you_mean(lost[0], known)


def state_paths(r: Reading) -> Iterator[Fault]:
    seen = set()
    grows = any(want.due for want in r.scenario.script.wants) or not r.intact("script", "wants")
    for variant, scenario, world, state in _stateful(r):
        for path, value in scenario.start.items():
            if lost_step(state, path, world.model, new="last") is None:
                put(state, path, value)
        for raw, (path, value) in zip(r.scenario.success.state, scenario.success.state.items(), strict=False):
            at = ("success", "state", raw)
            wrong = lost_step(state, path, world.model, new="any" if grows and value is not None else "never")
            if wrong and path not in seen:
                seen.add(path)
                yield from r.fault(variant.path(at), f"{variant.label}{wrong[0]}", wrong[1], on_key=True)
            elif not wrong and scenario.success.unchanged and _now(state, path) != value and path not in seen:
                seen.add(path)
                now = shown(_now(state, path))
                yield from r.fault(
                    variant.path(at), f"{variant.label}{path} is {now} at the start and must stay unchanged"
                )


def _now(state: Any, path: str) -> Any:
    try:
        return look_up(state, path)
    except KeyError:
        return None


def calls(r: Reading) -> Iterator[Fault]:
    """The calls wanted, those forbidden and the way they are compared do not contradict each other."""
    success, wants = r.scenario.success, r.scenario.script.wants
    due = [want for want in wants if want.due]
    for nth, name in enumerate(success.never_calls):
        if any(want.call == name for want in due):
            yield from r.fault(("success", "never_calls", nth), f"{name!r} is wanted and must never be called")
    if success.unchanged and r.tools is not None:
        writing = [want.call for want in due if want.call in r.tools and r.tools[want.call].writes]
        if writing:
            yield from r.fault(("success", "unchanged"), f"nothing may change, but {writing[0]!r} is wanted and writes")
    said = success.says or success.never_calls or success.never_says
    checked = said or success.state or success.unchanged or success.nothing_else
    if success.calls.match == "none" and due and not checked and r.intact("success"):
        yield from r.fault(("success", "calls", "match"), "match: none, and nothing else is checked: everything passes")


def words(r: Reading) -> Iterator[Fault]:
    """Nothing has to be said that must not be said."""
    seen: set[tuple[int, str]] = set()
    for variant, scenario in r.settled:
        for nth, text in enumerate(scenario.success.says):
            for banned in scenario.success.never_says:
                if stands_in(squeezed(banned), squeezed(text)) and (nth, banned) not in seen:
                    seen.add((nth, banned))
                    message = f"{variant.label}{text!r} must be said, but never_says forbids {banned!r}"
                    yield from r.fault(variant.path(("success", "says", nth)), message)


def empty_words(r: Reading) -> Iterator[Fault]:
    success, script = r.scenario.success, r.scenario.script
    lists = (
        (("success", "says"), success.says),
        (("success", "never_says"), success.never_says),
        (("script", "never_say"), script.never_say),
    )
    for at, texts in lists:
        for nth, text in enumerate(texts):
            if not text.strip():
                yield from r.fault((*at, nth), "an empty text is part of everything that is said")
            elif text in texts[:nth]:
                yield from r.fault((*at, nth), f"{text!r} is listed twice")


CHECKS = (no_state, start_paths, state_paths, calls, words, empty_words)
