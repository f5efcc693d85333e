"""What happened at Fakturo in the last six weeks: each story is a line of scenes, each with its time."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from bugintake.cli import (
    coming_tales,
    declined_tales,
    duty_stories,
    early_tales,
    fakturo,
    later_tales,
    office_stories,
    open_stories,
    open_tales,
    pictures,
)
from bugintake.cli.fakturo import (
    ALWAYS,
    ANA,
    ANNOYING,
    BLOCKED,
    CHROME,
    COSMETIC,
    DIEGO,
    EDGE,
    FIREFOX,
    HARD,
    JONAS,
    MIRA,
    NOTHING,
    SAFARI,
    SLOW,
    SOMETIMES,
    TIN,
    UGLY,
    WRONG,
    Calendar,
    Scene,
)
from bugintake.cli.fakturo_company import Company
from bugintake.cli.tales import tell
from bugintake.loop import replies
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from bugintake.triage import editing

LOST_TOUCH = Outcome(Verdict.UNCERTAIN, Phase.DATA, None, error="The server closed the connection after the text.")
NOT_TAKEN = Outcome(Verdict.FAILED, Phase.DATA, 554, "5.7.1", "554 5.7.1 looks like spam")
UNKNOWN = Outcome(Verdict.BOUNCED, Phase.RCPT, 550, "5.1.1", "550 5.1.1 no such user")

CLASSIC = {"invoice_template": "Classic"}
TALES = (*early_tales.TALES, *later_tales.TALES, *declined_tales.TALES, *coming_tales.TALES, *open_tales.TALES)


def scenes(company: Company, now: datetime) -> list[Scene]:
    """List everything that happened, story by story."""
    when = Calendar(now)
    told = (beginning, numbering, rounding, web_shop, vat_line, reminder, dashboard, stretched, spam)
    stories = (*told, *open_stories.STORIES, *office_stories.STORIES, *duty_stories.STORIES)
    large = [scene for story in stories for scene in story(company, when)]
    small = [scene for number, tale in enumerate(TALES) for scene in tell(f"tale {number}", tale, company, when)]
    return large + small


def said(actual: str) -> tuple[str, str, str]:
    """Put the words of one more customer where they belong: how to see it is known by now."""
    return "", actual, ""


def beginning(c: Company, when: Calendar) -> Iterator[Scene]:
    """Begin to use bugintake, and ship versions."""
    yield when.day(30, "09:00"), c.found
    yield when.day(29, "10:00"), partial(c.release, "4.11.0")
    yield when.day(22, "10:00"), partial(c.release, "4.11.1")
    yield when.day(16, "10:00"), partial(c.release, "4.12.0")
    yield when.day(7, "10:00"), partial(c.release, "4.12.1")
    losses = {"Ole": LOST_TOUCH, "Álvaro": UNKNOWN, "Will": NOT_TAKEN}
    for days in range(29, 0, -1):
        yield when.day(days, "17:30"), partial(c.send, losses)
    yield when.ago(9), partial(c.release, "4.12.2")
    yield when.ago(240), c.stand_in
    yield when.ago(180), partial(c.ask_for_swap, MIRA, "School play.")


def numbering(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell of a bug that went the whole way: four people waited, all were told, one said that it works."""
    choices = ("Invoices › Numbering", WRONG, HARD, ALWAYS, CHROME, "4.11.0")
    words = (
        "1. Create a draft invoice\n2. Delete it\n3. Create another one and send it",
        "The number of the deleted draft is missing from the list: after 2041 comes 2043.",
        "The next invoice is number 2042. The auditor asks about every gap.",
    )
    german = (
        "1. Entwurf anlegen\n2. Entwurf löschen\n3. Neue Rechnung schreiben",
        "Im Nummernkreis fehlt eine Nummer, das Finanzamt fragt nach.",
        "Die Nummern sind lückenlos.",
    )
    spanish = (
        "1. Crear un borrador\n2. Borrarlo\n3. Emitir otra factura",
        "Falta un número en la serie.",
        "La numeración es correlativa, como exige Hacienda.",
    )
    yield when.day(27, "10:12"), partial(c.file, "numbering", "Hana", words, *choices)
    yield when.day(26, "09:20"), partial(c.attach, "numbering", "Jürgen", german, *choices)
    yield when.day(26, "11:45"), partial(c.accept, "numbering", MIRA)
    yield when.day(25, "15:02"), partial(c.attach, "numbering", "Lucía", spanish, *choices, by=DIEGO)
    yield (
        when.day(24, "09:31"),
        partial(c.attach, "numbering", "Tom", said("Number 118 was skipped; the draft was mine."), *choices),
    )
    yield when.day(22, "10:00"), partial(c.start, "numbering", MIRA)
    yield when.day(19, "16:10"), partial(c.fix, "numbering", MIRA, "4.12.0", fakturo.NUMBERING_NOTE)
    yield when.day(15, "08:55"), partial(c.works_now, "numbering", "Hana")


