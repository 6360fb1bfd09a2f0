"""A run that is there: summed up, read, selected from, exported and judged again."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tertulia.corpus.criteria import read_plan
from tertulia.corpus.selecting import Selected
from tertulia.corpus.selection import FOLDER as SELECTIONS
from tertulia.corpus.selection import Selection, find_selection
from tertulia.corpus.trust.labels import Labels
from tertulia.errors import UserError
from tertulia.export import PARQUET, ExportReport, export, write_index
from tertulia.exporting.apart import told_of
from tertulia.records import Conversation
from tertulia.running.judging import judged_again
from tertulia.running.pool import Standing
from tertulia.running.reading import about, kept_of, pairs
from tertulia.running.run_settings import RunSettings
from tertulia.running.runner import tried
from tertulia.running.selecting import aside, selected
from tertulia.running.store import Store
from tertulia.running.summary import Summary, unfinished
from tertulia.verifying.findings import Findings
from tertulia.verifying.verify import verify

__all__ = ["Run", "completed"]

Given = TypeVar("Given")


@dataclass(frozen=True, slots=True, init=False)
class Run:
    """A run folder and what can be asked of it: `Run("runs/demo")` opens what an earlier process has played."""

    folder: Path

    def __init__(self, folder: str | Path) -> None:
        object.__setattr__(self, "folder", Path(folder))

    @property
    def summary(self) -> Summary:
        """Counts over every conversation, made by reading all of them once."""
        with Store(self.folder) as store:
            return Summary.of(str(self.folder), store.conversations(), store.counters(), store.planned)

    @property
    def unfinished(self) -> str:
        """How much of the run is there while some of it is still to be played; otherwise empty."""
        with Store(self.folder) as store:
            return unfinished(len(store.finished()), store.planned)

    def conversations(self, accepted_only: bool = False) -> Iterator[Conversation]:
        """Every conversation in order, a few in memory at a time."""
        with Store(self.folder) as store:
            yield from store.conversations(accepted_only)

    def conversation(self, which: int | str) -> Conversation:
        """One conversation by its place in the run or by its id, which ends with its place.

        Raises:
            UserError: if the run has none such."""
        place = str(which).rpartition("-")[2]
        with Store(self.folder) as store:
            talk = store.conversation(int(place)) if place.isdecimal() and len(place) < 12 else None
        if talk is None or (str(which) != place and talk.id != which):
            raise UserError(
                f"{str(self.folder)!r} has no conversation {str(which)!r}; give an id or a number from 0 on"
            )
        return talk

    def export(
        self,
        format_name: str,
        path: str | Path = "",
        *,
        force: bool = False,
        licence: str = "unknown",
        selection: Selection | None = None,
    ) -> ExportReport:
        """Write the run in a format, by default to `exports/FORMAT.jsonl` in its folder; a card and a manifest with it.

        With a selection, only what it keeps is written.

        Raises:
            UserError: if the file exists and `force` is not given, or if it cannot be written.
            UnknownPart: if there is no such format."""
        with Store(self.folder) as store:
            file = Path(path or self.default_export(format_name, selection=selection))
            told, chosen = about(store, licence), pairs(store)
            if selection:
                told, chosen = replace(told, selection=selection.as_json()), kept_of(chosen, selection)
            report = export(format_name, chosen, file, force=force, attempt=tried, about=told)
        if file.parent == self.folder / "exports":
            report = replace(report, apart=told_of(write_index(file.parent), report.path.name))
        return report

    def verify(self, format_name: str, path: str | Path = "", *, tokenizer: str = "") -> Findings:
        """Read an export of the run back and check it, see `tertulia.verifying.verify`.

        Raises:
            UserError: if it is not there, or its format cannot be verified.
            UnknownPart: if there is no such format."""
        with Store(self.folder) as store:
            return verify(format_name, Path(path or self.default_export(format_name)), pairs(store), tokenizer)

    def default_export(self, format_name: str, *, parquet: bool = False, selection: Selection | None = None) -> Path:
        chosen = f"-{selection.name}" if selection else ""
        return self.folder / "exports" / f"{format_name}{chosen}{PARQUET if parquet else '.jsonl'}"

    def selection(self, name: str, part: str = "") -> Selection:
        """A selection that `select` has made, by its name, or one of its parts.

        Raises:
            UserError: if there is none of that name."""
        return find_selection(self.folder, name, part)

    def select(
        self,
        criteria: str = "plain",
        *,
        against: Sequence[Path] = (),
        preview: bool = False,
        labels: Labels | None = None,
    ) -> Selected:
        """Put every conversation through a file of criteria; the selection is written to `selections/` unless it is
        only a preview. `against` are evaluation sets besides those that the file names; with people's `labels`, it is
        told how many of the bad conversations go.

        Raises:
            ScenarioError: with the faults of the file, or of an evaluation set.
            UserError: if a file or an extra is missing, or a judge that a rule names has not been asked."""
        plan = read_plan(criteria, against)
        path = None if preview else self.folder / SELECTIONS / f"{plan.criteria.id}.jsonl"
        return selected(self.folder, plan, path, labels)

    def judge(
        self,
        *more: str,
        model: str = "",
        base_url: str = "",
        on_progress: Callable[[Standing], None] = lambda standing: None,
    ) -> Summary:
        """Ask the recipes' judges again, and `more` judges by name, and replace every verdict.

        Judges that are models are the run's own judge model, or `model`; their replies are kept in the run's journal.

        Raises:
            SettingsError: if a judge needs a model and there is none."""
        given = RunSettings.of(role_models=(f"judge={model}",), base_url=base_url).models if model else {}
        return completed(judged_again(self.folder, on_progress, more, given))


def completed(work: Coroutine[Any, Any, Given]) -> Given:
    """What a coroutine gives, also where an event loop is running already, as in a notebook."""
    return aside(partial(asyncio.run, work))
