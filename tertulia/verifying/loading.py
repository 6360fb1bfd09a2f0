"""A file through `datasets`, as a trainer reads it: it loads with the types of its columns, and nothing is changed."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tertulia.errors import UserError
from tertulia.exporting.columns import Columns, features

__all__ = ["load_faults"]

TOLD = 5  # rows that differ


def load_faults(path: Path, columns: Columns, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """What `datasets` makes of a file that is not what stands in it: the row, or 0, and what differs.

    Raises:
        UserError: if datasets is not installed."""
    try:
        import datasets  # noqa: PLC0415 - an extra
    except ImportError:
        raise UserError("loading as a trainer does needs datasets: pip install 'tertulia[train]'") from None
    datasets.disable_progress_bars()
    wanted = datasets.Features.from_dict(json.loads(json.dumps(features(dict(columns)))))
    kind = "parquet" if path.suffix == ".parquet" else "json"
    with tempfile.TemporaryDirectory() as cache:
        try:
            loaded = datasets.load_dataset(
                kind, data_files=str(path), split="train", cache_dir=cache, features=wanted if kind == "json" else None
            )
        except datasets.exceptions.DatasetGenerationError as error:
            cause = error.__cause__ or error
            yield 0, f"datasets cannot load it: {' '.join(str(cause).split())[:200]}"
            return
        if loaded.features != wanted:
            yield 0, "datasets reads other types than the columns have"
        told = 0
        for number, (got, row) in enumerate(zip_longest(loaded, rows), start=1):
            fault = difference(got, row, columns)
            if fault and told < TOLD:
                told += 1
                yield number, fault
        loaded.cleanup_cache_files()


def difference(got: Mapping[str, Any] | None, row: Mapping[str, Any] | None, columns: Columns) -> str:
    if got is None or row is None:
        return "datasets has " + ("fewer" if got is None else "more") + " rows than the file"
    for name in columns:
        if got.get(name) != row.get(name):
            return f"datasets reads {name} as {json.dumps(got.get(name), default=str)[:80]}"
    return ""
