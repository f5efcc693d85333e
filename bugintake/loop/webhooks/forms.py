"""What may be chosen about webhooks."""

from collections.abc import Mapping

from wtforms import RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs do not know it yet

from bugintake.core.chats import Chat
from bugintake.core.forms import Form, KeptLine
from bugintake.loop.webhooks.models import Occasion, Sender, Topic
from bugintake.loop.webhooks.outgoing import CHOICES

TOPICS: Mapping[Topic, str] = {
    Topic.BUG_FILED: "a bug is filed",
    Topic.BUG_STATUS_CHANGED: "a bug has another status",
    Topic.BUG_CAME_BACK: "a bug came back",
    Topic.BUG_LIVE: "a bug is live",
    Topic.BUG_DECLINED: "a bug is declined",
    Topic.BUG_EVERYBODY_TOLD: "everybody was told of a bug",
    Topic.ANNOUNCEMENT_WAITING: "an announcement waits for its review",
    Topic.MESSAGE_FAILED: "a message failed or came back, or nobody knows whether it arrived",
    Topic.DUTY_HANDED_OVER: "duty was handed over, taken over or swapped",
}


class ReleaseHookForm(Form):
    """Who says that a version is live, and what there means so."""

    sender = RadioField(
        "Who sends it?",
        choices=[
            SelectChoice(Sender.GITHUB.value, "GitHub"),
            SelectChoice(Sender.GITLAB.value, "GitLab"),
            SelectChoice(
                Sender.STANDARD.value,
                "Anything else",
                {"data-d": " that signs as Standard Webhooks do: a deployment script, another tool"},
            ),
        ],
        default=Sender.GITHUB.value,
    )
    occasion = RadioField(
        "At GitHub and GitLab, when is a version live?",
        choices=[
            SelectChoice(Occasion.RELEASED.value, "When its release is published"),
            SelectChoice(Occasion.DEPLOYED.value, "When it was deployed to the environment named production"),
        ],
        default=Occasion.RELEASED.value,
    )


CHATS = [
    SelectChoice("", "A program", {"data-d": " reads JSON that is signed as Standard Webhooks say"}),
    SelectChoice(Chat.SLACK.value, "Slack", {"data-d": " or what takes its words, such as Mattermost: sentences"}),
    SelectChoice(Chat.TEAMS.value, "Microsoft Teams", {"data-d": " by a workflow: sentences on a card"}),
]


class TopicsForm(Form):
    """What a webhook is told."""

    topics = SelectMultipleField(
        "Tell it when", choices=[SelectChoice(topic.value, TOPICS[topic]) for topic in CHOICES]
    )


class WebhookForm(TopicsForm):
    """An address, and what it is told."""

    url = KeptLine("Address", description="It begins with https://. It is kept, and shown to nobody again.")
    chat = RadioField("Who reads it?", choices=CHATS, default="")
