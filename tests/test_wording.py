import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.language.wording import (
    asks,
    forms,
    humanize,
    leaves,
    normal,
    number_words,
    past_participle,
    scalar,
    sentences,
    stem,
    stems,
    values,
    verb,
    words,
)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reschedule_delivery", "reschedule delivery"),
        ("rescheduleDelivery", "reschedule delivery"),
        ("getHTTPStatus", "get http status"),
        ("pickup-point", "pickup point"),
        ("orders.A1042", "orders a1042"),
        ("", ""),
    ],
)
def test_names_become_words(name, said):
    assert humanize(name) == said


def test_words_are_lower_case_and_keep_apostrophes():
    assert words("I don\u2019t KNOW, A1042!") == ("i", "don't", "know", "a1042")


@pytest.mark.parametrize(
    "family",
    [
        "reschedule rescheduled rescheduling reschedules",
        "cancel cancelled canceled cancelling cancels cancellation",
        "book booked booking bookings books",
        "pay paid paying payment payments",
        "send sent sending sends",
        "modify modified modifies",
        "apply applied applies",
        "activate activated activation",
        "create created creation",
        "delivery deliveries",
        "order orders ordered",
        "process processed processes",
        "withdraw withdrew withdrawn",
    ],
)
def test_the_forms_of_a_word_share_a_stem(family):
    assert len({stem(word) for word in family.split()}) == 1


@pytest.mark.parametrize(
    "pair", ["order orbit", "book boot", "cancel candle", "pay play", "refund refuse", "move more"]
)
def test_different_words_have_different_stems(pair):
    one, other = pair.split()
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    ("base", "participle"),
    [
        *(("book", "booked"), ("cancel", "cancelled"), ("move", "moved"), ("modify", "modified"), ("ship", "shipped")),
        *(("send", "sent"), ("set", "set"), ("pay", "paid"), ("open", "opened"), ("withdraw", "withdrawn")),
        *(("display", "displayed"), ("log", "logged"), ("write", "written")),
    ],
)
def test_past_participles(base, participle):
    assert past_participle(base) == participle


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12))
def test_a_verb_and_its_participle_are_never_empty(word):
    assert past_participle(word)
    assert stem(word)


@pytest.mark.parametrize(
    ("name", "action"),
    [("cancel_order", "cancel"), ("parcel_cancel", "cancel"), ("weather", "weather"), ("createReminder", "create")],
)
def test_the_verb_in_a_tools_name(name, action):
    assert verb(name) == action


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Order A1042 and TRK-2024-001.", ["A1042", "TRK-2024-001"]),
        ("It costs $1,200.00, or 12.5.", ["1,200.00", "12.5"]),
        ("On 2026-03-06T10:00:00Z", ["2026-03-06T10:00:00Z"]),
        ("May 3rd, 2026 or 3 March", ["May 3rd, 2026", "3 March"]),
        ("at 3pm or 15:30", ["3pm", "15:30"]),
        ("mara.lind@example.com, please", ["mara.lind@example.com"]),
        ("See https://example.com/a?b=1.", ["https://example.com/a?b=1"]),
        ("10.0.0.1 is up", ["10.0.0.1"]),
        ("Call +44 20 7946 0958 now", ["+44 20 7946 0958"]),
        ('{"order": "A1042", "n": 2}', ["A1042", "2"]),
        ("I may come.", []),
        ("PLUM-88", ["PLUM-88"]),
    ],
)
def test_values_of_a_text(text, found):
    assert list(values(text)) == found


@pytest.mark.parametrize(
    "alike",
    [
        ["$1,200.00", "1200", "1200.0", "1,200"],
        ["3pm", "15:00", "3:00 PM", "3 p.m."],
        ["May 3rd, 2026", "3 May 2026", "2026-05-03", "3rd of May 2026"],
        ["A1042", "a1042", "#A1042", "A1042."],
        ["three", "3", "3rd"],
        ["20%", "20"],
        ["+44 20 7946 0958", "+442079460958"],
        ["12.50 EUR", "12.5", "\u20ac12.50"],
    ],
)
def test_values_that_mean_the_same_are_written_alike(alike):
    assert len({normal(value) for value in alike}) == 1


def test_values_that_differ_are_not_written_alike():
    assert len({normal(value) for value in ["12", "12.5", "120", "A12", "12:00", "2026-05-12", "May 12"]}) == 7


def test_a_date_may_be_said_without_its_year_and_a_stamp_by_its_parts():
    assert {"2026-05-03", normal("3 May"), "10:00"} <= forms("2026-05-03T10:00:00")


def test_spelled_numbers():
    assert number_words("Twenty-one bottles, two hundred glasses and a dozen cups") == (21, 200, 12)


def test_sentences_end_at_their_marks():
    text = "Dr. Who is here. It costs 3.50 euros. Are you ok? yes\nFine!"
    assert sentences(text) == ("Dr. Who is here.", "It costs 3.50 euros.", "Are you ok?", "yes", "Fine!")


def test_a_question_ends_with_its_mark():
    assert asks('Is it "here?"')
    assert not asks("It is here.")


def test_leaves_and_scalars():
    assert list(leaves({"a": [1, {"b": True}], "c": None})) == [1, True, None]
    assert [scalar(value) for value in (True, False, None, 3.0, 2.5, "x")] == ["yes", "no", "", "3", "2.5", "x"]


@given(st.text(max_size=120))
def test_no_text_is_too_odd_to_read(text):
    assert words(text) is not None
    assert stems(text) is not None
    assert all(value in text for value in values(text))
    assert forms(text) >= {normal(value) for value in values(text)}
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@given(st.text(max_size=30))
def test_writing_a_value_alike_twice_changes_nothing(text):
    assert normal(normal(text)) == normal(text)
