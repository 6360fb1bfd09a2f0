"""Checks of a scenario's cast: who is in it, what each may do and tell, and who gets the floor."""

from collections.abc import Iterator

from tertulia.checks.reading import Reading
from tertulia.errors import Fault, did_you_mean

__all__ = ["CHECKS"]


def roles(r: Reading) -> Iterator[Fault]:
    if not r.intact("cast"):
        return
    for role in ("user", "assistant"):
        if not r.first(role):
            yield from r.fault(("cast",), f"the cast has no party with role: {role}", on_key=True)


def holder_of_script(r: Reading) -> Iterator[Fault]:
    cast, of = r.scenario.cast, r.scenario.script.of
    users = [name for name, party in cast.items() if party.role == "user"]
    if not r.intact("cast"):
        return
    if not of and len(users) > 1:
        yield from r.fault(("script",), f"there are {len(users)} users: say whose script it is (of: NAME)", on_key=True)
    elif of and of not in cast:
        yield from r.fault(("script", "of"), f"{of!r} is not in the cast", did_you_mean(of, users))
    elif of and cast[of].role != "user":
        yield from r.fault(
            ("script", "of"), f"{of!r} is not a user: its role is {cast[of].role}", did_you_mean(of, users)
        )


def secrets(r: Reading) -> Iterator[Fault]:
    for name, party in r.scenario.cast.items():
        for nth, key in enumerate(party.secret):
            at = ("cast", name, "secret", nth)
            if key not in party.knows and r.intact("cast", name, "knows"):
                yield from r.fault(
                    at, f"secret {key!r} is not among what {name!r} knows", did_you_mean(key, party.knows)
                )
            if key in party.secret[:nth]:
                yield from r.fault(at, f"secret {key!r} is listed twice")


def tools_of_parties(r: Reading) -> Iterator[Fault]:
    if r.tools is None:
        return
    for name, party in r.scenario.cast.items():
        listed = party.tools or ()
        for nth, tool in enumerate(listed):
            at = ("cast", name, "tools", nth)
            if tool not in r.tools:
                yield from r.fault(at, f"unknown tool {tool!r}", did_you_mean(tool, r.tools))
            if tool in listed[:nth]:
                yield from r.fault(at, f"tool {tool!r} is listed twice")


def decisions(r: Reading) -> Iterator[Fault]:
    for name, party in r.scenario.cast.items():
        if party.decides and party.role != "colleague" and r.sound(("cast", name, "role")):
            yield from r.fault(
                ("cast", name, "decides"),
                f"only a colleague decides, and the role of {name!r} is {party.role}",
                on_key=True,
            )
        asked = [decision.call for decision in party.decides]
        for nth, call in enumerate(asked):
            at = ("cast", name, "decides", nth, "call")
            if r.tools is not None and call not in r.tools:
                yield from r.fault(at, f"unknown tool {call!r}", did_you_mean(call, r.tools))
            if call in asked[:nth]:
                yield from r.fault(at, f"{name!r} decides on {call!r} twice")


def floor(r: Reading) -> Iterator[Fault]:
    scenario = r.scenario
    if not r.intact("cast") or r.user not in scenario.cast:
        return
    heard = {r.user, r.first("assistant")}
    silent = [repr(name) for name in scenario.cast if name not in heard]
    if scenario.floor == "alternate" and silent:
        at: tuple[str, ...] = ("floor",) if ("floor",) in r.source.places else ("cast",)
        never = f"never gives the floor to {', '.join(silent)}"
        yield from r.fault(at, f"floor alternate {never}", " (use addressed, round_robin or planned)")
    if scenario.private and not silent:
        yield from r.fault(("private",), "private has nobody to hide anything from: the cast has two parties")
    if scenario.floor in ("round_robin", "planned") and scenario.limits.turns < len(scenario.cast):
        yield from r.fault(
            ("limits", "turns"), f"{scenario.limits.turns} turns are too few for {len(scenario.cast)} parties"
        )


CHECKS = (roles, holder_of_script, secrets, tools_of_parties, decisions, floor)
