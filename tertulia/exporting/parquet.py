"""Rows as a Parquet file, a group of them in memory at a time; `datasets` reads the types of `json` columns from it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tertulia.errors import UserError
from tertulia.exporting.columns import Column, Columns, features
from tertulia.exporting.rows import as_line

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ParquetRows", "parquet_rows", "read_parquet"]

GROUP = 1_000  # rows written at once


def arrow() -> Any:
    """The library.

    Raises:
        UserError: if it is not installed."""
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise UserError("Parquet needs pyarrow: pip install 'tertulia[parquet]'") from None
    return pyarrow


class ParquetRows:
    """An open file. `writelines` takes rows as lines of JSON, as a text file does."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self.arrow, self.columns, self.waiting = arrow(), columns, list[dict[str, Any]]()
        told = json.dumps({"info": {"features": features(columns)}})
        fields = [self.arrow.field(name, self.type_of(column)) for name, column in columns.items()]
        self.schema = self.arrow.schema(fields, metadata={"huggingface": told})
        self.writer = self.arrow.parquet.ParquetWriter(path, self.schema, compression="zstd")

    def writelines(self, lines: Iterable[str]) -> None:
        self.waiting += map(json.loads, lines)
        if len(self.waiting) >= GROUP:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            arrays = [
                self.array(column, [row.get(name) for row in self.waiting]) for name, column in self.columns.items()
            ]
            self.writer.write_table(self.arrow.Table.from_arrays(arrays, schema=self.schema))
            self.waiting.clear()

    def type_of(self, column: Column) -> Any:
        if isinstance(column, dict):
            return self.arrow.struct([(name, self.type_of(inner)) for name, inner in column.items()])
        if isinstance(column, list):
            return self.arrow.list_(self.type_of(column[0]))
        kinds = {"text": "string", "int": "int64", "float": "float64", "bool": "bool_", "json": "json_"}
        return getattr(self.arrow, kinds[column])()

    def array(self, column: Column, values: Sequence[Any]) -> "pyarrow.Array":
        """Values as a column. Arrays are put together from the inside, for Arrow builds no nested `json` itself."""
        if isinstance(column, dict):
            inner = [self.array(c, [(value or {}).get(name) for value in values]) for name, c in column.items()]
            missing = self.arrow.array([value is None for value in values], self.arrow.bool_())
            fields = list(self.type_of(column))
            return self.arrow.StructArray.from_arrays(inner, fields=fields, mask=missing)
        if isinstance(column, list):
            return self.lists(column, values)
        if column == "json":
            values = [None if value is None else as_line(value) for value in values]
        return self.arrow.array(list(map(whole, values)), self.type_of(column))

    def lists(self, column: list[Column], values: Sequence[Any]) -> "pyarrow.Array":
        ends = [0]
        for value in values:
            ends.append(ends[-1] + len(value or ()))
        inner = self.array(column[0], [one for value in values for one in value or ()])
        missing = self.arrow.array([value is None for value in values], self.arrow.bool_())
        return self.arrow.ListArray.from_arrays(self.arrow.array(ends, self.arrow.int32()), inner, mask=missing)


def whole(value: Any) -> Any:
    """A text without lone surrogates, for which UTF-8 has no bytes; they stand as the escape that JSON uses."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


@contextmanager
def parquet_rows(path: Path, columns: Columns) -> Iterator[ParquetRows]:
    """A Parquet file to be written; it is whole when the block ends.

    Raises:
        UserError: if pyarrow is not installed."""
    rows = ParquetRows(path, columns)
    with rows.writer:
        yield rows
        rows.flush()


def read_parquet(path: Path, columns: Columns) -> Iterator[dict[str, Any]]:
    """The rows of a file that was written with these columns, a group in memory at a time.

    Raises:
        UserError: if pyarrow is not installed, or the file cannot be read."""
    library = arrow()
    try:
        with library.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(GROUP):
                for row in batch.to_pylist():
                    yield {name: unpacked(columns.get(name, "text"), value) for name, value in row.items()}
    except (OSError, library.ArrowException) as error:
        raise UserError(f"{str(path)!r} cannot be read as Parquet: {error}") from None


def unpacked(column: Column, value: Any) -> Any:
    """A value with the JSON texts of its `json` columns read."""
    if value is None:
        return None
    if isinstance(column, dict):
        return {name: unpacked(inner, value.get(name)) for name, inner in column.items()}
    if isinstance(column, list):
        return [unpacked(column[0], inner) for inner in value]
    return json.loads(value) if column == "json" else value
