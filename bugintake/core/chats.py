"""How Slack and Teams are posted to: sentences in which nothing is markup, and a link that is ours.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook
"""

import enum
import json
import re
from typing import Any, NamedTuple

MOST_LINES = 50
LONGEST = 2000  # Slack takes 3,000 characters in a section, Teams 28 KB in all
NO_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
WOULD_CALL_OR_LINK = re.compile(r"(?<=[@\]])|(?<=:)(?=//)|(?<=\bwww)(?=\.)")


class Chat(enum.StrEnum):
    """Whose incoming webhook an address is. What takes Slack's words counts as Slack: Mattermost, Rocket.Chat."""

    SLACK = "slack"
    TEAMS = "teams"


class Link(NamedTuple):
    """Where to read more."""

    words: str
    url: str


def written(chat: Chat, sentences: str, link: Link | None = None) -> bytes:
    """Write a post: sentences with their lines, cut where the chat would refuse them, and a link below.

    Names and labels in them can format nothing, call nobody (@channel) and lead nowhere.
    """
    sentences = "\n".join(line for line in sentences.splitlines()[:MOST_LINES] if line.strip())
    if len(sentences) > LONGEST:
        sentences = sentences[: LONGEST - 1].rstrip() + "…"
    post = _slack(sentences, link) if chat is Chat.SLACK else _teams(sentences, link)
    return json.dumps(post, ensure_ascii=False, separators=(",", ":")).encode()


def _slack(sentences: str, link: Link | None) -> dict[str, Any]:
    """Write blocks of plain text; `text` is what notifications say, and all that Mattermost reads."""
    more = f"<{link.url.translate(NO_MARKUP)}|{_bare(link.words)}>" if link else ""
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "plain_text", "text": sentences}}]
    if more:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": more}]})
    return {"text": "\n".join(filter(None, (_bare(sentences), more))), "blocks": blocks, "unfurl_links": False}


def _bare(words: str) -> str:
    return WOULD_CALL_OR_LINK.sub("\u200b", words.translate(NO_MARKUP))


def _teams(sentences: str, link: Link | None) -> dict[str, Any]:
    """Write a card whose texts are runs: unlike text blocks, Markdown means nothing in them."""
    lines = [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]} for line in sentences.splitlines()
    ]
    card: dict[str, Any] = {"type": "AdaptiveCard", "version": "1.4", "body": lines}
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": link.words, "url": link.url}]
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}
