"""The frame of `tertulia import`: what is written, what is refused, and that it can be read again."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia import importing, parts
from tertulia.cli import main
from tertulia.errors import UserError
from tertulia.files import bundled_scenarios, load_scenario, read_scenario
from tertulia.importing import Asked, Imported, Lost, bring_in, read_json
from tertulia.scenario import Scenario
from tertulia.scenario_text import printable, scenario_text
from tertulia.strict_yaml import read_document
from tertulia.variation import settle


def small(name: str = "call-home", opening: str = "Hello, please ring me.") -> Scenario:
    return Scenario.model_validate(
        {
            "id": name,
            "kind": "nothing_to_do",
            "cast": {"guest": {"role": "user"}, "host": {"role": "assistant"}},
            "tools": [{"name": "ring"}],
            "script": {"opening": opening},
        }
    )


class Fixed:
    """An importer that gives what the test has put into it."""

    given = Imported(())

    def read(self, asked: Asked) -> Imported:
        return self.given


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> type[Fixed]:
    monkeypatch.setattr(importing, "load", lambda kind, name: Fixed)
    monkeypatch.setattr(Fixed, "given", Imported([small()], lost=[Lost("7", "colour", "there is no such field")]))
    return Fixed


# --- text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(bundled_scenarios()))
def test_a_bundled_scenario_that_is_written_is_read_back_the_same(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(bundled_scenarios()[name])
    file = tmp_path / "x.yaml"
    file.write_text(scenario_text(scenario, "s.json"), encoding="utf-8")

    assert load_scenario(file) == scenario


TEXTS = ["089", "0x1f", "no", "1e5", "~", "- a", "a: b", "# c", "x\ny ", " \n", "&a", "'", ".5", "\u2028"]
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=30), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(value=JSON, opening=st.text(min_size=1))
def test_every_value_that_is_written_is_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, value: Any, opening: str
) -> None:
    scenario = small(opening=printable(opening)).model_copy(update={"start": {"a": printable(value)}})
    file = tmp_path_factory.getbasetemp() / "written.yaml"
    file.write_text(scenario_text(scenario, "s.json"), encoding="utf-8")

    document = read_document(file)

    assert document.faults == ()
    assert document.value["start"]["a"] == printable(value)
    assert document.value["script"]["opening"] == printable(opening)


def test_a_lone_surrogate_is_replaced_and_said_to_be_lost(fixed: type[Fixed], tmp_path: Path) -> None:
    fixed.given = Imported([small().model_copy(update={"start": {"a": ["half \ud83d"]}})])
    report = bring_in("fixed", Asked(tmp_path), tmp_path / "out")

    assert [one.what for one in report.lost] == ["characters"]
    assert read_document(tmp_path / "out" / "call-home.yaml").value["start"] == {"a": ["half \ufffd"]}


def test_what_only_looks_like_a_slot_stays_a_text(fixed: type[Fixed], tmp_path: Path) -> None:
    fixed.given = Imported([small(opening="Send ${amount} and ${a.b}, or $5 {x}.")])
    bring_in("fixed", Asked(tmp_path), tmp_path / "out")
    written = load_scenario(tmp_path / "out" / "call-home.yaml")

    assert settle(written, {}).script.opening == "Send ${amount} and ${a.b}, or $5 {x}."


# --- files -------------------------------------------------------------------------------------------------------


def test_scenarios_the_files_they_need_and_the_schema_are_written(fixed: type[Fixed], tmp_path: Path) -> None:
    fixed.given = Imported([small()], beside={"tools.json": b"[]\n"})
    report = bring_in("fixed", Asked(tmp_path), tmp_path / "out")

    assert report.scenarios == ("call-home",)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "call-home.yaml",
        "scenario.schema.json",
        "tools.json",
    ]
    first = (tmp_path / "out" / "call-home.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=scenario.schema.json"


def test_a_file_that_exists_is_kept_and_nothing_else_is_written(fixed: type[Fixed], tmp_path: Path) -> None:
    (tmp_path / "call-home.yaml").write_text("mine")
    fixed.given = Imported([small("another"), small()])

    with pytest.raises(UserError, match=r"call-home\.yaml' exists; to overwrite, give --force"):
        bring_in("fixed", Asked(tmp_path), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["call-home.yaml"]

    bring_in("fixed", Asked(tmp_path), tmp_path, force=True)
    assert read_scenario(tmp_path / "call-home.yaml")[1] == []


def test_two_items_of_one_name_are_refused(fixed: type[Fixed], tmp_path: Path) -> None:
    fixed.given = Imported([small(), small()])

    with pytest.raises(UserError, match=r"two items would be written as 'call-home\.yaml'"):
        bring_in("fixed", Asked(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_write_that_fails_leaves_nothing(fixed: type[Fixed], tmp_path: Path) -> None:
    fixed.given = Imported([small()], beside={"no/such/folder.json": b"x"})

    with pytest.raises(UserError, match="cannot write to"):
        bring_in("fixed", Asked(tmp_path), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_code_is_not_run_without_the_flag(tmp_path: Path) -> None:
    assert Asked(tmp_path, toolkits=("m:C",), allow_code=True).code("tau2") == ("m:C",)
    with pytest.raises(UserError, match="give --allow-code"):
        Asked(tmp_path, toolkits=("m:C",)).code("tau2")


def test_what_is_no_json_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text('{"a": 1}\n{"a": \n')

    with pytest.raises(UserError, match=r"rows\.json:2: is no JSON"):
        read_json(file, lines=True)
    file.write_text('["a\u2028b"]\n\n[]', encoding="utf-8")
    assert read_json(file, lines=True) == [["a\u2028b"], []]


# --- the command -------------------------------------------------------------------------------------------------


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["tertulia", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_command_prints_one_json_object(
    fixed: type[Fixed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "import", "fixed", str(tmp_path), "-o", str(tmp_path / "o"), "--json") == 0

    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told == {
        "format": "fixed",
        "path": str(tmp_path / "o"),
        "scenarios": 1,
        "lost": [{"item": "7", "what": "colour", "why": "there is no such field"}],
        "coverage": {},
    }


def test_what_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "import", "no-such", str(tmp_path)) == 2
    assert "no importer is called 'no-such'" in capsys.readouterr().err


def test_a_third_party_brings_an_importer_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "test_importing:Fixed", "tertulia.importers")
    monkeypatch.setattr(parts, "installed", lambda kind: {"mine": point} if kind == "importers" else {})

    assert "mine" in parts.names("importers")
