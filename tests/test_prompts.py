"""Prompts are filled in one pass, can be read back by programs, and only grow at their end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.errors import PartError
from tertulia.models.prompts import BEGIN, block, blocks, chat, fill_prompt, lines

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.text(), st.text())
def test_what_is_put_into_a_prompt_is_not_looked_at_again(first: str, second: str) -> None:
    values = {"first": f"x{first}", "second": f"x{second} {{{{first}}}}"}

    assert fill_prompt("A {{first}} B {{second}} C", values) == f"A x{first} B x{second} {{{{first}}}} C"


def test_braces_of_json_in_a_prompt_stay_as_they_are() -> None:
    assert fill_prompt('Answer {"a": {"b": {{value}}}}', {"value": "1"}) == 'Answer {"a": {"b": 1}}'


def test_a_paragraph_whose_values_are_all_empty_is_left_out() -> None:
    text = "Always here.\n\nOnly with facts:\n{{facts}}\n\n{{tools}}\n\nThe end, {{name}}."

    assert fill_prompt(text, {"facts": "", "tools": "", "name": "Ada"}) == "Always here.\n\nThe end, Ada."


def test_a_name_without_value_and_a_value_without_name_are_errors_that_name_it() -> None:
    with pytest.raises(PartError, match="'missing', which has no value"):
        fill_prompt("{{missing}}", {})
    with pytest.raises(PartError, match="does not name 'spare'"):
        fill_prompt("nothing", {"spare": "x"})


@given(st.dictionaries(st.sampled_from(["facts", "you", "plan", "wants"]), JSON.filter(bool)))
def test_blocks_are_read_back_whatever_they_hold(values: dict[str, Any]) -> None:
    text = "\n\n".join(f"Some words.\n\n{block(name, value)}" for name, value in values.items())

    assert blocks(text) == values


@given(st.lists(JSON.filter(lambda value: value is not None)))
def test_a_transcript_is_read_back_line_by_line(values: list[Any]) -> None:
    assert blocks(lines("transcript", values)) == {"transcript": values}


def test_a_transcript_grows_at_its_end_alone() -> None:
    said = [{"speaker": "a", "says": f"line {nth}"} for nth in range(5)]
    shorter, longer = lines("transcript", said[:4]), lines("transcript", said)

    assert longer.startswith(shorter.removesuffix("</transcript>"))


def test_whoever_speaks_first_is_told_to_begin_so_that_roles_alternate() -> None:
    own = {"role": "assistant", "content": "Hello, my parcel is late."}
    heard = {"role": "user", "content": "Hello."}

    assert [m["content"] for m in chat("S", [own])] == ["S", BEGIN, own["content"]]
    assert [m["content"] for m in chat("S", [heard, own])] == ["S", "Hello.", own["content"]]
    assert [m["role"] for m in chat("S", [])] == ["system", "user"]
