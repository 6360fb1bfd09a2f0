"""Paths into a state: one reading of them wherever a state is read, set up, changed or checked."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.records import Change
from tertulia.state_paths import along, apply, changed, look_up, put

STATE: dict[str, Any] = {
    "mail": {"a.b@c.org": {"open": True, "tags": ["x", "y"]}},
    "old": 1,
    "a": {"b": {"d": 1}},
    "a.b": {"c": 2},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("old", 1),
        ("mail.a.b@c.org.open", True),
        ("mail.a.b@c.org.tags.1", "y"),
        ("a.b.c", 2),  # only a key with a dot leads there
        ("a.b.d", 1),
    ],
)
def test_a_path_leads_to_its_value_through_keys_with_dots_too(path, value):
    assert look_up(STATE, path) == value


@pytest.mark.parametrize(
    ("path", "step"), [("nowhere", "nowhere"), ("mail.x.y", "x"), ("old.z", "z"), ("mail.a.b@c.org.tags.2", "2")]
)
def test_the_first_step_that_is_not_there_is_named(path, step):
    with pytest.raises(KeyError, match=f"'{step}'"):
        look_up(STATE, path)


def test_what_is_there_is_told_from_what_is_not():
    assert along(STATE, "mail.a.b@c.org.shut.since") == (["mail", "a.b@c.org"], ["shut", "since"])


def test_values_are_set_where_they_are_found_and_new_keys_where_their_parent_is():
    state = deepcopy(STATE)
    put(state, "mail.a.b@c.org.open", False)
    put(state, "mail.a.b@c.org.tags.0", "z")
    put(state, "mail.new", {})

    assert state["mail"] == {"a.b@c.org": {"open": False, "tags": ["z", "y"]}, "new": {}}


@pytest.mark.parametrize("path", ["nobody.day", "mail.x.y", "old.z", "mail.a.b@c.org.tags.2"])
def test_nothing_is_set_where_there_is_no_parent(path):
    state = deepcopy(STATE)
    with pytest.raises(KeyError):
        put(state, path, 1)

    assert state == STATE


def test_a_change_may_bring_a_new_key_with_dots_and_take_one_away():
    state = deepcopy(STATE)
    apply(state, Change(path="mail.x.y@z.org", after={"open": True}))
    apply(state, Change(path="mail.a.b@c.org", before={}, after=None))

    assert state["mail"] == {"x.y@z.org": {"open": True}}


trees = st.recursive(
    st.integers() | st.booleans() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "x@y.org", "1"]), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), trees, max_size=3),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), trees, max_size=3),
)
def test_the_changes_between_two_states_lead_from_one_to_the_other(before, after):
    state = deepcopy(before)
    for change in changed(before, after):
        apply(state, change)

    assert state == after
    for change in changed(before, after):
        if change.after is not None:
            assert look_up(after, change.path) == change.after
