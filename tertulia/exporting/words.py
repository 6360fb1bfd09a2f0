"""What a scenario's script and success come to in words, for formats whose simulated users and judges read prose."""

import json
from collections.abc import Mapping
from typing import Any

from tertulia.exporting.items import gold_calls
from tertulia.language.wording import humanize
from tertulia.scenario import Scenario, Want

__all__ = ["facts", "outcome", "plan", "worded"]


def worded(value: Any) -> str:
    """A value as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def valued(args: Mapping[str, Any]) -> str:
    """`day: friday, order: A1042`"""
    return ", ".join(f"{humanize(key)}: {worded(value)}" for key, value in args.items())


def facts(scenario: Scenario) -> list[str]:
    """What the user knows, a line for each fact; what it must not tell says so."""
    user = scenario.cast[scenario.user]
    told = {key: f"{humanize(key)}: {worded(value)}" for key, value in user.knows.items()}
    return [text + (" (never tell it)" if key in user.secret else "") for key, text in told.items()]


def plan(scenario: Scenario) -> str:
    """What the user wants and does, sentence by sentence."""
    script = scenario.script
    lines = []
    for nth in range(len(script.wants) + 1):
        last = nth == len(script.wants)
        asides = [one.say for one in script.asides if one.after == nth or (last and one.after > nth)]
        lines += [f'You say: "{text}"' for text in asides]
        lines += [] if last else wanted(script.wants[nth])
    lines += [f'You never say "{text}".' for text in script.never_say]
    return "\n".join(lines) or "You want nothing more than what you say first."


def wanted(want: Want) -> list[str]:
    doer = f" done by {want.by}" if want.by else ""
    values = f" ({valued(want.args)})" if want.args else ""
    lines = [f"You want this{doer}: {humanize(want.call)}{values}."]
    if want.say:
        lines.append(f'You bring it up with the words "{want.say}"')
    if want.outcome == "refused":
        lines.append("It will be refused; you accept that.")
    if want.change:
        what = "you no longer want it" if want.change.drop else f"you want another value ({valued(want.change.args)})"
        said = f', and say: "{want.change.say}"' if want.change.say else ""
        lines.append(f"Asked to confirm it, you change your mind: {what}{said}.")
    return lines


def outcome(scenario: Scenario) -> str:
    """What makes the conversation a success."""
    success = scenario.success
    lines = [
        f"{want.by or scenario.assistant} calls {want.call} ({valued(want.gold)})." for want in gold_calls(scenario)
    ]
    lines += [f"In the end {path} is {worded(value)}." for path, value in success.state.items()]
    if success.unchanged or success.nothing_else:
        lines.append("Nothing is changed." if success.unchanged else "Nothing else is changed.")
    lines += [f'The user is told "{text}".' for text in success.says]
    lines += [f'The user is never told "{text}".' for text in success.never_says]
    lines += [f"Nobody calls {name}." for name in success.never_calls]
    refused = [want.call for want in scenario.script.wants if want.outcome == "refused"]
    lines += [f"{call} is refused." for call in refused]
    return "\n".join(lines) or "The user gets an answer, and nothing is called."
