"""What can be wrong with an agent's calls, each a reading of its conduct that finds it or finds nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tertulia.contracts import Hearing
from tertulia.evaluation.causes.conduct import Called, Conduct, shown
from tertulia.evaluation.causes.findings import Finding, detected
from tertulia.gold import Made
from tertulia.language.acts import Act, act_of, negates
from tertulia.language.wording import humanize, squeezed, stands_in
from tertulia.models.answers import validator
from tertulia.principles import AskFirst, Grounded
from tertulia.records import Message, ToolCall

__all__ = [
    "AGAIN",
    "done_twice",
    "ignored_refusal",
    "invalid_arguments",
    "invented_value",
    "missing_call",
    "unconfirmed",
    "unknown_tool",
    "unwanted_call",
    "wrong_type",
    "wrong_value",
]

AGAIN = 3  # times that the same makes a loop
INVALID = "Invalid arguments"  # with this every world refuses what does not fit the schema


# --- calls that were refused -------------------------------------------------------------------------------------


def unknown_tool(conduct: Conduct) -> Finding | None:
    names = {tool.name for tool in conduct.setting.tools[conduct.agent]}
    for one in conduct.unmended:
        if one.call.name not in names:
            return Finding("unknown_tool", one.turn, shown(one.call), one.answer)
    return None


def wrong_type(conduct: Conduct) -> Finding | None:
    for one in conduct.unmended:
        for error in misfits(conduct, one.call):
            if error.validator == "type":
                return Finding(
                    "wrong_type", one.turn, shown(one.call), f"{error.json_path}: {error.message}; {one.answer}"
                )
    return None


def invalid_arguments(conduct: Conduct) -> Finding | None:
    for one in conduct.unmended:
        if one.answer.startswith(INVALID) or any(misfits(conduct, one.call)):
            return Finding("invalid_arguments", one.turn, shown(one.call), one.answer)
    return None


def misfits(conduct: Conduct, call: ToolCall) -> Iterator[Any]:
    """Where arguments do not fit the tool's schema."""
    schema: Mapping[str, Any] = next(
        (tool.parameters for tool in conduct.setting.tools[conduct.agent] if tool.name == call.name), {}
    )
    yield from validator(schema).iter_errors(call.args)


def ignored_refusal(conduct: Conduct) -> Finding | None:
    seen: Counter[str] = Counter()
    for one in conduct.unmended:
        seen[shown(one.call)] += 1
        if seen[shown(one.call)] >= AGAIN:
            return Finding("ignored_refusal", one.turn, shown(one.call), f"refused {AGAIN} times: {one.answer}")
    for one in conduct.actions_astray():
        no = last_of_others(conduct, one.turn)
        taken_back = conduct.plain(one.call) in conduct.taken_back or proposed(conduct, one)
        if no and negates(no.text) and taken_back:
            return Finding("ignored_refusal", one.turn, shown(one.call), f"after {no.text!r}")
    return None


def proposed(conduct: Conduct, one: Called) -> bool:
    """Whether the agent's last words before a call asked for a yes to it: they hold all of its values."""
    said = next((m.text for turn, m in reversed(conduct.words) if turn < one.turn), "")
    texts = [
        text for key, value in one.call.args.items() if not isinstance(value, bool) for text in said_as(key, value)
    ]
    return act_of(said) is Act.CONFIRM and all(stands_in(text, squeezed(said)) for text in texts)


def last_of_others(conduct: Conduct, turn: int) -> Message | None:
    """What a user or a colleague said last before a turn."""
    heard = next(heard for heard in conduct.hearings if heard.turn == turn)
    return next((message for message in reversed(heard.seen) if message.role in ("user", "colleague")), None)


# --- values ------------------------------------------------------------------------------------------------------


def invented_value(conduct: Conduct) -> Finding | None:
    found = inventions(conduct)
    for nth, one in enumerate(conduct.calls):
        if nth in found and (
            conduct.undone or conduct.astray
            if one.worked and conduct.writes(one.call)
            else not made_good(conduct, nth, found)
        ):
            return found[nth]
    return None


def inventions(conduct: Conduct) -> dict[int, Finding]:
    """The calls with a value that nobody has told, by their place."""
    rule = Grounded(kind="grounded", where="arguments")
    at = {heard.turn: heard for heard in conduct.hearings}
    found = {}
    for nth, one in enumerate(conduct.calls):
        heard = replace(at[one.turn], message=at[one.turn].message.model_copy(update={"calls": (one.call,)}))
        untold = next(detected("invented_value", rule, heard), None)
        if made_up := replace(untold, text=shown(one.call)) if untold else chosen_unasked(conduct, heard, one.call):
            found[nth] = made_up
    return found


