"""What a run gives to those who judge, select and export it: conversations with their scenarios, and its papers."""

from typing import Any

from tertulia.corpus.selection import Selection
from tertulia.errors import UserError
from tertulia.exporting.card import About
from tertulia.recipe import bundled_recipe
from tertulia.running.items import Pairs, Variants
from tertulia.running.store import Store

__all__ = ["about", "kept_of", "pairs"]


def pairs(store: Store, recipe_exports: str = "") -> Pairs:
    """Every conversation with its settled scenario; with a format, only those whose recipe exports it."""
    scenarios, variants = store.scenarios(), Variants()
    for talk in store.conversations():
        scenario = scenarios[talk.scenario]
        if not recipe_exports or recipe_exports in bundled_recipe(scenario.recipe).exports:
            yield variants.or_as_written(scenario, talk.variant)[0], talk


def kept_of(all_pairs: Pairs, selection: Selection) -> Pairs:
    """The conversations that a selection keeps; both are in the order of the run.

    Raises:
        UserError: if it keeps what the run has not, as one of another run does, or has no such part."""
    talks = iter(all_pairs)
    for place, name in selection.places():
        found = next(((scenario, talk) for scenario, talk in talks if talk.index >= place), None)
        if found is None or (found[1].index, found[1].id) != (place, name):
            raise UserError(f"{str(selection.path)!r} keeps {name!r} at place {place}, which this run has not")
        yield found


def about(store: Store, licence: str = "unknown") -> About:
    """What the papers of an export tell of its run."""
    recipes = [bundled_recipe(name) for name in {scenario.recipe for scenario in store.scenarios().values()}]
    settings: dict[str, Any] = store.manifest["settings"]
    return About(
        settings=settings,
        scenarios=store.manifest.get("scenarios", {}),
        version=str(store.manifest.get("tertulia", "")),
        gates={recipe.id: recipe.gates for recipe in recipes if recipe.gates},
        licence=licence,
    )
