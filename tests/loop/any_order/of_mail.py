"""What happens to the mail: sent, held, worded and judged by the team; carried, refused and dropped by workers."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.loop import announcements, asking, attempts, messages, outbox, telling
from bugintake.loop.models import Announcement, AnnouncementKind, Delivery, DeliveryState, MessageState
from tests.loop.any_order.machine import Company, step
from tests.loop.any_order.post_office import ANSWERS, DEATHS, hand_over, open_what_is_due, work
from tests.loop.any_order.truth import told_by

UNSENT = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED)


class OfMail(Company):
    """The Loop page, and the workers."""

    @step("unsent")
    def send(self) -> None:
        """Somebody sends it at once."""
        announcement = self.announcement(Announcement.released_at.is_(None))
        self.act("send", lambda: announcements.send(announcement, actor=self.me))
        if self.sometimes():
            self.act("undo sending", lambda: announcements.undo_send(announcement, actor=self.me))

    @step("announcement")
    def hold(self) -> None:
        """Somebody stops it."""
        announcement = self.announcement()
        self.act("hold", lambda: announcements.hold(announcement, actor=self.me))

    @step("held")
    def resume(self) -> None:
        """Somebody lets it go on."""
        announcement = self.announcement(Announcement.held_at.is_not(None))
        self.act("resume", lambda: announcements.resume(announcement, actor=self.me))

    @step("announcement")
    def word(self) -> None:
        """Somebody writes it anew."""
        self._word("word")

    @step("correction")
    def word_a_correction(self) -> None:
        """Nothing of a correction leaves before somebody has written it."""
        self._word("word a correction", Announcement.kind == AnnouncementKind.CORRECTION)

    def _word(self, verb: str, *terms: sa.ColumnElement[bool]) -> None:
        announcement = self.announcement(*terms)
        self.words += 1
        notes = {"en": f"Words {self.words}.", "de": f"Worte {self.words}."}
        if self.sometimes():
            del notes["de"]
        self.act(verb, lambda: announcements.edit_notes(announcement, notes, {}, actor=self.me))

    @step("message pending", "message held", "message failed", "message uncertain")
    def tell_by_hand(self) -> None:
        """Somebody rings them up."""
        message = self.message(*UNSENT, MessageState.UNCERTAIN)
        number, who = message.delivery_id or 0, (message.announcement_id, message.customer_id)
        if self.act("tell by hand", lambda: messages.tell_by_hand(message, actor=self.me)):
            self.office.excuse(number)
            self.office.vouched.add(who)

    @step("message pending", "message held", "message failed")
    def do_not_tell(self) -> None:
        """Somebody leaves them untold."""
        message = self.message(*UNSENT)
        self.act("do not tell", lambda: messages.do_not_tell(message, "They left.", actor=self.me))

    @step("message held")
    def release_held(self) -> None:
        """Somebody lets what is held go, perhaps in another language."""
        message, language = self.message(MessageState.HELD), "en" if self.sometimes() else None
        key = (message.announcement_id, message.customer_id)
        if self.act("let go", lambda: messages.release_held(message, actor=self.me, language=language)):
            self.office.allowed[key] += 1

    @step("message uncertain")
    def judge(self) -> None:
        """Somebody says what became of a mail."""
        message, arrived = self.message(MessageState.UNCERTAIN), self.sometimes()
        number = message.delivery_id or 0
        inside = {(each.announcement, each.customer) for each in told_by(number)}
        if self.act("judge", lambda: messages.judge_uncertain(message, arrived=arrived, actor=self.me)):
            self.office.excuse(number)
            self.office.vouched |= inside if arrived else set()
            if arrived:
                self.mislead_by(number)

    @step("message failed")
    def send_again(self) -> None:
        """Somebody tries once more."""
        message = self.message(MessageState.FAILED)
        self.act("send again", lambda: messages.send_again(message, actor=self.me))

    @step("message pending")
    def work(self) -> None:
        """A worker does what is due."""
        self.office.answer = self.chance.choice([*["yes"] * len(ANSWERS), *ANSWERS])
        self.counts[f"work, {self.office.answer}"] += 1
        self._work()

    @step("message pending")
    def die(self) -> None:
        """A worker does what is due, as far as it comes."""
        self.office.death = self.chance.choice(DEATHS)
        self.counts[f"die {self.office.death}"] += 1
        self._work()

    def _work(self) -> None:
        self.wait(timedelta(minutes=self.chance.choice([2, 20])))
        accepted = self._accepted()
        work(self.office)
        self._note_who_was_misled(accepted)

    @step()
    def pass_time(self) -> None:
        """Who was asked is reminded, and whoever wanted no mail yet wants it again."""
        self.wait(timedelta(minutes=self.chance.choice([1, 20, 3 * 24 * 60])))
        asking.follow_up(clock.now())

    @step("message pending")
    def claim(self) -> None:
        """One worker is slow from here on: whatever happens meanwhile, happens between its steps."""
        self.wait(timedelta(minutes=2))
        accepted = self._accepted()
        attempts.recover()
        self._note_who_was_misled(accepted)
        open_what_is_due()
        found = outbox.claim(2)
        self.claimed += found
        self.counts["claim" if found else "claim nothing"] += 1

    @step("claimed")
    def hand_over(self) -> None:
        """The slow worker goes on to where the server has the mail, if it may."""
        claimed = self.claimed.pop(0)
        is_gone = hand_over(claimed, self.office)
        self.leaving += [claimed] if is_gone else []
        self.counts["hand over" if is_gone else "hand over, withdrawn"] += 1

    @step("leaving")
    def hear(self) -> None:
        """The slow worker hears of a mail that the server took it, or nothing."""
        answer = self.chance.choice(["yes", "yes", "nothing after the dot"])
        claimed = self.leaving.pop(0)
        attempts.finish(claimed, ANSWERS[answer])
        self.counts[f"hear {answer}"] += 1

    @step("accepted")
    def note(self) -> None:
        """Somebody notes who was told by what the server took."""
        accepted = self._accepted()
        telling.note_told(accepted)
        self.counts["note"] += 1
        self._note_who_was_misled(accepted)

    def _accepted(self) -> list[int]:
        return list(db.session.scalars(sa.select(Delivery.id).where(Delivery.state == DeliveryState.ACCEPTED)))

    def _note_who_was_misled(self, accepted: list[int]) -> None:
        self.look_anew()
        noted = sa.select(Delivery.id).where(Delivery.id.in_(accepted), Delivery.state == DeliveryState.SENT)
        for number in db.session.scalars(noted).all():
            self.mislead_by(number)
