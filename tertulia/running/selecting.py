"""A selection of a run's conversations, with what it needs besides them: the tags of the corpus, embeddings, labels."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tertulia.corpus.criteria import SERVED, Criteria, Plan
from tertulia.corpus.fields import Facts
from tertulia.corpus.selecting import Selected, select
from tertulia.corpus.steps import Opener
from tertulia.corpus.trust.labels import Labels
from tertulia.models.budget import Allowance, Budget
from tertulia.models.caller import Caller
from tertulia.models.journal import Journal
from tertulia.models.lines import open_lines
from tertulia.models.prices import prices_from
from tertulia.models.spec import RoleModel, parse_spec
from tertulia.running.reading import pairs
from tertulia.running.store import Store

if TYPE_CHECKING:  # the extra [corpus]
    from tertulia.corpus.alike.embedding import Embed

__all__ = ["aside", "selected"]

AT_ONCE = 64  # texts that an endpoint is asked about at once
Given = TypeVar("Given")


def selected(folder: Path, plan: Plan, path: Path | None, labels: Labels | None = None) -> Selected:
    """Put every conversation through the criteria; `path` is where the selection goes, None: nowhere.

    Embeddings of a served model are kept in the run's journal, also when nothing else is written: they are paid for.

    Raises:
        ScenarioError, UserError: as `tertulia.corpus.selecting.select`.
        StoreError: when a model is asked and the run is in use."""
    if not any(name.startswith(SERVED) for name in models_of(plan.criteria)):
        with Store(folder) as store:
            return chosen(store, plan, path, labels, None)

    def with_models() -> Selected:
        with Store(folder) as reader:
            manifest = reader.manifest
        with Store(folder, manifest) as store, closing(Journal(store.database, store.keep_calls)) as journal:
            return chosen(store, plan, path, labels, opener_of(journal))

    return aside(with_models)


def models_of(criteria: Criteria) -> list[str]:
    """The models whose embeddings are wanted."""
    named = (criteria.meaning, criteria.tags)
    return [wanted.model for wanted in named if wanted and wanted.model]


def chosen(store: Store, plan: Plan, path: Path | None, labels: Labels | None, opener: Opener | None) -> Selected:
    """One pass for the tags, if they are wanted, and one for the rest."""
    tags, wanted = None, plan.criteria.tags
    if wanted:
        from tertulia.corpus.alike.meaning import grouping  # noqa: PLC0415 - the extra [corpus]
        from tertulia.corpus.tags import named  # noqa: PLC0415 - the extra [corpus]

        alike = grouping(wanted.model, wanted.cosine, opener) if wanted.model else None
        tags = named(wanted, (Facts(scenario, talk) for scenario, talk in pairs(store)), alike)
    return select(plan, pairs(store), path, tags=tags, labels=labels, opener=opener)


def opener_of(journal: Journal) -> Opener:
    """Opens models; what endpoints give goes into the journal."""
    from tertulia.corpus.alike.embedding import local, served  # noqa: PLC0415 - the extra [corpus]

    def opened(name: str) -> "Embed":
        if not name.startswith(SERVED):
            return local(name)
        lines = open_lines({"judge": RoleModel(spec=parse_spec(name))}, prices_from(), AT_ONCE)
        return served(Caller(lines, journal, Budget(Allowance())))

    return opened


def aside(work: Callable[[], Given]) -> Given:
    """What it gives; where an event loop is running already, as in a notebook, in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result()
