"""GitHub's issue forms: every field read right, every mistake named with its line."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugintake.core.errors import Invalid
from bugintake.intake import github_forms
from bugintake.intake.github_forms import LARGEST, FormField, GitHubForm, read, write

FORM = """\
name: Bug
description: Tell us
labels: []
body:
  - type: markdown
    attributes: {value: Thanks}
  - type: dropdown
    id: python
    attributes:
      label: Python
      multiple: true
      options: [3.9, 3.10, no]
      default: 1
    validations:
      required: true
"""


def without_lines(form):
    return [replace(each, line=0) for each in form.fields]


def test_all_fields_of_the_shared_forms_are_read_right(shared):
    folder = shared / "data" / "issue_forms"
    right = wrong = 0
    for entry in json.loads((folder / "index.json").read_text()):
        form = read((folder / entry["file"]).read_text())
        expected = [
            FormField(
                type=each["type"],
                id=each["id"],
                label=each["label"],
                required=each["required"],
                options=each.get("options", []),
                required_options=each.get("required_options", []),
                multiple=each.get("multiple", False),
                default=each.get("default_index"),
            )
            for each in entry["expected"]["fields"]
        ]
        assert form.name == entry["expected"]["name"]
        assert without_lines(read(write(form))) == expected
        same = [one == other for one, other in zip(without_lines(form), expected, strict=True)]
        right, wrong = right + same.count(True), wrong + same.count(False)
    assert (right, wrong) == (196, 0)


def test_words_stay_as_they_are_written():
    [field] = read(FORM).fields

    assert (field.id, field.label, field.required, field.multiple) == ("python", "Python", True, True)
    assert (field.options, field.default, field.line) == (["3.9", "3.10", "no"], 1, 7)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("dropdown", "slider", "Line 7: no field of the type “slider” is known"),
        ("    id: python", "   id: python", "Line 8: expected <block end>"),
        ("label: Python", "label: [Python", "Line 11: expected ',' or ']'"),
        ("label: Python", "title: Python", "Line 7: “label” is missing."),
        ("label: Python", "label: [Python]", "Line 10: here stands a list"),
        ("required: true", "required: maybe", "Line 15: this is true or false."),
        ("default: 1", "default: 3", "Line 13: the default is a number from 0 to 2."),
        ("default: 1", "options: [x]", "Line 13: “options” stands here twice."),
        ("[3.9, 3.10, no]", "[]", "Line 12: options is a list with at least one item."),
        ("[3.9, 3.10, no]", "*all", "Line 12: aliases (*all) are not read."),
        ("body:", "parts:", "Line 1: there is no body, so this is no form."),
        ("Tell us", "Tell\x07us", "Line 2: a character that YAML does not allow."),
        (FORM, "", "Line 1: the file is empty."),
        (FORM, "- a list", "Line 1: A form is made of names and values."),
        (FORM, "a: 1\n---\nb: 2", "Line 2: but found another document."),
        (FORM, "[" * 5000, "Line 1: nested deeper than 20 levels."),
        (FORM, "x" * (LARGEST + 1), "A form has at most 60,000 characters."),
    ],
)
def test_what_makes_no_form_is_refused_with_its_line(old, new, sentence):
    with pytest.raises(Invalid) as refused:
        read(FORM.replace(old, new, 1))
    assert refused.value.sentence[: len(sentence)] == sentence


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(Invalid, match=r"Line 2: aliases \(\*a0\) are not read"):
        read("\n".join(rows))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"name: x\nbody: \xff", "Line 2: a character that is no UTF-8."),
        (b"x" * (4 * LARGEST + 1), "A form has at most 60,000 characters."),
    ],
)
def test_a_file_that_is_no_text_is_refused(content, sentence):
    with pytest.raises(Invalid) as refused:
        github_forms.decoded(content)
    assert refused.value.sentence == sentence


WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30)


@st.composite
def fields(draw):
    kind = draw(st.sampled_from(["textarea", "input", "dropdown", "checkboxes"]))
    options = draw(st.lists(WORDS, min_size=1, max_size=4)) if kind in ("dropdown", "checkboxes") else []
    places = st.sampled_from(range(len(options))) if options else st.nothing()
    return FormField(
        type=kind,
        label=draw(WORDS),
        id=draw(st.none() | WORDS),
        required=draw(st.booleans()),
        options=options,
        required_options=sorted(draw(st.sets(places))) if kind == "checkboxes" else [],
        multiple=draw(st.booleans()) if kind == "dropdown" else False,
        default=draw(st.none() | places) if kind == "dropdown" else None,
    )


@given(st.lists(fields(), min_size=1, max_size=5), WORDS)
def test_what_is_written_reads_back_as_the_same(made, name):
    form = read(write(GitHubForm(name=name, fields=made)))

    assert (form.name, without_lines(form)) == (name, made)


@given(st.text(max_size=300))
def test_no_text_does_more_than_be_refused(text):
    try:
        read(text)
    except Invalid as refusal:
        assert refusal.field == "file"


def test_a_default_of_thousands_of_digits_is_refused_with_its_line():
    text = "body:\n  - type: dropdown\n    attributes: {label: A, options: [x], default: %s}" % ("9" * 5000)

    with pytest.raises(Invalid) as refusal:
        github_forms.read(text)

    assert refusal.value.sentence == "Line 3: the default is a number from 0 to 0."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "body:\n" + "  - {type: input, attributes: {label: A}}\n" * 101,
            "Line 102: body is a list with at most 100 items.",
        ),
        (
            "body:\n  - type: dropdown\n    attributes:\n      label: A\n      options:\n" + "        - x\n" * 201,
            "Line 206: options is a list with at most 200 items.",
        ),
    ],
)
def test_more_fields_or_options_than_anybody_can_answer_are_refused(text, sentence):
    with pytest.raises(Invalid) as refusal:
        github_forms.read(text)

    assert refusal.value.sentence == sentence
