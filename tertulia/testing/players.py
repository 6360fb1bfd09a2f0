"""The rule cast behind an endpoint: every role answered sensibly from the request alone, as a model would answer it.

A request says in its first words whose turn it is, and holds what that role may know in blocks, as
`tertulia.models.prompts` lays them out. What cannot be read is answered with a friendly sentence.
"""

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from pydantic import ValidationError

from tertulia.contracts import Hearing, Utterance
from tertulia.detectors import Scene, find
from tertulia.models.prompts import blocks
from tertulia.models.records import RawCall, Reply
from tertulia.parts import load
from tertulia.principles import Principle, bundled_principles
from tertulia.records import Message, Signal
from tertulia.scenario import Scenario
from tertulia.testing.hearsay import view_of

__all__ = ["played"]

ROLE = re.compile(r"you are the (planner|user|assistant|colleague|critic|judge|tool)\b", re.IGNORECASE)
SPEAKERS = {"user": ("users", "agenda"), "assistant": ("assistants", "form"), "colleague": ("colleagues", "decider")}
ENDINGS = {
    Signal.GOAL_REACHED: " [GOAL REACHED]",
    Signal.SCRIPT_EXHAUSTED: " [NOTHING LEFT]",
    Signal.GAVE_UP: " [GAVE UP]",
    Signal.CLOSED: "",
}
READS_ALONE = frozenset({"pattern", "avoid", "asks", "length"})  # detectors that need nothing but the draft
PUZZLED = "I see. How can I help you?"

Asked = Mapping[str, Any]


def played(asked: Asked) -> Reply:
    """The reply of whatever role is asked."""
    texts = [message.get("content") or "" for message in asked["messages"] if isinstance(message, Mapping)]
    found = ROLE.search(str(texts[0]))
    if found is None:
        return Reply(text=PUZZLED)
    try:
        known, role = blocks("\n".join(map(str, texts))), found[1].lower()
        return speak(asked, known, role) if role in SPEAKERS else ANSWERS[role](known)
    except (ValueError, KeyError, TypeError, ValidationError):
        return Reply(text=PUZZLED)


def speak(asked: Asked, known: Mapping[str, Any], role: str) -> Reply:
    """A user, an assistant or a colleague takes its turn."""
    view = view_of(asked, known, role)
    kind, name = SPEAKERS[role]
    said: Utterance = at_once(load(kind, name)().speak(view))
    if said.calls:
        return called(said, len(view.messages), native=bool(asked.get("tools")))
    addressed = "".join(f"@{name} " for name in said.to) if len(view.others) > 1 else ""
    return Reply(text=addressed + said.text + (ENDINGS[said.signal] if said.signal else ""))


def called(said: Utterance, place: int, native: bool) -> Reply:
    """Calls as the endpoint sends them, or in the text where the request has no tools."""
    calls = tuple(
        RawCall(id=f"call_{place}_{nth}", name=call.name, arguments=json.dumps(call.args, ensure_ascii=False))
        for nth, call in enumerate(said.calls)
    )
    if native:
        return Reply(calls=calls, finish="tool_calls")
    written = (f'{{"name": "{call.name}", "arguments": {call.arguments}}}' for call in calls)
    return Reply(text="\n".join(f"<tool_call>\n{call}\n</tool_call>" for call in written))


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """What a part of the rule cast gives; these never wait for anything."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise TypeError("a part of the rule cast waited")


def plan(known: Mapping[str, Any]) -> Reply:
    """One step for each want, in its order; user and assistant in turn, with a word for every colleague."""
    scenario = known["scenario"]
    steps = [f"get {want.get('what') or want['call']} ({want['call']})" for want in scenario.get("wants") or ()]
    roles = {party["name"]: party["role"] for party in scenario["cast"]}
    assistant = next(name for name, role in roles.items() if role == "assistant")
    order = [name for name in roles if name != assistant]
    ring = [step for name in order for step in (name, assistant)]
    styles = ("plain", "brief", "polite")
    style = styles[len(json.dumps(scenario)) % len(styles)]
    return as_json({"style": style, "steps": steps, "order": ring})


def review(known: Mapping[str, Any]) -> Reply:
    """Markers by those detectors that need nothing but the words of the draft."""
    about, draft = known["about"], known["draft"]
    text = str(draft.get("says") or "")
    scene = Scene(hearing_of(about["speaker"], about["role"], text))
    markers = [
        {"principle": rule.id, "quote": finding.quote, "evidence": finding.evidence}
        for rule in (bundled_principles().get(entry["id"]) for entry in known.get("principles") or ())
        if text and rule and rule.detector and rule.detector.kind in READS_ALONE and not conditional(rule)
        for finding in find(rule.detector, scene)
    ]
    return as_json({"markers": markers})


def conditional(rule: Principle) -> bool:
    """Whether a rule holds at certain moments of the conversation only."""
    return getattr(rule.detector, "when", "always") != "always"


def hearing_of(speaker: str, role: str, text: str) -> Hearing:
    """A draft on its own, as a detector wants it."""
    other = "user" if role == "assistant" else "assistant"
    cast = {speaker: {"role": role if role != "plan" else "user"}, "somebody": {"role": other}}
    raw = {"id": "draft", "kind": "single_call", "cast": cast, "script": {"opening": "Hello."}}
    scenario = Scenario.model_validate(raw)
    party = scenario.cast[speaker]
    return Hearing(
        scenario=scenario,
        speaker=speaker,
        party=party,
        role=role,
        turn=0,
        draft=0,
        message=Message(speaker=speaker, role=party.role, text=text, audience=tuple(cast)),
        seen=(),
        spoken=(),
        tools=(),
        policy="",
        principles=(),
    )


def judge(known: Mapping[str, Any]) -> Reply:
    """A fact holds when somebody says it in so many words."""
    said = [str(line["says"]) for line in known.get("transcript") or () if line.get("says")]
    verdicts = []
    for number, fact in (known.get("facts") or {}).items():
        quote = next((line for line in said if str(fact).lower() in line.lower()), "")
        verdicts.append({"number": int(number), "evidence": quote, "holds": bool(quote)})
    return as_json({"facts": verdicts})


def simulate(known: Mapping[str, Any]) -> Reply:
    """A tool's result: its arguments, as done."""
    return as_json({"status": "ok", "result": {**known["call"].get("arguments", {}), "done": True}})


def as_json(value: Any) -> Reply:
    return Reply(text=json.dumps(value, ensure_ascii=False))


ANSWERS: dict[str, Callable[[Mapping[str, Any]], Reply]] = {
    "planner": plan,
    "critic": review,
    "judge": judge,
    "tool": simulate,
}
