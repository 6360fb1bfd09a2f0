"""One run folder: what it refuses, what it resumes, and what survives a death."""

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.errors import SettingsError, StoreError
from tertulia.records import EndReason, Verdict
from tertulia.running.run_folder import changed_settings, clear, read_manifest
from tertulia.running.store import Store, packed, unpacked

MANIFEST: dict[str, Any] = {"settings": {"n": 3, "seed": 7}, "scenarios": {"tiny": "a" * 64}, "tertulia": "0.1.0"}


def test_conversations_come_back_equal_and_in_order_of_their_place(tmp_path, talk):
    talks = [talk(index, error="é\n" * index) for index in range(200)]
    with Store(tmp_path / "r", MANIFEST) as store:
        for one in reversed(talks):
            store.add(one)

    with Store(tmp_path / "r") as store:
        assert list(store.conversations()) == talks
        assert store.finished() == set(range(200))


@pytest.mark.parametrize("text", ["half a pair: \ud83d", "\x00", "\u2028", "\N{ROBOT FACE}"])
def test_any_text_of_a_part_comes_back(tmp_path, talk, text):
    with Store(tmp_path, MANIFEST) as store:
        store.add(talk(0, text=text))

        assert [one.turns[1].message.text for one in store.conversations()] == [text]


def test_a_value_that_is_not_json_is_kept_as_text(tmp_path, talk):
    class Odd:
        def __str__(self) -> str:
            return "odd"

    with Store(tmp_path, MANIFEST) as store:
        store.add(talk(0, variant={"x": Odd()}))

        assert [one.variant for one in store.conversations()] == [{"x": "odd"}]


def test_only_accepted_conversations_on_demand(tmp_path, talk):
    with Store(tmp_path, MANIFEST) as store:
        for index in range(5):
            store.add(talk(index, rejected_by="markers" if index % 2 else ""))

        assert [one.index for one in store.conversations(accepted_only=True)] == [0, 2, 4]


def test_adding_at_the_same_place_replaces(tmp_path, talk):
    verdict = Verdict(judge="success", passed=False)
    with Store(tmp_path, MANIFEST) as store:
        store.add(talk(0))
        store.add(talk(0, verdicts=(verdict,), rejected_by="success"))

        assert [one.rejected_by for one in store.conversations()] == ["success"]


def test_rows_may_be_replaced_while_they_are_read(tmp_path, talk):
    with Store(tmp_path, MANIFEST) as store:
        for index in range(300):
            store.add(talk(index))
        for one in store.conversations():
            store.add(one.model_copy(update={"rejected_by": "leaks"}))

        assert [one.index for one in store.conversations() if one.rejected_by == "leaks"] == list(range(300))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"settings": {"n": 4, "seed": 7}}, "n was 3, is 4"),
        ({"settings": {"n": 3, "seed": 8}}, "seed was 7, is 8"),
        ({"settings": {"n": 3, "seed": 7, "slips": 0.1}}, "slips was absent, is 0.1"),
        ({"scenarios": {"tiny": "b" * 64}}, 'scenarios tiny was "aaaaaaaa…", is "bbbbbbbb…"'),
        ({"tertulia": "0.2.0"}, 'tertulia was "0.1.0", is "0.2.0"'),
    ],
)
def test_a_changed_setting_is_refused_by_name(tmp_path, change, words):
    Store(tmp_path, MANIFEST).close()

    with pytest.raises(SettingsError) as caught:
        Store(tmp_path, MANIFEST | change)

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_changed_settings_are_counted(tmp_path):
    Store(tmp_path, MANIFEST).close()

    with pytest.raises(SettingsError, match=r"\(and 1 more\)"):
        Store(tmp_path, MANIFEST | {"settings": {"n": 1, "seed": 1}})


def test_a_refused_folder_can_be_opened_again_at_once(tmp_path):
    Store(tmp_path, MANIFEST).close()
    with pytest.raises(SettingsError):
        Store(tmp_path, {"settings": {}})

    Store(tmp_path, MANIFEST).close()


def test_a_folder_in_use_is_refused(tmp_path):
    with Store(tmp_path, MANIFEST), pytest.raises(StoreError, match="in use"):
        Store(tmp_path, MANIFEST)


def test_a_run_can_be_read_while_it_is_written(tmp_path, talk):
    with Store(tmp_path, MANIFEST) as store:
        store.add(talk(0))
        store.flush()
        store.add(talk(1))
        with Store(tmp_path) as reader:
            assert reader.finished() == {0}


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(StoreError, match=r"other files \('thesis.tex'\)"):
        Store(tmp_path, MANIFEST)
    with pytest.raises(StoreError, match="other files"):
        clear(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "r").write_text("")

    with pytest.raises(StoreError, match="is a file"):
        Store(tmp_path / "r", MANIFEST)


