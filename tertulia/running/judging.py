"""A finished run is judged again, without playing it again."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TypeVar

from tertulia.corpus.rules import Rules
from tertulia.models.budget import Allowance, Budget
from tertulia.models.caller import Caller
from tertulia.models.journal import Journal
from tertulia.models.lines import open_lines
from tertulia.models.prices import prices_from
from tertulia.models.spec import RoleModel
from tertulia.recipe import bundled_recipe
from tertulia.running.pool import Standing
from tertulia.running.reading import pairs
from tertulia.running.run_settings import models_in
from tertulia.running.runner import Bench
from tertulia.running.store import Store
from tertulia.running.summary import Summary

__all__ = ["judged_again"]

AT_ONCE = 64  # conversations that are judged again at once
Given = TypeVar("Given")


async def judged_again(
    folder: Path,
    on_progress: Callable[[Standing], None],
    asked: Sequence[str] = (),
    given: Mapping[str, RoleModel] | None = None,
) -> Summary:
    """Replace the verdicts of every conversation; a judge that is a model answers from the journal where it can."""
    with Store(folder) as reader:
        manifest = reader.manifest
    with Store(folder, manifest) as store, closing(Journal(store.database, store.keep_calls)) as journal:
        own = {role: model for role, model in models_in(manifest).items() if role == "judge"}
        models = dict(given or own)
        caller = Caller(open_lines(models, prices_from(), AT_ONCE), journal, Budget(Allowance())) if models else None
        rules, benches = Rules.kept(manifest["settings"], folder / "manifest.json"), {}
        for name in {scenario.recipe for scenario in store.scenarios().values()}:
            recipe = bundled_recipe(name)
            more = recipe.seats(manifest["settings"]["cast"], set(own)).judges
            benches[name] = Bench(recipe, caller, (*more, *asked), rules)
        standing = Standing(total=len(store.finished()), totals=journal.totals)
        for some in batched(pairs(store), AT_ONCE):
            work = [benches[scenario.recipe].judged(scenario, talk) for scenario, talk in some]
            for (scenario, _), talk in zip(some, await asyncio.gather(*work), strict=True):
                judged = benches[scenario.recipe].ruled(scenario, talk)
                if caller:
                    caller.leave(judged.id)
                standing.count(judged.rejected_by)
                store.add(judged)
            on_progress(standing)
        store.flush()
        return Summary.of(str(folder), store.conversations(), store.counters(), store.planned)


def batched(given: Iterable[Given], size: int) -> Iterator[list[Given]]:
    """Lists of up to `size`."""
    rest = iter(given)
    while some := list(islice(rest, size)):
        yield some
