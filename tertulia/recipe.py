"""Recipes: one method each, as data. A recipe names the parts that play a scenario and the judges that keep it.

A scenario names a bundled recipe, one that a package brings under the entry point `tertulia.recipes` (a `Recipe`, or
the path of a recipe file), or a file in its own folder. Once read, such a file stands in the scenario as its text.
"""

from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import Field

from tertulia.errors import SettingsError, UserError, did_you_mean
from tertulia.parts import installed, names
from tertulia.records import Record
from tertulia.source import read_records

__all__ = ["Recipe", "RecipeCast", "bundled_recipe", "is_text", "recipe_names", "unknown_parts"]


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


def bundled_names() -> list[str]:
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def recipe_names() -> list[str]:
    """The recipes that are bundled or installed."""
    return sorted({*bundled_names(), *installed("recipes")})


def is_text(recipe: str) -> bool:
    """Whether a scenario's recipe is the text of one, not a name."""
    return recipe.startswith("{")


@cache
def bundled_recipe(name: str) -> Recipe:
    """A bundled or installed recipe by name, or one from its text.

    Raises:
        UserError: if there is none of that name."""
    if is_text(name):
        return Recipe.model_validate_json(name)
    if name in bundled_names():
        return read_records(_folder() / f"{name}.yaml", Recipe)[1]
    if point := installed("recipes").get(name):
        given = point.load()
        return given if isinstance(given, Recipe) else read_records(Path(given), Recipe)[1]
    raise UserError(f"unknown recipe {name!r}{did_you_mean(name, recipe_names())}; known: {', '.join(recipe_names())}")


def unknown_parts(recipe: Recipe) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """The parts that a recipe names and that are neither bundled nor installed: where, what is wrong, a suggestion."""
    kinds = {seat: f"{seat}s" for seat in SEATS} | {"tools": "tools"}
    asked: list[tuple[str, tuple[str | int, ...], str]] = [
        (kinds[seat], ("casts", cast, seat), name)
        for cast, seats in recipe.casts.items()
        for seat, name in seats
        if seat in kinds and name
    ]
    for cast, seats in recipe.casts.items():
        asked += [("judges", ("casts", cast, "judges", nth), name) for nth, name in enumerate(seats.judges)]
    for key, kind in (("judges", "judges"), ("gates", "judges"), ("exports", "exporters")):
        asked += [(kind, (key, nth), name) for nth, name in enumerate(getattr(recipe, key))]
    for kind, at, name in asked:
        known = names(kind)
        if name not in known:
            hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
            yield at, f"no {kind.removesuffix('s')} is called {name!r}", hint
