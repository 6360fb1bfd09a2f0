"""The conversations of a run, as they are shared out among its workers; `tertulia.running.workers.Work`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tertulia.models.caller import Caller
from tertulia.models.limits import PASSING
from tertulia.models.records import Trouble
from tertulia.running.items import plan_items
from tertulia.running.pool import Standing
from tertulia.running.quotas import Grid, Quota
from tertulia.running.run_settings import RunSettings
from tertulia.running.runner import ensembles
from tertulia.running.store import Store
from tertulia.running.wire import Questions
from tertulia.running.workers import Portion, Share
from tertulia.table import Item

__all__ = ["Conversations", "mended_later"]

MENDED_LATER = PASSING | {Trouble.DENIED}  # a conversation that ended so is played again when the run is resumed


@dataclass(frozen=True, slots=True)
class Conversations:
    """Those from 0 to n - 1, or those that a quota asks for."""

    settings: RunSettings
    n: int  # with a quota, those that are wanted still

    @asynccontextmanager
    async def portion(
        self, share: Share, store: Store, caller: Caller | None, questions: Questions
    ) -> AsyncIterator[Portion]:
        settings = self.settings
        scenarios = sorted(store.scenarios().values(), key=lambda scenario: scenario.id)
        items: Iterator[Item] | FarQuotas
        if settings.quota:
            grid = Grid(scenarios, Quota.of(settings.quota), settings.seed, settings.slips)
            items, standing = FarQuotas(questions, grid, self.n), Standing(total=self.n)
        else:
            others = {place for place in range(self.n) if not share.has(place)}
            skipped = others | store.finished(but=mended_later(settings))
            items = plan_items(scenarios, self.n, settings.seed, settings.slips, skipped)
            standing = Standing(total=self.n, kept=len(skipped))
        yield Portion(ensembles(scenarios, settings.base_cast, caller, settings.rules), items, standing)


class FarQuotas:
    """The run's quotas, which the driver holds; `tertulia.running.pool.Source`."""

    def __init__(self, questions: Questions, grid: Grid, missing: int) -> None:
        self.questions, self.grid, self.missing = questions, grid, missing

    async def draw(self) -> Item | None:
        place, self.missing = await self.questions.ask("draw")
        return None if place is None else self.grid.item(place)

    def settle(self, place: int, accepted: bool) -> None:
        self.questions.wire.send("settled", place, accepted)


def mended_later(settings: RunSettings) -> list[str]:
    """Causes for which a conversation is played again: what an endpoint failed to answer, with the replies it gave."""
    return [trouble.value for trouble in MENDED_LATER] if settings.models else []
