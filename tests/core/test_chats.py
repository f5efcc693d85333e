"""What Slack and Teams are posted: sentences in which nothing is markup, calls anybody or leads anywhere."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugintake.core.chats import LONGEST, MOST_LINES, Chat, Link, written

pytestmark = pytest.mark.long_on("postgres")

BUG = Link("Open BUG-142", "https://bugs.example.com/bugs/BUG-142?a=1&b=2")
EVIL = (
    "<!channel> <@U1> <https://evil.example|BUG-1> @here @channel [x](https://evil.example) *b* _i_ `c` & www.evil.test"
)


def posted(chat, sentences, link=BUG):
    return json.loads(written(chat, sentences, link))


def test_slack_reads_plain_text_and_a_link_below_and_mattermost_the_same_as_text():
    post = posted(Chat.SLACK, "BUG-142 is live.\nNobody waits.")

    assert post == {
        "text": "BUG-142 is live.\nNobody waits.\n<https://bugs.example.com/bugs/BUG-142?a=1&amp;b=2|Open BUG-142>",
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": "BUG-142 is live.\nNobody waits."}},
            {
                "type": "context",
                "elements": [
                    {"type": "mrkdwn", "text": "<https://bugs.example.com/bugs/BUG-142?a=1&amp;b=2|Open BUG-142>"}
                ],
            },
        ],
        "unfurl_links": False,
    }


def test_teams_reads_a_card_with_a_line_each_and_a_button():
    post = posted(Chat.TEAMS, "BUG-142 is live.\nNobody waits.")

    [attachment] = post["attachments"]
    assert (post["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert attachment["content"] == {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]}
            for line in ("BUG-142 is live.", "Nobody waits.")
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Open BUG-142", "url": BUG.url}],
    }


@pytest.mark.parametrize("chat", Chat)
def test_without_a_link_there_is_none(chat):
    assert "http" not in written(chat, "Nobody is on duty.").decode()


def test_what_names_and_labels_say_is_markup_in_no_part_of_what_slack_reads():
    post = posted(Chat.SLACK, EVIL)

    section, context = post["blocks"]
    assert section["text"] == {"type": "plain_text", "text": EVIL}
    assert context["elements"][0]["text"].count("<") == 1
    said = post["text"].rpartition("\n")[0]
    assert re.findall(r"[<>]|@\w|\]\(|://|www\.|&(?!amp;|lt;|gt;)", said) == []


def test_what_names_and_labels_say_is_never_a_text_that_teams_reads_as_markdown():
    [attachment] = posted(Chat.TEAMS, EVIL)["attachments"]

    [block] = attachment["content"]["body"]
    assert block["type"] == "RichTextBlock"
    assert block["inlines"] == [{"type": "TextRun", "text": EVIL}]


@pytest.mark.parametrize("chat", Chat)
@given(sentences=st.text(min_size=1, max_size=30).map(lambda text: text * 400))
def test_however_long_and_strange_no_chat_has_to_refuse_it_for_its_size(chat, sentences):
    raw = written(chat, sentences, BUG)

    assert len(raw) < 28_000
    if chat is Chat.SLACK:
        said = json.loads(raw)["blocks"][0]["text"]["text"]
        assert len(said) <= LONGEST
        assert said.count("\n") < MOST_LINES