def made_good(conduct: Conduct, nth: int, inventions: Mapping[int, Finding]) -> bool:
    """Whether the same tool was called later with told values, and worked."""
    name = conduct.calls[nth].call.name
    later = list(enumerate(conduct.calls))[nth + 1 :]
    return any(one.worked and one.call.name == name and place not in inventions for place, one in later)


def chosen_unasked(conduct: Conduct, heard: Hearing, call: ToolCall) -> Finding | None:
    """A choice or a yes that is not the one wanted, which nobody has told or been asked for."""
    told = " ".join(squeezed(message.text) for message in heard.seen)
    for want in conduct.setting.scenario.script.wants:
        if want.call != call.name:
            continue
        for key, value in call.args.items():
            if (
                key in want.gold
                and value != want.gold[key]
                and not all(stands_in(one, told) for one in said_as(key, value))
            ):
                return Finding("invented_value", heard.turn, shown(call), f"nobody has told {key}")
    return None


def said_as(key: str, value: Any) -> Iterator[str]:
    """The texts that tell a value; a yes or no is told by its name."""
    if isinstance(value, bool):
        yield squeezed(humanize(key))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from said_as(str(name), inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from said_as(key, inner)
    else:
        yield squeezed(str(value))


def wrong_value(conduct: Conduct) -> Finding | None:
    if not conduct.undone:
        return None
    for one in reversed(conduct.calls):
        made = conduct.plain(one.call)
        rivals = [want for want in conduct.wanted if want.name == made.name]
        if rivals and made not in rivals and one.result is not None and not one.result.injected:
            nearest = max(rivals, key=lambda want: len({*want.args} & {*made.args}))
            return Finding("wrong_value", one.turn, shown(one.call), differing(made, nearest))
    return None


def differing(made: Made, wanted: Made) -> str:
    """Where two calls of a tool differ: `day is "monday", wanted "friday"`."""
    ours, theirs = dict(made.args), dict(wanted.args)
    keys = [key for key in {**theirs, **ours} if ours.get(key) != theirs.get(key)]
    return "; ".join(f"{key} is {ours.get(key, 'left out')}, wanted {theirs.get(key, 'left out')}" for key in keys)


# --- changes -----------------------------------------------------------------------------------------------------


def done_twice(conduct: Conduct) -> Finding | None:
    done: dict[Made, list[int]] = defaultdict(list)
    for one in conduct.calls:
        if not conduct.writes(one.call):
            continue
        made = conduct.plain(one.call)
        before = done[made]
        if len(before) >= max(1, conduct.wanted.count(made)) and harmful(conduct, one, before[-1]):
            return Finding(
                "done_twice", one.turn, shown(one.call), f"had worked in turn {before[-1]}; {outcome(conduct, one)}"
            )
        if one.worked:
            before.append(one.turn)
    return None


def harmful(conduct: Conduct, one: Called, before: int) -> bool:
    """Whether a change made again is what failed: it was carried out, or its refusal took the place of the result.

    Where somebody asked again in between, a refusal is no fault of the agent's."""
    if one.worked:
        return conduct.undone or conduct.astray
    asked = any(t.speaker != conduct.agent for t in conduct.talk.turns if before < t.index < one.turn)
    return conduct.broke("says") and not asked


def outcome(conduct: Conduct, one: Called) -> str:
    return conduct.score.reason if one.worked else one.answer


def unconfirmed(conduct: Conduct) -> Finding | None:
    rules = {
        rule.id
        for rule in conduct.setting.principles["assistant"]
        if isinstance(rule.detector, AskFirst) and rule.revises
    }
    marks = {
        turn.index: marker
        for turn in conduct.talk.turns
        if turn.speaker == conduct.agent
        for marker in turn.drafts[-1].markers
        if marker.principle in rules
    }
    asked_for = {want.call for want in conduct.setting.scenario.script.wants}
    for one in conduct.actions_astray():
        if one.call.name not in asked_for:
            continue
        if mark := marks.get(one.turn):
            return Finding(
                "unconfirmed", one.turn, shown(one.call), f"{mark.principle}: {mark.evidence}; {conduct.score.reason}"
            )
    return None


def unwanted_call(conduct: Conduct) -> Finding | None:
    if not conduct.astray:
        return None
    never = conduct.setting.scenario.success.never_calls
    tried = (one for one in conduct.calls if one.call.name in never)
    one = next(conduct.actions_astray(), None) or next(tried, None)
    return Finding("unwanted_call", one.turn if one else -1, shown(one.call) if one else "", conduct.score.reason)


def missing_call(conduct: Conduct) -> Finding | None:
    if not conduct.undone:
        return None
    turn, text = (-1, "") if conduct.forced else conduct.last_words
    return Finding("missing_call", turn, text, conduct.score.reason)
