"""Scenario files: every fault of a broken one at its line, none in a sound one, and how files are found."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tertulia.checks import CHECKS
from tertulia.errors import ScenarioError, UserError
from tertulia.files import bundled_scenarios, find_scenarios, load_scenario, load_scenarios, read_scenario
from tertulia.scenario import Scenario
from tertulia.schemas import SCHEMAS, schema
from tertulia.source import parse

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))
SCHEMA_FOLDER = HERE.parent / "scenarios" / "schema"
NOT_OURS = re.compile(r"Input should|Field required|Extra inputs|is not of type|Value error|validation error", re.I)

SOUND: dict[str, Any] = {
    "id": "table",
    "kind": "single_call",
    "cast": {
        "guest": {
            "role": "user",
            "persona": "calm",
            "knows": {"day": "${day}", "people": 4, "pin": 7319},
            "secret": ["pin"],
        },
        "host": {"role": "assistant"},
    },
    "slots": {"day": "friday"},
    "tools": [
        {
            "name": "book_table",
            "writes": True,
            "parameters": {
                "type": "object",
                "properties": {"day": {"type": "string", "enum": ["monday", "friday"]}, "people": {"type": "integer"}},
                "required": ["day"],
            },
            "examples": [{"with": {"day": "monday"}, "error": "closed"}],
        }
    ],
    "script": {
        "opening": "A table on ${day}, please.",
        "wants": [{"call": "book_table", "with": {"day": "${day}", "people": 4}}],
    },
    "success": {"says": ["${day}"], "never_says": ["sorry"]},
    "vary": {"slots.day": ["friday", "monday"], "guest.persona": ["calm", "stern"]},
    "limits": {"turns": 12},
}


def expected(path: Path) -> list[str]:
    """The comment at the top of a broken file: `# [FILE:]LINE:COLUMN: message` for each fault."""
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    first_other = next((nth for nth, line in enumerate(lines) if not line.startswith("# ")), len(lines))
    return [line.removeprefix("# ") for line in lines[:first_other]]


def faults(path: Path) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return [str(fault).removeprefix(str(path) + ":").removeprefix(f"{path.parent}/") for fault in caught.value.faults]


def test_there_are_many_broken_files_and_each_says_what_is_wrong_with_it() -> None:
    assert len(BROKEN) >= 28
    assert all(expected(path) for path in BROKEN)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_fault_of_a_broken_file_is_named_at_its_place(path: Path) -> None:
    found = faults(path)

    assert found == expected(path)
    assert not [text for text in found if NOT_OURS.search(text)]


def test_the_broken_files_use_every_check() -> None:
    rules = {fault.rule for path in BROKEN for fault in read_scenario(path)[1]}

    assert {check.__name__.replace("_", "-") for check in CHECKS} <= rules
    assert {"yaml", "shape", "tools-file"} <= rules


def written(folder: Path, raw: dict[str, Any], name: str = "table.yaml") -> Path:
    path = folder / name
    path.write_text(json.dumps(raw, indent=2), encoding="utf-8")
    return path


def test_a_sound_file_has_no_fault(tmp_path: Path) -> None:
    assert load_scenario(written(tmp_path, SOUND)).id == "table"


def holes(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from holes(inner, (*at, key))


@pytest.mark.parametrize("junk", [None, 3, "nonsense words", [], {}, ["x"], {"x": 1}], ids=repr)
def test_junk_anywhere_in_a_sound_file_is_a_fault_or_harmless_but_never_a_crash(tmp_path: Path, junk: Any) -> None:
    for at in list(holes(SOUND))[1:]:
        raw = json.loads(json.dumps(SOUND))
        holder = raw
        for step in at[:-1]:
            holder = holder[step]
        holder[at[-1]] = junk

        _, found = read_scenario(written(tmp_path, raw))

        assert all(not NOT_OURS.search(str(fault)) for fault in found), at


def test_a_fault_elsewhere_hides_no_other_fault(tmp_path: Path) -> None:
    raw = json.loads(json.dumps(SOUND))
    raw["success"]["says"] = 5
    raw["script"]["wants"][0]["call"] = "book_tabel"
    raw["cast"]["guest"]["secret"] = ["pni"]

    messages = " ".join(str(fault) for fault in read_scenario(written(tmp_path, raw))[1])

    for part in ("expected a list, got 5", "unknown tool 'book_tabel'", "secret 'pni'"):
        assert part in messages


def test_faults_carry_rule_and_item_for_machines(tmp_path: Path) -> None:
    raw = SOUND | {"recipe": "user_scripts"}

    (fault,) = read_scenario(written(tmp_path, raw))[1]

    assert (fault.rule, fault.item, fault.suggestion) == ("recipe", "table", " (did you mean 'user_script'?)")


# --- the file of tools -------------------------------------------------------------------------------------------


def test_tools_of_a_file_beside_the_scenario_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text(json.dumps(SOUND["tools"]), encoding="utf-8")
    raw = {key: value for key, value in SOUND.items() if key != "tools"} | {"tools_file": "tools.json"}

    scenario = load_scenario(written(tmp_path, raw))

    assert [tool.name for tool in scenario.tools] == ["book_table"]
    assert scenario.tools_file == ""


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text(json.dumps(SOUND["tools"]), encoding="utf-8")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "tools.json").symlink_to(tmp_path / "elsewhere.json")
    raw = {key: value for key, value in SOUND.items() if key != "tools"} | {"tools_file": "tools.json"}

    assert any("leaves the scenario's folder" in text for text in faults(written(tmp_path / "in", raw)))


@pytest.mark.parametrize("name", ["/tools.json", "../tools.json", "a/../../tools.json", "C:\\tools.json", "..\\t.json"])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    raw = {key: value for key, value in SOUND.items() if key != "tools"} | {"tools_file": name}

    assert any("leaves the scenario's folder" in text for text in faults(written(tmp_path, raw)))


# --- finding files -----------------------------------------------------------------------------------------------


def test_a_folder_stands_for_its_scenarios_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    second = written(tmp_path / "deep", SOUND, "b.yaml")
    first = written(tmp_path, SOUND, "a.yaml")
    broken = tmp_path / "c.yaml"
    broken.write_text("a: [\n", encoding="utf-8")
    (tmp_path / "principles.yaml").write_text("principles: []\n", encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text("id: x\ncasts: {}\n", encoding="utf-8")
    (tmp_path / "tools.yaml").write_text("- name: x\n", encoding="utf-8")

    assert find_scenarios([str(tmp_path), str(first)]) == [first, broken, second]


def test_a_bundled_world_and_a_bundled_scenario_go_by_name() -> None:
    parcels = find_scenarios(["parcels"])

    assert parcels
    assert {path.parent.name for path in parcels} == {"parcels"}
    assert find_scenarios([parcels[0].stem]) == [parcels[0]]
    assert set(parcels) < set(find_scenarios([])) == set(bundled_scenarios().values())


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'parcels'"):
        find_scenarios(["parcel"])


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no scenario files"):
        find_scenarios([str(tmp_path)])


def test_two_scenarios_of_one_id_name_both_files(tmp_path: Path) -> None:
    paths = [written(tmp_path, SOUND, "a.yaml"), written(tmp_path, SOUND, "b.yaml")]

    with pytest.raises(ScenarioError, match=r"b\.yaml:2:9: id 'table' is also the id of .*a\.yaml"):
        load_scenarios(paths)


def test_the_faults_of_all_files_come_together(tmp_path: Path) -> None:
    paths = [
        written(tmp_path, SOUND | {"kind": "x"}, "a.yaml"),
        written(tmp_path, SOUND | {"id": "b", "floor": "x"}, "b.yaml"),
    ]

    with pytest.raises(ScenarioError) as caught:
        load_scenarios(paths)

    assert [Path(fault.file).name for fault in caught.value.faults] == ["a.yaml", "b.yaml"]


def test_the_ids_of_bundled_scenarios_are_those_of_their_files() -> None:
    for name, path in bundled_scenarios().items():
        assert parse(path).value["id"] == name


# --- schemas -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_the_one_the_code_makes(name: str) -> None:
    published = json.loads((SCHEMA_FOLDER / f"{name}.json").read_text(encoding="utf-8"))

    assert published == schema(name), f"tertulia schema {name} > scenarios/schema/{name}.json"
    assert published["$id"].endswith(name)


def test_every_key_of_a_scenario_says_what_it_means() -> None:
    properties = schema("scenario")["properties"]

    assert not [name for name, about in properties.items() if name != "id" and not about.get("description")]


def test_an_unknown_schema_is_an_error() -> None:
    with pytest.raises(UserError, match="did you mean 'scenario'"):
        schema("scenarios")


# --- round trip --------------------------------------------------------------------------------------------------


class Quoted(yaml.SafeDumper):
    """Writes every text in quotes, so that none is taken for a number."""


Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))

WORDS = st.text(alphabet="abc no1:#'\"é{}-", min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
VALUES = st.recursive(
    st.booleans() | st.integers(-999, 999) | WORDS | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=5,
)


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    knows = draw(st.dictionaries(WORDS, VALUES, max_size=3))
    return SOUND | {
        "title": draw(WORDS),
        "cast": {"guest": {"role": "user", "persona": draw(WORDS), "knows": knows}, "host": {"role": "assistant"}},
        "script": {"opening": "${day} " + draw(WORDS), "patience": draw(st.integers(1, 20))},
        "kind": "nothing_to_do",
        "success": {"unchanged": draw(st.booleans())},
        "vary": {"guest.persona": draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))},
        "limits": {"turns": draw(st.integers(2, 500))},
    }


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scenarios())
def test_a_valid_scenario_is_read_back_from_yaml(tmp_path: Path, raw: dict[str, Any]) -> None:
    made = Scenario.model_validate(raw)
    path = tmp_path / "again.yaml"
    path.write_text(yaml.dump(made.model_dump(mode="json", by_alias=True), Dumper=Quoted), encoding="utf-8")

    assert load_scenario(path) == made
