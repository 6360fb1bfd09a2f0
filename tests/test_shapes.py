"""Values in plain text: each kind's answers, what stands behind a label, and what is found anywhere."""

import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tertulia.language.finders import choices, dates, lists, numbers, quoted
from tertulia.language.kinds import kind_of, normal_schema
from tertulia.language.saying import render
from tertulia.language.shapes import KINDS, parts

WORDS = st.from_regex(r"[A-Za-z][a-z]{1,8}( [A-Za-z0-9][a-z0-9]{0,8}){0,3}", fullmatch=True)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), min_size=1, max_size=60).filter(
    lambda text: text == text.strip() and not {'"', "\u007f"} & set(text) and not text.endswith(",")
)
KEYS = st.sampled_from(("street", "city", "postal_code", "country", "note"))


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("size", {"enum": ["s", "m"]}, "enum"),
        ("size", {"enum": [None], "type": "string"}, "text"),
        ("mode", {"const": "fast"}, "enum"),
        ("count", {"type": "integer"}, "integer"),
        ("whatever", {"type": "string", "format": "email"}, "email"),
        ("contactEmail", {"type": "string"}, "email"),
        ("start_date", {"type": "string"}, "date"),
        ("order_id", {"type": "string"}, "code"),
        ("plate", {"type": "string", "pattern": "^[A-Z]{2}$"}, "code"),
        ("comment", {"type": "string"}, "text"),
        ("tags", {"type": "array"}, "list"),
        ("address", {"type": "object"}, "object"),
        ("anything", {}, "text"),
    ],
)
def test_a_leaf_has_the_kind_that_its_schema_and_name_tell(name: str, schema: dict[str, Any], kind: str) -> None:
    assert kind_of(name, schema) == kind


def test_references_and_null_alternatives_are_followed_all_the_way_into_lists() -> None:
    root = {
        "$defs": {
            "Line": {"type": "object", "properties": {"sku": {"$ref": "#/$defs/Sku"}}},
            "Sku": {"anyOf": [{"type": "null"}, {"type": "string", "pattern": "^S"}]},
        }
    }
    lines = {"type": ["array", "null"], "items": {"$ref": "#/$defs/Line"}}

    assert normal_schema(lines, root)["items"]["properties"]["sku"] == {"type": "string", "pattern": "^S"}


def test_a_schema_that_refers_to_itself_ends() -> None:
    root: dict[str, Any] = {"$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}}}

    assert normal_schema({"type": "array", "items": {"$ref": "#/$defs/Node"}}, root)["type"] == "array"
    assert normal_schema({"$ref": "#/$defs/Loop"}, {"$defs": {"Loop": {"$ref": "#/$defs/Loop"}}}) is not None


# --- what is said is read back -------------------------------------------------------------------------------------


@given(st.integers(-(10**12), 10**12))
def test_a_whole_number_is_read_back(value: int) -> None:
    assert KINDS["integer"].answer({"type": "integer"}, render(value)) == value


@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_a_number_is_read_back_whatever_its_size(value: float) -> None:
    assert KINDS["number"].answer({"type": "number"}, render(value)) == pytest.approx(value, rel=1e-12)


@given(TEXTS)
def test_free_text_is_read_back_to_the_letter(value: str) -> None:
    assert KINDS["text"].answer({"type": "string"}, render(value)) == value


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1)))
def test_a_date_is_read_back_from_either_spelling(value: datetime.date) -> None:
    said = f"{value.day} {value:%B} {value.year}"

    assert KINDS["date"].answer({"format": "date"}, render(str(value))) == str(value)
    assert KINDS["date"].answer({"format": "date"}, said) == str(value)


@given(st.lists(TEXTS, max_size=5))
@example([")"])
@example(["none"])
def test_a_list_of_texts_is_read_back(value: list[str]) -> None:
    assert KINDS["list"].answer({"items": {"type": "string"}}, render(value)) == value


@given(st.lists(st.integers(-9999, 9999), max_size=6))
def test_a_list_of_numbers_is_read_back(value: list[int]) -> None:
    assert KINDS["list"].answer({"items": {"type": "integer"}}, render(value)) == value


