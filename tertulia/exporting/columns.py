"""What the columns of a format hold, so that every loader reads every file of it with the same types.

A column is one of the words below, a list of one column, or a dict of columns:

    text, int, float, bool     a value of that type, or null
    json                       any value; JSONL has it as it is, Parquet as JSON text under Arrow's `json` type

A key that a row leaves out counts as null. Without this, `datasets` guesses types from the first rows: objects with
differing keys get nulls for the keys that they lack, and texts that look like dates become dates. From 4.7 on it has
the feature `Json` for columns that hold anything.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

__all__ = ["Column", "Columns", "features", "is_plain", "misfits"]

Column: TypeAlias = str | list["Column"] | dict[str, "Column"]
Columns: TypeAlias = dict[str, Column]
TYPES: dict[str, type] = {"text": str, "int": int, "float": float, "bool": bool}
NAMES = {"text": "string", "int": "int64", "float": "float64", "bool": "bool"}  # in `datasets`


def features(column: Column) -> dict[str, Any]:
    """A column, or all of a format's, in the JSON shape of `datasets.Features.to_dict`."""
    if isinstance(column, dict):
        return {name: features(inner) for name, inner in column.items()}
    if isinstance(column, list):
        return {"feature": features(column[0]), "_type": "List"}
    return {"_type": "Json"} if column == "json" else {"dtype": NAMES[column], "_type": "Value"}


def is_plain(column: Column | None) -> bool:
    """Whether no part of a column is `json`: then whoever guesses types from values guesses these."""
    if isinstance(column, dict):
        return all(map(is_plain, column.values()))
    return is_plain(column[0]) if isinstance(column, list) else column not in (None, "json")


def misfits(column: Column, value: Any, path: str = "") -> Iterator[str]:
    """What of a value does not fit its column: the path to it, and why."""
    if value is None or column == "json":
        return
    if isinstance(column, dict):
        yield from misfitting_keys(column, value, path)
    elif isinstance(column, list):
        if not isinstance(value, list):
            yield f"{path}: {type(value).__name__} where a list belongs"
            return
        for nth, inner in enumerate(value):
            yield from misfits(column[0], inner, f"{path}[{nth}]")
    elif not fits(column, value):
        yield f"{path}: {type(value).__name__} where {column} belongs"


def misfitting_keys(columns: Mapping[str, Column], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {type(value).__name__} where an object belongs"
        return
    inside = f"{path}." if path else ""
    yield from (f"{inside}{name}: no column of this name" for name in value if name not in columns)
    for name, inner in columns.items():
        yield from misfits(inner, value.get(name), f"{inside}{name}")


def fits(column: str, value: Any) -> bool:
    """Whether a scalar has its column's type; a bool is no int, an int may stand for a float."""
    if isinstance(value, bool):
        return column == "bool"
    return isinstance(value, TYPES[column]) or (column == "float" and isinstance(value, int))
