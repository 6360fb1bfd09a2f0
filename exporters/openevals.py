"""Trajectories for openevals and agentevals: what an assistant heard, said, called and got, as OpenAI messages.

One row for each assistant of an accepted conversation:

    id                    derived from the conversation and the assistant
    trajectory            messages, each with an id; the arguments of calls are JSON text
    reference_trajectory  the opening and the calls wanted of this assistant, for `create_trajectory_match_evaluator`
    trajectory_match_mode  strict, unordered, subset or superset; null where calls are not compared
    evaluator_results     one for each verdict: key (the judge), score, comment (its reason), metadata, source_run_id
    metadata              conversation, scenario, seed, end_reason
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import CHAT
from tertulia.exporting.columns import Columns
from tertulia.exporting.rows import row_id
from tertulia.gold import GoldCall, gold_of
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.views import as_chat

__all__ = ["Openevals"]


class Openevals:
    """`lost` counts rejected conversations, drafts that were sent back, and messages that no assistant heard."""

    consumer: ClassVar[str] = "trajectories"
    loses: ClassVar[Mapping[str, str]] = {
        "rejected_conversations": "conversations that a gate kept out",
        "drafts_sent_back": "drafts that were sent back",
        "messages_no_assistant_heard": "what no assistant heard",
    }
    evaluates: ClassVar[bool] = True
    columns: ClassVar[Columns] = {
        "id": "text",
        "trajectory": CHAT,
        "reference_trajectory": CHAT,
        "trajectory_match_mode": "text",
        "evaluator_results": [
            {"key": "text", "score": "float", "comment": "text", "metadata": "json", "source_run_id": "text"}
        ],
        "metadata": {"conversation": "text", "scenario": "text", "seed": "int", "end_reason": "text"},
    }

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if not talk.accepted:
            self.lost["rejected_conversations"] += 1
            return
        assistants = [name for name, role in talk.roles.items() if role == "assistant"]
        self.lost["drafts_sent_back"] += sum(len(turn.drafts) - 1 for turn in talk.turns)
        unheard = [message for message in talk.messages if not set(assistants) & set(message.audience)]
        self.lost["messages_no_assistant_heard"] += len(unheard)
        self.lost = +self.lost
        for name in assistants:
            chat = as_chat(talk.messages, name, talk.roles)
            match = scenario.success.calls.match
            yield {
                "id": row_id(talk, "openevals", name),
                "trajectory": [{"id": row_id(talk, name, nth), **said} for nth, said in enumerate(chat)],
                "reference_trajectory": reference(scenario, name),
                "trajectory_match_mode": None if match == "none" else match,
                "evaluator_results": [
                    {
                        "key": verdict.judge,
                        "score": float(verdict.passed) if verdict.score is None else verdict.score,
                        "comment": verdict.reason or None,
                        "metadata": None,
                        "source_run_id": None,
                    }
                    for verdict in talk.verdicts
                ],
                "metadata": {
                    "conversation": talk.id,
                    "scenario": talk.scenario,
                    "seed": talk.seed,
                    "end_reason": talk.end_reason.value,
                },
            }


def reference(scenario: Scenario, name: str) -> list[dict[str, Any]]:
    """The opening, and the calls wanted of a party, each in a message of its own."""
    calls = [call for call in gold_of(scenario).calls if call.by == name]
    said = {"role": "user", "content": scenario.script.opening}
    return [said, *(message(nth, call) for nth, call in enumerate(calls))]


def message(nth: int, call: GoldCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.args, ensure_ascii=False)}
    made = {"id": f"gold-{nth}", "type": "function", "function": function}
    return {"role": "assistant", "content": "", "tool_calls": [made]}
