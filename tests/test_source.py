"""Strict YAML: what is read, where it stands, and that no text whatever breaks the reader."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import RootModel

from tertulia import strict_yaml
from tertulia.errors import Fault, ScenarioError
from tertulia.principles import PrincipleFile
from tertulia.records import Record
from tertulia.scenario import Scenario
from tertulia.source import parse, read_records, read_source
from tertulia.strict_yaml import Bounds


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def make(text: str | bytes, name: str = "file.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return make


def said(path: Path, model: type[Any] | None = None) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read_records(path, model) if model else read_source(path)
    return [f"{f.line}:{f.column}: {f.message}{f.suggestion}" for f in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-03-02", "2026-03-02"),
        ("0x1F", 31),
        ("0o17", 15),
        ("-12", -12),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("True", True),
        ("yes", "yes"),
        ("~", None),
        ("", None),
        ('"12"', "12"),
        ("!!str 12", "12"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(write: Any, text: str, value: Any) -> None:
    read = read_source(write(f"a: {text}\nb: 1\n")).value["a"]

    assert read == value
    assert type(read) is type(value)


def test_every_part_of_a_file_knows_its_place(write: Any) -> None:
    source = read_source(write("a:\n  - b: 1\n    c: [2, 3]\n"))

    assert source.place(("a", 0, "c", 1)) == (3, 12)
    assert source.place(("a", 0, "c"), on_key=True) == (3, 5)
    assert source.place(("a", 0, "missing", "deeper")) == (2, 5)
    assert source.place(("nowhere",)) == (1, 1)


def test_a_repeated_value_stands_where_it_is_written_inside(write: Any) -> None:
    source = read_source(write("a: &x {b: 1}\nc: *x\n"))

    assert source.value["c"] == {"b": 1}
    assert source.place(("c", "b")) == (1, 11)


def test_aliases_may_repeat_values_up_to_a_limit(write: Any) -> None:
    fine = write("a: &a [1, 2]\nb: [*a, *a]\n")

    assert read_source(fine).value["b"] == [[1, 2], [1, 2]]


def test_a_file_of_a_mebibyte_is_read_and_one_byte_more_is_not(write: Any) -> None:
    body = "a: "

    assert read_source(write(body + "x" * (Bounds().size - len(body)))).value["a"].startswith("xx")
    assert said(write(body + "x" * (Bounds().size - len(body) + 1))) == ["1:1: the file is larger than 1 MiB"]


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    assert said(tmp_path) == ["1:1: is not a file"]
    assert said(tmp_path / "none.yaml") == ["1:1: there is no such file"]


def test_a_byte_order_mark_is_no_part_of_the_text(write: Any) -> None:
    assert read_source(write(b"\xef\xbb\xbfid: x\n")).value == {"id": "x"}


def test_json_is_read_too_with_its_surrogate_pairs(write: Any) -> None:
    text = '{"a": "\\ud83d\\ude00 \\\\ud83d \\/",\n\t"b": [1.5, null, true]}'

    assert read_source(write(text, "tools.json")).value == json.loads(text)


def test_faults_before_a_syntax_error_are_named_with_it(write: Any) -> None:
    assert said(write("a: 1\na: 2\nb: [1\n")) == [
        "2:1: key 'a' is given twice (first in line 1)",
        "3:4: this [ is not closed, or a comma is missing in it",
    ]


def test_shape_and_yaml_faults_come_together(write: Any) -> None:
    class Thing(Record):
        size: int

    assert said(write("size: big\nsise: 1\nsize: 2\n"), Thing) == [
        "1:7: expected a whole number, got 'big'",
        "2:1: unknown key 'sise' (did you mean 'size'?)",
        "3:1: key 'size' is given twice (first in line 1)",
    ]


def test_an_optional_branch_gives_one_fault_not_one_for_each(write: Any) -> None:
    class Thing(Record):
        size: int | None = None
        tags: tuple[str, ...] | None = None

    assert said(write("size: big\ntags: 3\n"), Thing) == [
        "1:7: expected a whole number, got 'big'",
        "2:7: expected a list, got 3",
    ]


def test_files_use_the_names_of_the_format_not_those_of_the_code(write: Any) -> None:
    text = "id: x\nkind: refusal\ncast: {u: {role: user}, a: {role: assistant}}\n"
    text += "script: {opening: Hi., wants: [{call: c, args: {}}]}\n"

    assert said(write(text), Scenario) == ["4:42: unknown key 'args'"]


def test_a_root_list_is_read_item_by_item(write: Any) -> None:
    class Sizes(RootModel[tuple[int, ...]]):
        pass

    assert read_records(write("[1, 2]"), Sizes)[1].root == (1, 2)
    assert said(write("[1, two]"), Sizes) == ["1:5: expected a whole number, got 'two'"]


def test_the_parser_without_c_reads_the_same(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a: [no, 1.5, {b: *x}]\nc: &x {d: 1}\nc: *x\n")
    fast = parse(path)
    monkeypatch.setattr(strict_yaml, "LOADER", yaml.SafeLoader)
    slow = parse(path)

    assert (slow.value, slow.places, slow.faults) == (fast.value, fast.places, fast.faults)


ANY_TEXT = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="ab:-[]{},&*!|>'\"#%@`?~ \n\t0.", max_size=120),
    st.lists(st.sampled_from(["a: ", "- ", "[", "]", "{", "}", "&a ", "*a", "\n", "  ", "'", "|\n", "? ", "1", "<<: "]))
    .map("".join)
    .filter(lambda text: len(text) < 200),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_TEXT)
def test_no_text_breaks_the_reader(tmp_path: Path, text: str) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    for model in (Scenario, PrincipleFile):
        faults: tuple[Fault, ...] = ()
        try:
            read_records(path, model)
        except ScenarioError as error:
            faults = error.faults
        assert faults, "no such text is a whole scenario"
        assert all(fault.line >= 1 and fault.column >= 1 for fault in faults)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100))
def test_no_bytes_break_the_reader(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(raw)

    source = parse(path)

    assert source.value is not None or source.faults


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12) | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(min_size=1, max_size=6), PLAIN, min_size=1, max_size=4))
def test_any_json_value_is_read_back(tmp_path: Path, value: dict[str, Any]) -> None:
    path = tmp_path / "any.json"
    path.write_text(json.dumps(value), encoding="utf-8")

    assert read_source(path).value == value
