"""Two weeks in a company to which everything happens that anybody is mailed about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bugintake.core.db import db, transaction
from bugintake.core.forms import Seen
from bugintake.duty import absences, overrides, swaps, trades
from bugintake.duty.channel_models import TeamChannel
from bugintake.duty.swap_models import Swap
from bugintake.intake import proposals
from bugintake.intake.models import Bug, OptionList
from bugintake.loop import announcements, asked_words, notices, personal_lines, releases, updates, writing
from bugintake.loop.text_models import TextKind
from bugintake.loop.webhooks import outgoing
from bugintake.loop.webhooks.models import OffBecause, Webhook
from bugintake.team import people
from bugintake.team.models import Role
from bugintake.triage import comments, editing, rules, transitions
from bugintake.triage.rule_models import RuleKind, TriageRule
from tests.duty.conftest import everybody_knows, make_rotation
from tests.factories import make_bug, make_customer, make_option, make_user, make_version, make_workspace, merge
from tests.loop.reading import first_report
from tests.loop.rows import announcement_of, one_message

NOTE = {
    "en": "Export the invoice again; the VAT line is there.",
    "ar": "عاد سطر الضريبة.",
    "zh": "增值税一行已经恢复。",
}
REASON = {
    "en": "Small businesses pay no VAT, so their invoices have no such line.",
    "ar": "الشركات الصغيرة معفاة من الضريبة.",
    "zh": "小企业免征增值税。",
}
PATIENCE = {"en": "Thank you for your patience.", "ar": "شكرًا لصبركم.", "zh": "感谢您的耐心等待。"}
WRONG = {"en": "The version with it was withdrawn.", "ar": "سُحب الإصدار.", "zh": "该版本已撤回。"}
WAY = {"en": "Choose Print.", "ar": "اختر الطباعة.", "zh": "请选择打印。"}
TOLD = {
    "en": "The VAT line is missing. Only the total is there.",
    "ar": "سطر الضريبة مفقود. يظهر المجموع فقط.",
    "zh": "增值税一行不见了。只有总额。",
}
ASKED = {"en": "Which browser?", "ar": "أي متصفح؟", "zh": "哪个浏览器？"}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Name an instant in September 2026, whose 7th is a Monday."""
    return datetime(2026, 9, day, hour, minute, tzinfo=UTC)


