"""Parquet, papers and the Hub; a run in every format."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples import scenario, shop, three_party, three_party_scenario, two_party, with_tool_error

import tertulia
from tertulia.errors import UserError
from tertulia.export import columns_of, export, write_index
from tertulia.exporters.sft import Sft
from tertulia.exporting.card import About
from tertulia.exporting.columns import features, misfits
from tertulia.exporting.hub import push
from tertulia.exporting.parquet import read_parquet
from tertulia.parts import names
from tertulia.records import Conversation
from tertulia.replacing import replacing
from tertulia.scenario import Scenario
from tertulia.verifying.verify import verify

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")

FORMATS = [name for name in names("exporters") if columns_of(name)]
ABOUT = About(settings={"n": 3, "seed": 0}, scenarios={"move-delivery": "a" * 64}, version="1", licence="cc-by-4.0")


def played() -> Iterator[tuple[Scenario, Conversation]]:
    yield scenario(), two_party(id="one-0")
    yield three_party_scenario(), three_party(id="two-1", index=1)
    yield scenario(), with_tool_error(id="three-2", index=2)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


# --- parquet -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_parquet_holds_what_jsonl_holds_the_same_bytes_each_time(name, tmp_path):
    columns = columns_of(name)
    assert columns is not None
    text = export(name, played(), tmp_path / "x.jsonl").path
    one = export(name, played(), tmp_path / "x.parquet", force=True).path
    two = export(name, played(), tmp_path / "y.parquet").path

    wanted = [{column: row.get(column) for column in columns} for row in lines(text)]
    assert list(read_parquet(one, columns)) == wanted
    assert one.read_bytes() == two.read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", FORMATS)
def test_every_row_has_the_columns_that_its_format_names(name, tmp_path):
    columns = columns_of(name)
    assert columns is not None
    rows = lines(export(name, played(), tmp_path / "x.jsonl").path)

    assert rows
    assert [fault for row in rows for fault in misfits(columns, row)] == []


def test_parquet_tells_datasets_the_types_of_its_columns(tmp_path):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    schema = pyarrow.read_schema(export("sft", played(), tmp_path / "x.parquet").path)

    told = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert told == features(Sft.columns)
    assert told["messages"] == {"feature": {"_type": "Json"}, "_type": "List"}
    assert str(schema.field("messages").type.value_type) == "extension<arrow.json>"


def test_a_format_without_columns_has_no_parquet(tmp_path, monkeypatch):
    class Bare:
        def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
            yield {"id": talk.id}

    monkeypatch.setattr("tertulia.export.load", lambda kind, name: Bare)
    with pytest.raises(UserError, match="names no columns, so it has no Parquet"):
        export("bare", played(), tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_parquet_leaves_nothing_behind(tmp_path):
    def broken() -> Iterator[tuple[Scenario, Conversation]]:
        yield from played()
        raise KeyError("the run folder vanished")

    with pytest.raises(KeyError):
        export("sft", broken(), tmp_path / "sft.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("raised", "told"), [(OSError(28, "No space left on device"), UserError), (ValueError("no"), ValueError)]
)
def test_a_file_that_cannot_be_written_in_full_leaves_the_older_one_as_it_was(tmp_path, raised, told):
    path = tmp_path / "page.html"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as file:
            file.write("new")
            raise raised

    with pytest.raises(told):
        fail()
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("page.html", "old")]


def test_a_row_that_does_not_fit_names_the_path():
    columns = {"a": [{"b": "int"}], "c": "bool", "d": "json"}
    row = {"a": [{"b": 1}, {"b": True}], "c": 1, "d": object(), "e": 2}

    assert sorted(misfits(columns, row)) == [
        "a[1].b: bool where int belongs",
        "c: int where bool belongs",
        "e: no column of this name",
    ]


# --- papers ------------------------------------------------------------------------------------------------------


def test_a_manifest_tells_what_was_written_and_where_it_comes_from(tmp_path):
    report = export("openai", played(), tmp_path / "openai.jsonl", about=ABOUT)
    assert report.papers is not None
    assert report.sidecar is not None
    made = json.loads(report.papers.manifest.read_text())

    assert made["sha256"] == hashlib.sha256(report.path.read_bytes()).hexdigest()
    assert made["beside"]["openai.sidecar.jsonl"]["bytes"] == report.sidecar.stat().st_size
    assert (made["rows"], made["conversations"]["used"]) == (3, 3)
    assert made["balance"]["kind"] == {"single_call": 2, "approval": 1}
    assert made["balance"]["principle"]["no_empty_claims"] == 3
    assert made["scenarios"]["move-delivery"] == {"rows": 2, "sha256": "a" * 64}
    assert made["lost"] == report.lost


def test_a_card_has_a_head_that_the_hub_reads_and_tells_the_balance(tmp_path):
    report = export("sft", played(), tmp_path / "sft.jsonl", about=ABOUT)
    assert report.papers is not None
    _, head, body = report.papers.card.read_text().split("---\n", 2)

    told = yaml.safe_load(head)
    assert told["license"] == "cc-by-4.0"
    assert told["configs"] == [{"config_name": "sft", "data_files": "sft.jsonl"}]
    assert told["dataset_info"][0]["features"][1] == {"name": "messages", "list": "json"}
    assert "| single_call | 2 |" in body
    assert "| move-delivery | 2 | `aaaaaaaaaaaaaaaa` |" in body
    assert "3 rows from 3 of 3 synthetic conversations" in body


def test_a_folder_of_exports_has_one_card_with_a_configuration_for_each(tmp_path):
    for name in ("sft", "dpo"):
        export(name, played(), tmp_path / f"{name}.jsonl", about=ABOUT)
    write_index(tmp_path)
    (tmp_path / "dpo.jsonl").unlink()
    both = (tmp_path / "README.md").read_text()
    write_index(tmp_path)

    assert re.findall(r"- config_name: (\w+)\n  data_files", both) == ["dpo", "sft"]
    assert re.findall(r"- config_name: (\w+)\n  data_files", (tmp_path / "README.md").read_text()) == ["sft"]


def test_each_file_of_a_format_is_a_configuration_of_its_own(tmp_path):
    for name in ("sft.jsonl", "sft-mine-train.jsonl", "sft-mine-test.jsonl", "sft.parquet", "a:b.jsonl"):
        export("sft", played(), tmp_path / name, about=ABOUT)
    write_index(tmp_path)
    head = yaml.safe_load((tmp_path / "README.md").read_text().split("---\n")[1])

    found = {one["config_name"]: one["data_files"] for one in head["configs"]}
    assert found == {
        "a-b": "a:b.jsonl",
        "sft": "sft.jsonl",
        "sft-mine-test": "sft-mine-test.jsonl",
        "sft-mine-train": "sft-mine-train.jsonl",
        "sft-parquet": "sft.parquet",
    }
    assert [one["config_name"] for one in head["dataset_info"]] == list(found)


@pytest.mark.parametrize(("text", "cause"), [("{", "Expecting"), ("[]", "lacks 'format'"), ("{}", "lacks 'format'")])
def test_what_is_no_manifest_is_named_when_a_folder_gets_its_card(tmp_path, text, cause):
    export("sft", played(), tmp_path / "sft.jsonl", about=ABOUT)
    (tmp_path / "other.manifest.json").write_text(text)

    with pytest.raises(UserError, match=rf"other\.manifest\.json is no manifest: .*{cause}"):
        write_index(tmp_path)


@pytest.mark.parametrize("name", ["adk", "tau2"])
def test_no_conversations_make_a_folder_without_files(tmp_path, name):
    report = export(name, (), tmp_path / name, about=ABOUT)

    assert (report.rows, list((tmp_path / name).iterdir())) == (0, [])
    assert verify(name, tmp_path / name, ()).rows == 0


def test_a_folder_written_anew_keeps_nothing_of_the_older_export_and_all_that_is_foreign(tmp_path):
    folder = tmp_path / "tau2"
    export("tau2", played(), folder, about=ABOUT)
    old = [path for path in folder.rglob("*") if path.is_file()]
    (folder / "notes.txt").write_text("mine")
    export("tau2", (), folder, force=True, about=ABOUT)

    assert old
    assert [path.name for path in folder.rglob("*")] == ["notes.txt"]
    assert "tau2/notes.txt is there, and tau2.manifest.json does not name it" in verify("tau2", folder, ()).faults[0]


def test_papers_are_the_same_wherever_and_whenever_they_are_written(tmp_path):
    for folder in ("a", "b"):
        export("dpo", played(), tmp_path / folder / "dpo.jsonl", about=ABOUT)
    names_of = {path.name for path in (tmp_path / "a").iterdir()}

    assert names_of == {"dpo.jsonl", "dpo.card.md", "dpo.manifest.json"}
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names_of)


# --- the Hub -----------------------------------------------------------------------------------------------------


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as takes a commit; it keeps what it was sent."""

    heard: list[tuple[str, str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.path, self.headers.get("Authorization", ""), body))
        if self.headers.get("Authorization") != "Bearer hf_right":
            self.answer(401, {"error": "Invalid username or password."})
        elif self.path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            self.answer(
                200, {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]}
            )
        elif self.path.endswith("/commit/main"):
            told = {"commitUrl": f"{self.here}/commit/1", "commitOid": "1", "success": True}
            self.answer(200, told | {"pullRequestUrl": None})
        else:
            self.answer(200, {"url": self.here, "warnings": [], "errors": []})

    @property
    def here(self) -> str:
        return f"http://{self.headers['Host']}/datasets/me/talks"

    def answer(self, status: int, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def hub() -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    heard: list[tuple[str, str, bytes]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Mine", (Hub,), {"heard": heard}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_push_is_one_commit_of_file_card_and_manifest_to_a_private_repository(tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub")
    report = export("sft", played(), tmp_path / "sft.jsonl", about=ABOUT)
    assert report.papers is not None
    with hub() as (address, heard):
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("HF_TOKEN", "hf_right")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # other tests want it offline
        assert push("me/talks", report.path, report.papers) == f"{address}/datasets/me/talks/commit/1"
        made = json.loads(next(body for path, _, body in heard if path == "/api/repos/create"))
        assert (made["name"], made["type"]) == ("talks", "dataset")
        assert made.get("private") is True or made.get("visibility") == "private"
        (commit,) = (body for path, _, body in heard if path.endswith("/commit/main"))
        sent = [json.loads(line) for line in commit.splitlines()]
        assert {entry["value"]["path"] for entry in sent if entry["key"] == "file"} == {
            "README.md",
            "sft.jsonl",
            "sft.manifest.json",
        }

        monkeypatch.setenv("HF_TOKEN", "hf_wrong")
        with pytest.raises(UserError, match=r"--push me/talks: .*401") as refused:
            push("me/talks", report.path, report.papers)
        assert "hf_wrong" not in str(refused.value)


def test_a_push_without_a_token_in_the_environment_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    report = export("sft", played(), tmp_path / "sft.jsonl", about=ABOUT)
    assert report.papers is not None
    with pytest.raises(UserError, match="HF_TOKEN"):
        push("me/talks", report.path, report.papers)


# --- a run -------------------------------------------------------------------------------------------------------


def test_a_run_exported_in_every_format_has_no_fault(tmp_path, monkeypatch):
    monkeypatch.undo()  # its world is a bundled one, not the shop
    run = tertulia.run("parcels", n=10, slips=0.5, out=tmp_path / "r")
    for name in FORMATS:
        report = run.export(name, force=True)
        found = run.verify(name)
        assert (name, found.faults) == (name, [])
        assert found.rows == report.rows > 0
    found = verify("sft", run.export("sft", tmp_path / "sft.parquet").path, [])
    assert found.faults[0].endswith("which the run does not have at this place")
