"""How the form does: how long it takes, what stays unsure, what nobody chooses, and what engineers have to ask for.

Figures are of the last 90 days, of all areas or of one. Times and questions are those of the latest 2,000.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import rows
from bugintake.core.kept import kept_with_bugs
from bugintake.intake import catalogue, further_lists, option_use, proposals
from bugintake.intake.catalogue import Choice, key_of
from bugintake.intake.filing import ASKED
from bugintake.intake.models import Bug, OptionList, Question, Report
from bugintake.intake.option_use import LATELY, LATEST_REPORTS
from bugintake.intake.queries import visible_to
from bugintake.team.models import User

TEXTS = ("Steps to see it", "What happened", "What should have happened", "A screenshot or file")
PROPOSED_FROM = 3  # times asked for the same thing in one area


@dataclass(frozen=True)
class ListUse:
    """How one list was used: reports that chose from it, those that chose "Not sure", and choices nobody took."""

    label: str
    address: str
    count: int
    unsure: int
    unused: Sequence[Choice]

    @property
    def unsure_percent(self) -> int:
        """The share of "Not sure" in percent."""
        return round(100 * self.unsure / self.count) if self.count else 0


@dataclass(frozen=True)
class AskedBack:
    """What engineers had to ask for in one area, and how often; `is_new` where no list asks for it yet."""

    area_id: int
    area: str
    missing: str
    count: int
    is_new: bool

    @property
    def is_proposed(self) -> bool:
        """Whether it was missing so often that the form should ask for it."""
        return self.is_new and bool(self.missing) and self.count >= PROPOSED_FROM


def lists_used(labels: Mapping[str, tuple[str, str]], area_id: int | None = None) -> list[ListUse]:
    """Tell of each list how it was used; `labels` are the label and the address of each built-in one.

    Further lists are named as they are, by name, those that an area is not asked for left out. A version that nobody
    told of is no choice too many.
    """
    offered = {**catalogue.names().offered}
    offered[OptionList.VERSION] = [choice for choice in offered[OptionList.VERSION] if choice.is_unsure]
    asked = [kind for kind in ASKED if area_id is None or kind != OptionList.AREA]
    found = [_used(offered[kind], option_use.use_of(kind, area_id), *labels[kind]) for kind in asked]
    for further in further_lists.lists():
        if area_id is None or further.is_asked_for(area_id):
            use = option_use.use_of_further(further, area_id)
            found.append(_used(offered.get(further.name, ()), use, further.label, further.name))
    return found


def _used(offered: Sequence[Choice], used: Mapping[int, int], label: str, address: str) -> ListUse:
    unsure = sum(used.get(choice.id, 0) for choice in offered if choice.is_unsure)
    unused = [choice for choice in offered if choice.id not in used and not choice.is_unsure]
    return ListUse(label, address, sum(used.values()), unsure, unused)


_TIMES = (
    sa.select(Report.took_seconds)
    .where(Report.filed_at >= sa.bindparam("since"), Report.took_seconds.is_not(None))
    .order_by(Report.id.desc())
    .limit(LATEST_REPORTS)
)


def median_seconds(area_id: int | None = None) -> int | None:
    """Say how long it took to file a bug, from opening the form, in the middle one of all cases."""
    times = _TIMES if area_id is None else _TIMES.where(Report.area_id == area_id)
    found = [seconds for (seconds,) in rows(times, since=clock.now() - LATELY)]
    return round(statistics.median(found)) if found else None


_LATEST = (
    sa.select(Question.report_id, Question.missing)
    .where(Question.asked_at >= sa.bindparam("since"))
    .order_by(Question.id.desc())
    .limit(LATEST_REPORTS)
    .subquery()
)
_ASKED_BACK = sa.select(Report.area_id, _LATEST.c.missing).join(_LATEST, _LATEST.c.report_id == Report.id)
_ASKED_BACK = _ASKED_BACK.join(Bug, Bug.id == Report.bug_id)


def asked_back(actor: User) -> list[AskedBack]:
    """Tell what had to be asked for about the bugs that this person may see, by area, the commonest first.

    Words that differ in case alone are one.
    """
    return _counted(_ASKED_BACK.where(visible_to(actor)))


@dataclass(frozen=True)
class ToDecide:
    """How many proposed words wait for a lead, and how many things were missing so often that a list is proposed."""

    words: int
    lists: int

    @property
    def total(self) -> int:
        """Everything that waits for a lead."""
        return self.words + self.lists


def to_decide() -> ToDecide:
    """Count what waits for a lead, who sees every bug."""
    return _to_decide(clock.now().date().isoformat())


@kept_with_bugs
def _to_decide(_day: str) -> ToDecide:
    return ToDecide(proposals.count(), sum(each.is_proposed for each in _counted(_ASKED_BACK)))


def _counted(asked: sa.Select[int, str]) -> list[AskedBack]:
    count: Counter[tuple[int, str]] = Counter()
    words: dict[str, Counter[str]] = defaultdict(Counter)
    for area_id, missing in rows(asked, since=clock.now() - LATELY):
        key = key_of(missing)
        count[area_id, key] += 1
        words[key][missing] += 1
    choices, known = catalogue.names().choices, {key_of(each) for each in _on_the_form()}
    found = [
        AskedBack(area_id, choices[area_id].label, words[key].most_common(1)[0][0], times, key not in known)
        for (area_id, key), times in count.items()
    ]
    return sorted(found, key=lambda each: (-each.count, each.area, each.missing))


def missing_before(actor: User) -> list[str]:
    """List what may be missing: what the form asks for, and what was asked for lately."""
    asked = [each.missing for each in asked_back(actor) if each.missing and each.is_new]
    return [*dict.fromkeys([*asked, *_on_the_form()])]


def _on_the_form() -> list[str]:
    return [*TEXTS, "Customer", "Platform", "Version", "How often", *(each.label for each in further_lists.lists())]
