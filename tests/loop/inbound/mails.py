"""Mails as mail servers, machines and people write them, each in the fewest lines."""

from __future__ import annotations

DSN = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <{number}@mx.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=b"

--=b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

{prose}
--=b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
{said}

--=b
Content-Type: message/rfc822

From: Fakturo <help@fakturo.example>
Subject: Fixed: the VAT line

Hello,
--=b--
"""

ANSWER = """\
Return-Path: <{sender}>
From: Grace Hopper <{sender}>
To: Fakturo <{to}>
Subject: Re: Fixed: the VAT line
Message-ID: <{number}@mail.example.org>
In-Reply-To: <1@bugs.example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
{headers}
{text}
"""


def returned(
    to: str = "help@fakturo.example",
    *,
    recipient: str = "grace@example.org",
    status: str = "5.1.1",
    said: str = "550 5.1.1 User unknown",
    action: str = "failed",
    prose: str = "",
    number: str = "returned-1",
) -> bytes:
    """Return a mail the way a mail server does today."""
    said = f"Diagnostic-Code: smtp; {said}" if said else ""
    known = {"to": to, "recipient": recipient, "status": status, "said": said, "action": action, "prose": prose}
    return DSN.format(number=number, **known).replace("\n", "\r\n").encode()


def answered(
    text: str,
    to: str = "help@fakturo.example",
    *,
    sender: str = "grace@example.org",
    headers: str = "",
    number: str = "answered-1",
) -> bytes:
    """Answer a mail the way a person does."""
    known = {"to": to, "sender": sender, "headers": f"{headers}\n" if headers else "", "number": number}
    return ANSWER.format(text=text, **known).replace("\n", "\r\n").encode("utf-8", "surrogatepass")
