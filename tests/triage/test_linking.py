"""Links from a bug to other systems: recognised, added, removed, merged, and looked at by the worker."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core import outside
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.outside import Answer, Refused, Unreachable
from bugintake.intake.models import Status
from bugintake.team.models import Role
from bugintake.triage import history, linking, merging, queries
from bugintake.triage.elsewhere import place_of
from bugintake.triage.filters import Filters
from bugintake.triage.link_models import BugLink
from tests.factories import make_bug, make_user, merge
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]
ISSUE = "https://github.com/fakturo/app/issues/12"
OPEN_ISSUE = {"title": "VAT line missing", "state": "open"}


@pytest.fixture
def answers(monkeypatch):
    """Let servers outside answer in turn, and collect what they are asked."""
    asked, left = [], []

    def fetch(url, _headers):
        asked.append(url)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(200, json.dumps(answer).encode())

    monkeypatch.setattr(outside, "fetch", fetch)
    return asked, left


def link(bug, url=ISSUE, *, actor):
    with transaction():
        return linking.add_link(bug, url, actor=actor)


@pytest.mark.parametrize(
    ("url", "kind", "name", "api"),
    [
        (ISSUE, "GitHub issue", "fakturo/app#12", "https://api.github.com/repos/fakturo/app/issues/12"),
        (
            "https://github.com/fakturo/app/pull/7/",
            "GitHub pull request",
            "fakturo/app#7",
            "https://api.github.com/repos/fakturo/app/pulls/7",
        ),
        (
            "https://github.com/fakturo/app/commit/0123456789abcdef",
            "GitHub commit",
            "fakturo/app@012345678",
            "https://api.github.com/repos/fakturo/app/commits/0123456789abcdef",
        ),
        (
            "https://git.example/a/b/app/-/merge_requests/3",
            "GitLab merge request",
            "a/b/app!3",
            "https://git.example/api/v4/projects/a%2Fb%2Fapp/merge_requests/3",
        ),
        (
            "https://gitlab.com/a/app/-/commit/0123456",
            "GitLab commit",
            "a/app@0123456",
            "https://gitlab.com/api/v4/projects/a%2Fapp/repository/commits/0123456",
        ),
        ("https://fakturo.sentry.io/issues/4711/?project=1", "Sentry issue", "4711", None),
        ("https://fakturo.zendesk.com/agent/tickets/81", "Zendesk ticket", "#81", None),
        ("https://fakturo.freshdesk.com/a/tickets/81", "Freshdesk ticket", "#81", None),
        ("https://app.intercom.com/a/inbox/x/conversation/9", "Intercom conversation", "#9", None),
        ("https://wiki.example/page", "wiki.example", "page", None),
        ("https://github.com.evil.example/a/b/issues/1", "github.com.evil.example", "a/b/issues/1", None),
        ("https://github.com/fakturo", "github.com", "fakturo", None),
    ],
)
def test_an_address_is_recognised_by_where_it_leads(url, kind, name, api):
    assert place_of(url) == (kind, name, api)


@pytest.mark.parametrize(
    "url", ["", "x", "http://github.com/a/b/issues/1", "javascript:alert(1)", "https://a b", "https://me@x.example/"]
)
def test_what_is_no_https_address_is_refused(mira, url):
    with pytest.raises(Invalid, match="https://"):
        link(make_bug(), url, actor=mira)


def test_adding_and_removing_are_in_the_history_without_the_address_and_removing_can_be_undone(mira, clock):
    bug = make_bug(actor=mira)
    added = link(bug, actor=mira)
    with transaction():
        linking.remove_link(added, actor=mira)
    assert linking.links_of(bug) == []
    with transaction():
        linking.return_link(added, actor=mira)

    assert linking.links_of(bug) == [added]
    words = [entry.words for entry in history.history(bug)]
    assert words[1:] == ["linked it to: GitHub issue", "removed a link: GitHub issue", "linked it to: GitHub issue"]


def test_a_removal_is_undone_for_ten_minutes_alone(mira, clock):
    added = link(make_bug(), actor=mira)
    with transaction():
        linking.remove_link(added, actor=mira)
    clock.advance(timedelta(minutes=10, seconds=1))

    with pytest.raises(Conflict, match="ten minutes"), transaction():
        linking.return_link(added, actor=mira)


def test_the_same_page_is_linked_once(mira):
    bug = make_bug()
    link(bug, actor=mira)

    with pytest.raises(Conflict, match="already"):
        link(bug, actor=mira)


def test_links_follow_their_bug_into_another_one_and_back(mira):
    part, whole = make_bug(), make_bug()
    mine = link(part, actor=mira)
    merge(part, whole, actor=mira)
    assert linking.links_of(whole) == [mine]

    with transaction():
        merging.unmerge(part, actor=mira)

    assert (linking.links_of(part), linking.links_of(whole)) == ([mine], [])


def test_the_worker_asks_for_title_and_state_and_again_an_hour_later(mira, clock, answers):
    asked, left = answers
    added = link(make_bug(), actor=mira)
    left += [OPEN_ISSUE, {"title": "VAT line missing", "state": "closed"}]

    assert linking.look_at_one()
    assert not linking.look_at_one()
    assert (added.title, added.state, added.checked_at) == ("VAT line missing", "open", clock.now())
    clock.advance(timedelta(hours=1))
    assert linking.look_at_one()

    assert (added.state, added.look_at - clock.now()) == ("closed", timedelta(days=1))
    assert asked == [place_of(ISSUE).api] * 2


def test_a_bug_is_found_by_what_its_link_is_called_until_that_is_removed(mira, answers):
    _asked, left = answers
    bug = make_bug()
    added = link(bug, actor=mira)
    left.append({"title": "Pelicans nest in the cache", "state": "open"})

    def found():
        return [card.ref for card in queries.listed(Filters(text="pelicans"), mira)]

    before = found()
    linking.look_at_one()
    there = found()
    with transaction():
        linking.remove_link(added, actor=mira)
    removed = found()
    with transaction():
        linking.return_link(added, actor=mira)

    assert (before, there, removed, found()) == ([], [bug.ref], [], [bug.ref])


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Unreachable("api.github.com does not answer."), "api.github.com does not answer."),
        (Refused("git.example leads into this network, so it is not asked."), "git.example leads into"),
        (Answer(404, b"{}"), "GitHub issue fakturo/app#12 is not public, or is gone."),
        (Answer(302, b""), "the server answers 302."),
        (Answer(200, b"<html>"), "the answer cannot be read."),
        (Answer(200, b"[1]"), "the answer cannot be read."),
        (Answer(200, b'{"title": {}}'), "the answer cannot be read."),
    ],
)
def test_what_is_not_answered_is_said_and_asked_later_and_later(mira, clock, answers, answer, trouble):
    added = link(make_bug(), actor=mira)
    answers[1].extend([answer] * 3)
    waits = []
    for _ in range(3):
        assert linking.look_at_one()
        waits.append(added.look_at - clock.now())
        clock.advance(waits[-1])

    assert trouble in added.trouble
    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert (added.checked_at, added.title) == (None, "")


@pytest.mark.parametrize(
    ("answer", "title", "state"),
    [
        ({"title": "Fix VAT", "state": "closed", "merged_at": "2026-03-01T00:00:00Z"}, "Fix VAT", "merged"),
        ({"title": "Fix VAT", "state": "opened", "draft": True}, "Fix VAT", "draft"),
        ({"title": "Fix VAT", "state": "opened"}, "Fix VAT", "open"),
        ({"commit": {"message": "Fix VAT\n\nIt was gone."}}, "Fix VAT", ""),
        ({"title": "Fix VAT", "message": "Fix VAT\n\nIt was gone."}, "Fix VAT", ""),
    ],
)
def test_an_answer_is_read_as_each_system_gives_it(mira, clock, answers, answer, title, state):
    added = link(make_bug(), actor=mira)
    answers[1].append(answer)
    linking.look_at_one()

    assert (added.title, added.state) == (title, state)


def test_what_nobody_can_ask_or_was_removed_is_not_looked_at(mira, answers):
    link(make_bug(), "https://fakturo.zendesk.com/agent/tickets/81", actor=mira)
    gone = link(make_bug(), actor=mira)
    with transaction():
        linking.remove_link(gone, actor=mira)

    assert not linking.look_at_one()


def test_the_page_shows_links_with_their_state_and_takes_a_new_one(app, mira, clock, answers):
    bug, visitor = make_bug(), visit(app, mira)
    visitor.post(f"/bugs/{bug.ref}/links", {"url": f" {ISSUE} "})
    answers[1].append(OPEN_ISSUE)
    linking.look_at_one()
    clock.advance(timedelta(minutes=5))

    page = visitor.get(f"/bugs/{bug.ref}").text

    assert f'href="{ISSUE}" rel="noopener noreferrer">GitHub issue fakturo/app#12</a> VAT line missing' in page
    assert "open, looked 5 min ago" in page


def test_a_refused_address_stays_in_its_field(app, mira):
    bug, visitor = make_bug(), visit(app, mira)

    answer = visitor.post(f"/bugs/{bug.ref}/links", {"url": "github.com/a"})

    assert answer.status_code == 422
    assert 'value="github.com/a"' in answer.text
    assert "Paste an address that begins with https://." in answer.text


def test_a_link_of_another_bug_cannot_be_removed_through_this_one(app, mira):
    bug, other = make_bug(), make_bug()
    theirs = link(other, actor=mira)

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/links/{theirs.id}/removal")

    assert (answer.status_code, linking.links_of(other)) == (404, [theirs])


def test_an_agent_links_what_they_may_see(app):
    bug, visitor = make_bug(Status.ACCEPTED), visit(app, make_user(Role.AGENT))

    visitor.post(f"/bugs/{bug.ref}/links", {"url": ISSUE})

    assert db.session.scalars(sa.select(BugLink.url)).all() == [ISSUE]
