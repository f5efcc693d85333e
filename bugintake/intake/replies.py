"""What an agent can tell the customer at once: built from recorded facts, in the customer's language."""

from collections.abc import Mapping

from bugintake.intake.models import Bug, Report, Status

RECEIVED: Mapping[str, str] = {
    "en": (
        "Hello {name}, thank you for telling us. We have noted it: “{area}: {symptom}”. "
        "Our number for it is {ref}. You will hear from us how it ends."
    ),
    "de": (
        "Hallo {name}, danke, dass Sie uns das gesagt haben. Wir haben es aufgenommen: „{area}: {symptom}“. "
        "Unsere Nummer dafür ist {ref}. Sie hören von uns, wie es ausgeht."
    ),
    "es": (
        "Hola, {name}: gracias por avisarnos. Lo hemos anotado: «{area}: {symptom}». "
        "Nuestro número para ello es {ref}. Le diremos cómo termina."
    ),
}
FIXED_IN: Mapping[str, str] = {
    "en": "We know about it, and it is fixed since version {version}. Do you have that one already?",
    "de": "Wir kennen es, und seit Version {version} ist es behoben. Haben Sie diese schon?",
    "es": "Lo conocemos, y está corregido desde la versión {version}. ¿La tiene ya?",
}
DECLINED: Mapping[str, str] = {
    "en": "We know about it and decided to leave it as it is: {reason}.",
    "de": "Wir kennen es und haben entschieden, es so zu lassen: {reason}.",
    "es": "Lo conocemos y hemos decidido dejarlo como está: {reason}.",
}
MEANWHILE: Mapping[str, str] = {
    "en": "Until then: {workaround}",
    "de": "Bis dahin: {workaround}",
    "es": "Mientras tanto: {workaround}",
}


def reply(report: Report, bug: Bug, language: str) -> str:
    """Word what the customer may be told now, in a language: noted, fixed since a version, or declined and why.

    A workaround is added only where somebody wrote it in that language.
    """
    language = language if language in RECEIVED else "en"
    name = report.customer.name if report.customer else ""
    known = {"area": report.area.label_in(language), "symptom": report.symptom.label_in(language), "ref": bug.ref}
    parts = [RECEIVED[language].format(name=name, **known)]
    if bug.status == Status.LIVE and bug.release is not None:
        parts.append(FIXED_IN[language].format(version=bug.release.label_in(language)))
    if bug.status == Status.DECLINED and bug.decline_reason is not None:
        parts.append(DECLINED[language].format(reason=bug.decline_reason.label_in(language)))
    workaround = bug.workarounds.get(language, "").strip()
    if workaround:
        parts.append(MEANWHILE[language].format(workaround=workaround))
    return " ".join(parts)