@given(st.dictionaries(KEYS, TEXTS, min_size=1))
def test_an_object_is_read_back_by_its_schema(value: dict[str, str]) -> None:
    schema = {"type": "object", "properties": {key: {"type": "string"} for key in value}}

    assert KINDS["object"].answer(schema, render(value)) == value


@given(st.lists(st.dictionaries(KEYS, WORDS, min_size=1), min_size=1, max_size=3))
def test_a_list_of_free_objects_is_read_back(value: list[dict[str, str]]) -> None:
    assert KINDS["list"].answer({"items": {"type": "object"}}, render(value)) == value


def test_free_objects_spell_their_keys_like_their_siblings() -> None:
    text = "profile picture url: https://example.org/a.jpg, full name: Mara Lind"

    assert KINDS["object"].answer({"type": "object", "x-key-style": "camel"}, text) == {
        "profilePictureUrl": "https://example.org/a.jpg",
        "fullName": "Mara Lind",
    }
    assert set(KINDS["object"].answer({"type": "object"}, text)) == {"profile_picture_url", "full_name"}


def test_an_object_within_an_object_stands_in_brackets() -> None:
    value = {"name": "Mara", "home": {"lat": 3, "lon": -4}, "tags": ["a", "b"]}
    schema = {
        "properties": {
            "name": {"type": "string"},
            "home": {"type": "object", "properties": {"lat": {"type": "integer"}, "lon": {"type": "integer"}}},
            "tags": {"type": "array", "items": {"type": "string"}},
        }
    }

    assert render(value) == "name: Mara, home: (lat: 3, lon: -4), tags: a and b"
    assert KINDS["object"].answer(schema, render(value)) == value


def test_a_code_of_several_pieces_is_read_whole_and_one_in_a_sentence_alone() -> None:
    assert KINDS["code"].answer({"type": "string"}, "SW1A 1AA") == "SW1A 1AA"
    assert KINDS["code"].answer({"type": "string"}, "the second one, #A1041 please") == "A1041"


# --- finding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("three facts", [3]),
        ("the one I saw", []),
        ("1,200.50 euros", []),
        ("it weighs 5kg", [5]),
        ("order A12 of 2024-03-01", []),
        ("Revelation 22:17", []),
        ("at -7 degrees", [-7]),
        ("30%", [30]),
    ],
)
def test_whole_numbers_are_told_from_codes_dates_and_times(text: str, found: list[int]) -> None:
    assert [value for value, *_ in numbers({"type": "integer"}, text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("facts about their habitats", ["habitat"]),
        ("their habits", ["habits"]),
        ("it is in transit", ["in_transit"]),
        ("I prefer C++ to this", ["C++"]),
        ("version 1.5 please", ["1.5"]),
        ("express plus, not express", ["express_plus", "express"]),
        ("nothing of it", []),
    ],
)
def test_the_nearest_choice_is_found_in_any_form(text: str, found: list[str]) -> None:
    options = {"enum": ["habits", "habitat", "in_transit", "C++", "1.5", "express", "express_plus"]}

    assert [value for value, *_ in choices(options, text)] == found


def test_a_date_without_a_year_is_of_the_year_that_the_text_gives() -> None:
    text = "between July 1st and July 7th, 2022"

    assert [value for value, *_ in dates({}, text)] == ["2022-07-01", "2022-07-07"]
    assert [value for value, *_ in dates({}, "on 3 May")] == ["3 May"]


def test_quotes_that_stand_together_are_a_list_and_others_are_not() -> None:
    text = 'file it as "spam" and "phishing", with the comment "Many mails, all bad."'

    assert [value for value, *_ in lists({"items": {"type": "string"}}, text)] == [["spam", "phishing"]]
    assert len(list(quoted(text))) == 3


def test_parts_leave_quotes_and_brackets_whole() -> None:
    assert parts('a, "b, c", (d, e), f', ",") == ["a", '"b, c"', "(d, e)", "f"]
