"""Sentences to start from: what may stand in one, and how it is filled in."""

import pytest

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.intake import catalogue, option_editing, option_import
from bugintake.intake.catalogue import SENTENCE_LENGTH, options_of
from bugintake.intake.models import OptionList
from bugintake.intake.option_models import SentenceList
from bugintake.intake.packs import PACKS, install_pack
from bugintake.intake.sentences import said, words_of
from bugintake.team.models import LANGUAGES, Role
from tests.factories import make_option, make_user
from tests.visitors import visit


def add(kind, label, **labels):
    with transaction():
        return catalogue.add_option(kind, label, actor=None, labels=labels)


def refusal(kind, label, **labels):
    with pytest.raises(Invalid) as refused, transaction():
        catalogue.add_option(kind, label, actor=None, labels=labels)
    return refused.value.field, refused.value.sentence


def test_a_sentence_is_filled_in_with_what_each_language_calls_it():
    texts = {"en": "{{ area }} works from {{version}} on.", "de": "{{ area }} geht ab {{ version }}."}
    known = {"area": {"en": "Mail", "de": "Post"}, "version": {"": "4.2"}}

    assert (said(texts, "en", known), said(texts, "de", known)) == ("Mail works from 4.2 on.", "Post geht ab 4.2.")


@pytest.mark.parametrize(
    ("language", "known"),
    [("fr", {"area": {"en": "Mail"}}), ("de", {"area": {"en": "Mail"}}), ("en", {})],
    ids=["no sentence", "no word for the area", "nothing known"],
)
def test_what_one_language_lacks_is_never_said_in_another(language, known):
    assert said({"en": "{{ area }} works.", "de": "{{ area }} geht."}, language, known) == ""


def test_what_stands_in_the_words_of_the_catalogue_is_not_filled_in_once_more():
    assert said({"en": "{{ area }}"}, "en", {"area": {"en": "{{ version }}"}, "version": {"": "1"}}) == "{{ version }}"


def test_a_version_is_called_the_same_in_every_language_and_an_area_is_not(app):
    version, area = make_option(OptionList.VERSION, "4.2"), make_option(OptionList.AREA, "Mail", labels={"de": "Post"})

    assert (words_of(version), words_of(area)) == ({"": "4.2"}, {"en": "Mail", "de": "Post"})


@pytest.mark.parametrize("label", ["{{ customer }} works.", "{{7*7}}", "It is {area}.", "{{ area works.", "So }}"])
def test_what_nobody_fills_in_is_refused(app, label):
    field, sentence = refusal(SentenceList.FIXED, label)

    assert field == "label"
    assert sentence.endswith("There are: {{ area }}, {{ symptom }}, {{ platform }}, {{ version }}.")


def test_a_gap_stands_once_and_in_every_language(app):
    assert refusal(SentenceList.ASKED, "Open … and …?") == ("label", "A sentence has one gap, “…”, at most.")
    assert refusal(SentenceList.ASKED, "Open …?", de="Öffnen?")[0] == "label_de"
    assert refusal(SentenceList.ASKED, "Open it?", de="Öffnen Sie …?")[0] == "label_de"


def test_a_sentence_to_decline_with_never_says_that_it_is_fixed(app):
    assert refusal(SentenceList.DECLINED, "It is fixed elsewhere.")[0] == "label"
    field, sentence = refusal(SentenceList.DECLINED, "Not ours.", de="Das ist behoben.")
    assert (field, sentence.startswith("“behoben” cannot stand in it")) == ("label_de", True)
    assert add(SentenceList.FIXED, "It is fixed.", de="Es ist behoben.").label == "It is fixed."


def test_changing_and_bringing_in_refuse_the_same(app):
    option, lead = add(SentenceList.DECLINED, "Not ours."), make_user()

    with pytest.raises(Invalid, match="“solved” cannot stand in it"), transaction():
        option_editing.edit(option, {"label": "It is solved."}, option_editing.Seen(), actor=lead)
    lines = option_import.plan(SentenceList.DECLINED, "label\tde\nToo risky.\tDas ist gelöst.")
    assert [(line.outcome, line.words[:9]) for line in lines] == [("wrong", "“gelöst” ")]


def test_sentences_are_longer_than_other_choices_and_differ_to_their_end(app):
    long = "x" * (SENTENCE_LENGTH - 1)
    first, second = add(SentenceList.FIXED, long + "1"), add(SentenceList.FIXED, long + "2")

    assert [option.id for option in options_of(SentenceList.FIXED)] == [first.id, second.id]
    assert refusal(SentenceList.FIXED, long + "12") == ("label", "A name has at most 300 characters.")
    assert refusal(OptionList.AREA, "x" * 121) == ("label", "A name has at most 120 characters.")


@pytest.mark.parametrize("name", PACKS)
def test_every_pack_brings_sentences_in_every_language(app, name):
    with transaction():
        install_pack(name, actor=None)

    for kind in SentenceList:
        assert len(options_of(kind)) == 3
        assert {tuple(sorted(option.labels)) for option in options_of(kind)} == {tuple(sorted(LANGUAGES))}


def test_a_lead_adds_a_sentence_on_its_page_and_what_cannot_stand_is_said_at_its_field(app, company):
    visitor = visit(app, make_user(Role.LEAD))

    refused = visitor.post("/admin/catalogue/declined", {"label": "Not ours.", "label_de": "Das ist behoben."})
    visitor.post("/admin/catalogue/declined", {"label": "Not ours.", "label_de": "Nicht von uns."})

    assert refused.status_code == 422
    assert 'aria-describedby="f-label_de-e"' in refused.text
    assert [option.labels for option in options_of(SentenceList.DECLINED)] == [{"de": "Nicht von uns."}]
    assert "Used in 90 days" not in visitor.get("/admin/catalogue/declined").text


def test_an_empty_list_of_sentences_begins_from_a_pack(app, company):
    visit(app, make_user(Role.LEAD)).post("/admin/catalogue/questions/pack", {"pack": "api"})

    assert options_of(SentenceList.ASKED)[0].label == "Does it also happen with something else than {{ platform }}?"