def rounding(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell of mails that did not all arrive: one is uncertain, one failed, one address does not exist."""
    choices = ("Taxes › VAT return", WRONG, HARD, ALWAYS, FIREFOX, "4.11.0")
    german = (
        "1. Umsatzsteuer für einen Monat öffnen\n2. Summe mit der Buchhaltung vergleichen",
        "Die Summe weicht um einen Cent ab, wenn 7 % und 19 % gemischt sind.",
        "Beide Summen sind gleich.",
    )
    words = (
        "1. Open the VAT return of a month with reduced and full rates\n2. Add the lines up by hand",
        "The total is one cent too high.",
        "The total equals the sum of its lines.",
    )
    spanish = ("Abrir la declaración del IVA con tipos mezclados.", "Sobra un céntimo.", "El total cuadra.")
    yield (
        when.day(24, "13:40"),
        partial(c.file, "rounding", "Kathrin", german, *choices, title="VAT return is one cent off with mixed rates"),
    )
    yield when.day(23, "09:05"), partial(c.accept, "rounding", JONAS)
    yield when.day(22, "10:25"), partial(c.attach, "rounding", "Will", words, *choices)
    yield (
        when.day(21, "16:30"),
        partial(c.attach, "rounding", "Ole", said("Wir finden jeden Monat einen Cent zu viel."), *choices),
    )
    yield when.day(20, "12:15"), partial(c.attach, "rounding", "Álvaro", spanish, *choices, by=DIEGO)
    yield (
        when.day(18, "11:00"),
        partial(c.attach, "rounding", "Inés", said("El resumen no cuadra por un céntimo."), *choices, by=DIEGO),
    )
    yield when.day(14, "10:00"), partial(c.start, "rounding", JONAS)
    yield when.day(10, "15:45"), partial(c.fix, "rounding", JONAS, "4.12.1", fakturo.ROUNDING_NOTE)


def web_shop(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell of a bug that came back: somebody said that it still happens."""
    choices = ("Integrations › Web shop", WRONG, BLOCKED, SOMETIMES, EDGE, "4.12.0")
    german = (
        "1. Bestellung im Webshop bezahlen lassen\n2. Rechnungen öffnen",
        "Zu einer Bestellung gibt es zwei Rechnungen, der Kunde bekommt beide.",
        "Eine Bestellung, eine Rechnung.",
    )
    spanish = (
        "1. Recibir un pedido con dos artículos\n2. Abrir la lista de facturas",
        "El mismo pedido aparece dos veces.",
        "Una factura por pedido.",
    )
    yield (
        when.day(21, "09:10"),
        partial(c.file, "shop", "Selin", german, *choices, title="One web shop order becomes two invoices"),
    )
    yield when.day(21, "09:40"), partial(c.accept, "shop", ANA)
    yield (
        when.day(20, "10:05"),
        partial(c.attach, "shop", "Bernd", said("Gestern kamen drei Bestellungen doppelt an."), *choices),
    )
    yield when.day(19, "17:20"), partial(c.attach, "shop", "Carmen", spanish, *choices, by=DIEGO)
    yield when.day(13, "11:00"), partial(c.start, "shop", ANA)
    yield when.day(9, "14:20"), partial(c.fix, "shop", ANA, "4.12.1", fakturo.WEB_SHOP_NOTE)
    yield when.day(6, "09:50"), partial(c.tell_by_hand, "Bernd")
    again = "Ha vuelto a pasar con un pedido de tres artículos."
    yield when.day(2, "12:30"), lambda: replies.still_happening(c.report("shop", "Carmen"), again)


def vat_line(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell of the bug of the week: six people wait, Mira works on it, and there is a way round."""
    choices = ("Invoices › PDF export", WRONG, HARD, ALWAYS, CHROME, "4.12.1")
    words = (
        "1. Open an invoice with 25 % VAT\n2. Export › PDF\n3. Look above the total",
        "The VAT line is missing on the exported PDF. Only the total is printed, so the tax office refuses it.",
        "A line with the VAT rate and its amount above the total, as in the preview.",
    )
    german = (
        "Rechnung öffnen, Export, PDF.",
        "Die Zeile mit der Umsatzsteuer fehlt im PDF. In der Vorschau ist sie da.",
        "Das PDF zeigt dasselbe wie die Vorschau.",
    )
    spanish = (
        "1. Abrir una factura\n2. Exportar a PDF",
        "No aparece la línea del IVA; el cliente rechaza la factura.",
        "La línea del IVA encima del total.",
    )
    yield (
        when.day(9, "10:42"),
        partial(c.file, "vat", "Hana", words, *choices, further=CLASSIC, files={"invoice.png": pictures.invoice()}),
    )
    yield when.day(9, "11:30"), partial(c.accept, "vat", MIRA)
    yield when.day(9, "14:05"), partial(c.attach, "vat", "Jürgen", german, *choices)
    yield when.day(8, "09:15"), lambda: editing.reproduce(c.bug("vat"), actor=c.users[MIRA])
    way = fakturo.VAT_LINE_WAY
    yield when.day(8, "09:25"), lambda: editing.set_workarounds(c.bug("vat"), way, actor=c.users[MIRA])
    yield (
        when.day(8, "16:20"),
        partial(c.attach, "vat", "Grace", said("Our client sent three invoices back: no VAT on them."), *choices),
    )
    yield when.day(5, "10:10"), partial(c.attach, "vat", "Lucía", spanish, *choices, by=DIEGO)
    yield (
        when.day(4, "11:55"),
        partial(c.attach, "vat", "Miriam", said("Im PDF steht nur die Summe, ohne Steuer."), *choices),
    )
    yield (
        when.day(3, "15:30"),
        partial(c.attach, "vat", "Pablo", said("En el PDF falta el desglose del IVA."), *choices, by=DIEGO),
    )
    yield when.day(2, "09:40"), partial(c.start, "vat", MIRA)


def reminder(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell of a bug that is fixed and not live yet: its version is still to come."""
    choices = ("Payments › Reminders", WRONG, ANNOYING, SOMETIMES, SAFARI, "4.12.1")
    words = (
        "1. Two colleagues open the same overdue invoice\n2. Both press Send reminder",
        "The customer gets two reminders within a minute.",
        "The second of us is told that it went out already.",
    )
    german = ("Mahnlauf starten.", "Kunden bekommen die Mahnung doppelt.", "Jede Mahnung geht einmal hinaus.")
    spanish = ("Enviar un recordatorio.", "Al cliente le llega dos veces.", "Que llegue una sola vez.")
    yield when.day(12, "10:30"), partial(c.file, "reminder", "Omar", words, *choices)
    yield when.day(12, "15:10"), partial(c.accept, "reminder", TIN)
    yield when.day(11, "11:20"), partial(c.attach, "reminder", "Anke", german, *choices)
    yield when.day(6, "12:40"), partial(c.attach, "reminder", "Nuria", spanish, *choices, by=DIEGO)
    yield when.day(3, "10:00"), partial(c.start, "reminder", TIN)
    yield when.day(1, "14:50"), partial(c.fix, "reminder", TIN, "4.13.0", fakturo.REMINDER_NOTE)


def dashboard(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell of a bug that is live since a few minutes: its announcement is in its review window."""
    choices = ("Reports › Dashboard", SLOW, HARD, ALWAYS, CHROME, "4.12.0")
    spanish = (
        "Abrir el panel por la mañana.",
        "Tarda casi un minuto desde que tenemos más de 30 000 facturas.",
        "Que se abra en pocos segundos.",
    )
    words = ("Open the dashboard.", "It loads for 40 seconds and then shows yesterday's figures.", "A few seconds.")
    german = ("Übersicht öffnen.", "Sie lädt eine Minute lang.", "Sie öffnet sich in wenigen Sekunden.")
    yield (
        when.day(11, "09:05"),
        partial(
            c.file,
            "dashboard",
            "Sergio",
            spanish,
            *choices,
            by=DIEGO,
            title="Dashboard takes a minute with many invoices",
        ),
    )
    yield when.day(11, "09:35"), partial(c.accept, "dashboard", JONAS)
    yield when.day(10, "10:15"), partial(c.attach, "dashboard", "Sofie", words, *choices)
    yield when.day(8, "13:25"), partial(c.attach, "dashboard", "Kathrin", german, *choices)
    yield when.day(4, "10:00"), partial(c.start, "dashboard", JONAS)
    yield when.day(2, "16:35"), partial(c.fix, "dashboard", JONAS, "4.12.2", fakturo.DASHBOARD_NOTE)


def stretched(c: Company, when: Calendar) -> Iterator[Scene]:
    """Decline with a reason; the explanation is still missing in Spanish, so one message is held."""
    choices = ("Invoices › PDF export", UGLY, COSMETIC, ALWAYS, SAFARI, "4.12.0")
    words = (
        "1. Upload a square logo\n2. Export a PDF",
        "Square logo looks stretched on the PDF.",
        "The logo keeps its shape.",
    )
    german = ("Logo hochladen.", "Das Logo wird in die Breite gezogen.", "Es bleibt quadratisch.")
    spanish = ("Subir un logotipo cuadrado.", "Sale deformado en el PDF.", "Que conserve su forma.")
    yield when.day(14, "11:10"), partial(c.file, "stretched", "Priya", words, *choices, further=CLASSIC)
    yield when.day(14, "15:40"), partial(c.attach, "stretched", "Franz", german, *choices)
    yield when.day(14, "16:05"), partial(c.attach, "stretched", "Inés", spanish, *choices, by=DIEGO)
    note, way = fakturo.STRETCHED_NOTE, fakturo.STRETCHED_WAY
    yield when.day(13, "14:00"), partial(c.decline, "stretched", ANA, "Works as intended", note, way)


def spam(c: Company, when: Calendar) -> Iterator[Scene]:
    """Decline what somebody else causes, told in two languages."""
    choices = ("Sign-in › Password", NOTHING, ANNOYING, SOMETIMES, FIREFOX, "4.11.0")
    words = (
        "Ask for a new password.",
        "The mail arrives as spam, or not at all.",
        "It arrives in the inbox.",
    )
    spanish = ("Pedir una contraseña nueva.", "El correo llega a la carpeta de spam.", "Que llegue a la bandeja.")
    title = "Password mail arrives as spam, or not at all"
    yield when.day(18, "09:30"), partial(c.file, "spam", "Marek", words, *choices, title=title)
    yield when.day(18, "12:00"), partial(c.attach, "spam", "Mateo", spanish, *choices, by=DIEGO)
    note, way = fakturo.SPAM_NOTE, fakturo.SPAM_WAY
    yield when.day(17, "10:00"), partial(c.decline, "spam", TIN, "Not caused by us", note, way)