def test_a_missing_run_is_refused_for_reading(tmp_path):
    with pytest.raises(StoreError, match="holds no run"):
        Store(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"settings": 3}'])
def test_a_broken_manifest_is_refused(tmp_path, text):
    Store(tmp_path, MANIFEST).close()
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(StoreError, match=r"manifest\.json"):
        Store(tmp_path, MANIFEST)


def test_a_database_without_manifest_is_refused(tmp_path):
    Store(tmp_path, MANIFEST).close()
    (tmp_path / "manifest.json").unlink()

    with pytest.raises(StoreError, match="no manifest"):
        Store(tmp_path, MANIFEST)


def test_a_corrupt_database_is_one_line(tmp_path):
    Store(tmp_path, MANIFEST).close()
    (tmp_path / "run.sqlite").write_bytes(b"not a database" * 100)

    with pytest.raises(StoreError) as caught:
        Store(tmp_path, MANIFEST)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("`tertulia run` with --fresh plays it anew")


def test_a_full_disk_is_one_line_and_what_was_committed_is_kept(tmp_path, talk):
    store = Store(tmp_path, MANIFEST)
    store.add(talk(0))
    store.flush()
    pages = store.database.execute("PRAGMA page_count").fetchone()[0]
    store.database.execute(f"PRAGMA max_page_count = {pages}")
    for index in range(1, 60):
        store.add(talk(index, text="".join(f"{n * index:x}" for n in range(900))))

    with pytest.raises(StoreError, match=r"no space left for .*make room, and the same command goes on"):
        store.flush()
    with pytest.raises(StoreError, match="no space left"):
        store.close()
    with Store(tmp_path, MANIFEST) as store:
        assert store.finished() == {0}


def test_a_manifest_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StoreError, match=r"cannot write .*manifest\.json': No space left on device"):
        Store(tmp_path, MANIFEST)


def test_a_damaged_record_names_its_place(tmp_path, talk):
    with Store(tmp_path, MANIFEST) as store:
        store.add(talk(0))
        store.add(talk(1))
        store.flush()
        store.database.execute("UPDATE conversations SET record = ? WHERE place = 1", (b"xx",))

        with pytest.raises(StoreError, match="conversation 1 is damaged"):
            list(store.conversations())


def test_somebody_elses_database_is_refused(tmp_path):
    Store(tmp_path, MANIFEST).close()
    (tmp_path / "run.sqlite").unlink()
    foreign = sqlite3.connect(tmp_path / "run.sqlite")
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.close()

    with pytest.raises(StoreError, match="not written by tertulia"):
        Store(tmp_path, MANIFEST)


def test_a_newer_store_format_is_refused(tmp_path):
    with Store(tmp_path, MANIFEST) as store:
        store.database.execute("PRAGMA user_version = 99")

    with pytest.raises(StoreError, match=r"newer tertulia \(store format 99"):
        Store(tmp_path)


def test_clear_removes_the_run_and_nothing_else(tmp_path, talk):
    with Store(tmp_path, MANIFEST) as store:
        store.add(talk(0))
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "sft.jsonl").write_text("{}\n")

    clear(tmp_path)

    with Store(tmp_path, MANIFEST | {"settings": {"n": 9}}) as store:
        assert store.finished() == set()
    assert not (tmp_path / "exports").exists()
    assert read_manifest(tmp_path)["settings"] == {"n": 9}


def test_clear_leaves_a_run_that_is_being_written(tmp_path):
    with Store(tmp_path, MANIFEST), pytest.raises(StoreError, match="in use"):
        clear(tmp_path)


DIES = """
import os, signal, sys
from pathlib import Path
from tertulia.records import Conversation, EndReason
from tertulia.running.store import Store

store = Store(Path(sys.argv[1]), {"settings": {}})
for index in range(100):
    store.add(Conversation(id=str(index), index=index, scenario="s", seed=1, roles={}, end_reason=EndReason.FAILED))
    if index == 70:
        store.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system that can kill -9")
def test_what_was_committed_survives_kill_9_and_the_folder_is_free_again(tmp_path):
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], env={**os.environ}, check=False, timeout=60)

    assert died.returncode == -signal.SIGKILL
    with Store(tmp_path, {"settings": {}}) as store:
        assert store.finished() == set(range(71))
        assert {one.end_reason for one in store.conversations()} == {EndReason.FAILED}


def test_a_death_between_manifest_and_database_is_resumed(tmp_path):
    Path(tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "manifest.json.part").write_text("{")
    (tmp_path / "run.sqlite").write_bytes(b"")

    with Store(tmp_path, MANIFEST) as store:
        assert store.finished() == set()


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.dictionaries(st.text(max_size=2), st.integers())))
def test_equal_manifests_have_no_changed_setting(manifest):
    assert list(changed_settings(manifest, json.loads(json.dumps(manifest)))) == []


@given(st.text())
def test_packing_loses_nothing(text):
    assert unpacked(packed(text)).decode() == text
