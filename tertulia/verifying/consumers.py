"""Which rules a format's rows must keep: an exporter names its `consumer`, and a consumer is a class here.

sft, pairs, comparisons, judgements    TRL's trainers           openai        OpenAI's fine-tuning
sharegpt, anteater                     turns of text            oasst         message trees
feedback, dialogues, triplets, alpaca, critic, records, items   texts and rows of their own
samples, goldens, entries, trajectories, tasks, cases           evaluation (`tertulia.verifying.evaluations`)
"""

import json
from collections.abc import Iterator
from statistics import mean
from typing import Any

from pydantic import ValidationError

from tertulia.exporting.rows import as_line
from tertulia.gold import gold_of
from tertulia.scenario import Scenario
from tertulia.verifying.chats import chat_faults, lesson_faults, openai_faults, parsed_tools, said
from tertulia.verifying.evaluations import Cases, Entries, Goldens, Samples, Tasks, Trajectories
from tertulia.verifying.pairs import LengthBias, judgement_faults, pair_faults, sound, whole_pair_faults
from tertulia.verifying.rules import Plain, Row, Rules
from tertulia.verifying.trees import tree_faults
from tertulia.verifying.turns import dialogue_faults, sharegpt_faults, text_faults, turn_faults

__all__ = ["CONSUMERS"]

ROUNDED = 0.001


class Sft(Plain):
    """A whole chat, and the tools in it."""

    def faults(self, row: Row) -> Iterator[str]:
        tools, wrong = parsed_tools(row.get("tools"))
        found = [*wrong, *chat_faults(row["messages"], tools)]
        yield from found or lesson_faults(row["messages"])


class Openai(Plain):
    """The documented rules of an upload; it needs ten rows, and takes 512 MB."""

    LEAST = 10
    MOST = 512 * 1024**2  # bytes

    def __init__(self) -> None:
        self.rows = self.bytes = 0

    def faults(self, row: Row) -> Iterator[str]:
        self.rows += 1
        self.bytes += len(as_line({key: value for key, value in row.items() if value is not None})) + 1
        tools, wrong = parsed_tools(row.get("tools"))
        found = [*wrong, *chat_faults(row["messages"], tools)]
        if found:
            yield from found
            return
        yield from lesson_faults(row["messages"])
        yield from openai_faults(row)

    def beside(self, row: Row, line: Row) -> Iterator[str]:
        masked = sum(message.get("weight") == 0 for message in row["messages"])
        if line.get("meta", {}).get("masked") != masked:
            yield f"{masked} messages have no weight, and its line in the sidecar tells of another number"

    def notes(self) -> Iterator[str]:
        if self.rows < self.LEAST:
            yield f"{self.rows} rows: a fine-tuning job is refused below {self.LEAST}"
        if self.bytes > self.MOST:
            yield f"{self.bytes / 1024**2:.0f} MB: an upload is refused above {self.MOST // 1024**2}; write it in parts"


class Pairs:
    """Prompt, chosen, rejected; the rows of one turn share prompt and chosen."""

    def __init__(self) -> None:
        self.bias = LengthBias()
        self.turn: tuple[Any, ...] = ()
        self.shared: tuple[Any, ...] = ()

    def faults(self, row: Row) -> Iterator[str]:
        found = list(pair_faults(row))
        yield from found
        if sound(row["chosen"]) and sound(row["rejected"]):
            self.bias.add(row["chosen"][0], row["rejected"][0])
        turn = (row["provenance"]["conversation"], row["provenance"]["turn"])
        shared = (row["prompt"], row["chosen"])
        if turn == self.turn and shared != self.shared:
            yield "prompt or chosen differ from those of the row before, which comes from the same turn"
        self.turn, self.shared = turn, shared

    def notes(self) -> Iterator[str]:
        yield from self.bias.notes()


class Comparisons:
    """Two whole conversations with one prompt."""

    def __init__(self) -> None:
        self.bias = LengthBias()

    def faults(self, row: Row) -> Iterator[str]:
        found = list(whole_pair_faults(row))
        yield from found
        if not found:
            self.bias.add(row["chosen"][-1], row["rejected"][-1])

    def notes(self) -> Iterator[str]:
        yield from self.bias.notes()


class Judgements:
    """Prompt, completion and label; nothing is both wanted and not."""

    def __init__(self) -> None:
        self.labels = {True: 0, False: 0}
        self.turn: tuple[Any, ...] = ()
        self.judged: dict[str, bool] = {}  # of the drafts of one turn

    def faults(self, row: Row) -> Iterator[str]:
        found = list(judgement_faults(row))
        yield from found
        if found:
            return
        self.labels[row["label"]] += 1
        turn = (row["provenance"]["conversation"], row["provenance"]["turn"])
        if turn != self.turn:
            self.turn, self.judged = turn, {}
        if self.judged.setdefault(said(row["completion"][0]), row["label"]) != row["label"]:
            yield "the same completion is wanted in one row and unwanted in another"

    def notes(self) -> Iterator[str]:
        wanted, unwanted = self.labels[True], self.labels[False]
        if not wanted or not unwanted:
            yield "all labels are the same: KTO needs both"
        elif max(wanted, unwanted) > 4 / 3 * min(wanted, unwanted):
            few = "undesirable_weight" if unwanted < wanted else "desirable_weight"
            ratio = max(wanted, unwanted) / min(wanted, unwanted)
            yield f"{wanted} wanted to {unwanted} unwanted: set {few} to {ratio:.1f} or up to a third less"


