"""Words that start from a sentence of the catalogue: filled in for the bug, and finished by a person."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from wtforms import Field, SelectField, ValidationError

from bugintake.core.db import db
from bugintake.core.forms import Form, LineField
from bugintake.intake import catalogue, sentences
from bugintake.intake.models import Bug, Option, Report, SettledBy
from bugintake.intake.option_models import SentenceList
from bugintake.intake.sentences import GAP, Known

OF_BUGS, OF_REPORTS = ("area", "symptom"), ("platform", "version")


class Starting(Form):
    """The choice of a sentence, and the few words that stand for its gap.

    What a sentence says of the bug is `known`, or depends on what is chosen in the field `chosen_in`.
    """

    sentence = SelectField("Start from a sentence", choices=[], validate_choice=False)
    gap = LineField(f"What stands for “{GAP}”")
    sentences: Mapping[str, Mapping[str, str]] = {}  # the texts by language of each that can be filled in, by its id
    known: Known = {}
    chosen_in = ""
    known_by_choice: Mapping[str, Known] = {}
    lacks_gap = False

    def started(self) -> Mapping[str, Field]:
        """Return the fields that a sentence fills, by language."""
        raise NotImplementedError

    def known_words(self) -> str:
        """Say what is known whatever is chosen, as the page reads it."""
        return json.dumps(self.known)

    def known_now(self) -> Known:
        """Say what a sentence can be filled in with, as the form was sent."""
        return {**self.known, **self.known_by_choice.get(str(self[self.chosen_in].data) if self.chosen_in else "", {})}

    def offer(self, kind: SentenceList, known: Known, chosen_in: str = "", **by_choice: Known) -> None:
        """List the sentences whose words about the bug are known, or will be once `chosen_in` is chosen; and start."""
        self.known, self.chosen_in, self.known_by_choice = known, chosen_in, by_choice
        named = set(known) | {name for each in by_choice.values() for name in each}
        options = [each for each in catalogue.options_of(kind) if sentences.names_in(each.label) <= named]
        self.sentences = {str(each.id): sentences.texts_of(each) for each in options}
        self.sentence.choices = [("", "None: begin with an empty field"), *map(self._row, options)]
        if by_choice:
            field = self[chosen_in]
            field.choices = [_with_words(choice, by_choice) for choice in field.choices]
        self._start()

    def wordings(self) -> dict[str, str]:
        """Return the chosen sentence in each language it is said in, as finished; nothing where somebody edited it."""
        texts = self.sentences.get(self.sentence.data or "", {})
        said = {language: sentences.said(texts, language, self.known_now()) for language in texts}
        whole = {language: text.replace(GAP, self.gap.data or GAP) for language, text in said.items() if text}
        is_as_chosen = all(field.data == whole.get(language) for language, field in self.started().items())
        return whole if is_as_chosen else {}

    def validate_gap(self, _field: Field) -> None:
        """Ask for the words that finish the sentence."""
        if self.lacks_gap:
            raise ValidationError(f"Write what stands for “{GAP}” in the sentence.")

    def _start(self) -> None:
        """Fill what is empty, or as unfinished as the page left it, from the chosen sentence."""
        texts = self.sentences.get(self.sentence.data or "", {})
        for language, field in self.started().items() if texts else ():
            text = sentences.said(texts, language, self.known_now())
            if text and field.data in (None, "", text):
                self.lacks_gap = self.lacks_gap or (GAP in text and not self.gap.data)
                field.data = text.replace(GAP, self.gap.data or GAP)

    def _row(self, option: Option) -> tuple[str, str, dict[str, str]]:
        texts = sentences.texts_of(option)
        shown = sentences.said(texts, "en", self.known) or option.label
        aliases = {"data-a": ",".join(option.aliases)} if option.aliases else {}
        return (str(option.id), shown, {**aliases, "data-words": json.dumps(texts)})


def known_of(bugs: Sequence[Bug]) -> dict[str, Mapping[str, str]]:
    """Say what the catalogue knows of some bugs in each language, as far as it is the same of all their reports."""
    part = aliased(Bug)
    ids = [getattr(Report, f"{name}_id") for name in OF_REPORTS]
    query = sa.select(*(outermost(each) for each in ids for outermost in (sa.func.min, sa.func.max)))
    query = query.join(part, part.id == Report.bug_id).where(part.canonical_id.in_([bug.id for bug in bugs]))
    query = query.where(sa.or_(Report.settled_by.is_(None), Report.settled_by != SettledBy.WITHDRAWN))
    least_p, most_p, least_v, most_v = db.session.execute(query).one()
    found = {name: {getattr(bug, f"{name}_id") for bug in bugs} for name in OF_BUGS}
    found |= {"platform": {least_p, most_p}, "version": {least_v, most_v}}
    same = {name: each.pop() for name, each in found.items() if len(each) == 1}
    return _words({name: db.session.get(Option, key) for name, key in same.items() if key is not None})


def known_of_report(report: Report) -> dict[str, Mapping[str, str]]:
    """Say what the catalogue knows of one report in each language."""
    return _words({name: getattr(report, name) for name in OF_REPORTS})


def _words(options: Mapping[str, Option | None]) -> dict[str, Mapping[str, str]]:
    known = {name: option for name, option in options.items() if option is not None and not option.is_unsure}
    return {name: sentences.words_of(option) for name, option in known.items()}


def _with_words(choice: Any, by_choice: Mapping[str, Known]) -> Any:
    value, label, *attributes = choice
    known = {"data-words": json.dumps(by_choice[value])} if value in by_choice else {}
    return (value, label, {**(attributes[0] if attributes else {}), **known})
