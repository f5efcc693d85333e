"""Nobody sees what they may not, by any road: unique words are planted, and every road is walked by everybody (P5)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.intake import waiting
from bugintake.intake.models import Bug, OptionList, RaiseReason, Remark, Status
from bugintake.loop.models import Announcement
from bugintake.team.models import User
from bugintake.triage import comments, editing, linking, raising, snoozing, transitions
from bugintake.triage.left_models import LeftBug
from bugintake.triage.overlooked import Lack
from tests.architecture.cast import Cast
from tests.architecture.test_access import FORM_TOKEN, plain
from tests.factories import make_attachment, make_bug, make_customer, make_option, make_report, make_telling
from tests.visitors import Visitor

SOUGHT = "zephyr"
PEOPLE = ("nobody", "customer", "stranger", "agent", "engineer")
PROGRAMS = ("agent", "engineer")
OUTSIDE = ("nobody", "customer", "stranger")
PUBLIC = ("/s", "/cal", "/login", "/password-reset", "/passes", "/api/docs", "/api/v1/openapi.json", "/healthz")
EACH_TIME_ANOTHER = ("Set-Cookie", "ETag", "Content-Length", "Date", "X-RateLimit-", "Retry-After")
SECRET_OF_THIS_PAGE = re.compile(r'(name="key" value="|data-etag=")[^"]*|(?<=")[0-9a-f]{24}(?=")')


class Scene:
    """A company in which one bug is restricted, full of words that stand nowhere else."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.planted: list[str] = []
        self.address = f"{SOUGHT}address@example.com"
        self.customers = [make_customer(name) for name in ("Hana", "Sam", "Ole")]  # everybody here knows customers
        self.visitors: dict[str, Visitor] = {}

    def canary(self) -> str:
        """Make a word that stands nowhere else; looking for its beginning finds it without saying it."""
        self.planted.append(f"{SOUGHT}kestrel{len(self.planted)}x")
        return self.planted[-1]

    def hide(self) -> Bug:
        """File a bug for two people's eyes with a canary in everything that is written about it, and tell its end."""
        filer, owner = self.cast.others
        texts = {name: self.canary() for name in ("steps", "actual", "expected", "source")}
        bug = make_bug(waiting=self.customers[:2], actor=filer, **texts)
        part = make_bug(waiting=self.customers[2:], actor=filer, actual=self.canary())
        for each in (bug, part):
            with transaction():
                editing.assign(each, owner, actor=owner)
                editing.restrict(each, True, actor=owner)
        with transaction():
            part.merged_into_id = part.canonical_id = bug.id
            waiting.recount([bug.id, part.id])
            editing.rename(bug, self.canary(), actor=owner)
            db.session.add(LeftBug(handoff_id=self.cast.handoff.id, bug_id=bug.id))
            report = db.session.scalars(waiting.unsettled_under(bug.id)).first()
            assert report is not None
            question = transitions.ask(bug, report, self.canary(), actor=owner)
            transitions.answer(question, self.canary(), actor=owner)
            db.session.add(Remark(report_id=report.id, text=self.canary()))
            comments.write(bug, self.canary(), actor=owner)
            linking.add_link(bug, f"https://tracker.example/{self.canary()}", actor=owner)
            reason = make_option(OptionList.DECLINE_REASON)
            transitions.decline(bug, reason, {"en": self.canary()}, {"en": self.canary()}, actor=owner)
        make_attachment(bug, f"{self.canary()}.log", self.canary().encode())
        self._leave_open(filer, owner)
        self.cast.bugs["restricted"] = bug
        return bug

    def _leave_open(self, filer: User, owner: User) -> None:
        """File more of them that stand on the board, on top of the queue, and among those that are put off."""
        for put_off in (False, True):
            bug = make_bug(waiting=self.customers, actor=filer, actual=self.canary())
            with transaction():
                editing.assign(bug, owner, actor=owner)
                editing.restrict(bug, True, actor=owner)
                transitions.accept(bug, actor=owner)
                if put_off:
                    snoozing.snooze(bug, clock.now().date() + timedelta(days=3), actor=owner)
                else:
                    raising.raise_bug(bug, RaiseReason.PROMISED, actor=filer)

    def roads(self, person: str) -> list[str]:
        """Every address that may let somebody in, each once; the access tables keep them out of the others."""
        inside = person not in OUTSIDE
        return [each for each in dict.fromkeys(self._roads()) if inside or each.startswith(PUBLIC)]

    def _roads(self) -> Iterator[str]:
        telling = make_telling()
        like = f"area={telling.area.id}&symptom={telling.symptom.id}&text={SOUGHT}"
        for rule in self.cast.app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and not rule.rule.startswith("/static/"):
                for which in ("", "restricted"):
                    yield self.cast.address(plain(rule.rule), which)
        announced = sa.select(Announcement.id).order_by(Announcement.id)
        for announcement_id in db.session.scalars(announced).all():
            yield f"/loop/{announcement_id}"
        for status in Status:
            yield f"/bugs?status={status}"
            yield f"/api/v1/bugs?status={status}&limit=200"
        yield from (f"/board?q={SOUGHT}", f"/bugs?q={SOUGHT}", f"/api/v1/bugs?q={SOUGHT}", f"/new/similar?{like}")
        yield from (f"/search?q={SOUGHT}", f"/search/suggestions?q={SOUGHT}", "/snoozed?of=everybody")
        yield f"{self.cast.address('/bugs/<ref>/merge', '')}?into={SOUGHT}"
        yield f"/bugs/news?ref={self.cast.address('<ref>', '')}&ref={self.cast.address('<ref>', 'restricted')}"
        for lack in Lack:
            yield f"/overlooked?list={lack}"
        for tab in ("send", "waiting", "sent", "failed"):
            yield f"/loop?tab={tab}"
        yield f"/api/v1/similar?{like}"
        yield f"/customers/suggestions?q={SOUGHT}"
        numbers = ".".join(str(number) for number in db.session.scalars(sa.select(Bug.id).order_by(Bug.id.desc())))
        yield from (f"/palette?q={SOUGHT}", f"/palette?q={SOUGHT[:4]}", f"/palette?opened={numbers}")
        yield from (f"/palette?q={self.cast.bugs['restricted'].ref}", f"/search/suggestions?q={SOUGHT[:4]}")
        yield f"/new?customer={SOUGHT}&actual={SOUGHT}"

    def seen_by(self, person: str, address: str) -> str:
        """What somebody is answered, with the headers."""
        if address.startswith("/api/v1") and person in PROGRAMS:
            headers = {"Authorization": f"Bearer {self.cast.tokens[person]}"}
            answer = self.cast.app.test_client().get(address, headers=headers)
        else:
            if person not in self.visitors:
                self.visitors[person] = self.cast._browser(person)
            answer = self.visitors[person].get(address)
        return f"{answer.status}\n{answer.headers}\n{answer.data.decode(errors='replace')}"


