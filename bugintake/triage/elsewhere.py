"""Which system an address belongs to, where its state is asked, and what an answer says."""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

LENGTH = 500


class Place(NamedTuple):
    """A page of another system: what it is, the name people use for it, and where a program asks for its state."""

    kind: str
    name: str
    api: str | None = None


class Told(NamedTuple):
    """What another system says of a page."""

    title: str
    state: str


_GITHUB = re.compile(r"/([\w.-]+/[\w.-]+)/(issues|pull|commit)/(\d{1,9}|[0-9a-f]{7,40})/?", re.ASCII)
_GITLAB = re.compile(r"/([\w./-]+)/-/(issues|work_items|merge_requests|commit)/(\d{1,9}|[0-9a-f]{7,40})/?", re.ASCII)
_SENTRY = re.compile(r"(?:/organizations/[\w-]+)?/issues/(\d+)(?:/.*)?", re.ASCII)
_TICKETS = (
    ("zendesk.com", "Zendesk ticket", re.compile(r"/(?:agent/tickets|tickets|hc/requests)/(\d+)/?", re.ASCII)),
    ("freshdesk.com", "Freshdesk ticket", re.compile(r"/a/tickets/(\d+)/?", re.ASCII)),
    ("intercom.com", "Intercom conversation", re.compile(r"/a/.*/conversations?/(\d+)/?", re.ASCII)),
)
_WORDS = {
    "issues": ("issue", "#", "issues"),
    "work_items": ("issue", "#", "issues"),
    "pull": ("pull request", "#", "pulls"),
    "merge_requests": ("merge request", "!", "merge_requests"),
    "commit": ("commit", "@", "commits"),
}


def is_link(text: str, schemes: Collection[str] = ("https",)) -> bool:
    """Whether a text is an address that a page may lead to, by default an https one."""
    if len(text) > LENGTH or any(letter.isspace() or not letter.isprintable() for letter in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.username is None and (parts.port or 1) > 0
    except ValueError:
        return False


def place_of(url: str) -> Place:
    """Recognise what an address leads to; what nobody knows is called by its host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("github.com", "www.github.com") and (found := _GITHUB.fullmatch(parts.path)):
        project, what, number = found.groups()
        word, mark, api = _WORDS[what]
        return Place(
            f"GitHub {word}", _name(project, mark, number), f"https://api.github.com/repos/{project}/{api}/{number}"
        )
    if found := _GITLAB.fullmatch(parts.path):
        project, what, number = found.groups()
        word, mark, api = _WORDS[what]
        root = f"https://{parts.netloc}/api/v4/projects/{quote(project, safe='')}"
        asked = f"{root}/repository/commits/{number}" if what == "commit" else f"{root}/{api}/{number}"
        return Place(f"GitLab {word}", _name(project, mark, number), asked)
    if (host == "sentry.io" or host.endswith(".sentry.io")) and (found := _SENTRY.fullmatch(parts.path)):
        return Place("Sentry issue", found[1])
    for domain, kind, pattern in _TICKETS:
        if host.endswith(f".{domain}") and (found := pattern.fullmatch(parts.path)):
            return Place(kind, f"#{found[1]}")
    return Place(host, parts.path.strip("/")[-60:])


def told_by(answer: Mapping[str, Any]) -> Told:
    """Read the title and the state from what GitHub or GitLab answered; a commit has no state.

    Raises ValueError for anything else.
    """
    commit = answer.get("commit")
    message = commit.get("message") if isinstance(commit, dict) else answer.get("message")
    title = answer.get("title") or message
    state = answer.get("state") or ""
    if not isinstance(title, str) or not isinstance(state, str):
        raise ValueError("That is no answer about a page.")
    if answer.get("merged_at"):
        state = "merged"
    elif answer.get("draft") and state in ("open", "opened"):
        state = "draft"
    return Told(title.strip().partition("\n")[0][:200], "open" if state == "opened" else state[:20])


def _name(project: str, mark: str, number: str) -> str:
    return f"{project}{mark}{number[:9]}"
