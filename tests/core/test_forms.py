"""What a form carries of the page it was on, so that nothing is overwritten unseen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugintake.core.errors import Stale
from bugintake.core.forms import Seen, fingerprint

VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()))


def seen_of(shown):
    """What a form carries of a page that showed this."""
    return Seen.on({f"seen_{name}": fingerprint(value) for name, value in shown.items()})


def test_what_was_not_touched_is_not_written_over_what_came_since():
    assert seen_of({"a": 1, "b": 2}).changes({"a": 7, "b": 2}, {"a": 1, "b": 3}) == {"b": 3}


def test_the_same_word_of_two_people_is_no_clash():
    assert seen_of({"a": 1}).changes({"a": 7}, {"a": 7}) == {}


def test_a_field_that_two_people_changed_is_refused_with_both_values():
    with pytest.raises(Stale) as refused:
        seen_of({"a": 1, "b": 1}).changes({"a": 7, "b": 1}, {"a": 8, "b": 2}, lambda name: f"Jonas, {name}")

    assert [(c.name, c.theirs, c.mine, c.who, c.seen) for c in refused.value.clashes] == [
        ("a", 7, 8, "Jonas, a", fingerprint(7))
    ]


def test_what_is_kept_of_others_is_not_written_and_the_rest_is():
    seen = Seen.on({"seen_a": fingerprint(7), "seen_b": fingerprint(1), "keep": "a"})

    assert seen.changes({"a": 7, "b": 1}, {"a": 8, "b": 2}) == {"b": 2}


def test_a_field_that_no_page_showed_is_taken_as_typed():
    assert Seen().changes({"a": 7}, {"a": 8}) == {"a": 8}


@given(VALUES, VALUES, VALUES)
def test_nothing_is_written_over_a_value_that_was_not_on_the_page(shown, now, typed):
    try:
        written = seen_of({"a": shown}).changes({"a": now}, {"a": typed})
    except Stale:
        written = {}

    assert written == {} or fingerprint(now) == fingerprint(shown)
