"""Form filling: slots out of schemas, readings out of text, arguments out of readings."""

from typing import Any

import pytest

from tertulia.language.filling import assemble, read, slots
from tertulia.language.results import from_results
from tertulia.language.saying import render


def tool(required: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def filled(parameters: dict[str, Any], text: str, asked: str = "") -> dict[str, Any]:
    wanted = slots(parameters)
    slot = next((s for s in wanted if s.path[-1] == asked), None)
    return assemble({path: reading.value for path, reading in read(wanted, text, slot).items()})


TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
ADDRESS = tool(("street",), street=TEXT, city=TEXT)
REPORTS = tool(
    (),
    ip=TEXT,
    categories={"type": "array", "items": TEXT},
    comment=TEXT,
    startDate=TEXT,
    endDate=TEXT,
    page={**WHOLE, "description": "The page of the results."},
    perPage={**WHOLE, "description": "How many on a page."},
    maxAgeInDays={**WHOLE, "description": "The age in days."},
)


def test_nested_objects_become_slots_by_path_and_lists_stay_whole() -> None:
    parameters = tool(("home",), home=ADDRESS, tags={"type": "array", "items": TEXT}, note=TEXT)
    found = {slot.path: (slot.label, slot.required, slot.kind) for slot in slots(parameters)}

    assert found == {
        ("home", "street"): ("home street", True, "text"),
        ("home", "city"): ("home city", False, "text"),
        ("tags",): ("tags", False, "list"),
        ("note",): ("note", False, "text"),
    }


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("The ip should be example.com; the page should be 2.", {"ip": "example.com", "page": 2}),
        ("Not quite: the page should be 1; the per page should be 10.", {"page": 1, "perPage": 10}),
        ("Show me 20 results per page.", {"perPage": 20}),
        ("Only those of the last 45 days.", {"maxAgeInDays": 45}),
        ("For the category 'DDoS', please.", {"categories": ["DDoS"]}),
        (
            'Report 192.0.2.7 as "brute-force" and "DDoS", with a comment saying "Many logins, all failed."',
            {"ip": "192.0.2.7", "categories": ["brute-force", "DDoS"], "comment": "Many logins, all failed."},
        ),
        (
            "What happened between July 1st and July 7th, 2022 at 10.0.0.2?",
            {"ip": "10.0.0.2", "startDate": "2022-07-01", "endDate": "2022-07-07"},
        ),
        ("The square root of 625 is 25.", {}),
        ("Hello, can you help me?", {}),
    ],
)
def test_values_are_read_out_of_plain_sentences(text: str, values: dict[str, Any]) -> None:
    assert filled(REPORTS, text) == values


def test_of_two_labels_that_end_alike_each_gets_its_own_value() -> None:
    parameters = tool((), date=TEXT, startDate=TEXT)

    assert filled(parameters, "The start date is 2024-05-01 and the date is 2024-06-01.") == {
        "date": "2024-06-01",
        "startDate": "2024-05-01",
    }


def test_a_code_without_digits_is_read_where_it_must_be_one() -> None:
    parameters = tool(("countryCode",), countryCode=TEXT)

    assert filled(parameters, "The country code should be CN.") == {"countryCode": "CN"}
    assert filled(parameters, "My country code is missing.") == {}


def test_a_value_inside_an_object_goes_by_its_own_name_too() -> None:
    parameters = tool((), home=ADDRESS)

    assert filled(parameters, "The home should be street: 5 Mill Lane, city: Leeds.") == {
        "home": {"street": "5 Mill Lane", "city": "Leeds"}
    }


def test_a_list_of_objects_is_read_behind_its_label() -> None:
    entry = {"type": "object", "properties": {"permissionId": TEXT, "permissionName": TEXT}}
    parameters = tool(("roleName",), roleName=TEXT, permissions={"type": "array", "items": entry})
    value = [
        {"permissionId": "edit", "permissionName": "Edit it"},
        {"permissionId": "delete", "permissionName": "Delete it"},
    ]

    assert filled(parameters, f"Not quite: the permissions should be {render(value)}.") == {"permissions": value}


def test_a_name_that_the_description_says_itself_is_no_value() -> None:
    parameters = tool(("query",), query={"type": "string", "description": "The name of a Discord user."})

    assert filled(parameters, "Find a user on Discord for me.") == {}
    assert filled(parameters, 'Find a user called "Bexley" for me.') == {"query": "Bexley"}


def test_a_single_letter_is_a_choice_only_when_it_is_asked_for_or_labelled() -> None:
    parameters = tool((), units={"type": "string", "enum": ["m", "s", "f"]})

    assert filled(parameters, "I'm in town, what's the weather?") == {}
    assert filled(parameters, "The units should be m.") == {"units": "m"}
    assert filled(parameters, "m", asked="units") == {"units": "m"}


def test_an_ordinary_word_that_fits_a_pattern_is_no_code() -> None:
    parameters = tool((), plate={"type": "string", "pattern": "^[a-z]{3,8}$"})

    assert filled(parameters, "I would like some help") == {}
    assert filled(parameters, "The plate is abcxyz.") == {"plate": "abcxyz"}


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("It's Salt Lane.", "Salt Lane"),
        ("The street is Salt Lane.", "Salt Lane"),
        ('Certainly, it\'s "Well, ok. Then stop!".', "Well, ok. Then stop!"),
        ("Of course, my street is 5 Mill Lane.", "5 Mill Lane"),
        ("Salt Lane.", "Salt Lane"),
    ],
)
def test_the_answer_to_a_question_is_read_without_its_lead(said: str, value: str) -> None:
    assert filled(ADDRESS, said, asked="street")["street"] == value


@pytest.mark.parametrize(("said", "value"), [("Yes, please.", True), ("No, thank you.", False)])
def test_a_yes_or_no_answers_a_boolean(said: str, value: bool) -> None:
    assert filled(tool(("gift",), gift={"type": "boolean"}), said, asked="gift") == {"gift": value}


def test_no_stretch_of_text_gives_two_slots_a_value() -> None:
    parameters = tool(("count", "total"), count=WHOLE, total=WHOLE)

    assert len(filled(parameters, "Make it 7.")) == 1


# --- out of results ------------------------------------------------------------------------------------------------


def test_an_id_comes_out_of_a_result_by_name_or_by_the_tool_that_gave_it() -> None:
    slot = slots(tool(("userId",), userId=TEXT))[0]
    hints = frozenset[str]()

    assert from_results(slot, [("whoami", '{"userId": "u7"}')], hints) == "u7"
    assert from_results(slot, [("search_user", '[{"id": "u8"}]')], hints) == "u8"
    assert from_results(slot, [("search_order", '[{"id": "o9"}]')], hints) is None


def test_of_several_records_the_one_that_was_spoken_of_counts() -> None:
    slot = slots(tool(("order",), order=TEXT))[0]
    results = [("list_orders", '[{"order": "A1", "item": "kettle"}, {"order": "A2", "item": "lamp"}]')]

    assert from_results(slot, results, frozenset({"lamp"})) == "A2"
    assert from_results(slot, results, frozenset()) == "A1"


def test_a_plain_number_in_a_result_is_no_wish() -> None:
    slot = slots(tool(("chapter",), chapter=WHOLE))[0]

    assert from_results(slot, [("get_verses", '{"chapter": 3}')], frozenset()) is None


def test_arguments_are_built_by_path() -> None:
    assert assemble({("home", "street"): "5 Mill Lane", ("home", "city"): "Leeds", ("day",): "friday"}) == {
        "home": {"street": "5 Mill Lane", "city": "Leeds"},
        "day": "friday",
    }
