"""Checks of what the user wants and says, and of the limits within which it has to happen."""

from collections.abc import Iterator, Mapping
from typing import Any

from tertulia.checks.reading import Reading, Steps
from tertulia.errors import Fault, did_you_mean
from tertulia.language.wording import squeezed, stands_in
from tertulia.scenario import Scenario

__all__ = ["CHECKS"]


def callers(r: Reading) -> Iterator[Fault]:
    """Whoever is to make a call is in the cast and has the tool."""
    cast, tools = r.scenario.cast, r.tools
    if not r.intact("cast"):
        return
    for nth, want in enumerate(r.scenario.script.wants):
        at: Steps = ("script", "wants", nth, "by" if want.by else "call")
        caller = want.by or r.first("assistant")
        if caller not in cast:
            if want.by:
                yield from r.fault(at, f"{caller!r} is not in the cast", did_you_mean(caller, cast))
        elif tools is not None and want.call in tools and not r.owns(cast[caller], tools[want.call]):
            owners = [repr(name) for name, party in cast.items() if r.owns(party, tools[want.call])]
            hint = f" (by: {' or '.join(owners)})" if owners else " (no party of the cast has it: list it in its tools)"
            yield from r.fault(at, f"{caller!r} does not have the tool {want.call!r}", hint)


def changes_of_mind(r: Reading) -> Iterator[Fault]:
    for nth, want in enumerate(r.scenario.script.wants):
        at = ("script", "wants", nth, "change")
        if want.change is None or not r.intact(*at):
            continue
        if want.change.drop and want.change.args:
            yield from r.fault((*at, "with"), "a want that is dropped cannot change its values too", on_key=True)
        if not want.change.drop and not want.change.args:
            yield from r.fault(at, "the change changes nothing: give `with` or `drop: true`", on_key=True)
        for key, value in want.change.args.items():
            if key in want.args and want.args[key] == value:
                yield from r.fault((*at, "with", key), f"the change leaves {key!r} as it was")


def kind(r: Reading) -> Iterator[Fault]:
    """The kind that a scenario claims to be agrees with what it holds."""
    scenario = r.scenario
    if not (r.intact("script", "wants") and r.intact("cast") and r.intact("kind")):
        return
    wants, due = scenario.script.wants, [want for want in scenario.script.wants if want.due]
    user_calls = [w for w in wants if w.by in scenario.cast and scenario.cast[w.by].role == "user"]
    says = {
        "single_call": len(due) != 1 and f"one want to be done, and the script has {len(due)}",
        "multi_call": len(due) < 2 and f"at least two wants to be done, and the script has {len(due)}",
        "change_of_mind": not any(want.change for want in wants) and "a want with a change",
        "chain": len(due) < 2 and f"at least two wants to be done, and the script has {len(due)}",
        "parallel": len(due) < 2 and f"at least two wants to be done, and the script has {len(due)}",
        "missing_optional": not due and "a want to be done",
        "ambiguous": not due and "a want to be done",
        "nothing_to_do": bool(due) and "no want to be done",
        "unanswerable": bool(due) and "no want to be done",
        "refusal": all(want.outcome == "done" for want in wants) and bool(due) and "a want with outcome: refused",
        "approval": not r.first("colleague") and "a colleague who approves",
        "user_tools": not user_calls and not _user_has_tools(r) and "a user with tools",
    }
    if lacking := says.get(scenario.kind):
        yield from r.fault(("kind",), f"kind {scenario.kind} needs {lacking}")


def _user_has_tools(r: Reading) -> bool:
    return any(party.role == "user" and party.tools for party in r.scenario.cast.values())


def said_in_spite(r: Reading) -> Iterator[Fault]:
    """The script's own words keep to what must never be said and to what is secret."""
    seen: set[tuple[Steps, str]] = set()
    for variant, scenario in r.settled:
        for at, text in _lines(scenario):
            for banned, why in _banned(scenario, r.user):
                if says(text, banned) and (at, banned) not in seen:
                    seen.add((at, banned))
                    yield from r.fault(variant.path(at), f"{variant.label}{at[-1]} says {banned!r}, {why}")


def _lines(scenario: Scenario) -> Iterator[tuple[Steps, str]]:
    yield ("script", "opening"), scenario.script.opening
    for nth, want in enumerate(scenario.script.wants):
        yield ("script", "wants", nth, "say"), want.say
        if want.change:
            yield ("script", "wants", nth, "change", "say"), want.change.say


def _banned(scenario: Scenario, user: str) -> Iterator[tuple[str, str]]:
    for text in scenario.script.never_say:
        yield text, "which never_say forbids"
    if user in scenario.cast:
        party = scenario.cast[user]
        for key in party.secret:
            for value in leaves(party.knows.get(key)):
                yield value, f"which is the secret {key!r}"


def leaves(value: Any) -> Iterator[str]:
    """Every text and number of a value, as text."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    elif value not in (None, "") and not isinstance(value, bool):
        yield str(value)


def says(text: str, part: str) -> bool:
    """Whether a text holds another as whole words, in any case and spacing."""
    return stands_in(squeezed(part), squeezed(text))


def limits(r: Reading) -> Iterator[Fault]:
    """The conversation can come to its end within its limits."""
    scenario = r.scenario
    if not (r.intact("script", "wants") and r.intact("limits") and r.intact("faults")):
        return
    wants = scenario.script.wants
    called = [want.call for want in wants if want.due]
    tries = len(called) + sum(fault.times for fault in scenario.faults if fault.tool in called)
    if scenario.limits.tool_calls < tries:
        message = f"{scenario.limits.tool_calls} tool calls are too few: the wants take {tries}"
        yield from r.fault(_limit(r, "tool_calls"), message)
    turns = 1 + max(1, len(wants))
    if scenario.limits.turns < turns:
        message = f"{scenario.limits.turns} turns are too few: the opening and an answer to each want take {turns}"
        yield from r.fault(_limit(r, "turns"), message)


def _limit(r: Reading, name: str) -> Steps:
    return ("limits", name) if ("limits", name) in r.source.places else ("script", "wants")


CHECKS = (callers, changes_of_mind, kind, said_in_spite, limits)
