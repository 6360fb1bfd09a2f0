"""UltraFeedback's rows: one instruction, several completions, each with ratings and a critique.

One row for each turn of an assistant in an accepted conversation with two drafts or more that say different things:

    source               "tertulia/" and the scenario's world
    instruction          the conversation so far, as `input` in the format `alpaca`
    models               one name for each completion: the model, where several drafted, otherwise "draft-0" for the
                         first that was made
    correct_answers, incorrect_answers   empty: the world's answers stand in the conversation
    completions          in the order in which they were made, each with
        model, response (a call in `<tool_call>`), custom_system_prompt (the same for all), critique
        principle        ids of the principles that it breaks, with commas between; empty: none
        annotations      instruction_following, honesty: {Rating, Rationale}; truthfulness, helpfulness: {Type,
                         Rationale, Rating, Rationale For Rating}
        overall_score, fine-grained_score
    id, conversation, turn   where the row comes from

Where a model has rated a turn's drafts (the judge `aspects`), its ratings and reasons stand in all four aspects. Else
they are read from the critic's markers: 5, less 1, 2 or 3 for each marker of low, medium or high severity, and at least
1; `honesty` counts markers of principles with that topic, and `instruction_following` all others, as principles stand
in the system prompt. What neither speaks of is "N/A" and not in the mean `fine-grained_score`; `overall_score`, of 10,
is twice the lowest rating.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, ClassVar

from tertulia.exporting.chats import in_tags, taught, transcript
from tertulia.exporting.columns import Column, Columns
from tertulia.exporting.pairs import LOSES, Asked, Candidate, asked, empty, planted, substance
from tertulia.exporting.rows import row_id
from tertulia.exporting.tally import world_of
from tertulia.principles import Principle
from tertulia.records import Conversation, Draft, Marker
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Ultrafeedback"]

BEST = 5
LESS = {"low": 1, "medium": 2, "high": 3}
NONE = "N/A"
TYPES = ("truthfulness", "helpfulness")  # aspects whose annotation has types of faults as well
RATED: Column = {"Rating": "text", "Rationale": "text"}
TYPED: Column = {"Type": ["text"], "Rationale": "text", "Rating": "text", "Rationale For Rating": "text"}


class Ultrafeedback:
    """`lost` counts rejected conversations, and drafts that are empty, repeated or bear a slip that nobody noticed."""

    consumer: ClassVar[str] = "feedback"
    loses: ClassVar[Mapping[str, str]] = {
        "rejected_conversations": "conversations that a gate kept out",
        "prompts_without_a_question": LOSES["prompts_without_a_question"],
        "empty_repeated_or_doubtful_drafts": "drafts that are empty, say what another says, or bear an unnoticed slip",
        "turns_with_one_completion": "turns that are left with one draft",
    }
    columns: ClassVar[Columns] = {
        "source": "text",
        "instruction": "text",
        "models": ["text"],
        "correct_answers": ["text"],
        "incorrect_answers": ["text"],
        "completions": [
            {
                "model": "text",
                "principle": "text",
                "custom_system_prompt": "text",
                "response": "text",
                "annotations": {
                    "instruction_following": RATED,
                    "honesty": RATED,
                    "truthfulness": TYPED,
                    "helpfulness": TYPED,
                },
                "critique": "text",
                "overall_score": "float",
                "fine-grained_score": "float",
            }
        ],
        "id": "text",
        "conversation": "text",
        "turn": "int",
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        setting = self.settings.of(scenario)
        in_force, by_model = setting.principles["assistant"], ratings_of_models(talk)
        for one in asked(setting, talk, self.lost):
            if len(one.candidates) == 1:
                continue
            if one.unanswerable:
                self.lost["prompts_without_a_question"] += len(one.candidates)
                continue
            completions = [
                completion(one, candidate, annotated(one, candidate, in_force, by_model.get(one.turn.index)))
                for candidate in self.usable(one)
            ]
            if len(completions) < 2:
                self.lost["turns_with_one_completion"] += 1
                continue
            yield {
                "source": f"tertulia/{world_of(scenario)}",
                "instruction": transcript(one.prompt[1:] if one.system else one.prompt),
                "models": [made["model"] for made in completions],
                "correct_answers": [],
                "incorrect_answers": [],
                "completions": completions,
                "id": row_id(talk, "ultrafeedback", one.turn.index),
                "conversation": talk.id,
                "turn": one.turn.index,
            }

    def usable(self, one: Asked) -> Iterator[Candidate]:
        """The drafts that are worth comparing; of those that say the same, the one judged last."""
        seen, kept = set[str](), list[Candidate]()
        for candidate in reversed(one.candidates):
            said = one.said(candidate.draft)
            slips = not candidate.nth and planted(one.talk, one.turn, candidate.number)
            if empty(said) or (slips and not candidate.draft.markers) or substance(said) in seen:
                self.lost["empty_repeated_or_doubtful_drafts"] += 1
                continue
            seen.add(substance(said))
            kept.append(candidate)
        yield from reversed(kept)


def completion(one: Asked, candidate: Candidate, aspects: "Mapping[str, Rated]") -> dict[str, Any]:
    draft = candidate.draft
    known = [rated.rating for rated in aspects.values() if rated.rating is not None]
    return {
        "model": draft.by or f"draft-{candidate.place}",
        "principle": ", ".join(sorted({marker.principle for marker in draft.markers})),
        "custom_system_prompt": taught(one.system, one.tools),
        "response": in_tags(one.said(draft)),
        "annotations": {name: rated.annotation(typed=name in TYPES) for name, rated in aspects.items()},
        "critique": draft.critique,
        "overall_score": float(2 * min(known, default=BEST)),
        "fine-grained_score": round(mean(known or [BEST]), 3),
    }


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating from 1 to 5, or None where the aspect does not apply or nobody rated, and why."""

    rating: int | None = None
    why: str = ""

    def annotation(self, *, typed: bool) -> dict[str, Any]:
        shown = NONE if self.rating is None else str(self.rating)
        if typed:
            return {"Type": [], "Rationale": "", "Rating": shown, "Rationale For Rating": self.why}
        return {"Rating": shown, "Rationale": self.why}


