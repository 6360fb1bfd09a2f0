"""tau2-bench domains: a folder for each world, with `tasks.json`, `policy.md` and `db.json`.

One task for each distinct settled scenario, accepted or not, as `tau2.data_model.tasks.Task` reads it:

    user_scenario        persona; instructions: domain (the world), reason_for_call and the first line of
                         task_instructions (the fixed opening), known_info (a line for each fact that may be told),
                         and in task_instructions what must not be told, said, or is said on the way
    initial_state        initialization_data: the start values
    evaluation_criteria  actions (the calls wanted, with the values they have in the end), communicate_info (`says`),
                         reward_basis DB, with ACTION where the calls are compared, COMMUNICATE where words are wanted
    user_tools           the user's tools

tau2 has no tools in its files: a domain's toolkit is Python there. It compares the whole database with what the
actions reach, so `success.state` is what that is, and nothing else may change.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tertulia.exporting.folder import LIST, TEXT, Shape
from tertulia.exporting.items import Items, gold_calls, unsaid
from tertulia.records import Conversation
from tertulia.scenario import Scenario, Want
from tertulia.setting import Setting, Settings
from tertulia.state_paths import along

__all__ = ["Tau2"]

OPENS_WITH = "Open the conversation with exactly these words: "
CARRIED = [
    "id",
    "title",
    "world",
    "script.opening",
    "script.of",
    "script.wants.call",
    "script.wants.args",
    "script.wants.by",
    "cast.role",
    "cast.persona",
    "cast.knows",
    "cast.tools",
    "success.says",
    "success.nothing_else",
    "start",
]


class Tau2:
    """`lost` counts, by field, the items in which a scenario says something that a task does not."""

    consumer: ClassVar[str] = "tasks"
    carries: ClassVar[Sequence[str]] = CARRIED
    loses: ClassVar[Mapping[str, str]] = {
        "cast (names of the parties)": "what user and assistant are called",
        "cast (third parties)": "parties beside user and assistant",
        "cast.persona (of the assistant)": "the assistant's persona",
        "cast.knows (of the assistant)": "what the assistant knows",
        "cast.tools (of the assistant)": "which of the domain's tools the assistant has",
    }
    evaluates: ClassVar[bool] = True

    def __init__(self) -> None:
        self.settings, self.items = Settings(), Items()
        self.domains: set[str] = set()
        self.lost: Counter[str] = Counter()

    def shape(self, name: str) -> Shape:
        return LIST if name.endswith("/tasks.json") else TEXT

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        name = self.items.name(scenario, talk)
        if not name:
            return
        setting = self.settings.of(scenario)
        domain = scenario.world if isinstance(scenario.world, str) and scenario.world else scenario.id
        first = setting.world.start(scenario.model_copy(update={"start": {}}))
        self.lost.update(self.unsaid(scenario))
        yield {"file": f"{domain}/tasks.json", "row": self.task(name, domain, scenario, setting)}
        if domain not in self.domains:
            self.domains.add(domain)
            yield {"file": f"{domain}/policy.md", "text": setting.world.policy or scenario.policy}
            yield {"file": f"{domain}/db.json", "text": json.dumps(first, ensure_ascii=False, indent=1) + "\n"}

    def unsaid(self, scenario: Scenario) -> list[str]:
        """The fields that no task says."""
        match = ["success.calls.match"] if scenario.success.calls.match == "none" else []
        policy = [] if scenario.world else ["policy"]
        found = unsaid(scenario, [*CARRIED, *match, *policy])
        assistant = scenario.cast[scenario.assistant]
        own = [f"cast.{key} (of the assistant)" for key in ("persona", "knows", "tools") if getattr(assistant, key)]
        third = ["cast (third parties)"] if len(scenario.cast) > 2 else []
        return [*found, *own, *third, "cast (names of the parties)"]

    def task(self, name: str, domain: str, scenario: Scenario, setting: Setting) -> dict[str, Any]:
        success, user = scenario.success, scenario.cast[scenario.user]
        calls = success.calls.match != "none"
        basis = ["DB", *(["ACTION"] if calls else []), *(["COMMUNICATE"] if success.says else [])]
        wanted = [want for want in gold_calls(scenario) if (want.by or scenario.assistant) in played(scenario)]
        return {
            "id": name,
            "description": {"purpose": scenario.title or None, "relevant_policies": None, "notes": None},
            "user_scenario": {
                "persona": user.persona or None,
                "instructions": {
                    "domain": domain,
                    "reason_for_call": scenario.script.opening,
                    "known_info": known(user.knows, user.secret) or None,
                    "unknown_info": None,
                    "task_instructions": instructions(scenario),
                },
            },
            "initial_state": initial(scenario, setting),
            "evaluation_criteria": {
                "actions": [action(name, nth, want, scenario) for nth, want in enumerate(wanted)],
                "communicate_info": list(success.says),
                "nl_assertions": None,
                "reward_basis": basis,
            },
            "user_tools": list(user.tools or ()),
        }


def played(scenario: Scenario) -> tuple[str, str]:
    """The two parties that tau2 knows."""
    return scenario.user, scenario.assistant


def action(name: str, nth: int, want: Want, scenario: Scenario) -> dict[str, Any]:
    requestor = "user" if want.by == scenario.user else "assistant"
    return {
        "action_id": f"{name}_{nth}",
        "requestor": requestor,
        "name": want.call,
        "arguments": want.gold,
        "info": None,
        "compare_args": None,
    }


def known(knows: Mapping[str, Any], secret: tuple[str, ...]) -> str:
    """A line for each fact; a text that would read as another JSON value is quoted."""
    return "\n".join(f"- {key}: {worded(value)}" for key, value in knows.items() if key not in secret)


def worded(value: Any) -> str:
    if isinstance(value, str) and "\n" not in value:
        try:
            json.loads(value)
        except json.JSONDecodeError:
            return value
    return json.dumps(value, ensure_ascii=False)


def instructions(scenario: Scenario) -> str:
    """What the simulated user is told to do, line by line."""
    script, user = scenario.script, scenario.cast[scenario.user]
    lines = [OPENS_WITH + " ".join(script.opening.split())]
    lines += [f"Never tell anybody your {key}: {worded(user.knows.get(key))}" for key in user.secret]
    lines += [f"Never say: {text}" for text in script.never_say]
    for want in script.wants:
        if want.say:
            lines.append(f"To bring up {want.call}, say: {want.say}")
        if want.change:
            what = "you no longer want it" if want.change.drop else f"you want {json.dumps(want.change.args)} instead"
            lines.append(f"When asked to confirm {want.call}: {want.change.say or what}")
        if want.outcome == "refused":
            lines.append(f"You also ask for {want.call} with {json.dumps(want.args, default=str)}; accept a refusal.")
    lines += [f"At some point say: {aside.say}" for aside in script.asides]
    return "\n".join(lines)


def initial(scenario: Scenario, setting: Setting) -> dict[str, Any] | None:
    """The start values as mappings in mappings, to be laid over the database."""
    if not scenario.start:
        return None
    first = setting.world.start(scenario)
    data: dict[str, Any] = {}
    for path, value in scenario.start.items():
        keys, lost = along(first, path)
        *steps, last = [*keys, *([".".join(lost)] if lost else [])]
        place = data
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = value
    return {"initialization_data": {"agent_data": data, "user_data": None}}
