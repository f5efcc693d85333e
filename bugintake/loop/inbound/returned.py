"""Reading a mail that came back: who did not get it, whether ever, and why (RFC 3464, RFC 3463, and prose)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bugintake.loop.inbound.parts import REPORTS, RETURNED, Mail
from bugintake.loop.inbound.phrases import (
    FAILED,
    FULL_OR_CLOSED,
    NO_ADDRESS,
    NO_DOMAIN,
    NOT_NOW,
    ORIGINAL,
    POLICY,
    SENDER,
)
from bugintake.loop.verdicts import Phase, Verdict, verdict_of

LONGEST_PROSE = 16_000
LONGEST_REPORT = 64_000
MOST_BLOCKS = 200
MOST_RECIPIENTS = 50
ADDRESS = r"[^\s<>\"'(),:;\[\]]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]"
CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\.\d|\d)")
REPLY = re.compile(r"(?<![\d.#-])([45]\d\d)(?=[ :-])")
AT_RCPT = re.compile(
    r"(?:in reply to|after|response to|like our|command:?) RCPT|>>> ?RCPT|\[RCPT_TO\]|does not like recipient|"
    r"RCPT TO.{0,10}(?:command|failed|:<[^>]*>:)",
    re.IGNORECASE,
)
NO_RCPT_LEFT = re.compile(
    r"503[ -](?:5\.\d\.\d )?(?:need|no valid|must have|specify).{0,20}(?:RCPT|recipient)|no valid recipients", re.I
)
"""The server refused the recipient, and before it saw the mail."""
MAILER = re.compile(
    r"\b(?:mailer-?daemon|post[ _]?master|mail-?daemon|mailmaster|mmdf|mdaemon|bounces?)(?:[+-][^@\s<>]*)?(?:@|>|\s|$)|"
    r"mail[ ._-]?deliver(?:y|ed)?[ ._-]?(?:sub)?s|delivery[ ._-]?(?:subsystem|system|status)|mail[ _-]?system",
    re.IGNORECASE,
)
"""How mail systems name themselves as the sender of what they return."""
NO_REPLY = re.compile(r"(?:no-?reply|do-?not-?reply)@", re.IGNORECASE)
NOTIFIED = '"notificationType":"Bounce"'  # how Amazon SES tells of a bounce, in JSON
TOLD_AS_JSON = re.compile(
    r'"emailAddress":"([^"]+)","action":"([^"]*)","status":"([^"]*)"(?:,"diagnosticCode":"([^"]*)")?'
)
ACCEPTED_BEFORE = re.compile(r"(?mi)^reporting-mta:.*\binbound-smtp\.[\w-]+\.amazonaws\.com")
"""A rule of the receiver returned the mail after it was accepted."""
FULL = re.compile(r"not enough disk space|mailbox (?:is )?full|quota exceeded|over quota", re.IGNORECASE)
ACCEPTS_NO_MAIL = re.compile(r"\b(?:521|556)\b[^\n]{0,120}accept", re.IGNORECASE)  # RFC 7504
RECIPIENT_REJECTED = re.compile(r"(?:recipient|address) (?:was )?rejected", re.IGNORECASE)


class Why(StrEnum):
    """Why a mail came back."""

    NO_ADDRESS = "no_address"
    NO_DOMAIN = "no_domain"
    FULL_OR_CLOSED = "full_or_closed"
    POLICY = "policy"
    NOT_NOW = "not_now"
    UNKNOWN = "unknown"

    @property
    def in_words(self) -> str:
        """Say it so that it can end a sentence."""
        return WORDS[self]

    @property
    def is_hard(self) -> bool:
        """Whether no other mail to the same address would arrive."""
        return self in (Why.NO_ADDRESS, Why.NO_DOMAIN)


WORDS = {
    Why.NO_ADDRESS: "the address does not exist",
    Why.NO_DOMAIN: "the part after the @ takes no mail",
    Why.FULL_OR_CLOSED: "the mailbox is full or closed",
    Why.POLICY: "their mail server refused it",
    Why.NOT_NOW: "their mail server did not take it in time",
    Why.UNKNOWN: "their mail server did not say why",
}
CATEGORIES = {"bad-mailbox": Why.NO_ADDRESS, "bad-domain": Why.NO_DOMAIN, "quota-issues": Why.FULL_OR_CLOSED}


@dataclass(frozen=True)
class Failure:
    """One recipient who did not get a mail."""

    addresses: tuple[str, ...]
    why: Why
    code: str = ""
    is_final: bool = True

    @property
    def ends_address(self) -> bool:
        """Whether no other mail may try the address: as the mail server's answer would have, no more and no less.

        That is 5.1.x and 5.2.1, or words alone that say the address is not there; never 4.x, 5.4.4 or a policy.
        """
        if not self.is_final or self.why not in (Why.NO_ADDRESS, Why.NO_DOMAIN, Why.FULL_OR_CLOSED):
            return False
        if not self.code or self.code.endswith(".0.0"):
            return self.why is Why.NO_ADDRESS
        return verdict_of(Phase.RCPT, 550, self.code) is Verdict.BOUNCED


def is_returned(mail: Mail, is_from_nobody: bool) -> bool:
    """Whether a mail says that another one did not arrive: a report, or prose of a mail system. People never do."""
    kinds = {part.content_type for part in mail.parts}
    if mail.report_type in ("disposition-notification", "feedback-report") or kinds & {
        "message/disposition-notification",
        "message/feedback-report",
    }:
        return False
    is_from_mailer = bool(MAILER.search(" ".join(mail.every("from", "sender"))))
    is_from_machine = is_from_nobody or is_from_mailer
    is_report = mail.report_type == "delivery-status" or mail.content_type in REPORTS
    if is_report or (kinds & set(REPORTS) and is_from_machine):
        return not (_actions(mail) and _actions(mail) <= {"delivered", "relayed", "expanded"})
    if mail.header("x-failed-recipients"):
        return is_from_machine
    if NO_REPLY.search(mail.header("from")) and NOTIFIED in _unescaped(_all_text(mail)):
        return True
    says_so = bool(FAILED.search(mail.header("subject")) or FAILED.search(_prose(mail)[:4000]))
    has_original = bool(kinds & set(RETURNED))
    if is_from_mailer or (has_original and NO_REPLY.search(mail.header("from"))):
        return says_so
    return says_so and is_from_machine and (has_original or bool(ORIGINAL.search(_all_text(mail))))


def failures_in(mail: Mail) -> list[Failure]:
    """List who did not get the mail that came back; at least one, who may have no address."""
    found = [_failure(block, mail) for block in _blocks(mail)][:MOST_RECIPIENTS]
    return found or list(_told_in_prose(mail))[:MOST_RECIPIENTS]


def _actions(mail: Mail) -> set[str]:
    return {block.get("action", "").split(" ")[0].strip("()").lower() for block in _blocks(mail)} - {""}


def _blocks(mail: Mail) -> Iterator[dict[str, str]]:
    """Yield the fields about each recipient of a delivery report, folded lines unfolded."""
    for part in mail.parts:
        if NOTIFIED in _unescaped(part.text):
            for address, action, status, said in TOLD_AS_JSON.findall(_unescaped(part.text)):
                yield {"final-recipient": address, "action": action, "status": status, "diagnostic-code": said}
        if part.content_type not in REPORTS and "final-recipient:" not in part.text.lower():
            continue
        for block in re.split(r"\n[ \t]*\n", part.text[:LONGEST_REPORT])[:MOST_BLOCKS]:
            unfolded = re.sub(r"\n[ \t]+", " ", block)
            fields: dict[str, str] = {}
            for name, value in re.findall(r"(?m)^([A-Za-z-]{3,40}):[ \t]*(.*)$", unfolded):
                fields.setdefault(name.lower(), value.strip())
            if "final-recipient" in fields or ("status" in fields and "action" in fields):
                yield fields


def _failure(fields: dict[str, str], mail: Mail) -> Failure:
    addresses = tuple(
        found[0].lower()
        for name in ("original-recipient", "final-recipient", "x-actual-recipient")
        if (found := re.search(ADDRESS, fields.get(name, "")))
    )
    status, said, prose = fields.get("status", ""), fields.get("diagnostic-code", ""), _prose(mail)
    about = _prose_about(prose, addresses)
    code = _code_of(said) or _code_of(status)
    action, category = fields.get("action", "failed").lower(), fields.get("x-powermta-bouncecategory", "")
    is_at_rcpt = _was_at_rcpt(about, code)
    is_answer = bool(said) and not said.lower().startswith("x-")
    why = CATEGORIES.get(category.lower()) or judged(f"{status} {said}", code, is_at_rcpt, is_answer=is_answer)
    if why is Why.NO_ADDRESS and any(ACCEPTED_BEFORE.search(part.text) for part in mail.parts):
        why = Why.POLICY
    if why is Why.NO_ADDRESS and FULL.search(prose):
        why = Why.FULL_OR_CLOSED
    if why is Why.UNKNOWN:
        code = code if code and not code.endswith(".0.0") else _code_of(about) or code
        why = judged(f"{said} {about}", code, is_at_rcpt)
    return Failure(addresses, why, code, is_final="delay" not in action)


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"')


def _told_in_prose(mail: Mail) -> Iterator[Failure]:
    prose = _prose(mail)
    named = [found.lower() for found in re.findall(ADDRESS, mail.header("x-failed-recipients"))]
    text = f"{mail.header('subject')}\n{prose}"
    is_warning = bool(re.search(r"\bwarning\b|delay(?:ed)?\b|will (?:be )?(?:retry|retried|continue)", text, re.I))
    is_final = not is_warning or bool(re.search(r"permanent|given up|giving up|failed", text, re.IGNORECASE))
    places = [(found.start(), found[1].lower()) for found in re.finditer(rf"(?m)^[ \t*<]*({ADDRESS})", prose)]
    if len({address for _, address in places}) > 1:
        ends = [start for start, _ in places[1:]] + [len(prose)]
        spans: dict[str, str] = {}
        for (start, address), end in zip(places, ends, strict=True):
            spans[address] = spans.get(address, "") + "\n" + prose[start:end]
        told = {address: span for address, span in spans.items() if _says_anything(span, address)}
        if len(told) > 1:
            for address, span in told.items():
                yield Failure(
                    (address,), judged(span, _code_of(span), _was_at_rcpt(span, _code_of(span))), _code_of(span)
                )
            return
    addresses = tuple(named) or tuple(address for _, address in places[:1])
    code = _code_of(prose)
    why = judged(prose, code, _was_at_rcpt(prose, code))
    yield Failure(addresses, judged(text, code, False) if why is Why.UNKNOWN else why, code, is_final)


def _says_anything(span: str, address: str) -> bool:
    return len(re.findall(r"[A-Za-z]{3,}", span.lower().replace(address, ""))) > 1


def judged(said: str, code: str, is_at_rcpt: bool, *, is_answer: bool = False) -> Why:
    """Say why a mail came back, from what the server said and its enhanced code.

    Words go before numbers, because many servers send the wrong ones: a full mailbox with 5.1.1, an unknown user with
    5.7.1. A server that answers "user unknown" without having refused the recipient, in its code or at RCPT, had
    accepted it: that is how filters refuse mail to addresses that exist.
    """
    words = _without_addresses(said)
    subject, detail = _digits(code)
    reply, unknown = REPLY.search(words), NO_ADDRESS.search(words)
    before = words[max(0, unknown.start() - 60) : unknown.start()] if unknown else ""
    is_answer = is_answer or before.endswith("[") or REPLY.search(before) is not None
    is_closed, is_policy = FULL_OR_CLOSED.search(words), POLICY.search(words)
    if (detail in ("7", "8") and subject == "1") or SENDER.search(words):
        return Why.POLICY
    if unknown and not is_closed and (subject, detail) != ("2", "2"):
        if subject == "1" or is_at_rcpt or not (is_answer or is_policy):
            return Why.NO_ADDRESS
        return Why.POLICY
    is_for_good = not code.startswith("4") and not (reply and reply[1].startswith("4"))
    takes_none = NO_DOMAIN.search(words) or (ACCEPTS_NO_MAIL.search(words) and not is_policy)
    if is_for_good and takes_none and not is_closed:
        return Why.NO_DOMAIN
    for found, why in ((is_closed, Why.FULL_OR_CLOSED), (is_policy, Why.POLICY), (NOT_NOW.search(words), Why.NOT_NOW)):
        if found:
            return why
    if code.startswith("4") or (not code and reply and reply[1].startswith("4")):
        return Why.NOT_NOW
    if subject == "1" and (detail not in ("0", "7", "8", "9") or RECIPIENT_REJECTED.search(words)):
        return Why.NO_DOMAIN if detail in ("2", "10") else Why.NO_ADDRESS
    if (subject, detail) == ("2", "1"):
        return Why.NO_ADDRESS
    return Why.NO_DOMAIN if (subject, detail) == ("4", "4") else Why.UNKNOWN


def _was_at_rcpt(text: str, code: str) -> bool:
    """Whether the recipient was refused, and not the mail; after pipelined commands only what followed tells."""
    return bool(AT_RCPT.search(text) or (_digits(code)[0] != "7" and NO_RCPT_LEFT.search(text)))


def _digits(code: str) -> tuple[str, str]:
    parts = code.split(".")
    return (parts[1], parts[2]) if len(parts) == 3 else ("", "")


def _without_addresses(said: str) -> str:
    """Take addresses and web addresses out: nobody's name or path says why a mail came back."""
    return re.sub(r"https?://\S+|[^\s<>]{1,200}@[^\s<>]{1,255}", " ", " ".join(said[:LONGEST_PROSE].split()))