class Company:
    """Petra leads, Mira, Tin and Ana take turns of a day, Lea talks with customers, Otto did; Ada looks after it."""

    def __init__(self, clock: Any, language: str = "en") -> None:
        self.clock, self.language = clock, language
        clock.set(at(7, 10))
        make_workspace(zone="UTC", review_minutes=0, confirms_reports=True)
        self.petra, self.ada = make_user(Role.LEAD, "Petra Lang", zone="UTC"), make_user(Role.ADMIN, "Ada Admin")
        self.lea, self.otto = make_user(Role.AGENT, "Lea Sommer"), make_user(Role.AGENT, "Otto Gone")
        team = [make_user(name=name, zone="UTC") for name in ("Mira Kos", "Tin Horvat", "Ana Li")]
        self.mira, self.tin, self.ana = team
        turns = {"zone": "UTC", "start_on": date(2026, 9, 7)}
        self.rotation = make_rotation(team, actor=self.petra, **turns)
        everybody_knows(self.rotation)
        with transaction():
            url, whose = "https://chat.example.com/hook", {"made_by_id": self.petra.id}
            db.session.add(TeamChannel(rotation_id=self.rotation.id, url=url, **whose))

    def days(self) -> Iterator[None]:
        """Let everything happen, and stop whenever a worker has something to do."""
        live = self.tell_customers()
        self.tell_the_team()
        yield
        self.clock.advance(timedelta(minutes=2))
        yield
        self.correct(live)
        swap = self.ask_for_a_swap(15)
        self.ask_for_a_swap(18)
        yield
        self.offer(swap)
        yield
        self.agree(swap)
        self.move_duty()
        for moment in (at(7, 16), at(7, 16, 45), at(10, 12), at(14, 9), at(15, 12), at(16, 9), at(17, 9), at(21, 10)):
            self.clock.set(moment)
            yield
        with transaction():
            people.request_reset(self.mira.email)
        yield

    def write_texts(self) -> None:
        """Let mails say what this company says."""
        with transaction():
            body = "{{ their_words }}\n\nWe have news: {{ note }}"
            writing.write(TextKind.LIVE, "en", "News of {{ their_words }}", body, actor=self.petra)

    def bug(self, **told: Any) -> Bug:
        """File a bug that a customer of its own waits for."""
        customer = make_customer("Hana Kovač", language=self.language)
        return make_bug(waiting=[customer], **{"actor": self.lea, "actual": TOLD[self.language], **told})

    def tell_customers(self) -> Bug:
        """Tell, ask and decline; return what is live."""
        live, declined, has_way, unclear, unworded = (self.bug() for _ in range(5))
        release = make_version(live_since=self.clock.now())
        reason = make_option(OptionList.DECLINE_REASON)
        with transaction():
            transitions.fix(live, NOTE, release, actor=self.mira)
            transitions.decline(declined, reason, REASON, WAY, actor=self.mira)
            editing.set_workarounds(has_way, WAY, actor=self.mira)
            updates.tell_way_round(has_way, actor=self.mira)
            asked = {"actor": self.mira, "is_for_customer": True, "language": self.language}
            transitions.ask(unclear, first_report(unclear), ASKED[self.language], **asked)
            transitions.decline(unworded, reason, REASON, WAY, actor=self.mira)
        with transaction():
            asked_words.ask_to_word(announcement_of(unworded), self.lea.id, actor=self.mira)
            personal_lines.write(one_message(live), PATIENCE[self.language], Seen(), actor=self.mira)
        return live

    def correct(self, live: Bug) -> None:
        """Withdraw the release, and say what was wrong about it."""
        with transaction():
            live = db.session.get_one(Bug, live.id)
            assert live.release is not None
            releases.withdraw_release(live.release, actor=self.mira)
            announcements.edit_notes(announcement_of(live), WRONG, {}, actor=self.mira)

    def tell_the_team(self) -> None:
        """Ask, mention and worry colleagues; one of them leaves."""
        unclear, bad, worse = self.bug(), self.bug(impact="Annoying"), self.bug(impact="Cannot work")
        self.bug(actor=self.otto)
        told = {"topics": ["bug.status_changed"], "owner_id": self.ada.id, "secret": "-"}
        webhook, other = (Webhook(url=f"https://hooks.example.com/{number}", **told) for number in range(2))
        with transaction():
            transitions.ask(unclear, first_report(unclear), "Which browser?", actor=self.mira)
            comments.write(bad, "@Tin Horvat, have a look.", actor=self.mira)
            editing.assign(bad, self.mira, actor=self.petra)
            db.session.get_one(Bug, worse.id).impact_rank = 0
            rules.make(TriageRule(kind=RuleKind.WORSE), actor=self.petra)
            people.disable(self.otto, actor=None)
            notices.queue_test(self.ada)
            proposals.propose(OptionList.PLATFORM, "Toaster")
            db.session.add_all([webhook, other])
        merge(worse, bad, actor=self.petra)
        with transaction():
            outgoing.switch_off(webhook, OffBecause.GONE)

    def ask_for_a_swap(self, day: int) -> Swap:
        """Let Mira ask who takes a day of hers."""
        with transaction():
            seen = {"actor": self.mira, "seen_id": self.mira.id}
            return swaps.ask(self.rotation, at(day, 9), at(day, 17), None, **seen, reason="School play.")

    def offer(self, swap: Swap) -> None:
        """Let Ana offer a day of hers for it."""
        with transaction():
            trades.offer_trade(swap, self.rotation, at(17, 9), at(17, 17), actor=self.ana)

    def agree(self, swap: Swap) -> None:
        """Let Mira agree."""
        with transaction():
            offered = next(each for each in swap.asked if each.user_id == self.ana.id)
            trades.accept_trade(offered, actor=self.mira, seen=at(17, 9))

    def move_duty(self) -> None:
        """Move a day to somebody else, and leave one with nobody; what Mira began stays to be handed over."""
        with transaction():
            overrides.stand_in(self.rotation, self.ana, at(11, 9), at(11, 17), actor=self.petra)
            for person in (self.mira, self.tin, self.ana):
                absences.note_absence(person, date(2026, 9, 21), date(2026, 9, 21), actor=person)
        begun = make_bug(waiting=[])
        with transaction():
            transitions.start(begun, actor=self.mira)
