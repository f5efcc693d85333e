"""The people, programs and things of the access tables."""

import itertools
import re
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.core.forms import Seen
from bugintake.duty import absences, feeds, handoffs, improvements, overrides, public_holidays, queries, roster, swaps
from bugintake.duty.feed_models import FeedKind
from bugintake.duty.improvement_models import ImprovementKind
from bugintake.intake import attaching, drafts, option_merging, proposals
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.customers import adding, changing, link_templates
from bugintake.intake.models import Bug, OptionList, Report, Status
from bugintake.loop import notices
from bugintake.loop.links import make_link
from bugintake.loop.models import Announcement, Delivery, DeliveryKind, DeliveryState, LinkPurpose, Message
from bugintake.loop.webhooks import outgoing, release_hooks
from bugintake.loop.webhooks.models import Occasion, Sender
from bugintake.team import people, tokens
from bugintake.team.models import Role, User
from bugintake.triage import comments, editing, handing_over, linking, rules, saved_views, transitions
from bugintake.triage.comment_models import Comment
from bugintake.triage.left_models import LeftBug
from bugintake.triage.link_models import BugLink
from bugintake.triage.rule_models import RuleKind, TriageRule
from tests.factories import (
    bring_to,
    make_attachment,
    make_bug,
    make_customer,
    make_list,
    make_option,
    make_report,
    make_telling,
    make_user,
    make_version,
    make_workspace,
)
from tests.visitors import Visitor, visit

ABSENT = "999999"
PART = re.compile(r"<(?:path:)?([a-z_]+)>")
MADE_UP = {
    "ref": f"BUG-{ABSENT}",
    "secret": "x" * 43,
    "key": "x" * 43,
    "name": "nothing",
    "list_name": "nothing",
    "language": "xx",
    "verb": "nothing",
    "kind": "nothing",
    "batch": "0" * 32,
}
FIXED = {
    "group": "names",
    "name": "areas",
    "filename": "app.css",
    "batch": "0" * 32,
    "verb": "acceptance",
    "sign_in_id": ABSENT,
    "language": "en",
    "kind": "live",
    "version": "0",
}


