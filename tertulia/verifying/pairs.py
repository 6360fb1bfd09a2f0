"""Rules for preferences: both sides answer the same prompt, and they differ; a bias in length is reported."""

from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from tertulia.shares import percent
from tertulia.verifying.chats import chat_faults, parsed_tools, said

__all__ = ["BIAS", "LengthBias", "judgement_faults", "pair_faults", "whole_pair_faults"]

BIAS = 0.7  # share of the pairs in which one and the same side is the longer one, from which it is reported
FEW = 20  # pairs below which nothing is said of it


def pair_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a prompt and two answers to it."""
    tools, wrong = parsed_tools(row.get("tools"))
    yield from wrong
    prompt = row["prompt"]
    faults = list(chat_faults(prompt, tools))
    yield from (f"prompt: {fault}" for fault in faults)
    if not faults and prompt[-1]["role"] not in ("user", "tool"):
        yield "prompt: it ends with the assistant's own words"
    for side in ("chosen", "rejected"):
        yield from answer_faults(side, row[side], tools)
    if sound(row["chosen"]) and sound(row["rejected"]) and said(row["chosen"][0]) == said(row["rejected"][0]):
        yield "chosen and rejected say the same"


def whole_pair_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with two conversations that should differ in their last message alone."""
    chosen, rejected = row["chosen"], row["rejected"]
    if not chosen or not rejected or chosen[:-1] != rejected[:-1]:
        yield "chosen and rejected have different prompts"
        return
    yield from pair_faults({**row, "prompt": chosen[:-1], "chosen": chosen[-1:], "rejected": rejected[-1:]})


def judgement_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a prompt, an answer and its label."""
    tools, wrong = parsed_tools(row.get("tools"))
    yield from wrong
    yield from (f"prompt: {fault}" for fault in chat_faults(row["prompt"], tools))
    yield from answer_faults("completion", row["completion"], tools)
    if not isinstance(row["label"], bool):
        yield "the label is neither true nor false"


def answer_faults(side: str, answer: Any, tools: list[dict[str, Any]]) -> Iterator[str]:
    if not sound(answer):
        yield f"{side}: not one message of the assistant"
        return
    yield from (f"{side}: {fault}" for fault in chat_faults(answer, tools, whole=False))


def sound(answer: Any) -> bool:
    return isinstance(answer, list) and [message.get("role") for message in answer] == ["assistant"]


class LengthBias:
    """How much longer one side is than the other, over all pairs of a file. Memory grows by a number a pair."""

    def __init__(self) -> None:
        self.ratios: list[float] = []
        self.longer: Counter[str] = Counter()

    def add(self, chosen: Mapping[str, Any], rejected: Mapping[str, Any]) -> None:
        one, other = len(said(chosen)), len(said(rejected))
        self.ratios.append(one / other)
        self.longer["chosen" if one > other else "rejected" if one < other else "neither"] += 1

    def notes(self) -> Iterator[str]:
        total = len(self.ratios)
        for side in ("chosen", "rejected"):
            share = self.longer[side] / total if total else 0.0
            if total >= FEW and share > BIAS:
                yield (
                    f"length bias: {side} is the longer side in {percent(share, 0)} of {total} pairs "
                    f"(from {percent(BIAS, 0)} on it is reported); "
                    f"chosen has {median(self.ratios):.2f} times the characters of rejected in the median"
                )
