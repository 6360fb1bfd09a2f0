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

No model rates here: the ratings are read from the critic's markers. A rating is 5, less 1, 2 or 3 for each marker of
low, medium or high severity, and at least 1. `honesty` counts markers of principles with that topic, and
`instruction_following` all others, as principles stand in the system prompt. What no principle speaks of is "N/A" and
not in the mean `fine-grained_score`; `overall_score`, of 10, is twice the lowest rating.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean
from typing import Any, ClassVar

from tertulia.exporting.chats import in_tags, taught, transcript
from tertulia.exporting.columns import Column, Columns
from tertulia.exporting.pairs import Asked, Candidate, asked, empty, planted, substance
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
RATED: Column = {"Rating": "text", "Rationale": "text"}
TYPED: Column = {"Type": ["text"], "Rationale": "text", "Rating": "text", "Rationale For Rating": "text"}


class Ultrafeedback:
    """`lost` counts rejected conversations, and drafts that are empty, repeated or bear a slip that nobody noticed."""

    consumer: ClassVar[str] = "feedback"
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
        in_force = setting.principles["assistant"]
        for one in asked(setting, talk, self.lost):
            if len(one.candidates) == 1 or one.unanswerable:
                continue
            completions = [self.completion(one, candidate, in_force) for candidate in self.usable(one)]
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

    def completion(self, one: Asked, candidate: Candidate, in_force: Sequence[Principle]) -> dict[str, Any]:
        draft = candidate.draft
        ratings = rated(draft, in_force)
        known = [rating for rating in ratings.values() if rating is not None]
        return {
            "model": draft.by or f"draft-{candidate.place}",
            "principle": ", ".join(sorted({marker.principle for marker in draft.markers})),
            "custom_system_prompt": taught(one.system, one.tools),
            "response": in_tags(one.said(draft)),
            "annotations": {
                "instruction_following": {
                    "Rating": shown(ratings["instruction_following"]),
                    "Rationale": why(draft, in_force, honesty=False),
                },
                "honesty": {"Rating": shown(ratings["honesty"]), "Rationale": why(draft, in_force, honesty=True)},
                "truthfulness": dict(NOT_RATED),
                "helpfulness": dict(NOT_RATED),
            },
            "critique": draft.critique,
            "overall_score": float(2 * min(known, default=BEST)),
            "fine-grained_score": round(mean(known or [BEST]), 3),
        }


NOT_RATED: dict[str, Any] = {"Type": [], "Rationale": "", "Rating": NONE, "Rationale For Rating": ""}


def about_honesty(in_force: Sequence[Principle]) -> set[str]:
    return {principle.id for principle in in_force if principle.topic == "honesty"}


def rated(draft: Draft, in_force: Sequence[Principle]) -> dict[str, int | None]:
    """Aspect -> 1 to 5; None where no principle in force speaks of it."""
    honest = about_honesty(in_force)
    others = {principle.id for principle in in_force} - honest
    return {
        "honesty": rating([m for m in draft.markers if m.principle in honest]) if honest else None,
        "instruction_following": rating([m for m in draft.markers if m.principle not in honest]) if others else None,
    }


def rating(markers: Sequence[Marker]) -> int:
    return max(1, BEST - sum(LESS[marker.severity] for marker in markers))


def shown(rating: int | None) -> str:
    return NONE if rating is None else str(rating)


def why(draft: Draft, in_force: Sequence[Principle], *, honesty: bool) -> str:
    honest = about_honesty(in_force)
    return "; ".join(f"{m.principle}: {m.evidence}" for m in draft.markers if (m.principle in honest) == honesty)
