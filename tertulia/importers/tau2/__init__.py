"""tau2-bench domains: tasks, policy, database, the toolkits of assistant and user.

PATH is a domain's folder (`tasks.json`, `policy.md`, `db.json` or `db.toml`, with user tools `user_db`), the toolkit is
named by `--toolkit MODULE:CLASS`: a toolkit, or an environment that keeps two of them in step. A domain that is called
like a bundled world is played there.

    task                                      scenario
    id, description.purpose                   id, title
    user_scenario.persona                     the user's persona
    reason_for_call, known_info, ..           the opening (first sentence, first person), and what the user knows
    initial_state                             start: what its data and actions change in the database
    actions                                   wants, in order, by whom
    reward_basis DB                           success.state: what the actions reach, and nothing_else
    reward_basis ACTION                       success.calls: superset, else none
    communicate_info                          success.says

The actions are replayed once, on the toolkit, to see what they reach; whether they work is for `tertulia check` to say.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tertulia.errors import TertuliaError, UserError
from tertulia.importers.tau2.domain import Domain, read_domain
from tertulia.importers.tau2.speech import OPENS_WITH, facts_of, opening_of
from tertulia.importers.tau2.task import EnvCall, Instructions, Task, unread
from tertulia.importing import Asked, Imported, Lost
from tertulia.scenario import Scenario
from tertulia.state_paths import along, apply, changed
from tertulia.worlds.classes import REFUSALS, ClassWorld

__all__ = ["Tau2"]

USER, ASSISTANT = "customer", "agent"
NAME = re.compile(r"[a-z][a-z0-9_-]*")
KNOWN_BASIS = ("DB", "ACTION", "COMMUNICATE", "ENV_ASSERTION", "NL_ASSERTION")


class Tau2:
    """One scenario for each task."""

    def read(self, asked: Asked) -> Imported:
        domain = read_domain(asked)
        items = [Item(domain, task) for task in domain.tasks]
        scenarios = [item.scenario() for item in items]
        if twice := [name for name, count in Counter(one.id for one in scenarios).items() if count > 1]:
            raise UserError(f"several tasks would be called {twice[0]!r}")
        lost = [one for item in items for one in item.lost]
        lost += [
            Lost(name, "split", f"{len(ids)} tasks: a scenario is in no split") for name, ids in domain.splits.items()
        ]
        return Imported(scenarios, domain.beside, lost, coverage(items))


def coverage(items: list["Item"]) -> dict[str, Any]:
    """What the tasks hold, and how their reference calls fare on the toolkit."""
    calls = Counter(action.name for item in items for action in item.task.actions)
    failing = {item.task.id: item.failed for item in items if item.failed}
    return {
        "tasks": len(items),
        "gold calls": sum(calls.values()),
        "gold calls that raise": sum(len(found) for found in failing.values()),
        "tasks with such calls": len(failing),
        "tasks whose gold changes nothing": sum(not item.reached for item in items),
        "calls by tool": dict(sorted(calls.items())),
    }


@dataclass
class Item:
    """A task on its way to a scenario."""

    domain: Domain
    task: Task
    lost: list[Lost] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # reference calls that raise, with what they say
    reached: dict[str, Any] = field(default_factory=dict)  # what the reference calls change

    def scenario(self) -> Scenario:
        """Raises UserError, with the task, for what does not go together."""
        try:
            base = Scenario.model_validate(self.base())
            base = base.model_copy(update={"start": self.start(base)})
            self.reached = self.replayed(base)
        except UserError as error:
            raise UserError(f"task {self.task.id!r}: {error}") from error
        self.note_the_rest()
        return Scenario.model_validate(
            {**base.model_dump(by_alias=True, exclude_defaults=True), "success": self.success()}
        )

    def loses(self, what: str, why: str) -> None:
        self.lost.append(Lost(self.task.id, what, why))

    # --- who talks ---------------------------------------------------------------------------------------------

    def base(self) -> dict[str, Any]:
        """The scenario without start and success."""
        task, given = self.task, self.task.user_scenario.instructions
        told = given if isinstance(given, Instructions) else Instructions(reason_for_call=given)
        opening = opening_of(told.reason_for_call, told.task_instructions)
        tools = [spec.name for spec in self.domain.world.tools.values() if spec.owner == "user"]
        tools = tools if task.user_tools is None else [name for name in task.user_tools if name in tools]
        wants = [self.want(nth) for nth in range(len(task.actions))]
        by_hand = any("by" in want for want in wants)
        kind = "nothing_to_do" if not wants else "single_call" if len(wants) == 1 else "multi_call"
        user = {"role": "user", "persona": task.user_scenario.persona or "", "knows": facts(told, opening)}
        size = max(60, 4 * len(wants))
        return {
            "id": self.name(),
            "title": (task.description.purpose if task.description else None) or "",
            "kind": "user_tools" if by_hand or tools else kind,
            "world": self.domain.given,
            "cast": {USER: user | ({"tools": tools} if tools else {}), ASSISTANT: {"role": "assistant"}},
            "script": {"opening": opening, "wants": wants},
            "limits": {"turns": min(size, 500), "tool_calls": min(size, 500)},
        }

    def name(self) -> str:
        """The task's id where it can name a scenario, else with the domain in front."""
        if NAME.fullmatch(self.task.id):
            return self.task.id
        name = re.sub(r"[^a-z0-9]+", "-", f"{self.domain.name}-{self.task.id}".lower()).strip("-")
        return name if NAME.fullmatch(name) else f"task-{name}"

    def want(self, nth: int) -> dict[str, Any]:
        action = self.task.actions[nth]
        if action.name not in self.domain.world.tools:
            raise UserError(f"actions.{nth}: the toolkit has no tool {action.name!r}")
        for key in ("info", "compare_args"):
            if getattr(action, key) is not None:
                self.loses(f"actions.{nth}.{key}", "a want has no such field; all its arguments count")
        by = {"by": USER} if action.requestor == "user" else {}
        return {"call": action.name, "with": action.arguments, **by}

    # --- what it starts from, and what it reaches ----------------------------------------------------------------

    def start(self, base: Scenario) -> dict[str, Any]:
        """What the initial state changes in the world's own first state."""
        initial = self.task.initial_state
        if initial is None:
            return {}
        first = self.domain.world.start(base)
        apart = set(first) == {"assistant", "user"}
        paths: dict[str, Any] = {}
        if initial.initialization_data:
            data = initial.initialization_data
            for whose, values in (("assistant", data.agent_data), ("user", data.user_data)):
                paths |= dict(leaves(first, values or {}, [whose] if apart else []))
        actions = initial.initialization_actions or []
        if actions and isinstance(self.domain.world, ClassWorld):
            paths |= self.acted(base.model_copy(update={"start": paths}), first, actions)
        elif actions:
            self.loses("initialization_actions", "functions of the original toolkit, which does not play here")
        return paths

    def acted(self, base: Scenario, first: Mapping[str, Any], actions: list[EnvCall]) -> dict[str, Any]:
        """The state that functions of the toolkit make of the first one, as start values."""
        world = self.domain.world
        assert isinstance(world, ClassWorld)
        objects = world.made(base)
        for action in actions:
            self.asked(objects, action)
        return {change.path: change.after for change in changed(first, world.state(objects))}

    def asked(self, objects: Mapping[str, Any], call: EnvCall) -> Any:
        """What a function of a toolkit returns."""
        (made,) = objects.values()
        kit = getattr(made, "user_tools" if call.env_type == "user" else "tools", made)
        kit = made if not hasattr(kit, call.func_name) and hasattr(made, call.func_name) else kit
        try:
            returned = getattr(kit, call.func_name)(**call.arguments)
            if hasattr(made, "sync_tools"):
                made.sync_tools()
        except REFUSALS as error:
            raise UserError(f"{call.func_name}({json.dumps(call.arguments)}) fails: {error}") from error
        return returned

    def replayed(self, base: Scenario) -> dict[str, Any]:
        """What the reference calls change, from start to end; those that fail change nothing."""
        live, first = self.domain.world.open(base), self.domain.world.start(base)
        end = json.loads(json.dumps(first))
        for action in self.task.actions:
            outcome = live.call(action.name, action.arguments)
            if outcome.error:
                self.failed.append(f"{action.name}: {json.loads(outcome.text)['error']}")
            for change in outcome.changes:
                apply(end, change)
        self.assertions(getattr(live, "objects", None))
        return {change.path: change.after for change in changed(first, end)}

    def assertions(self, objects: Mapping[str, Any] | None) -> None:
        """Ask the toolkit's assertions of the end that the reference calls reach."""
        for nth, claim in enumerate(self.task.criteria.env_assertions or []):
            if objects is None:
                said = "cannot be asked of this world"
            else:
                try:
                    holds = self.asked(objects, claim) == claim.assert_value
                    said = "holds after the actions" if holds else "does NOT hold after the actions"
                except TertuliaError as error:
                    said = str(error)
            self.loses(f"env_assertions.{nth}", f"{claim.func_name} is Python; success.state stands for it (it {said})")

    # --- success -----------------------------------------------------------------------------------------------

    def success(self) -> dict[str, Any]:
        criteria = self.task.criteria
        basis = criteria.reward_basis
        says = criteria.communicate_info or []
        if says and "COMMUNICATE" not in basis:
            self.loses("reward_basis", "communicate_info gates no reward there; here it does")
        if not {"DB", "ENV_ASSERTION"} & set(basis):
            self.loses("reward_basis", "the database gates no reward there; here what the actions reach does")
        for unknown in set(basis) - set(KNOWN_BASIS):
            self.loses("reward_basis", f"{unknown} is not known")
        return {
            "calls": {"match": "superset" if "ACTION" in basis else "none"},
            "state": self.reached,
            "says": says,
            "nothing_else": True,
        }

    def note_the_rest(self) -> None:
        """All that no part of the scenario says."""
        task, criteria = self.task, self.task.criteria
        for nth, claim in enumerate(criteria.nl_assertions or []):
            self.loses(f"nl_assertions.{nth}", f"needs a judge that reads: {claim}")
        if any(action.action_id for action in task.actions):
            self.loses("actions.action_id", "a want has no id")
        described = task.description
        for key in ("relevant_policies", "notes"):
            if described and getattr(described, key):
                self.loses(f"description.{key}", "for people; a scenario has a title alone")
        for key in ("ticket", "issues", "required_documents"):
            if getattr(task, key):
                self.loses(key, "a scenario has no such field")
        if task.initial_state and task.initial_state.message_history:
            self.loses("message_history", "a scenario begins with its opening")
        for path in unread(task):
            self.loses(path, "an unknown field")


def facts(told: Instructions, opening: str) -> dict[str, Any]:
    """What the user knows: the listed facts of a text, or the text itself under the field's name."""
    known = {key: value_of(text) for key, text in facts_of(told.known_info or "").items()}
    if told.known_info and not known:
        known["known_info"] = told.known_info
    rest = "\n".join(line for line in told.task_instructions.splitlines() if not line.startswith(OPENS_WITH))
    others = {"unknown_info": told.unknown_info, "task_instructions": rest.strip()}
    if told.reason_for_call != opening:
        others["reason_for_call"] = told.reason_for_call
    return known | {key: text for key, text in others.items() if text}


def value_of(text: str) -> Any:
    """The JSON value that a text is, else the text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def leaves(state: Any, values: Mapping[str, Any], path: list[str]) -> Iterator[tuple[str, Any]]:
    """The values of a mapping that is laid over the state, by path; a key that the state lacks comes whole."""
    for key, value in values.items():
        at = [*path, key]
        if isinstance(value, Mapping) and not along(state, ".".join(at))[1]:
            yield from leaves(state, value, at)
        else:
            yield ".".join(at), value
