"""Rules for evaluation items in the formats of others, from what their libraries document of their files.

samples        Inspect's `Sample`s               goldens   DeepEval's conversational goldens
entries        BFCL v4 multi-turn, and answers   tasks     a folder of tau2-bench's domains
trajectories   openevals and agentevals          cases     a folder with an evaluation set of ADK
"""

import ast
from collections.abc import Iterator, Sequence

from tertulia.exporting.columns import Columns, misfits
from tertulia.verifying.chats import chat_faults
from tertulia.verifying.rules import Plain, Row
from tertulia.verifying.turns import text_faults

__all__ = ["Cases", "Entries", "Goldens", "Samples", "Tasks", "Trajectories"]

MODES = {None, "strict", "unordered", "subset", "superset"}
BASIS = {"DB", "ENV_ASSERTION", "NL_ASSERTION", "ACTION", "COMMUNICATE"}
TASK: Columns = {
    "id": "text",
    "description": {"purpose": "text", "relevant_policies": "text", "notes": "text"},
    "user_scenario": {
        "persona": "text",
        "instructions": {
            "domain": "text",
            "reason_for_call": "text",
            "known_info": "text",
            "unknown_info": "text",
            "task_instructions": "text",
        },
    },
    "initial_state": {"initialization_data": {"agent_data": "json", "user_data": "json"}},
    "evaluation_criteria": {
        "actions": [
            {
                "action_id": "text",
                "requestor": "text",
                "name": "text",
                "arguments": "json",
                "info": "text",
                "compare_args": ["text"],
            }
        ],
        "communicate_info": ["text"],
        "nl_assertions": ["text"],
        "reward_basis": ["text"],
    },
    "user_tools": ["text"],
}
CASE: Columns = {
    "eval_id": "text",
    "conversation_scenario": {
        "starting_prompt": "text",
        "conversation_plan": "text",
        "user_persona": {"id": "text", "description": "text", "behaviors": ["json"]},
    },
    "session_input": {"app_name": "text", "user_id": "text", "state": "json"},
    "rubrics": [{"rubric_id": "text", "rubric_content": {"text_property": "text"}}],
    "final_session_state": "json",
}


class Samples(Plain):
    """A briefing and a question, and what is wanted as texts."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from text_faults(row, "id")
        given = row["input"]
        if [message["role"] for message in given] not in (["user"], ["system", "user"]):
            yield "the input is not a user's message, with at most a system message before it"
        yield from (f"input {at}: it says nothing" for at, said in enumerate(given) if not said["content"].strip())


class Goldens(Plain):
    """A scenario in words, what should come of it, and turns of user and assistant."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from text_faults(row, "name", "scenario", "expected_outcome")
        for at, turn in enumerate(row["turns"]):
            if turn["role"] not in ("user", "assistant") or not turn["content"].strip():
                yield f"turn {at}: no words of user or assistant"


class Trajectories(Plain):
    """Whole chats whose calls are answered, what they are compared with, and scores."""

    def faults(self, row: Row) -> Iterator[str]:
        chat = [{key: value for key, value in said.items() if key != "id"} for said in row["trajectory"]]
        yield from (f"trajectory: {fault}" for fault in chat_faults(chat, None, whole=False))
        wanted = [message["role"] for message in row["reference_trajectory"]]
        if wanted[:1] != ["user"] or set(wanted[1:]) - {"assistant"}:
            yield "reference_trajectory: not the opening and the calls of an assistant"
        if row["trajectory_match_mode"] not in MODES:
            yield f"trajectory_match_mode {row['trajectory_match_mode']!r} is none that the evaluators know"
        names = [message["id"] for message in row["trajectory"]]
        if len(set(names)) < len(names):
            yield "trajectory: two messages have one id"


