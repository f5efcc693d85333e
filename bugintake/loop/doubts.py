"""What somebody should look at before customers read it: words of a trade, and the names of others who wait."""

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.templating import say
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, Report
from bugintake.intake.wording import trade_words
from bugintake.loop.models import Announcement, AnnouncementKind, Message, MessageState
from bugintake.loop.placeholders import fill
from bugintake.loop.texts import in_force, of_mail
from bugintake.team.models import LANGUAGES

SHORTEST_COMPANY = 4
MOST_NAMED = 5
LONGEST = 100_000
UNSENT = (MessageState.PENDING, MessageState.HELD)
WITH_WAYS = (AnnouncementKind.DECLINED, AnnouncementKind.WORKAROUND)


def doubts_about(announcement: Announcement) -> list[str]:
    """Say in sentences what should be looked at in the words of an announcement; nothing where they are plain."""
    words = [
        say("In %(language)s it says “%(word)s”, no word of a customer.", language=LANGUAGES.get(each, each), word=word)
        for each, text in [
            *_texts(announcement).items(),
            *((line.language, line.text) for line in _lines(announcement)),
        ]
        for word in trade_words(each, text)
    ]
    names = [
        say("It names %(name)s, and others read it. It leaves only when somebody sends it.", name=who)
        for who in named_in(announcement)
    ]
    return [*words, *names]


def named_in(announcement: Announcement) -> list[str]:
    """List the people, by their whole names, and companies who wait for a bug and stand in what all of them read.

    In what one person alone reads they may be named themselves, and in what is of one report there is nobody else.
    """
    if announcement.report_id is not None:
        return []
    said = sa.literal(key_of(" ".join(_texts(announcement).values()), LONGEST))
    lines = [(line, sa.literal(key_of(line.text, LONGEST))) for line in _lines(announcement)]
    under = sa.select(Bug.id).where(Bug.canonical_id == announcement.bug_id)
    people = sa.select(Customer.name).join(Report, Report.customer_id == Customer.id).where(Report.bug_id.in_(under))
    others = (sa.and_(key.contains(Customer.name_key), Customer.id != line.customer_id) for line, key in lines)
    whole = people.where(Customer.name_key.contains(" "), sa.or_(said.contains(Customer.name_key), *others))
    theirs = sa.select(Account.name).join(Customer, Customer.account_id == Account.id)
    theirs = theirs.join(Report, Report.customer_id == Customer.id).where(Report.bug_id.in_(under))
    elsewhere = (
        sa.and_(key.contains(Account.name_key), Account.id.is_distinct_from(line.account_id)) for line, key in lines
    )
    is_long = sa.func.length(Account.name_key) >= SHORTEST_COMPANY
    companies = theirs.where(is_long, sa.or_(said.contains(Account.name_key), *elsewhere))
    return sorted(db.session.scalars(sa.union(whole, companies).limit(MOST_NAMED)))


def customers_in(text: str) -> list[str]:
    """List the customers, by their whole names, and companies that a text names which everybody reads."""
    said = sa.literal(key_of(text, LONGEST))
    people = sa.select(Customer.name).where(Customer.name_key.contains(" "), said.contains(Customer.name_key))
    is_long = sa.func.length(Account.name_key) >= SHORTEST_COMPANY
    companies = sa.select(Account.name).where(is_long, said.contains(Account.name_key))
    return sorted(db.session.scalars(sa.union(people, companies).limit(MOST_NAMED)))


_HAS_LINE = Message.personal_line != sa.literal_column("''")  # written out: SQLite finds the index by it


class _PersonalLine(NamedTuple):
    customer_id: int
    account_id: int | None
    language: str
    text: str


def _lines(announcement: Announcement) -> list[_PersonalLine]:
    """Read what stands in the mail of one person alone and has not left."""
    columns = (Message.customer_id, Customer.account_id, Message.language, Message.personal_line)
    query = sa.select(*columns).join(Customer, Customer.id == Message.customer_id)
    of_it = (Message.announcement_id == announcement.id, _HAS_LINE, Message.state.in_(UNSENT))
    return [_PersonalLine._make(row) for row in db.session.execute(query.where(*of_it).order_by(Message.id))]


def _texts(announcement: Announcement) -> Mapping[str, str]:
    """Join in each language what was written for an announcement, and the texts that its mails are written with."""
    ways = announcement.bug.workarounds if announcement.kind in WITH_WAYS else {}
    notes, texts = announcement.notes, in_force()
    of_mails = {
        language: "\n".join(fill("\n".join(each), {}) for each in of_mail(texts, announcement.kind, language).values())
        for language in LANGUAGES
    }
    return {
        language: said
        for language in LANGUAGES
        if (said := f"{notes.get(language, '')}\n{ways.get(language, '')}\n{of_mails[language]}".strip())
    }
