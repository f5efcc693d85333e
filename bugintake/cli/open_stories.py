"""What is still open at Fakturo: what came in today, and what is being worked on."""

from collections.abc import Iterator
from functools import partial

from bugintake.cli.fakturo import (
    ALWAYS,
    ANA,
    ANDROID,
    ANNOYING,
    BLOCKED,
    CHROME,
    COSMETIC,
    DIEGO,
    EDGE,
    ELSE,
    FIREFOX,
    HARD,
    IPHONE,
    JONAS,
    LOCKED_OUT,
    ONCE,
    SAFARI,
    SOMETIMES,
    TIN,
    UGLY,
    WRONG,
    Calendar,
    Scene,
)
from bugintake.cli.fakturo_company import Company
from bugintake.cli.pictures import STATEMENT


def today(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell what came in today and waits for whoever is on duty."""
    words = (
        "1. „Mit Ihrer Firma anmelden“ wählen\n2. Dort anmelden",
        "Die Seite springt immer wieder zur Anmeldung zurück. Seit heute früh kommt bei uns niemand mehr hinein.",
        "Ich bin angemeldet.",
    )
    choices = ("Sign-in › Single sign-on", LOCKED_OUT, BLOCKED, ALWAYS, EDGE, "4.12.1")
    yield (
        when.ago(50),
        partial(c.file, "sso", "Ole", words, *choices, title="Single sign-on jumps back to the sign-in page"),
    )
    words = ("", "Signing in goes round in circles for everybody here since nine o'clock.", "")
    yield when.ago(20), partial(c.attach, "sso", "Grace", words, *choices)
    spanish = (
        "Buscar «Peña» en la agenda.",
        "No encuentra a nadie; con «Pena» tampoco.",
        "Que encuentre el nombre con y sin tilde.",
    )
    choices = ("Customers › Address book", WRONG, ANNOYING, ALWAYS, CHROME, "4.12.1")
    yield (
        when.ago(175),
        partial(
            c.file, "accents", "Nuria", spanish, *choices, by=DIEGO, title="Search does not find names with accents"
        ),
    )
    words = (
        "Open the dashboard in the first week of the year.",
        "The total of this year shows last year's figure.",
        "This year's total.",
    )
    choices = ("Reports › Dashboard", WRONG, ANNOYING, ONCE, SAFARI, "4.12.1")
    yield when.ago(290), partial(c.file, "total", "Tom", words, *choices)
    words = ("Print address labels for customers in Köln.", "K?ln is printed.", "Köln is printed.")
    choices = ("Customers › Address book", UGLY, COSMETIC, ALWAYS, FIREFOX, "4.12.1")
    yield (
        when.day(1, "11:20"),
        partial(c.file, "labels", None, words, *choices, title="Umlauts become question marks on address labels"),
    )


def others(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell what else goes on: a question, a restricted bug, one taken back, and two in work."""
    words = (
        "1. Photograph a receipt with the phone\n2. Save",
        "The picture is saved lying on its side, so the text is not read.",
        "The picture stands upright.",
    )
    choices = ("Expenses › Receipts", WRONG, HARD, SOMETIMES, ANDROID, "4.12.1")
    question = "Which phone is it, and was it held upright or sideways?"
    yield (
        when.day(5, "09:45"),
        partial(c.file, "receipt", "Sofie", words, *choices, title="Receipt photos are saved lying on their side"),
    )
    yield when.day(4, "10:20"), partial(c.ask, "receipt", TIN, "Sofie", question, "Phone model")
    spanish = (
        "1. Exportar el extracto del banco\n2. Importarlo",
        "Lee 1.234,50 como 1,23.",
        "Que entienda el punto de los miles.",
    )
    german = ("Kontoauszug importieren.", "Aus 1.234,50 wird 1,23.", "Der Betrag stimmt.")
    choices = ("Payments › Bank import", WRONG, BLOCKED, ALWAYS, CHROME, "4.12.1")
    yield (
        when.day(6, "10:00"),
        partial(
            c.file,
            "comma",
            "Mateo",
            spanish,
            *choices,
            by=DIEGO,
            files={"extracto.csv": STATEMENT},
            title="Bank import reads 1.234,50 as 1.23",
        ),
    )
    yield when.day(5, "14:10"), partial(c.attach, "comma", "Anke", german, *choices)
    yield when.day(5, "14:30"), partial(c.accept, "comma", TIN)
    yield when.day(1, "10:00"), partial(c.start, "comma", TIN)
    words = ("Set up a monthly invoice on the 31st.", "It skips the short months.", "It goes out on their last day.")
    choices = ("Invoices › Recurring", WRONG, HARD, ALWAYS, IPHONE, "4.12.0")
    yield (
        when.day(15, "11:05"),
        partial(
            c.file, "recurring", "Iva", words, *choices, title="Monthly invoices on the 31st skip the short months"
        ),
    )
    yield when.day(15, "13:00"), partial(c.accept, "recurring", ANA)
    words = (
        "1. Eine Kollegin entfernen\n2. In ihrem offenen Browser weiterarbeiten",
        "Sie kann noch etwa eine Stunde lang Rechnungen lesen.",
        "Sie ist sofort abgemeldet.",
    )
    choices = ("Settings › People", ELSE, BLOCKED, ALWAYS, CHROME, "4.12.1")
    yield (
        when.day(4, "09:10"),
        partial(c.file, "access", "Kathrin", words, *choices, title="Removed colleagues can read invoices for an hour"),
    )
    yield when.day(4, "09:20"), partial(c.restrict, "access", JONAS)
    yield when.day(4, "10:00"), partial(c.accept, "access", JONAS)
    words = ("Only a test of mine.", "Nothing is wrong.", "Please ignore it.")
    choices = ("Not sure", ELSE, COSMETIC, ONCE, CHROME, "4.12.1")
    yield when.day(3, "17:00"), partial(c.file, "test", "Omar", words, *choices)
    yield when.day(3, "17:04"), partial(c.withdraw, "test", DIEGO, "Omar")


STORIES = (today, others)
