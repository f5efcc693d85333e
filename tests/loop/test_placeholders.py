"""Placeholders: what is one, what stands in its place, and that a text is never a program (A-33)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugintake.core.errors import Invalid
from bugintake.loop import placeholders

KNOWN = ("first_name", "note")
TEXT = st.text(st.sampled_from("{}|_ a\nb7*{}") | st.characters()) | st.lists(
    st.sampled_from(["{{ note }}", "{{note|}}", "{{ first_name | there }}", "{{", "}}", "{", "}", "\n\n", "a", "|"])
).map("".join)
VALUES = st.fixed_dictionaries({name: st.text().filter(lambda text: not set("{}") & set(text)) for name in KNOWN})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello {{ first_name }},", "Hello Hana,"),
        ("Hello {{first_name|there}},", "Hello Hana,"),
        ("It is {{ days | a while }} ago.", "It is a while ago."),
        ("{{ note }}", "…"),
        ("One\n{{ note | }}\nTwo", "One\nTwo"),
        ("One {{ note | }}two", "One two"),
    ],
)
def test_a_placeholder_is_what_there_is_else_what_stands_there_otherwise(text, said):
    assert placeholders.fill(text, {"first_name": "Hana", "note": ""}) == said


def test_what_is_put_in_is_never_read_again():
    assert placeholders.fill("{{ note }}", {"note": "{{ first_name }}", "first_name": "Hana"}) == "{{ first_name }}"


def test_what_is_missing_and_what_is_replaced_is_named_once_each():
    text = "{{ note }} {{ note }} {{ days | some }} {{ first_name }}"
    values = {"first_name": "Hana", "days": ""}
    assert placeholders.names_in(text) == ["note", "days", "first_name"]
    assert placeholders.missing_in(text, values) == ["note"]
    assert placeholders.replaced_in(text, values) == ["days"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{{7*7}}", "“{{7*7}}”"),
        ("{{ note.__class__ }}", "“{{ note.__class__ }}”"),
        ("Hello {{ first_name,", "“{{ first_name,”"),
        ("Hello first_name }},", "“}}”"),
        ("{% if note %}", "“{% if note %}”"),
        ("{{ note | {{ first_name }} }}", "“{{ note |"),
        ("{{ report_url }}", "no {{ report_url }} in this text. There are first_name, note."),
    ],
)
def test_what_is_no_placeholder_is_refused_with_its_words(text, named):
    with pytest.raises(Invalid) as refusal:
        placeholders.check(text, KNOWN, "body")
    assert (named in refusal.value.sentence, refusal.value.field) == (True, "body")


@given(TEXT, VALUES)
def test_a_text_that_is_taken_never_shows_a_brace_and_one_that_is_not_is_refused_in_words(text, values):
    try:
        placeholders.check(text, KNOWN, "body")
    except Invalid as refusal:
        assert refusal.sentence.endswith(("there }}.", "note."))
    else:
        said = placeholders.fill(text, values)
        assert not set("{}") & set(said)
        assert bool(placeholders.missing_in(text, values)) <= ("…" in said)


def test_a_text_is_parted_at_its_empty_lines():
    assert placeholders.paragraphs("\nOne\ntwo\n \n\n{{ note }}\n") == ["One\ntwo", "{{ note }}"]
    assert [placeholders.alone(each) for each in ("One {{ note }}", " {{ note | x }} ")] == ["", "note"]
    assert placeholders.paragraphs(" \n ") == []
