"""`tertulia judge`: ask the judges again."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tertulia.commands.printing import as_json, note
from tertulia.commands.tables import brief, unread
from tertulia.parts import heuristics
from tertulia.running.progress import shown
from tertulia.running.run_settings import models_in
from tertulia.running.runs import Run
from tertulia.running.store import Store

__all__ = ["of_one_family", "perform"]

FAMILY = re.compile(r"[a-z]+")  # what the name of a model begins with, behind the maker's: llama, qwen, gpt


def perform(
    *, folder: Path, judges: Sequence[str], tags: bool, model: str, base_url: str, json: bool, quiet: bool
) -> int:
    asked = dict.fromkeys([*(heuristics() if tags else ()), *judges])
    if alike := same_family(folder, model):
        note(alike)
    with shown(quiet=quiet or json) as progress:
        summary = Run(folder).judge(*asked, model=model, base_url=base_url, on_progress=progress)
    if json:
        as_json(summary.as_json())
    else:
        print(brief(summary))
        for name, (passed, given) in sorted(summary.verdicts.items()):
            errors = unread(summary, name)
            print(f"{name}: passed by {passed} of {given}" + (f"; could not be read: {errors}" if errors else ""))
    return 0


def same_family(folder: Path, model: str) -> str:
    """`of_one_family` for a run that `model` judges; left out: its own judge."""
    with Store(folder) as store:
        models = {role: one.spec.name for role, one in models_in(store.manifest).items()}
    return of_one_family(models | ({"judge": model.partition(":")[2].partition("@")[0]} if model else {}))


def of_one_family(models: Mapping[str, str]) -> str:
    """A warning when critic and judge, by role, are models of one family: each favours what its own kind would say."""
    critic, judge = (FAMILY.match(models.get(role, "").lower().rpartition("/")[2]) for role in ("critic", "judge"))
    if not critic or not judge or critic[0] != judge[0]:
        return ""
    return f"critic and judge are both of the family {judge[0]!r}; a model favours its own kind, so name another judge"
