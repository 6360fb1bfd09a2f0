"""The other libraries that read our exports take them: `datasets` over many rows, Argilla's objects.

Those libraries are large, so the tests are skipped without them: `make verify` runs them.
"""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import tertulia
from tertulia.export import columns_of
from tertulia.exporters.argilla import settings
from tertulia.exporting.columns import features, is_plain
from tertulia.parts import names
from tertulia.verifying.libraries import LIBRARIES

os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytestmark = pytest.mark.filterwarnings("default")  # those libraries warn of what is theirs

FORMATS = [name for name in names("exporters") if columns_of(name)]
PLAIN = [name for name in FORMATS if is_plain(columns_of(name))]
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


@pytest.mark.parametrize("name", PLAIN)
def test_a_format_of_plain_columns_is_read_alike_by_whoever_guesses_its_types(run, name, tmp_path):
    arrow = pytest.importorskip("pyarrow.json")
    path = run.export(name, tmp_path / f"{name}.jsonl").path
    lines = sorted(path.read_text(encoding="utf-8").splitlines(), key=len)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    assert arrow.read_json(path, read_options=whole(arrow)).to_pylist() == list(map(json.loads, lines))


@pytest.mark.parametrize("name", PLAIN)
def test_ten_thousand_rows_of_plain_columns_are_read_alike_by_whoever_guesses_their_types(run, name, tmp_path):
    datasets, arrow = pytest.importorskip("datasets"), pytest.importorskip("pyarrow.json")
    datasets.disable_progress_bars()
    path, lines = many(run.export(name, tmp_path / f"{name}.jsonl").path)
    table = arrow.read_json(path, read_options=whole(arrow))
    loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))

    assert len(loaded) == table.num_rows == MANY
    for at in range(0, MANY, 97):
        assert loaded[at] == table.slice(at, 1).to_pylist()[0] == json.loads(lines[at])


def whole(arrow: Any) -> Any:
    """Blocks that are longer than any row."""
    return arrow.ReadOptions(block_size=1 << 24)


def test_a_format_of_plain_columns_mixes_no_types_and_the_others_need_theirs():
    assert "evalset" in PLAIN
    assert not set(PLAIN) & {"sft", "openai", "dpo", "kto", "reward", "oasst", "argilla"}


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


class ArgillaServer:
    """As much of Argilla's server as says who is there and takes records; it keeps what it was sent."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def __call__(self, request: Any) -> Any:
        httpx = pytest.importorskip("httpx")
        now = {"inserted_at": "2024-01-01T00:00:00", "updated_at": "2024-01-01T00:00:00"}
        if request.url.path == "/api/v1/me":
            person = {"id": str(uuid4()), "username": "reviewer", "role": "owner", "first_name": "Reviewer"}
            return httpx.Response(200, json=person | now)
        assert request.url.path.endswith("/records/bulk")
        sent = json.loads(request.content)["items"]
        self.records += sent
        items = [one | {"id": str(uuid4()), "suggestions": [], "responses": []} | now for one in sent]
        return httpx.Response(200, json={"items": items, "updated_item_ids": []})


def test_argilla_takes_our_records_under_our_settings(run, tmp_path):
    rg, httpx = pytest.importorskip("argilla"), pytest.importorskip("httpx")
    path = run.export("argilla", tmp_path / "argilla.jsonl").path
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][:200]
    server = ArgillaServer()
    client = rg.Argilla("http://localhost", "key", mounts={"http://": httpx.MockTransport(server)})
    made = settings(rows)
    made.validate()
    dataset = rg.Dataset("drafts", settings=made, client=client)
    dataset.id = uuid4()
    dataset.records.log(
        [
            rg.Record(
                fields=row["fields"],
                metadata=row["metadata"],
                suggestions=[rg.Suggestion(**one) for one in row["suggestions"]],
                id=row["external_id"],
            )
            for row in rows
        ]
    )

    assert [one["fields"] for one in server.records] == [row["fields"] for row in rows]
    assert [one["external_id"] for one in server.records] == [row["external_id"] for row in rows]
    assert [one["metadata"] for one in server.records] == [row["metadata"] for row in rows]
    options = {question.name: set(question.labels) for question in made.questions}
    suggested = set()
    for sent, row in zip(server.records, rows, strict=True):
        assert len(sent["suggestions"]) == len(row["suggestions"])
        for given in row["suggestions"]:
            name, value = given["question_name"], given["value"]
            suggested.add(name)
            labels = [value] if name == "verdict" else value if name == "broken" else [span["label"] for span in value]
            assert set(labels) <= options[name]
    assert suggested == {"verdict", "broken", "markers"}
    tagged = [said["content"] for row in rows for said in row["fields"]["history"] if said["role"] == "assistant"]
    assert any("<tool_call>" in text for text in tagged)
    assert {said["role"] for row in rows for said in row["fields"]["history"]} == {
        "system",
        "user",
        "assistant",
        "tool",
    }


def test_a_verification_of_argillas_records_builds_each_of_them(run, tmp_path):
    pytest.importorskip("argilla")
    path = run.export("argilla", tmp_path / "argilla.jsonl").path
    assert "argilla" in run.verify("argilla", path).checked
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[1]["fields"]["history"][0] = {"role": "user"}
    broken = tmp_path / "broken.jsonl"
    broken.write_text("".join(json.dumps(row) + "\n" for row in rows))

    ((number, fault),) = LIBRARIES["records"].faults(broken)
    assert (number, fault[:9]) == (2, "argilla: ")