def annotated(
    one: Asked, candidate: Candidate, in_force: Sequence[Principle], by_model: Mapping[str, Any] | None
) -> dict[str, Rated]:
    """Aspect -> its rating: the model's where it has seen this candidate, else the critic's."""
    found = by_critic(candidate.draft, in_force) | dict.fromkeys(TYPES, Rated())
    place = candidate.number if not candidate.nth else len(one.turn.drafts) + candidate.nth - 1
    if by_model and (not candidate.nth or candidate.number == one.last):  # a model rates siblings of the last alone
        for name, given in by_model.items():
            found[name] = Rated(given["ratings"][place], given["reasons"][place])
    return found


def ratings_of_models(talk: Conversation) -> dict[int, Mapping[str, Any]]:
    """Turn -> aspect -> what the judge `aspects` made of all its drafts, then of the siblings of the last."""
    verdicts = [verdict for verdict in talk.verdicts if verdict.judge == "aspects"]
    return {turn["turn"]: turn["aspects"] for turn in verdicts[-1].detail["turns"]} if verdicts else {}


def by_critic(draft: Draft, in_force: Sequence[Principle]) -> dict[str, Rated]:
    """What the markers of a draft come to. An aspect of which no principle in force speaks has no rating."""
    honest = {principle.id for principle in in_force if principle.topic == "honesty"}
    sides = {
        "instruction_following": (len(honest) < len(in_force), [m for m in draft.markers if m.principle not in honest]),
        "honesty": (bool(honest), [m for m in draft.markers if m.principle in honest]),
    }
    return {name: Rated(rating(markers) if spoken else None, why(markers)) for name, (spoken, markers) in sides.items()}


def rating(markers: Sequence[Marker]) -> int:
    return max(1, BEST - sum(LESS[marker.severity] for marker in markers))


def why(markers: Sequence[Marker]) -> str:
    return "; ".join(f"{marker.principle}: {marker.evidence}" for marker in markers)