class Entries(Plain):
    """Turns of users' messages, and the classes that are called; in the sidecar the calls wanted, turn by turn."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from text_faults(row, "id")
        for at, turn in enumerate(row["question"]):
            if not turn or any(message["role"] != "user" or not message["content"].strip() for message in turn):
                yield f"turn {at}: not words of a user"
        for path in row["path"]:
            home, _, name = path.partition(".")
            if home not in row["involved_classes"] or not name:
                yield f"the path {path!r} leads to none of the involved classes"
            if name in row["excluded_function"]:
                yield f"{name!r} is wanted, and excluded"
        if extra := sorted(set(row["initial_config"]) - set(row["involved_classes"])):
            yield f"initial_config fills {extra[0]!r}, which is not involved"

    def beside(self, row: Row, line: Row) -> Iterator[str]:
        """What is wrong with the answer of an entry."""
        if line.get("id") != row["id"]:
            yield f"its answer is that of {line.get('id')!r}"
            return
        turns = line.get("ground_truth")
        if not isinstance(turns, list) or len(turns) != len(row["question"]):
            yield "its answer does not have as many turns"
            return
        calls = [call for turn in turns for call in turn]
        yield from (f"the call {call!r} is no Python call with values by name" for call in calls if not called(call))
        if [called(call) for call in calls] != [path.partition(".")[2] for path in row["path"]]:
            yield "its answer calls other tools than its path"


def called(text: str) -> str:
    """The name in `move(order='A1', day=None)`; empty for anything else."""
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return ""
        for keyword in call.keywords:
            ast.literal_eval(keyword.value)
    except (SyntaxError, ValueError):
        return ""
    return call.func.id


class Tasks(Plain):
    """Folders of domains: tasks with ids of their own, a policy and a database each."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.files: dict[str, set[str]] = {}

    def faults(self, entry: Row) -> Iterator[str]:
        domain, _, file = entry["file"].rpartition("/")
        self.files.setdefault(domain, set()).add(file)
        if file == "policy.md" and not entry["text"].strip():
            yield "the policy is empty"
        if "row" in entry:
            wrong = list(misfits(TASK, entry["row"]))
            yield from wrong or self.task_faults(domain, entry["row"])

    def task_faults(self, domain: str, task: Row) -> Iterator[str]:
        if task["id"] in self.names:
            yield f"the id {task['id']} stands in a row before"
        self.names.add(task["id"])
        told = task["user_scenario"]["instructions"]
        yield from text_faults(told, "domain", "reason_for_call", "task_instructions")
        if told["domain"] != domain:
            yield f"it is of the domain {told['domain']!r}, and stands in the folder of {domain!r}"
        wanted = task["evaluation_criteria"]
        if unknown := sorted(set(wanted["reward_basis"]) - BASIS):
            yield f"the reward is based on {unknown[0]!r}, which is unknown"
        for action in wanted["actions"]:
            if action["requestor"] not in ("assistant", "user") or not isinstance(action["arguments"], dict):
                yield f"the action {action['action_id']!r} is not one of assistant or user with an object of arguments"

    def whole(self) -> Iterator[str]:
        """Which files a domain lacks."""
        for domain, files in self.files.items():
            for lacking in sorted({"tasks.json", "policy.md", "db.json"} - files):
                yield f"{domain}/{lacking} is not there"


class Cases(Plain):
    """An evaluation set: cases with ids of their own, a scenario and rubrics each."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def faults(self, entry: Row) -> Iterator[str]:
        if "row" not in entry:
            return
        case = entry["row"]
        wrong = list(misfits(CASE, case))
        yield from wrong or self.case_faults(case)

    def case_faults(self, case: Row) -> Iterator[str]:
        if case["eval_id"] in self.names:
            yield f"the id {case['eval_id']} stands in a row before"
        self.names.add(case["eval_id"])
        if ("conversation" in case) == ("conversation_scenario" in case):
            yield "it needs either a conversation or a conversation_scenario"
            return
        yield from text_faults(case["conversation_scenario"], "starting_prompt", "conversation_plan")
        yield from text_faults(case["session_input"], "app_name", "user_id")
        yield from rubric_faults(case["rubrics"])

    def whole(self) -> Iterator[str]:
        if not self.names:
            yield "no evaluation set is there"


def rubric_faults(rubrics: Sequence[Row]) -> Iterator[str]:
    names = [rubric["rubric_id"] for rubric in rubrics]
    if len(set(names)) < len(names):
        yield "two rubrics have one id"
    yield from (f"{rubric['rubric_id']} says nothing" for rubric in rubrics if not text_of(rubric).strip())


def text_of(rubric: Row) -> str:
    return str(rubric["rubric_content"]["text_property"] or "")
