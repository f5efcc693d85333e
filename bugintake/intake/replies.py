"""What an agent can tell the customer at once: built from recorded facts, in the customer's language."""

from flask_babel import force_locale, gettext

from bugintake.core.languages import sentences
from bugintake.intake import attaching
from bugintake.intake.models import Bug, Option, Report, Status
from bugintake.team.models import LANGUAGES


def reply(report: Report, bug: Bug, version: Option, language: str) -> str:
    """Word what the customer may be told now, in a language: noted, fixed since a version, or declined and why.

    `version` is the one they have: where it lacks the fix they are asked to update. A workaround is added only where
    somebody wrote it in that language.
    """
    language = language if language in LANGUAGES else "en"
    with force_locale(language):
        told = gettext(
            "Hello %(name)s, thank you for telling us. We have noted it: “%(area)s: %(symptom)s”. "
            "Our number for it is %(ref)s.",
            name=report.customer.first_name if report.customer else "",
            area=report.area.label_in(language),
            symptom=report.symptom.label_in(language),
            ref=bug.ref,
        )
        return sentences(language, told, *_known(bug, version, language))


def _known(bug: Bug, version: Option, language: str) -> list[str]:
    parts = []
    if bug.status == Status.LIVE:
        parts += _fixed(bug, version, language)
    elif bug.status == Status.DECLINED and bug.decline_reason is not None:
        reason = bug.decline_reason.label_in(language)
        parts.append(gettext("We know about it and decided to leave it as it is: %(reason)s.", reason=reason))
    else:
        parts.append(gettext("You will hear from us how it ends."))
    workaround = bug.workarounds.get(language, "").strip()
    if workaround:
        parts.append(gettext("Until then: %(workaround)s", workaround=workaround))
    return parts


def _fixed(bug: Bug, version: Option, language: str) -> list[str]:
    if bug.release is None:
        return []
    release = bug.release.label_in(language)
    fixed = gettext("We know about it, and it has been fixed since version %(version)s.", version=release)
    if not attaching.lacks_fix(bug, version):
        return [fixed]
    used = version.label_in(language)
    return [fixed, gettext("You use %(used)s: please update to %(version)s.", used=used, version=release)]
