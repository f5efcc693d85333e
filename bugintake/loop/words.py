"""How the team reads the states of what is owed."""

from collections.abc import Mapping

from bugintake.core.templating import whole_day
from bugintake.intake.customers.quiet import quiet_until
from bugintake.loop.models import (
    AnnouncementKind,
    Delivery,
    DeliveryKind,
    DeliveryState,
    HeldBecause,
    Message,
    MessageState,
)
from bugintake.loop.text_models import TextKind

STATES: Mapping[MessageState, str] = {
    MessageState.PENDING: "To be sent",
    MessageState.HELD: "Held",
    MessageState.SENT: "Sent",
    MessageState.SUPPRESSED: "Not told",
    MessageState.CANCELLED: "Taken back",
    MessageState.FAILED: "Failed",
    MessageState.UNCERTAIN: "Nobody knows",
    MessageState.TOLD_BY_HAND: "Told by hand",
}
CHIPS: Mapping[MessageState, str] = {
    MessageState.PENDING: "acc",
    MessageState.HELD: "s3",
    MessageState.SENT: "ok",
    MessageState.SUPPRESSED: "s4",
    MessageState.CANCELLED: "s4",
    MessageState.FAILED: "s1",
    MessageState.UNCERTAIN: "s2",
    MessageState.TOLD_BY_HAND: "ok",
}
HELD: Mapping[HeldBecause, str] = {
    HeldBecause.NO_NOTE: "Nobody has written it in their language yet.",
    HeldBecause.NO_ADDRESS: "There is no address: tell them by phone or in the help desk.",
    HeldBecause.RESTORED: "A backup was restored: this may have been sent before.",
    HeldBecause.REOPENED: "The bug was opened again, so this is no longer so.",
    HeldBecause.QUIET: "They want no mail yet: it leaves by itself.",
    HeldBecause.UNFILLED: "Its text has a placeholder with nothing behind it.",
}
KINDS: Mapping[AnnouncementKind, str] = {
    AnnouncementKind.LIVE: "Fixed",
    AnnouncementKind.DECLINED: "Declined",
    AnnouncementKind.ASKED: "Question",
    AnnouncementKind.REMINDED: "Reminder of the question",
    AnnouncementKind.PAUSED: "Paused without an answer",
    AnnouncementKind.RECEIVED: "We have your report",
    AnnouncementKind.WORKAROUND: "Workaround",
    AnnouncementKind.CORRECTION: "Correction",
}
TEXTS: Mapping[TextKind, str] = {
    TextKind.OPENING: "How every mail begins",
    **{TextKind(kind): name for kind, name in KINDS.items()},
    TextKind.CLOSING: "How every mail ends",
}
PLACES: Mapping[str, str] = {
    "first_name": "how they are greeted; not there where we know no name",
    "their_words": "the first sentence of what they told us; alone in a paragraph, it is set apart",
    "day_told": "the day they told us",
    "note": "what somebody of the team wrote for this mail: what is different, why not, what is asked or was wrong",
    "workaround": "what they can do instead; not there where nobody wrote one",
    "version": "the version that is live; not there where there is none",
    "version_used": "the version they told us of; not there where they were not sure",
    "live_since": "the day since which it is live",
    "days": "how long it took, counted in days; not there on the same day",
    "answer_by": "the day until which we wait for their answer",
    "signer": "whoever they told, or who stands in for them; not there where nobody of those is there",
    "company": "the name that mail is signed with",
}
NOTICES: Mapping[DeliveryKind, str] = {
    DeliveryKind.QUESTION: "Question about a report",
    DeliveryKind.DUTY_REMINDER: "Reminder of bug duty",
    DeliveryKind.DUTY_CHANGED: "Bug duty changed",
    DeliveryKind.DUTY_GAP: "Nobody on bug duty",
    DeliveryKind.DUTY_WEEK: "The week on bug duty",
    DeliveryKind.SWAP_ASKED: "Somebody asks for a swap",
    DeliveryKind.SWAP_TRADE: "Trade offered for a swap",
    DeliveryKind.SWAP_TAKEN: "Swap that was taken",
    DeliveryKind.SWAP_UNTAKEN: "Swap that nobody takes",
    DeliveryKind.MENTION: "Mention in a comment",
    DeliveryKind.PAUSED: "Paused bug",
    DeliveryKind.WORSE_DUPLICATE: "Duplicate that is worse",
    DeliveryKind.STAND_IN: "Who stands in for somebody",
    DeliveryKind.WORDING: "Asked to word a mail",
    DeliveryKind.OVERLOOKED: "What is overlooked today",
    DeliveryKind.YOUR_CUSTOMERS: "What somebody's customers are told",
    DeliveryKind.PASSWORD_RESET: "Link for a new password",
    DeliveryKind.WEBHOOK_OFF: "Webhook that was switched off",
}
UNCERTAIN = "The server took it and did not answer: it may have arrived."


def why(message: Message, last_error: str = "") -> str:
    """Say in a sentence why a message is where it is, or nothing where its state says it all."""
    if message.held_because is HeldBecause.QUIET:
        until = quiet_until(message.customer)
        return f"Quiet until {whole_day(until)}: it leaves by itself then." if until else HELD[HeldBecause.QUIET]
    if message.state is MessageState.HELD and message.held_because is not None:
        return message.reason or HELD[message.held_because]
    if message.state is MessageState.UNCERTAIN:
        return last_error or UNCERTAIN
    if message.state in (MessageState.FAILED, MessageState.PENDING):
        return message.reason or last_error
    return message.reason


def why_stuck(notice: Delivery) -> str:
    """Say in a sentence why a mail to somebody of the team waits for a lead."""
    if notice.state is DeliveryState.HELD:
        return HELD[HeldBecause.RESTORED]
    return notice.last_error or (UNCERTAIN if notice.state is DeliveryState.UNCERTAIN else "")