@pytest.fixture
def scene(app: Any, clock: Any) -> Scene:
    return Scene(Cast(app))


def found(scene: Scene, person: str, words: list[str]) -> dict[str, list[str]]:
    """Walk every road as somebody, and name those where one of the words stands."""
    seen = {address: scene.seen_by(person, address) for address in scene.roads(person)}
    return {address: hit for address, text in seen.items() if (hit := [word for word in words if word in text])}


def test_p5_a_01_to_a_09_no_road_leads_to_what_stands_in_a_restricted_bug(scene, capfd):
    scene.hide()

    assert {person: found(scene, person, scene.planted) for person in PEOPLE} == {person: {} for person in PEOPLE}
    logged = capfd.readouterr()
    assert [word for word in scene.planted if word in logged.err + logged.out] == []
    by_lead = {word for hit in found(scene, "lead", scene.planted).values() for word in hit}
    assert set(scene.planted) <= by_lead  # so the walk does come by where they stand


@pytest.mark.long_on("postgres")
def test_p5_an_engineer_reads_the_whole_address_of_a_customer_nowhere(scene):
    with transaction():
        report = make_report(make_customer("Hana", email=scene.address))
    scene.cast.bugs[""] = report.bug

    assert found(scene, "engineer", [scene.address]) == {}
    assert found(scene, "agent", [scene.address]) != {}


def test_p5_a_customer_reads_nothing_internal_and_nothing_of_another(scene):
    report, other = scene.cast.reports["customer"], scene.cast.reports["stranger"]
    with transaction():
        report.bug.title, other.bug.title = scene.canary(), scene.canary()
        other.customer.name = scene.canary()
        other.actual = scene.canary()
        other.customer.email = f"{scene.canary()}@example.com"
    staff = [user.email for user in scene.cast.staff.values()]

    assert found(scene, "customer", scene.planted + staff) == {}


@pytest.mark.long_on("postgres")
def test_a_03_nothing_at_all_changes_for_who_may_not_see_when_a_restricted_bug_is_there(scene):
    """No list, count, order, search or header tells that there is one."""
    lists = scene.roads("agent")
    before = {(who, address): told(scene, who, address) for who in PROGRAMS for address in lists}
    scene.hide()

    after = {(who, address): told(scene, who, address) for who in PROGRAMS for address in lists}
    assert {key: changed(before[key], after[key]) for key in before if before[key] != after[key]} == {}


def told(scene: Scene, person: str, address: str) -> list[str]:
    """An answer without what differs each time."""
    text = FORM_TOKEN.sub(r"\1", SECRET_OF_THIS_PAGE.sub(r"\1", scene.seen_by(person, address)))
    return [line for line in text.splitlines() if not line.startswith(EACH_TIME_ANOTHER)]


def changed(before: list[str], after: list[str]) -> list[str]:
    """The lines that are new."""
    return [line for line in after if line not in before]
