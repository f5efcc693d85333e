"""Packs: catalogues to start from, in the words of the team and of its customers."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bugintake.core.errors import Invalid
from bugintake.core.forms import clean_line
from bugintake.intake import catalogue
from bugintake.intake.models import OptionList
from bugintake.intake.option_models import SentenceList
from bugintake.team.models import User


@dataclass(frozen=True)
class Choice:
    """One choice of a pack: the label, which pack_labels.json has in other languages, and what else finds it."""

    label: str
    aliases: str = ""
    hint: str = ""
    deadline_minutes: int | None = None
    is_unsure: bool = False
    is_intended: bool = False


UNSURE = Choice("Not sure", "unknown", is_unsure=True)

IMPACTS = (
    Choice("Cannot work", "", "Main job blocked, no way round", 30),
    Choice("Hard to work", "", "Blocked, but there is a way round", 120),
    Choice("Annoying", "", "Slower or confusing", 480),
    Choice("Looks off", "", "Cosmetic only", 2400),
)
FREQUENCIES = (
    Choice("Always", "every time"),
    Choice("Sometimes", "often,random"),
    Choice("Happened once", "single"),
    UNSURE,
)
SYMPTOMS = (
    Choice("Shows an error message", "exception,500"),
    Choice("Shows or saves the wrong thing", "incorrect,missing,bad"),
    Choice("Nothing happens", "dead,stuck,click"),
    Choice("Very slow or never finishes", "hang,loading"),
    Choice("Closes or crashes", "freeze"),
    Choice("Data is gone", "deleted,lost"),
    Choice("Looks wrong", "layout,cut off"),
    Choice("Cannot get in", "login,permission,access"),
    Choice("Something else", "other,not sure", is_unsure=True),
)
API_SYMPTOMS = (
    Choice("Answers with an error", "500,4xx,exception"),
    Choice("Answers with the wrong data", "missing"),
    Choice("Does not answer", "timeout,down"),
    Choice("Is very slow", "latency"),
    Choice("Refuses what should work", "401,403,422,auth"),
    Choice("Differs from the documentation"),
    Choice("An event did not arrive", "webhook,missing"),
    Choice("Something else", "other,not sure", is_unsure=True),
)
REASONS = (
    Choice("Works as intended", "by design", is_intended=True),
    Choice("Too risky to change now"),
    Choice("Will be replaced", "obsolete"),
    Choice("Not caused by us", "third party,external"),
    Choice("Could not be reproduced", "cannot reproduce"),
)

FIXED_SENTENCES = (
    Choice("“{{ area }}” works as it should again. There is nothing you need to do."),
    Choice("What you told us about “{{ area }}” no longer happens, from version {{ version }} on."),
    Choice("It works again once you have opened … one more time."),
)
DECLINED_SENTENCES = (
    Choice("“{{ area }}” is meant to behave like this, though we know that it surprises at first."),
    Choice("This comes from …, which is not ours, so we cannot change it."),
    Choice("We tried it on {{ platform }} and could not make it happen, so there is nothing we could change yet."),
)
QUESTIONS = (
    Choice("Does it also happen with something else than {{ platform }}?"),
    Choice("Which version do you use? You find it under …."),
    Choice("Since when does it happen, and did anything change just before?"),
)

WEB_AREAS = (
    Choice("Sign-in › Password", "login,reset,pwd"),
    Choice("Sign-in › Single sign-on", "login,saml,sso"),
    Choice("Account › Profile", "avatar,name"),
    Choice("Account › Billing", "invoice,card,payment"),
    Choice("People and permissions", "team,roles,invite"),
    Choice("Search", "find,filter"),
    Choice("Lists and tables", "sort,columns"),
    Choice("Forms and saving", "edit,fields"),
    Choice("Files › Upload", "attachment,image"),
    Choice("Import", "csv,spreadsheet"),
    Choice("Export › PDF and print", "download,paper"),
    Choice("Export › Spreadsheets", "csv,excel"),
    Choice("Reports and charts", "dashboard,figures"),
    Choice("Notifications › E-mail", "mail,reminder"),
    Choice("Integrations", "api,webhook,sync"),
    Choice("Settings", "preferences,language"),
    UNSURE,
)
MOBILE_AREAS = (
    Choice("Starting the app", "launch,open,splash"),
    Choice("Sign-in", "login,password,fingerprint,face"),
    Choice("Home screen", "feed,overview"),
    Choice("Search", "find,filter"),
    Choice("Camera and photos", "picture,scan,upload"),
    Choice("Working offline", "airplane,connection"),
    Choice("Synchronising", "sync,conflict"),
    Choice("Push notifications", "badge,sound,reminder"),
    Choice("Sharing", "send,link"),
    Choice("Location and maps", "gps"),
    Choice("Payments", "purchase,subscription"),
    Choice("Settings", "preferences,language"),
    Choice("Battery and data use", "hot,drain"),
    UNSURE,
)
API_AREAS = (
    Choice("Authentication", "token,key,oauth"),
    Choice("Reading data", "get,list,query"),
    Choice("Writing data", "post,put,patch,delete"),
    Choice("Paging and filtering", "cursor,sort,search"),
    Choice("Webhooks", "event,callback,signature"),
    Choice("Files", "upload,download"),
    Choice("Rate limits", "429,quota,throttle"),
    Choice("Client libraries", "sdk,package"),
    Choice("Documentation", "docs,openapi,example"),
    Choice("Test environment", "sandbox,staging"),
    UNSURE,
)
WEB_PLATFORMS = (
    Choice("Chrome on Windows", "pc"),
    Choice("Chrome on Mac", "apple"),
    Choice("Safari on Mac", "apple"),
    Choice("Firefox", "mozilla"),
    Choice("Edge", "microsoft"),
    Choice("iPhone or iPad", "ios,safari,phone"),
    Choice("Android phone or tablet", "phone,samsung"),
    UNSURE,
)
MOBILE_PLATFORMS = (
    Choice("iPhone", "ios,apple,phone"),
    Choice("iPad", "ios,apple,tablet"),
    Choice("Android phone", "samsung,pixel"),
    Choice("Android tablet", "samsung"),
    UNSURE,
)
API_PLATFORMS = (
    Choice("Plain HTTP", "rest,curl"),
    Choice("JavaScript", "node,typescript,browser"),
    Choice("Python"),
    Choice("Java or Kotlin", "jvm"),
    Choice("C#", "dotnet,.net"),
    Choice("PHP"),
    Choice("Automation tool", "zapier,make,n8n,no-code"),
    UNSURE,
)

_FOR_ALL: dict[str, Sequence[Choice]] = {
    OptionList.IMPACT: IMPACTS,
    OptionList.FREQUENCY: FREQUENCIES,
    OptionList.VERSION: (UNSURE,),
    OptionList.DECLINE_REASON: REASONS,
    SentenceList.FIXED: FIXED_SENTENCES,
    SentenceList.DECLINED: DECLINED_SENTENCES,
    SentenceList.ASKED: QUESTIONS,
}
PACKS: dict[str, dict[str, Sequence[Choice]]] = {
    "web": {
        OptionList.AREA: WEB_AREAS,
        OptionList.SYMPTOM: SYMPTOMS,
        OptionList.PLATFORM: WEB_PLATFORMS,
        **_FOR_ALL,
    },
    "mobile": {
        OptionList.AREA: MOBILE_AREAS,
        OptionList.SYMPTOM: SYMPTOMS,
        OptionList.PLATFORM: MOBILE_PLATFORMS,
        **_FOR_ALL,
    },
    "api": {
        OptionList.AREA: API_AREAS,
        OptionList.SYMPTOM: API_SYMPTOMS,
        OptionList.PLATFORM: API_PLATFORMS,
        **_FOR_ALL,
    },
}
PACK_LABELS = {"web": "Web app", "mobile": "Mobile app", "api": "API"}


def install_pack(name: str | None, *, actor: User | None, areas: Iterable[str] | None = None) -> int:
    """Fill the catalogue from a pack, and count what was added; what is there already stays as it is.

    `areas` are the product's own, in their order, instead of the pack's; without any, the pack's are taken. Without a
    name it is the web app's. Records option.added for each choice. Raises Invalid for a pack that does not exist, or
    an area that is too long.
    """
    lists = _lists(name or "web")
    own = [Choice(label) for label in areas or ()]
    if own:
        lists[OptionList.AREA] = (*own, UNSURE)
    return sum(_add(kind, choice, actor) for kind, found in lists.items() for choice in found)


def fill_list(kind: str, name: str, *, actor: User) -> int:
    """Fill one list from a pack, and count what was added. Records and raises as install_pack."""
    return sum(_add(kind, choice, actor) for choice in _lists(name).get(kind, ()))


def _lists(name: str) -> dict[str, Sequence[Choice]]:
    if name not in PACKS:
        raise Invalid(f"There is no pack {name[:40]}. There are: {', '.join(PACKS)}.", "pack")
    return dict(PACKS[name])


@cache
def _labels() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("pack_labels.json").read_text("utf-8"))
    return found


def areas_from(text: str) -> list[str]:
    """Read areas, one per line; empty lines and repetitions are left out."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        label = clean_line(line)
        if label:
            found.setdefault(catalogue.key_of(label), label)
    return list(found.values())


def _add(kind: str, choice: Choice, actor: User | None) -> bool:
    if catalogue.option_labelled(kind, choice.label) is not None:
        return False
    option = catalogue.add_option(
        kind,
        choice.label,
        actor=actor,
        aliases=[alias for alias in choice.aliases.split(",") if alias],
        labels={"en": choice.label, **_labels().get(choice.label, {})},
        hint=choice.hint,
        deadline_minutes=choice.deadline_minutes,
        is_unsure=choice.is_unsure,
    )
    option.is_intended = choice.is_intended
    return True
