"""What may be chosen about webhooks."""

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs do not know it yet

from bugintake.core.forms import Form
from bugintake.loop.webhooks.models import Occasion, Sender


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
