"""The other libraries that read our exports take them: `datasets` over many rows, Argilla's objects.

Those libraries are large, so the tests are skipped without them: `make verify` runs them.
"""

import json
import os
from pathlib import Path

import pytest

import tertulia
from tertulia.export import columns_of
from tertulia.exporting.columns import features
from tertulia.parts import names

os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytestmark = pytest.mark.filterwarnings("default")  # those libraries warn of what is theirs

FORMATS = [name for name in names("exporters") if columns_of(name)]
MANY = 10_000


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run over all worlds, whose tools differ in their parameters."""
    return tertulia.run(n=84, slips=0.4, out=tmp_path_factory.mktemp("many") / "run")


def many(path: Path) -> tuple[Path, list[str]]:
    """A file with the rows of another over and over; the shortest come first, for a loader guesses from the first."""
    lines = sorted(path.read_text(encoding="utf-8").splitlines(), key=len)
    lines = [line for line in lines for _ in range(-(-MANY // len(lines)))][:MANY]
    made = path.with_name(f"many.{path.name}")
    made.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made, lines


@pytest.mark.parametrize("name", FORMATS)
def test_datasets_reads_ten_thousand_rows_of_a_format_with_stable_types_and_fills_nothing_in(run, name, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    columns = columns_of(name)
    assert columns is not None
    wanted = datasets.Features.from_dict(features(dict(columns)))
    path, lines = many(run.export(name, tmp_path / f"{name}.jsonl").path)
    loaded = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"), features=wanted
    )

    assert loaded.features == wanted
    assert len(loaded) == MANY
    for got, line in zip(loaded, lines, strict=True):
        row = json.loads(line)
        assert got == {column: row.get(column) for column in columns}


@pytest.mark.parametrize("name", FORMATS)
def test_datasets_reads_parquet_and_the_folder_of_a_run_by_what_stands_in_them(run, name, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    columns = columns_of(name)
    assert columns is not None
    wanted = datasets.Features.from_dict(features(dict(columns)))
    lines = run.export(name, force=True).path.read_text(encoding="utf-8").splitlines()
    rows = [{column: json.loads(line).get(column) for column in columns} for line in lines]
    table = str(run.export(name, tmp_path / "x.parquet").path)
    cache = str(tmp_path / "cache")
    for loaded in (
        datasets.load_dataset("parquet", data_files=table, split="train", cache_dir=cache),
        datasets.load_dataset(str(run.folder / "exports"), name, split="train", cache_dir=cache),
    ):
        assert loaded.features == wanted
        assert list(loaded) == rows


def test_argilla_takes_our_records(run, tmp_path):
    rg = pytest.importorskip("argilla")
    lines = run.export("argilla", tmp_path / "argilla.jsonl").path.read_text(encoding="utf-8").splitlines()
    suggested = set()
    for line in lines:
        row = json.loads(line)
        given = [rg.Suggestion(**suggestion) for suggestion in row["suggestions"]]
        record = rg.Record(
            id=row["external_id"],
            fields=row["fields"],
            metadata=row["metadata"],
            suggestions=given,
            vectors=row["vectors"],
        )
        assert record.fields["draft"] == row["fields"]["draft"]
        assert record.fields["history"] == row["fields"]["history"]
        made = record.api_model().model_dump()
        assert made["external_id"] == row["external_id"]
        assert made["metadata"] == row["metadata"]
        suggested |= {suggestion["question_name"] for suggestion in row["suggestions"]}

    assert suggested == {"verdict", "broken", "markers"}