def _code_of(text: str) -> str:
    """Return the enhanced code that says most: one that is not x.0.0, where there is one."""
    found = [match[0] for match in CODE.finditer(text)]
    return next((code for code in found if not code.endswith(".0.0")), found[0] if found else "")


def _prose_about(prose: str, addresses: tuple[str, ...]) -> str:
    """Return the paragraphs of the prose that speak of somebody, else all of it."""
    paragraphs = re.split(r"\n\s*\n", prose)
    about = [text for text in paragraphs if any(address in text.lower() for address in addresses)]
    return "\n".join(about) if any(_says_anything(text, address) for text in about for address in addresses) else prose


def _all_text(mail: Mail) -> str:
    return "\n\n".join(part.text for part in mail.parts)[:LONGEST_PROSE]


def _prose(mail: Mail) -> str:
    """Return what a mail system says to people, without the mail that it returns."""
    text = "\n\n".join(part.text for part in mail.parts if part.content_type.startswith("text/"))[:LONGEST_PROSE]
    original = ORIGINAL.search(text)
    if original is not None and re.search(r"[A-Za-z]{3}", text[: original.start()]):
        text = text[: original.start()]
    head = re.search(
        r"(?m)^(?:Received|Return-Path|Message-ID|MIME-Version):.*\n(?:.*\n){0,3}[A-Z][\w-]+: ", text, re.I
    )
    return text[: head.start()] if head is not None and head.start() > 40 else text
