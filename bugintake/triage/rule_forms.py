"""What a lead may type of a rule of triage."""

from collections.abc import Mapping, Sequence

from wtforms import HiddenField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs do not know it yet

from bugintake.core.errors import Invalid
from bugintake.core.forms import Form, LineField
from bugintake.intake import catalogue
from bugintake.intake.models import Option, OptionList
from bugintake.intake.option_fields import choices_of
from bugintake.team.models import User
from bugintake.triage.owners import owner_from
from bugintake.triage.rule_models import RuleKind, TriageRule


class RuleForm(Form):
    """What happens by itself: whose a new bug is, how bad one is that many wait for, who hears of a worse duplicate."""

    kind = HiddenField()
    area = SelectField("Area", validate_choice=False)
    owner = SelectField("Owner", validate_choice=False)
    people = LineField("How many people wait")
    impact = SelectField("How bad it is then", validate_choice=False)
    colleagues: Sequence[User] = ()

    def rule(self) -> TriageRule:
        """Build the rule that was described. Raises Invalid where a part is missing."""
        if self.kind.data == RuleKind.OWNER:
            area = _chosen(OptionList.AREA, self.area.data, "Choose the area.")
            owner = owner_from(self.owner.data, self.colleagues[0], self.colleagues)
            return TriageRule(kind=RuleKind.OWNER, area=area, area_id=area.id, owner=owner)
        if self.kind.data == RuleKind.WORSE:
            return TriageRule(kind=RuleKind.WORSE)
        digits = self.people.data or ""
        people = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else 0
        if not people:
            raise Invalid("Give a number of people.", "people")
        impact = _chosen(OptionList.IMPACT, self.impact.data, "Choose how bad the bug is then.")
        return TriageRule(kind=RuleKind.IMPACT, people=people, impact=impact)


def rule_form(typed: Mapping[str, str] | None, people: Sequence[User]) -> RuleForm:
    """Build the form for a rule of triage."""
    form = RuleForm(typed)
    form.colleagues = people
    form.area.choices = choices_of(catalogue.options_of(OptionList.AREA))
    form.owner.choices = [SelectChoice(str(person.id), person.name) for person in people]
    form.impact.choices = choices_of([each for each in catalogue.options_of(OptionList.IMPACT) if not each.is_unsure])
    return form


def _chosen(kind: OptionList, given: str | None, sentence: str) -> Option:
    if not given:
        raise Invalid(sentence, kind.value)
    return catalogue.choose(kind, given)