class Cast:
    """One of everybody, and the objects that they ask for."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._numbers = itertools.count()
        make_workspace()
        self.staff: dict[str, User] = {role.value: make_user(role, role.value.title()) for role in Role}
        self.others = make_user(Role.AGENT, "Another Agent"), make_user(Role.ENGINEER, "Another Engineer")
        self.spare = make_user(Role.AGENT, "Spare Person")
        self._file()
        self._plan()
        self._give_out_secrets()

    def _file(self) -> None:
        mine = self.staff["agent"], self.staff["engineer"]
        self.bugs = {"": make_bug(actor=self.others[0])}
        self.bugs |= {"restricted": self._restricted(*self.others), "mine": self._restricted(*mine)}
        for bug in self.bugs.values():
            make_attachment(bug)
            bring_to(bug, Status.NEEDS_INFO, actor=self.others[1])
            with transaction():
                comments.write(bug, "It is so here, too.", actor=self.staff["engineer"])
                linking.add_link(bug, "https://github.com/fakturo/app/issues/12", actor=self.others[1])
        told, secretly_told = make_bug(Status.DECLINED, actor=self.others[1]), self._restricted(*self.others)
        bring_to(secretly_told, Status.DECLINED, actor=self.others[1])
        self.told = {"": told, "restricted": secretly_told}
        self.reports = {
            person: make_report(make_customer(person.title()), actual=f"The {person} sees an empty page.")
            for person in ("customer", "stranger")
        }
        with transaction():
            notices.queue_notice(DeliveryKind.DUTY_REMINDER, self.spare, "reminder")
        reminders = sa.select(Delivery).where(Delivery.kind == DeliveryKind.DUTY_REMINDER)
        self.notice = db.session.scalars(reminders).one()
        with transaction():
            self.notice.state = DeliveryState.HELD
        with transaction():
            typed = {"actual": "The list stays empty."}
            self.drafts = {
                which: drafts.save(typed, None, actor=whose)
                for which, whose in (("", self.others[0]), ("mine", mine[0]))
            }
        self.list = make_list()
        with transaction():
            self.word, spare = (proposals.propose(OptionList.AREA, word) for word in ("Kiosk mode", "Kisok"))
            self.merge = option_merging.merge(spare, make_option(OptionList.AREA), actor=self.staff["lead"])
            self.account = adding.account_named("Brightline")
            self.link = link_templates.add("CRM", "crm", "https://crm.example.com/{external_id}", actor=None)
            saved = {"": self.staff["lead"], "mine": mine[0]}
            self.views = {
                which: str(saved_views.save("Worst", "", is_board=True, for_team=not which, actor=whose).id)
                for which, whose in saved.items()
            }
        self.rule = self._rule()
        self.area, self.version = make_option(OptionList.AREA), make_version(live_since=clock.now())

    def _rule(self) -> TriageRule:
        elsewhere = make_option(OptionList.AREA, "Ruled")
        rule = TriageRule(kind=RuleKind.OWNER, area=elsewhere, area_id=elsewhere.id, owner=self.staff["engineer"])
        with transaction():
            return rules.make(rule, actor=self.staff["lead"])

    def _restricted(self, filer: User, owner: User) -> Bug:
        bug = make_bug(actor=filer)
        with transaction():
            editing.assign(bug, owner, actor=owner)
            editing.restrict(bug, True, actor=owner)
        return bug

    def _plan(self) -> None:
        now = clock.now()
        engineers = [self.others[1], self.staff["engineer"]]
        terms = {"zone": "UTC", "start_on": date(2026, 3, 9), "handoff": time(9), "days": [0, 1, 2, 3, 4]}
        with transaction():
            self.rotation = roster.create_rotation(name="Bug duty", **terms, people=engineers, actor=None)
        with transaction():
            monday = date(2026, 3, 16)
            self.absence = absences.note_absence(self.others[1], monday, monday, actor=self.others[1])
            public_holidays.add_holiday(self.rotation, monday, "Our day", actor=self.staff["lead"])
            self.improvement = improvements.note(ImprovementKind.DOC, "How taxes round", actor=self.spare)
            self.holiday = public_holidays.coming_holidays(self.rotation)[0]
        with transaction():
            friday = next(each for each in queries.upcoming_shifts(self.others[1]) if each.on == date(2026, 3, 13))
            hours, asker, asked = (friday.shift.start, friday.shift.end), self.others[1], [self.staff["engineer"]]
            self.swap = swaps.ask(self.rotation, *hours, asked, actor=asker, seen_id=asker.id)
        tomorrow = now + timedelta(days=1), now + timedelta(days=1, hours=2)
        with transaction():
            self.override = overrides.stand_in(self.rotation, self.others[1], *tomorrow, actor=self.others[1])

        with transaction():
            texts = {"hot": self.bugs[""].ref, "waiting": self.bugs["restricted"].ref, "watch": ""}
            turn = handoffs.turn_of(self.others[1])  # Monday's
            assert turn is not None
            self.handoff = handoffs.save(turn, texts, (), Seen(), actor=self.others[1])
            handing_over.send(self.handoff, actor=self.others[1])

    def _give_out_secrets(self) -> None:
        every = list(tokens.SCOPES)
        admin = self.staff["admin"]
        holders = {scope: (admin, [scope]) for scope in every}
        holders |= {name: (self.staff[name], every) for name in ("agent", "engineer")}
        gone = make_user(Role.ADMIN, "Gone Admin")
        holders |= {"revoked": (admin, every), "disabled": (gone, every)}
        with transaction():
            made = {name: tokens.create_token(*holder, actor=None) for name, holder in holders.items()}
            tokens.revoke(made["revoked"][0], actor=None)
            people.disable(gone, actor=None)
            self.tokens = {name: secret for name, (_, secret) in made.items()}
            self.release_hook = release_hooks.make(Sender.GITHUB, Occasion.RELEASED, actor=admin)
            self.webhook = outgoing.make("https://hooks.example.com/x", ["duty.handed_over"], actor=admin)
            outgoing.queue_test(self.webhook)
            self.token = tokens.create_token(self.spare, ["read"], actor=None)[0]
            self.invitation = people.invite_again(self.spare, actor=None)
            self.links = {person: make_link(it, LinkPurpose.REPORT, "en")[1] for person, it in self.reports.items()}
            self.feed_address = urlsplit(feeds.make_feed(FeedKind.ALL, actor=self.staff["lead"])).path
            self.feed = feeds.feeds_of(self.staff["lead"])[0]
            self.unsubscribing = make_link(self.reports["customer"], LinkPurpose.UNSUBSCRIBE, "en")[1]

    def send(self, person: str, method: str, pattern: str, which: str) -> TestResponse:
        """Ask for an address as one of the people or programs of the tables."""
        given: dict[str, Any] = {}
        if method == "POST":
            kind = "json" if pattern.startswith("/api/") else "data"
            given[kind] = self._body(pattern, which)
        if pattern.startswith("/api/v1") and person in self.tokens:
            headers = {"Authorization": f"Bearer {self.tokens[person]}"}
            return self.app.test_client().open(self.address(pattern, which), method=method, headers=headers, **given)
        return self._browser(person).client.open(self.address(pattern, which), method=method, **given)

    def _browser(self, person: str) -> Visitor:
        visitor = visit(self.app, self.staff["admin" if person == "cookie" else person] if person in STAFF else None)
        if person in self.links:
            visitor.get(urlsplit(self.links[person]).path)
        return visitor

    def value(self, name: str, which: str) -> str:
        """Give a part of an address its value, for the object that a row is about: only what is asked is looked up."""
        if which == "absent":
            return ABSENT if name in NUMBERS else MADE_UP[name]
        if name in FIXED:
            return FIXED[name]
        if name == "ref":
            return self._bug(which).ref
        texts: dict[str, Callable[[], str]] = {
            "secret": lambda: self.invitation.rpartition("/")[2],
            "view_id": lambda: self.views.get(which, self.views[""]),
            "list_name": lambda: self.list.name,
            "key": lambda: self.release_hook.key,
        }
        numbers: dict[str, Callable[[], Any]] = {
            "move_id": lambda: transitions.last_move(self._bug(which)) or self._report(which),
            "comment_id": lambda: self._first(Comment, Comment.bug_id, self._bug(which)) or self._report(which),
            "out_id": lambda: self._first(BugLink, BugLink.bug_id, self._bug(which)) or self._report(which),
            "user_id": lambda: self.spare,
            "token_id": lambda: self.token,
            "report_id": lambda: self._report(which),
            "attachment_id": lambda: (
                self._first(Attachment, Attachment.report_id, self._report(which)) or self._report(which)
            ),
            "customer_id": lambda: self._report(which).customer,
            "account_id": lambda: self.account,
            "link_id": lambda: self.link,
            "option_id": lambda: self.area,
            "rotation_id": lambda: self.rotation,
            "override_id": lambda: self.override,
            "swap_id": lambda: self.swap,
            "asked_id": lambda: self.swap.asked[0],
            "absence_id": lambda: self.absence,
            "holiday_id": lambda: self.holiday,
            "improvement_id": lambda: self.improvement,
            "handoff_id": lambda: self.handoff,
            "left_id": lambda: self._first(LeftBug, LeftBug.bug_id, self._bug(which)),
            "feed_id": lambda: self.feed,
            "announcement_id": lambda: self._announcement(which),
            "message_id": lambda: self._message(which),
            "delivery_id": lambda: self.notice,
            "merge_id": lambda: self.merge,
            "rule_id": lambda: self.rule,
            "hook_id": lambda: self.release_hook,
            "webhook_id": lambda: self.webhook,
            "sending_id": lambda: outgoing.log_of(self.webhook)[0],
            "draft_id": lambda: self.drafts.get(which, self.drafts[""]),
        }
        return texts[name]() if name in texts else str(numbers[name]().id)

    def _bug(self, which: str) -> Bug:
        return self.bugs.get(which, self.bugs[""])

    def _report(self, which: str) -> Report:
        found: Report = self._first(Report, Report.bug_id, self._bug(which))
        return found

    def _announcement(self, which: str) -> Announcement:
        told = self.told.get(which, self.told[""])
        return db.session.scalars(sa.select(Announcement).where(Announcement.bug_id == told.id)).one()

    def _message(self, which: str) -> Message:
        told = self._announcement(which)
        return db.session.scalars(sa.select(Message).where(Message.announcement_id == told.id)).one()

    def _first(self, kind: Any, column: Any, owner: Any) -> Any:
        return db.session.scalars(sa.select(kind).where(column == owner.id)).first()

    def _token(self, pattern: str, which: str) -> str:
        if which == "absent":
            return "x" * 43
        opens_report = ("/r/" in pattern) != (which == "swapped")
        return (self.links["customer"] if opens_report else self.unsubscribing).rpartition("/")[2]

    def address(self, pattern: str, which: str) -> str:
        """Fill in an address."""
        if pattern.startswith("/cal/") and which != "absent":
            return self.feed_address
        if "<token>" in pattern:
            pattern = pattern.replace("<language>", "en").replace("<token>", self._token(pattern, which))
        if pattern == "/views/<view_id>/removal" and which == "":
            with transaction():  # as are the notes below
                name = f"View {next(self._numbers)}"
                view = saved_views.save(name, "", is_board=True, for_team=True, actor=self.staff["lead"])
            pattern = pattern.replace("<view_id>", str(view.id))
        if pattern == "/admin/webhooks/<webhook_id>/removal" and which == "":
            with transaction():
                made = outgoing.make("https://hooks.example.com/x", ["bug.live"], actor=self.staff["lead"])
            pattern = pattern.replace("<webhook_id>", str(made.id))
        if "<note_id>" in pattern and which != "absent":
            with transaction():  # it is gone with the first who takes it away
                note = changing.write_note(self.account, "They pay late.", actor=self.spare)
            pattern = pattern.replace("<note_id>", str(note.id))
        if "<event_id>" in pattern and which != "absent":
            report = db.session.get_one(Report, int(self.value("report_id", which)))
            with transaction():  # and this
                attaching.attach(report.bug, make_telling(report.customer), actor=self.staff["lead"])
            told = attaching.last_telling(report)
            assert told is not None
            pattern = pattern.replace("<event_id>", str(told.id))
        pattern = PART.sub(lambda part: self.value(part[1], which), pattern)
        if "/proposals/" in pattern and which != "absent":
            pattern = pattern.replace(f"/proposals/{self.area.id}", f"/proposals/{self.word.id}")
        return re.sub(rf"^/releases/{self.area.id}\b", f"/releases/{self.version.id}", pattern)

    def _body(self, pattern: str, which: str) -> dict[str, Any]:
        """Say what is sent: as little as possible, but enough to come to the object that the row is about."""
        ref = self.value("ref", which)
        if pattern == "/api/v1/reports":
            telling = make_telling()
            choices = {
                kind.value: getattr(telling, kind.value).id for kind in OptionList if kind.value != "decline_reason"
            }
            texts = {"steps": telling.steps, "actual": telling.actual, "expected": telling.expected}
            return {"customer": None, **choices, **texts, "bug": ref if which else None}
        if pattern.startswith("/s/<language>/report/"):
            return {"report": str(self.reports["customer"].id), "text": "It is still so."}
        return {
            "/api/v1/bugs/<ref>/transitions": {"to": "accepted"},
            "/api/v1/bugs/<ref>/merge": {"into": self.bugs[""].ref},
            "/api/v1/releases": {"version": "9.9.9"},
            "/new": {"bug": ref},
            "/new/similar": {"choice": ref},
            "/duty/overrides": {"rotation": str(self.rotation.id)},
            "/duty/feeds": {"kind": "mine"},
        }.get(pattern, {})


STAFF = ("agent", "engineer", "lead", "admin", "cookie")
NUMBERS = (
    *(
        "version",
        "attachment_id",
        "user_id",
        "token_id",
        "sign_in_id",
        "report_id",
        "customer_id",
        "account_id",
        "option_id",
    ),
    *(
        "rotation_id",
        "override_id",
        "announcement_id",
        "message_id",
        "move_id",
        "delivery_id",
        "merge_id",
        "absence_id",
        "asked_id",
        "swap_id",
        "holiday_id",
        "improvement_id",
        "handoff_id",
        "left_id",
        "feed_id",
    ),
    *(
        "comment_id",
        "draft_id",
        "event_id",
        "note_id",
        "link_id",
        "out_id",
        "rule_id",
        "view_id",
        "hook_id",
        "webhook_id",
        "sending_id",
    ),
)
