"""Rules for OASST message trees, from `ExportMessageTree` and `ExportMessageNode` of Open-Assistant's `oasst_data`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["tree_faults"]

Kinds = tuple[type, ...]
NODE: dict[str, Kinds] = {
    "message_id": (str,),
    "parent_id": (str, type(None)),
    "user_id": (str, type(None)),
    "created_date": (str, type(None)),
    "text": (str,),
    "role": (str,),
    "lang": (str, type(None)),
    "review_count": (int, type(None)),
    "review_result": (bool, type(None)),
    "deleted": (bool, type(None)),
    "rank": (int, type(None)),
    "synthetic": (bool, type(None)),
    "model_name": (str, type(None)),
    "emojis": (dict, type(None)),
    "replies": (list, type(None)),
    "labels": (dict, type(None)),
    "events": (dict, type(None)),
    "detoxify": (dict, type(None)),
    "message_tree_id": (type(None),),
    "tree_state": (type(None),),
}
STATES = {
    "initial_prompt_review",
    "growing",
    "ranking",
    "ready_for_scoring",
    "ready_for_export",
    "scoring_failed",
    "aborted_low_grade",
    "halted_by_moderator",
    "backlog_ranking",
    "prompt_lottery_waiting",
}
ROLES = ("prompter", "assistant")
LABELS = {
    "spam",
    "fails_task",
    "lang_mismatch",
    "pii",
    "not_appropriate",
    "hate_speech",
    "sexual_content",
    "moral_judgement",
    "political_content",
    "quality",
    "toxicity",
    "humor",
    "helpfulness",
    "creativity",
    "violence",
}
DETOXIFY = {
    "toxicity",
    "severe_toxicity",
    "obscene",
    "identity_attack",
    "insult",
    "threat",
    "sexual_explicit",
}
LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*")  # BCP 47


def tree_faults(row: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    """What is wrong with a tree; `seen` gathers the ids of all messages of the file."""
    if row["tree_state"] not in STATES:
        yield f"tree_state {row['tree_state']!r} is none of the schema's"
    prompt = row["prompt"]
    if not isinstance(prompt, dict):
        yield "prompt is no message"
        return
    if row["message_tree_id"] != prompt.get("message_id"):
        yield "message_tree_id is not the id of the prompt"
    if prompt.get("parent_id") is not None:
        yield "the prompt has a parent"
    if prompt.get("role") != "prompter":
        yield "the prompt is not by a prompter"
    yield from node_faults(prompt, seen)


def node_faults(node: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        name = str(one.get("message_id"))
        yield from (f"message {name}: {fault}" for fault in field_faults(one))
        if name in seen:
            yield f"message {name}: two messages have this id"
        seen.add(name)
        replies = [reply for reply in one.get("replies") or () if isinstance(reply, dict)]
        yield from (f"message {name}: {fault}" for fault in reply_faults(one, replies))
        waiting += replies


def field_faults(node: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key!r} is no field of the schema" for key in node if key not in NODE)
    for key, kinds in NODE.items():
        if not isinstance(node.get(key), kinds) or (kinds[0] is int and isinstance(node.get(key), bool)):
            yield f"{key} is {node.get(key)!r}"
    if node.get("role") not in ROLES:
        yield f"role {node.get('role')!r} is neither prompter nor assistant"
    if not str(node.get("text", "")).strip():
        yield "it says nothing"
    if isinstance(node.get("lang"), str) and not LANGUAGE.fullmatch(node["lang"]):
        yield f"lang {node['lang']!r} is no language tag"
    yield from rating_faults(node)


def rating_faults(node: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with what people, and a classifier, said of a message."""
    for label, given in (node.get("labels") or {}).items():
        if label not in LABELS:
            yield f"label {label!r} is none of the schema's"
        if not isinstance(given, dict) or set(given) != {"value", "count"}:
            yield f"label {label!r} has no value and count"
        elif not isinstance(given["value"], int | float) or not 0 <= given["value"] <= 1:
            yield f"label {label!r} has a value outside 0 to 1"
    for name, count in (node.get("emojis") or {}).items():
        if not isinstance(count, int) or count < 0:
            yield f"emoji {name!r} is counted {count!r}"
    if unknown := sorted(set(node.get("detoxify") or ()) - DETOXIFY):
        yield f"detoxify {unknown[0]!r} is none of the schema's"


def reply_faults(node: Mapping[str, Any], replies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for reply in replies:
        if reply.get("parent_id") != node.get("message_id"):
            yield f"its reply {reply.get('message_id')} is an orphan: parent_id is {reply.get('parent_id')!r}"
        if reply.get("role") == node.get("role"):
            yield "it is answered by its own role"
    ranks = sorted(reply["rank"] for reply in replies if isinstance(reply.get("rank"), int))
    if ranks and ranks != list(range(len(replies))):
        yield f"its replies have the ranks {ranks}"
