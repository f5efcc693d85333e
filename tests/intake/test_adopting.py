"""Taking a GitHub form over: what its fields become, by command and by page, once or twice."""

import html
import io
import json
import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.intake import adopting, catalogue, further_lists, github_forms
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Option, OptionList
from bugintake.team.models import Role
from tests.factories import make_list, make_user
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

FORM = """\
name: Bug report
description: x
body:
  - {type: textarea, id: what, attributes: {label: "What happened?"}}
  - {type: textarea, attributes: {label: Steps to reproduce}}
  - {type: textarea, attributes: {label: "Expected behaviour"}}
  - {type: textarea, attributes: {label: Logs}}
  - {type: dropdown, id: os, attributes: {label: Operating system, options: [Firefox, Haiku]}}
  - {type: dropdown, id: ui-theme, attributes: {label: "**Theme**", options: [Dark, "[Light](https://x.test)"]}}
  - {type: input, attributes: {label: Proxy}, validations: {required: true}}
  - {type: checkboxes, attributes: {label: Checklist, options: [{label: I searched, required: true}]}}
"""
TARGETS = ["actual", "steps", "expected", "out", "platform", "list", "list", "list"]


@pytest.fixture
def lead(app, company):
    """A lead's browser."""
    return visit(app, make_user(Role.LEAD, "Petra Lead"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "bug.yml"
    path.write_text(FORM)
    return path


def state():
    """Read all lists and choices there are."""
    lists = sa.select(FurtherList.name, FurtherList.label, FurtherList.is_required, FurtherList.grows)
    options = sa.select(Option.list, Option.label).order_by(Option.list, Option.position)
    return db.session.execute(lists).all(), db.session.execute(options).all()


def take_over(text, wanted=None):
    with transaction():
        adopting.adopt(adopting.proposals(github_forms.read(text), wanted), actor=None)


def test_texts_lists_and_inputs_find_their_place(company):
    found = adopting.proposals(github_forms.read(FORM))

    assert [each.target for each in found] == TARGETS
    assert [each.outcome for each in found] == [
        "Asked already, as “What happened”.",
        "Asked already, as “Steps to see it”.",
        "Asked already, as “What should have happened”.",
        "Left out: the form has three texts, and this is none of them.",
        "Asked already, as “Platform”: 1 new choice.",
        "A new list, optional, 2 new choices.",
        "A new list, required, grows by what is not listed.",
        "A new list, required, 1 new choice.",
    ]


def test_a_form_taken_over_twice_changes_nothing_the_second_time(company):
    take_over(FORM)

    lists, options = once = state()
    assert lists == [
        ("ui-theme", "Theme", False, False),
        ("proxy", "Proxy", True, True),
        ("checklist", "Checklist", True, False),
    ]
    assert [label for kind, label in options if kind in ("ui-theme", "checklist")] == ["I searched", "Dark", "Light"]
    assert catalogue.option_labelled(OptionList.PLATFORM, "Haiku") is not None
    take_over(FORM)
    assert state() == once


def test_a_person_may_choose_otherwise(company):
    take_over(FORM, {4: "list", 5: "list", 6: "out", 7: "version", 8: "out"})

    assert [each.name for each in further_lists.lists()] == ["logs", "os"]
    for wanted in ({9: "list"}, {0: "out"}, {1: "decline_reason"}):
        with pytest.raises(Invalid):
            adopting.proposals(github_forms.read(FORM), wanted)


def test_two_fields_of_one_name_share_a_list(company):
    box = "{type: dropdown, attributes: {label: Theme, options: [%s]}}"
    take_over(f"body: [{box % 'Dark, Light'}, {box % 'Light, Grey'}]")

    assert [option.label for option in catalogue.options_of("theme")] == ["Dark", "Light", "Grey"]


def test_a_retired_list_stays_retired(company):
    make_list("Theme", "Dark")
    with transaction():
        further_lists.retire_list(further_lists.list_named("theme"), actor=make_user())
    found = adopting.proposals(github_forms.read(FORM))[5]

    assert found.outcome == "Known as “Theme”, which is retired and stays so."


def test_labels_lose_their_markup_and_what_their_column_cannot_hold(company):
    assert (
        adopting.plain("I read the [**policy**](https://x.test/a_b) and `x_y` _now_") == "I read the policy and x_y now"
    )
    assert adopting.plain("word " * 40) == ("word " * 40)[:119] + "…"


def test_what_is_given_out_and_taken_back_is_the_same_form(company):
    take_over(FORM)
    before, given = state(), github_forms.write(adopting.our_form())

    take_over(given)

    assert state() == before
    assert github_forms.write(adopting.our_form()) == given
    fields = {each.id: each for each in github_forms.read(given).fields}
    assert list(fields) == [
        *("area", "symptom", "impact", "frequency", "platform", "version"),
        *("ui-theme", "proxy", "checklist", "steps", "actual", "expected"),
    ]
    theme, proxy = fields["ui-theme"], fields["proxy"]
    assert (theme.type, theme.label, theme.required, theme.options) == ("dropdown", "Theme", False, ["Dark", "Light"])
    assert (proxy.type, proxy.label, proxy.required) == ("input", "Proxy", True)


def test_every_shared_form_is_taken_over_and_a_second_time_changes_nothing(company, shared):
    for path in sorted((shared / "data" / "issue_forms").glob("*.yml")):
        take_over(path.read_text())
        once = state()
        take_over(path.read_text())
        assert state() == once, path.name


def test_the_command_takes_a_form_over_or_only_says_so(app, company, file):
    run = app.test_cli_runner()
    before = state()
    dry = run.invoke(args=["import", "form", str(file), "--dry-run", "--json"])
    found = json.loads(dry.stdout)
    assert [each["target"] for each in found["fields"]] == TARGETS
    assert (found["dry_run"], found["fields"][4]["options"], found["fields"][4]["new"]) == (
        True,
        ["Firefox", "Haiku"],
        ["Haiku"],
    )
    assert state() == before

    done = run.invoke(args=["import", "form", str(file), "--as", "6=out"])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "Done. What was there already stays as it was.")
    assert [each.name for each in further_lists.lists()] == ["proxy", "checklist"]
    shown = run.invoke(args=["export-form"])
    assert [each.id for each in github_forms.read(shown.stdout).fields][6:8] == ["proxy", "checklist"]


def test_the_command_says_what_is_wrong_and_imports_nothing(app, company, file):
    run = app.test_cli_runner()
    file.write_text(FORM.replace("checkboxes", "slider"))
    before = state()

    broken = run.invoke(args=["import", "form", str(file)])
    types = "markdown, textarea, input, dropdown, checkboxes"
    sentence = f"Error: Line 11: no field of the type “slider” is known; there are {types}.\n"
    assert (broken.exit_code, broken.stderr) == (1, sentence)
    for wanted in ("6", "x=out", "6=sideways"):
        assert run.invoke(args=["import", "form", str(file), "--as", wanted]).exit_code == 2
    assert state() == before


def test_a_form_comes_whole_with_a_request_that_is_answered_again(lead, deadlock):
    ended = deadlock("options")

    sent = {"file": (io.BytesIO(FORM.encode()), "bug.yml"), "confirmed": "1"}

    assert lead.post("/admin/catalogue/form", sent).status_code == 303
    assert ended == ["options"]


def test_the_page_shows_what_would_change_and_then_does_it(lead):
    before = state()
    page = lead.post("/admin/catalogue/form", {"file": (io.BytesIO(FORM.encode()), "bug.yml")})
    assert page.status_code == 200
    assert re.findall(r'<option value="(\w+)" selected', page.text) == TARGETS
    assert state() == before

    again = lead.post("/admin/catalogue/form", {"text": FORM, "target_6": "out"})
    assert re.findall(r'<option value="(\w+)" selected', again.text)[5] == "out"
    answer = lead.post("/admin/catalogue/form", {"text": FORM, "target_6": "out", "confirmed": "1"})
    assert (answer.status_code, answer.location) == (303, "/admin/catalogue/lists")
    assert [each.name for each in further_lists.lists()] == ["proxy", "checklist"]
    given = lead.get("/admin/catalogue/form.yml")
    assert github_forms.read(given.text).fields[6].id == "proxy"


def test_the_page_names_the_line_and_keeps_the_text(lead):
    before = state()
    for text, sentence in ((FORM.replace("checkboxes", "slider"), "Line 11: "), ("", "Line 1: the file is empty.")):
        page = lead.post("/admin/catalogue/form", {"text": text, "confirmed": "1"})
        assert page.status_code == 422
        assert f"</span>{sentence}" in page.text
        assert f"\n{text}</textarea>" in html.unescape(page.text)
    assert state() == before


def test_a_preview_waits_for_nobody_who_writes_and_writes_nothing(lead):
    before = state()
    with transaction():
        db.session.execute(sa.text("UPDATE options SET hint = hint"))
        page = lead.post("/admin/catalogue/form", data={"text": FORM})

    assert (page.status_code, state()) == (200, before)


def test_of_an_endless_label_only_the_beginning_is_looked_at(app):
    brackets = "[" * 59_000
    form = github_forms.read(f"body: [{{type: input, attributes: {{label: '{brackets}'}}}}]")

    assert adopting.plain("*" * adopting.LONGEST + "Theme") == ""
    assert [each.label for each in adopting.proposals(form)] == ["[" * (catalogue.LABEL_LENGTH - 1) + "…"]


def test_a_field_that_takes_several_says_that_a_list_takes_one(company):
    several = """\
name: Bug
description: x
body:
  - {type: dropdown, attributes: {label: Browsers, multiple: true, options: [Firefox, Edge]}}
  - {type: checkboxes, attributes: {label: Affects, options: [{label: Web}, {label: Phone}]}}
  - {type: checkboxes, attributes: {label: Checklist, options: [{label: I searched}]}}
"""
    found = adopting.proposals(github_forms.read(several), {1: "list"})

    assert [each.outcome.endswith(adopting.ONE_OF_SEVERAL) for each in found] == [True, True, False]
    left_out = adopting.proposals(github_forms.read(several), {1: "out"})
    assert adopting.ONE_OF_SEVERAL not in left_out[0].outcome
