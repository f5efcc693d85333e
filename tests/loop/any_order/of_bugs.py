"""What the team does to bugs: filed, fixed, live, withdrawn, declined, undone, merged, separated, restricted."""

from __future__ import annotations

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.intake import attaching, reports
from bugintake.intake.models import Bug, Option, Report, Status
from bugintake.loop import releases, updates
from bugintake.loop.models import Message
from bugintake.triage import editing, looking, merging, splitting, transitions
from tests.factories import make_telling
from tests.loop.any_order.machine import Company, Nothing, step
from tests.loop.any_order.truth import root

MOST = 4
NOTES = {"en": "The VAT line is back.", "de": "Die Steuerzeile ist da."}
EXPLAINED = {"en": "Your law wants it so.", "de": "Ihr Gesetz will es so."}
UNFIXED = ("bug new", "bug needs_info", "bug accepted", "bug in_progress")


def in_words(*names: str) -> tuple[Status, ...]:
    """Read the statuses out of what a step needs."""
    return tuple(Status(name.removeprefix("bug ")) for name in names)


class OfBugs(Company):
    """The verbs of triage, and of releases."""

    @step()
    def file(self) -> None:
        """Somebody tells of a bug that nobody knows."""
        if (db.session.scalar(sa.select(sa.func.count(Bug.id))) or 0) >= MOST:
            raise Nothing
        telling = make_telling(self.person())
        self.act("file", lambda: reports.file_report(telling, actor=self.me))

    @step()
    def attach(self) -> None:
        """Somebody tells of a bug that is known, perhaps once more."""
        bug, telling = self.bug(), make_telling(self.person())
        self.act("attach", lambda: attaching.attach(bug, telling, actor=self.me))

    @step(*UNFIXED)
    def fix(self) -> None:
        """It is fixed in a version that may be live."""
        bug, release = self.bug(*in_words(*UNFIXED)), self.version()
        notes = {"de": NOTES["de"]} if self.sometimes() else NOTES
        self.act("fix", lambda: transitions.fix(bug, notes, release, actor=self.me))

    @step("bug fixed")
    def release_live(self) -> None:
        """A version is live."""
        release = db.session.get_one(Option, self.bug(Status.FIXED).release_id)
        self.act("release", lambda: releases.release_live(release, actor=self.me))

    @step("bug live")
    def withdraw_release(self) -> None:
        """It is not live after all: whoever was told so is misled from now on, if they still believe it."""
        release = db.session.get_one(Option, self.bug(Status.LIVE).release_id)
        theirs = sa.select(Bug).where(Bug.release_id == release.id, Bug.status == Status.LIVE)
        live = [(bug.id, bug.generation) for bug in db.session.scalars(theirs.where(Bug.merged_into_id.is_(None)))]
        if self.act("withdraw the release", lambda: releases.withdraw_release(release, actor=self.me)):
            for number, generation in live:
                for message in self.told_of(number):
                    if message.announcement.generation == generation:
                        self.mislead(message)

    @step(*UNFIXED)
    def decline(self) -> None:
        """It stays as it is."""
        bug, reason = self.bug(*in_words(*UNFIXED)), db.session.get_one(Option, self.reason)
        ways = {"en": "Print it."} if self.sometimes() else {}
        self.act("decline", lambda: transitions.decline(bug, reason, EXPLAINED, ways, actor=self.me))

    @step("bug declined")
    def reconsider(self) -> None:
        """It does not stay as it is after all."""
        bug = self.bug(Status.DECLINED)
        self.act("reconsider", lambda: transitions.reconsider(bug, actor=self.me))

    @step("bug new", "bug accepted", "bug needs_info", "bug fixed")
    def start(self) -> None:
        """Somebody works on it, also on what is not fixed after all."""
        bug = self.bug(Status.NEW, Status.ACCEPTED, Status.NEEDS_INFO, Status.FIXED)
        self.act("start", lambda: transitions.start(bug, actor=self.me))

    @step()
    def undo(self) -> None:
        """Somebody takes the last move back."""
        bug = self.bug()
        self.act("undo", lambda: transitions.undo(bug, actor=self.me))

    @step("bug new", "bug accepted", "bug in_progress")
    def ask(self) -> None:
        """Somebody who waits is asked."""
        report = self.report()
        asked = {"actor": self.me, "is_for_customer": True}
        self.act("ask", lambda: transitions.ask(root(report.bug), report, "Which browser?", **asked))

    @step("two bugs")
    def merge(self) -> None:
        """Two bugs are one."""
        bug, into = self.bug(), self.bug()
        self.act("merge", lambda: merging.merge(bug, into, actor=self.me))

    @step("part")
    def separate(self) -> None:
        """They are two: whoever was told of the other one meanwhile, and never reported it, is misled from now on."""
        part: Bug = self.one(sa.select(Bug).where(Bug.merged_into_id.is_not(None)).order_by(Bug.id))
        whole, merged = root(part), looking.last_of(part, [EventKind.BUG_MERGED])
        told = [each.id for each in self.told_of(whole.id) if merged is not None and each.state_at > merged.at]
        if self.act("separate", lambda: merging.unmerge(part, actor=self.me)):
            for message in [db.session.get_one(Message, number) for number in told]:
                theirs = sa.select(Report).where(Report.customer_id == message.customer_id)
                if not any(root(report.bug) is whole for report in db.session.scalars(theirs)):
                    self.mislead(message)

    @step()
    def rejoin(self) -> None:
        """What a customer said was another problem is the same."""
        bug = self.bug(Status.NEW)
        self.act("rejoin", lambda: splitting.rejoin(bug, actor=self.me))

    @step()
    def restrict(self) -> None:
        """Few may see it, or everybody again."""
        bug = self.bug()
        self.act("restrict", lambda: editing.restrict(bug, not bug.is_restricted, actor=self.me))

    @step()
    def withdraw(self) -> None:
        """A report was a test, or for somebody else."""
        report = self.report()
        self.act("withdraw", lambda: reports.withdraw(report, actor=self.me))

    @step()
    def find_a_way_round(self) -> None:
        """Somebody writes what can be done until then, and perhaps tells it."""
        bug, is_told = self.bug(), self.sometimes() or self.sometimes()
        self.words += 1
        ways = {"en": f"Print it, way {self.words}.", "de": f"Drucken, Weg {self.words}."}
        if self.sometimes():
            del ways["de"]
        self.act("find a way round", lambda: editing.set_workarounds(bug, ways, actor=self.me))
        if is_told:
            self.act("tell a way round", lambda: updates.tell_way_round(bug, actor=self.me))

    @step(*UNFIXED, "bug fixed")
    def confirm(self) -> None:
        """Somebody reads that we have their report."""
        report = self.report()
        self.act("confirm", lambda: updates.confirm(report, actor=self.me))
