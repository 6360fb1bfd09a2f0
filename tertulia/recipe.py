"""Recipes: one method each, as data. A recipe names the parts that play a scenario and the judges that keep it."""

from collections.abc import Collection
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import Field

from tertulia.errors import SettingsError, UserError, did_you_mean
from tertulia.records import Record
from tertulia.source import read_records

__all__ = ["Recipe", "RecipeCast", "bundled_recipe", "recipe_names"]


SEATS = ("planner", "user", "assistant", "colleague", "critic")


class RecipeCast(Record):
    """Which part plays which role, by name."""

    planner: str
    user: str
    assistant: str
    colleague: str
    critic: str
    tools: str = Field("", description="answers calls that the scenario gives no answer to; left out: nobody does")
    judges: tuple[str, ...] = Field((), description="asked besides the recipe's own, where this cast judges")


class Recipe(Record):
    """One file of scenarios/recipes."""

    id: str = Field(description="the name of its file")
    title: str = Field(description="what happens, in one line")
    source: str = Field(description="where the method comes from")
    casts: dict[str, RecipeCast] = Field(min_length=1, description="rules, models, ... -> the parts")
    stop_at_violation: bool = Field(False, description="end at the first marked assistant draft instead of revising")
    judges: tuple[str, ...] = Field((), description="every one is asked of each finished conversation")
    gates: tuple[str, ...] = Field((), description="judges that must pass, or nothing of the conversation is exported")
    exports: tuple[str, ...] = Field((), description="the formats its conversations are good for")

    def seats(self, cast: str, by_model: Collection[str] = ()) -> RecipeCast:
        """The parts of a cast, with those of the cast `models` in the roles that models play.

        Raises:
            SettingsError: if the recipe has no such cast."""
        models = self.cast("models") if by_model else None
        if models is None:
            return self.cast(cast)
        alone = set(SEATS) <= set(by_model)
        seats = models.model_copy(update={"judges": (), "tools": ""}) if alone else self.cast(cast)
        taken = {role: getattr(models, role) for role in SEATS if role in by_model}
        taken |= {"judges": models.judges} if "judge" in by_model else {}
        taken |= {"tools": models.tools} if "tool" in by_model else {}
        return seats.model_copy(update=taken)

    def cast(self, name: str) -> RecipeCast:
        if name not in self.casts:
            known = ", ".join(self.casts)
            near = did_you_mean(name, self.casts)
            raise SettingsError(f"recipe {self.id!r} has no cast {name!r}{near}; it has: {known}")
        return self.casts[name]


def _folder() -> Path:
    return Path(str(files("tertulia.scenarios") / "recipes"))


def recipe_names() -> list[str]:
    """The bundled recipes."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


@cache
def bundled_recipe(name: str) -> Recipe:
    """A bundled recipe by name.

    Raises:
        UserError: if there is none of that name."""
    path = _folder() / f"{name}.yaml"
    if name not in recipe_names():
        raise UserError(
            f"unknown recipe {name!r}{did_you_mean(name, recipe_names())}; known: {', '.join(recipe_names())}"
        )
    return read_records(path, Recipe)[1]
