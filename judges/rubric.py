"""What a model says of a conversation's quality: category and tags, the user's side, and a rubric for that category.

The rubric is a data file, `rubrics.yaml` or, as `rubric:FILE`, one of your own. Each of the three questions is one call
with structured output; a reply that cannot be read, also when asked again, gives no score and is counted, and the raw
reply stays in the journal.
"""

from collections.abc import Mapping
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from tertulia.models.asking import Reading, ask_for, read_answer
from tertulia.models.prompts import block, fill_prompt, read_prompt
from tertulia.models.rating import asked, in_unit, ratings_schema, read_ratings, told_to
from tertulia.models.records import Ask, ModelFailure, Reply
from tertulia.records import Conversation, Record, Verdict
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.source import read_records

__all__ = ["Rubric", "RubricFile"]

BUNDLED = Path(str(files("tertulia.judges") / "rubrics.yaml"))
LEAST_OVERALL = 3.0  # of 5
PROMPT = ("prompt_quality",)
TEXTS = {name: read_prompt("tertulia.judges", f"rubric_{name}.txt") for name in ("category", "prompt", "aspects")}


class Category(Record):
    """One sort of conversation, and what is rated of it."""

    describes: str = Field(min_length=3)
    aspects: Annotated[dict[str, str], Field(min_length=1, description="aspect -> what holds when it is rated 5")]


class RubricFile(Record):
    """A file of rubrics."""

    categories: dict[str, Category] = Field(min_length=1)


@cache
def categories_in(file: Path) -> Mapping[str, Category]:
    return read_records(file, RubricFile)[1].categories


class Rubric:
    """The score is the mean rating of the aspects that apply, from 1 to 5 brought to 0 to 1; it passes from
    `LEAST_OVERALL` on.

    `detail`: `category`, `tags` (of the task, up to five), `prompt` (rating of the user's side, with the reason),
    `aspects` (score 1 to 5 or null where it does not apply, and reason, each), `overall` (mean of those that apply, two
    decimals; null when none does), or `error` and at which `step` it came about.

    Raises:
        ScenarioError: naming what is wrong with the file of rubrics."""

    def __init__(self, ask: Ask, file: Path = BUNDLED) -> None:
        self.ask, self.categories = ask, categories_in(file)
        self.settings = Settings()

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        detail: dict[str, Any] = {}
        step = "category"
        try:
            detail |= await self.category(scenario, talk)
            step = "prompt"
            detail["prompt"] = (await self.rated(scenario, talk, step, PROMPT, ""))["prompt_quality"]
            step = "aspects"
            rubric = self.categories[detail["category"]].aspects
            wanted = block("aspects", rubric)
            detail["aspects"] = await self.rated(scenario, talk, step, tuple(rubric), wanted)
        except ModelFailure as error:
            detail |= {"error": error.trouble.value, "step": step}
            return Verdict(judge="rubric", passed=False, reason=f"gave no verdict: {error}", detail=detail)
        scores = [one["score"] for one in detail["aspects"].values() if one["score"] is not None]
        overall = round(sum(scores) / len(scores), 2) if scores else None
        poor = [f"{name}: {one['reason']}" for name, one in detail["aspects"].items() if (one["score"] or 5) <= 2]
        return Verdict(
            judge="rubric",
            passed=overall is None or overall >= LEAST_OVERALL,
            score=None if overall is None else in_unit(overall),
            reason="; ".join(poor),
            detail=detail | {"overall": overall},
        )

    async def category(self, scenario: Scenario, talk: Conversation) -> dict[str, Any]:
        """The category and the tags."""
        known = {name: one.describes for name, one in self.categories.items()}
        schema = {
            "type": "object",
            "properties": {
                "category": {"type": "string", "enum": list(known)},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": 5},
            },
            "required": ["category", "tags"],
            "additionalProperties": False,
        }
        system = fill_prompt(TEXTS["category"], {"categories": block("categories", known)})
        request = asked(talk, "judge/rubric/category", system, told_to(scenario, talk), schema)

        def read(reply: Reply) -> Reading[Any]:
            return read_answer(reply, schema)

        found: dict[str, Any] = await ask_for(self.ask, request, read)
        return {"category": found["category"], "tags": sorted({" ".join(tag.lower().split()) for tag in found["tags"]})}

    async def rated(
        self, scenario: Scenario, talk: Conversation, step: str, names: tuple[str, ...], wanted: str
    ) -> dict[str, dict[str, Any]]:
        policy = self.settings.of(scenario).policies[scenario.assistant]
        values = {"aspects": wanted, "policy": block("policy", {"text": policy} if policy else {})}
        system = fill_prompt(
            TEXTS[step], {key: value for key, value in values.items() if f"{{{{{key}}}}}" in TEXTS[step]}
        )
        schema = ratings_schema(names)
        request = asked(talk, f"judge/rubric/{step}", system, told_to(scenario, talk), schema)
        return await ask_for(self.ask, request, partial(read_ratings, names))