class Sharegpt(Plain):
    """Turns of human, gpt and tool."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from sharegpt_faults(row)


class Anteater(Plain):
    """Turns of User and Assistant, and a mask that names one of them."""

    def faults(self, row: Row) -> Iterator[str]:
        turns = [(turn["from"], turn["value"]) for turn in row["conversations"]]
        yield from turn_faults(turns, first="User", model="Assistant", others={"User"})
        if row["mask"] not in {role for role, _ in turns}:
            yield f"the mask {row['mask']!r} is no role of the conversation"


class Oasst(Plain):
    """Message trees without orphans; ids are unique in the file."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def faults(self, row: Row) -> Iterator[str]:
        yield from tree_faults(row, self.seen)

    def beside(self, row: Row, line: Row) -> Iterator[str]:
        if line.get("message_tree_id") != row["message_tree_id"]:
            yield f"its line in the sidecar is that of {line.get('message_tree_id')!r}"


class Feedback(Plain):
    """Several completions of one instruction, told apart by what they say and by their scores."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from text_faults(row, "instruction")
        completions = row["completions"]
        texts = [made["response"] for made in completions]
        if len(texts) < 2 or len(set(texts)) < len(texts):
            yield "fewer than two completions that differ"
        if [made["model"] for made in completions] != row["models"]:
            yield "models are not those of the completions"
        for at, made in enumerate(completions):
            for aspect, rated in made["annotations"].items():
                if rated["Rating"] not in {"1", "2", "3", "4", "5", "N/A"}:
                    yield f"completion {at}: the rating {rated['Rating']!r} of {aspect} is not 1 to 5 or N/A"
            rated = [int(one["Rating"]) for one in made["annotations"].values() if one["Rating"].isdecimal()]
            if rated and abs(made["fine-grained_score"] - mean(rated)) > ROUNDED:
                yield f"completion {at}: fine-grained_score is not the mean of its ratings"
            if not 1 <= made["overall_score"] <= 10 or not 1 <= made["fine-grained_score"] <= 5:
                yield f"completion {at}: a score out of its range"


class Dialogues(Plain):
    """Words of user and assistant."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from dialogue_faults(row["messages"])


class Triplets(Plain):
    """A query and two documents that differ."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from text_faults(row, "query", "positive", "negative")
        if row["positive"] == row["negative"]:
            yield "positive and negative are the same"


class Alpaca(Plain):
    """An input and an output."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from text_faults(row, "input", "output")


class Critic(Plain):
    """A draft, and a verdict that agrees with what replaced it."""

    def faults(self, row: Row) -> Iterator[str]:
        if row["verdict"] not in ("accept", "revise"):
            yield f"the verdict {row['verdict']!r} is neither accept nor revise"
        if row["verdict"] == "revise" and not row["markers"]:
            yield "it is to be revised and bears no marker"
        if row["meta"]["accepted"] and row["verdict"] == "revise":
            yield "an accepted draft is to be revised"
        if row["draft"].get("role") != "assistant":
            yield "the draft is no assistant message"


class Records(Plain):
    """Argilla's: fields that are texts or chats, and suggestions for questions."""

    QUESTIONS = ("verdict", "broken", "markers")

    def faults(self, row: Row) -> Iterator[str]:
        draft = row["fields"]["draft"]
        for suggestion in row["suggestions"]:
            if suggestion["question_name"] not in self.QUESTIONS:
                yield f"a suggestion for {suggestion['question_name']!r}, which is no question"
            if suggestion["question_name"] == "markers":
                yield from (f"the span {s} is out of the draft" for s in suggestion["value"] if s["end"] > len(draft))


class Items(Plain):
    """Evaluation items: the scenario is one, and the gold is what follows from it."""

    def faults(self, row: Row) -> Iterator[str]:
        for name in ("scenario", "gold"):
            try:
                json.loads(row[name])
            except ValueError as error:
                yield f"{name} is no JSON: {error}"
                return
        try:
            scenario = Scenario.model_validate_json(row["scenario"])
        except ValidationError as error:
            first = error.errors()[0]
            yield f"scenario: {'.'.join(map(str, first['loc']))}: {first['msg']}"
            return
        if json.loads(row["gold"]) != gold_of(scenario).model_dump(mode="json"):
            yield "the gold is not that of its scenario"


CONSUMERS: dict[str, type[Rules]] = {
    "sft": Sft,
    "openai": Openai,
    "pairs": Pairs,
    "comparisons": Comparisons,
    "judgements": Judgements,
    "sharegpt": Sharegpt,
    "anteater": Anteater,
    "oasst": Oasst,
    "feedback": Feedback,
    "dialogues": Dialogues,
    "triplets": Triplets,
    "alpaca": Alpaca,
    "critic": Critic,
    "records": Records,
    "items": Items,
    "samples": Samples,
    "goldens": Goldens,
    "entries": Entries,
    "trajectories": Trajectories,
    "tasks": Tasks,
    "cases": Cases,
}
