"""How faithful the simulated user was to its script, read from what was said.

    invented       states a value that it neither knows nor has heard
    forbidden      says what it must never say
    role_broken    speaks as the other side would
    stopped_early  leaves while the agent waits for its answer, before its patience is spent, or with a want unsaid
    unfinished     leaves without having brought up everything that it wants, though the agent was of use
    unasked        tells a value that was not asked for, in answer to a question for another
    not_verbatim   answers a question for a value that it knows with neither the value nor an `I don't know`

The first four taint a trial: what it came to, success or failure, says nothing of the agent. The verbatim rule and the
release on request are AutoDE's (arXiv 2403.11128). How often the user's own drafts were sent back is no fault: nobody
heard them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tertulia.contracts import Hearing
from tertulia.evaluation.causes.findings import Finding, detected
from tertulia.language.acts import Act, act_of, question
from tertulia.language.filling import label_of, label_said
from tertulia.language.saying import render
from tertulia.language.wording import humanize, squeezed, stands_in
from tertulia.principles import bundled_principles
from tertulia.records import Conversation, EndReason, Message
from tertulia.scenario import Scenario, Want
from tertulia.setting import Setting
from tertulia.views import hearings

__all__ = ["KINDS", "TAINTS", "fidelity"]

TAINTS = frozenset(("invented", "forbidden", "role_broken", "stopped_early", "simulator_failed"))
KINDS = ("invented", "forbidden", "role_broken", "stopped_early", "unfinished", "unasked", "not_verbatim")
RULES = {  # what is wrong -> the bundled principle whose detector tells it
    "invented": "invents_nothing_user",
    "forbidden": "never_says_forbidden",
    "role_broken": "stays_in_role_user",
}
USER_ENDED = (EndReason.GOAL_REACHED, EndReason.SCRIPT_EXHAUSTED, EndReason.DONE_BY_USER)
WAITS = (Act.ASK, Act.CONFIRM, Act.INSTRUCT)
NO_ANSWER = re.compile(r"\b(don't|do not|not sure|no idea|unsure|can't|cannot|none|no)\b", re.IGNORECASE)


def fidelity(setting: Setting, talk: Conversation, success: bool) -> list[Finding]:
    """Everything that the holder of the script did wrong, in order."""
    user = setting.scenario.user
    found: list[Finding] = []
    for heard in hearings(setting, talk, user):
        if heard.message.calls or not heard.message.text:
            continue
        for what, rule in RULES.items():
            detector = bundled_principles()[rule].detector
            assert detector
            found += detected(what, detector, heard)
        found += answers(setting.scenario, heard)
    return [*found, *endings(setting.scenario, talk, success)]


# --- answers -----------------------------------------------------------------------------------------------------


def answers(scenario: Scenario, heard: Hearing) -> Iterator[Finding]:
    """What is wrong with an answer to a question for a value."""
    asked = next((m for m in reversed(heard.seen) if m.role == "assistant" and m.text), None)
    if asked is None or act_of(asked.text) is not Act.ASK:
        return
    core, said = question(asked.text), squeezed(heard.message.text)
    facts = facts_of(scenario)
    wanted = [(label, value) for label, value in facts if label_said(label, core)]
    told = [(label, value) for label, value in facts if stands_in(squeezed(value), said)]
    if not wanted:
        return
    due = {value for _, value in wanted}
    if due.isdisjoint(value for _, value in told):
        if not told and not NO_ANSWER.search(heard.message.text):
            label, value = wanted[-1]
            yield Finding("not_verbatim", heard.turn, heard.message.text, f"{label} is {value!r}")
        return
    before = " ".join(squeezed(m.text) for m in heard.seen)
    for label, value in told:
        if value not in due and not stands_in(squeezed(value), before):
            yield Finding("unasked", heard.turn, heard.message.text, f"nobody asked for {label}")


def facts_of(scenario: Scenario) -> list[tuple[str, str]]:
    """The values that the user may be asked for, each with its label, as it says them; after a change of mind, both."""
    party = scenario.cast[scenario.user]
    known = {key: value for key, value in party.knows.items() if key not in party.secret}
    wants = scenario.script.wants
    holders = (known, *(want.args for want in wants), *(want.gold for want in wants))
    told = [(label_of(p), render(v)) for holder in holders for p, v in leaves(holder) if not isinstance(v, bool)]
    return [(label, value) for label, value in dict.fromkeys(told) if len(value) > 2]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif path and value is not None and not isinstance(value, list | tuple):
        yield path, value


# --- the end -----------------------------------------------------------------------------------------------------


def endings(scenario: Scenario, talk: Conversation, success: bool) -> Iterator[Finding]:
    """What is wrong with how the user left."""
    if talk.end_reason not in USER_ENDED or not talk.turns or talk.turns[-1].speaker != scenario.user:
        return
    last = talk.turns[-1]
    unsaid = next((want for want in scenario.script.wants if not brought_up(want, talk, scenario)), None)
    if unsaid and not worn_out(scenario, talk):
        yield Finding("unfinished", last.index, last.message.text, f"{unsaid.call} was never brought up")
    if not success and (why := early(scenario, talk, unsaid)):
        yield Finding("stopped_early", last.index, last.message.text, why)


def early(scenario: Scenario, talk: Conversation, unsaid: Want | None) -> str:
    """Why the user should not have left yet; empty where it was right to."""
    heard = heard_of(scenario, talk)
    patience = scenario.script.patience
    if talk.end_reason is EndReason.DONE_BY_USER:
        return f"gave up after {len(heard)} answers, with patience for {patience}" if len(heard) < patience else ""
    if unsaid and not silent(heard):
        return f"{unsaid.call} was never brought up"
    settled = sum(act_of(message.text) in (Act.REPORT, Act.REFUSE) for message in heard)
    waiting = bool(heard) and act_of(heard[-1].text) in WAITS and settled < len(scenario.script.wants)
    return (
        f"the agent was waiting for an answer: {heard[-1].text[:80]!r}" if waiting and not tired(scenario, talk) else ""
    )


def heard_of(scenario: Scenario, talk: Conversation) -> list[Message]:
    """What the user heard the agent say."""
    return [m for m in talk.messages if m.role == "assistant" and m.text and scenario.user in m.audience]


def tired(scenario: Scenario, talk: Conversation) -> bool:
    """Whether the script ran out after more answers than patience allows for all that is wanted."""
    most = len(scenario.script.wants) * scenario.script.patience
    return talk.end_reason is EndReason.SCRIPT_EXHAUSTED and len(heard_of(scenario, talk)) > most


def worn_out(scenario: Scenario, talk: Conversation) -> bool:
    """Whether the agent left the user no way to go on: it used its patience up, or declined everything."""
    heard = heard_of(scenario, talk)
    gave_up = talk.end_reason is EndReason.DONE_BY_USER and len(heard) >= scenario.script.patience
    return gave_up or silent(heard) or tired(scenario, talk)


def silent(heard: list[Message]) -> bool:
    """Whether nothing was said that a user could go on from: everything was declined."""
    return bool(heard) and all(act_of(message.text) is Act.REFUSE for message in heard)


def brought_up(want: Want, talk: Conversation, scenario: Scenario) -> bool:
    """Whether the user has said what it wants: its words, its name, or one of its values."""
    said = [m for m in talk.messages if m.speaker == scenario.user]
    if any(call.name == want.call for m in said for call in m.calls):
        return True
    texts = [squeezed(m.text) for m in said]
    words = [want.say] if want.say else [humanize(want.call), *(render(value) for _, value in leaves(want.args))]
    return any(stands_in(squeezed(word), text) for word in words if len(word) > 1 for text in texts)
