"""What is fixed at Fakturo and waits for 4.13.0, and what is being worked on."""

from bugintake.cli.fakturo import (
    ALWAYS,
    ANA,
    ANNOYING,
    CHROME,
    CHROME_MAC,
    EDGE,
    ELSE,
    ERROR,
    FIREFOX,
    HARD,
    JONAS,
    SOMETIMES,
    TIN,
    WRONG,
)
from bugintake.cli.tales import Tale, Told, accept, fixed, start

TALES = (
    Tale(
        ("Expenses › Receipts", WRONG, ANNOYING, SOMETIMES, "Galaxy tablet", "4.12.0"),
        (
            Told(
                "13 15:25",
                "Joan",
                "Two receipts on one photo are read as one. Only the first amount is kept.",
                "Lay two small receipts side by side and photograph them.",
                "Two expenses.",
            ),
        ),
        (
            ("13 16:20", accept, ANA),
            ("5 13:00", start, ANA),
            fixed("3 11:10", ANA, "4.13.0", en="Several receipts on one photo become several expenses."),
        ),
    ),
    Tale(
        ("Invoices › Numbering", WRONG, HARD, ALWAYS, CHROME, "4.12.0"),
        (
            Told(
                "12 13:30",
                "Yvonne",
                "Kopierte Rechnungen behalten das Kürzel der anderen Filiale.",
                "1. Rechnung der Filiale Nord kopieren\n2. Filiale Süd wählen\n3. Speichern",
                "Die Nummer beginnt mit SUED.",
            ),
            Told("9 09:25", "Amara", "A copied invoice keeps the prefix of the branch it was copied from."),
        ),
        (
            ("11 09:50", accept, JONAS),
            ("7 14:00", start, JONAS),
            fixed(
                "4 15:35",
                JONAS,
                "4.13.0",
                en="A copied invoice gets its number from the branch that you choose for it.",
                de="Eine kopierte Rechnung bekommt ihre Nummer von der Filiale, die Sie für sie wählen.",
            ),
        ),
        "Copied invoices keep the other branch's prefix",
    ),
    Tale(
        ("Invoices › Recurring", WRONG, HARD, ALWAYS, EDGE, "4.12.1"),
        (
            Told(
                "6 09:35",
                "Marta",
                "Los cambios de precio llegan a las suscripciones con un mes de retraso.",
                "1. Cambiar el precio de un artículo\n2. Esperar a la siguiente factura periódica",
                "La siguiente factura con el precio nuevo.",
            ),
            Told("6 11:55", "Dirk", "Neue Preise gelten bei Abo-Rechnungen erst einen Monat zu spät."),
            Told("4 14:30", "Iva", "Our new prices show up on subscriptions one invoice too late."),
        ),
        (
            ("6 12:20", accept, ANA),
            ("5 09:20", start, ANA),
            fixed(
                "2 14:10",
                ANA,
                "4.13.0",
                en="A new price counts from the next recurring invoice on.",
                de="Ein neuer Preis gilt ab der nächsten Abo-Rechnung.",
                es="El precio nuevo se aplica desde la siguiente factura periódica.",
            ),
        ),
        "New prices reach subscriptions a month late",
    ),
    Tale(
        ("Sign-in › Single sign-on", ELSE, ANNOYING, ALWAYS, CHROME, "4.12.1"),
        (
            Told(
                "5 15:40",
                "Ruth",
                "New colleagues have to sign in twice the first time.",
                "Let a new colleague choose Sign in with your company.",
                "Once is enough.",
            ),
        ),
        (
            ("4 09:40", accept, TIN),
            ("3 13:15", start, TIN),
            fixed("1 16:20", TIN, "4.13.0", en="Signing in with your company for the first time takes one step."),
        ),
    ),
    Tale(
        ("Taxes › VAT return", ERROR, HARD, ALWAYS, FIREFOX, "4.12.1"),
        (
            Told(
                "4 13:20",
                "Miriam",
                "Der Export der Voranmeldung bricht ab, wenn eine Notiz Anführungszeichen enthält.",
                "1. Notiz mit „Anführungszeichen“ an eine Rechnung schreiben\n2. Voranmeldung exportieren",
                "Die Datei wird gespeichert.",
            ),
            Told("3 09:50", "Priya", "The export of the VAT return fails since a note has quotation marks in it."),
        ),
        (
            ("4 14:05", accept, JONAS),
            ("3 10:10", start, JONAS),
            fixed(
                "2 11:25",
                JONAS,
                "4.13.0",
                en="The VAT return is exported whatever is written in a note.",
                de="Die Voranmeldung wird exportiert, egal was in einer Notiz steht.",
            ),
        ),
        "Quotation marks in a note break the VAT export",
    ),
    Tale(
        ("Payments › Bank import", ERROR, HARD, ALWAYS, CHROME, "4.12.1"),
        (
            Told(
                "5 10:25",
                "Matthias",
                "Eine CAMT.053-Datei mit „&“ und „<“ im Verwendungszweck wird abgelehnt.",
                "1. CAMT.053 bei der Bank herunterladen\n2. Importieren",
                "Alle Umsätze werden gelesen.",
            ),
            Told("4 15:50", "Dev", "The statement is refused as damaged, but the bank's own viewer opens it."),
        ),
        (("5 13:35", accept, TIN), ("2 09:15", start, TIN)),
        "CAMT file with special characters is refused",
    ),
    Tale(
        ("Payments › Reminders", WRONG, HARD, SOMETIMES, EDGE, "4.12.1"),
        (
            Told(
                "4 11:15",
                "Chloe",
                "Paid invoices are still reminded the same day. They were booked in the morning.",
                "1. Import today's payments\n2. Wait for the reminders at 15:00",
                "Nobody who has paid is reminded.",
            ),
            Told("3 13:40", "Raquel", "Se reclaman facturas que ya están pagadas desde la mañana."),
            Told("2 10:20", "Sabine", "Kunden werden gemahnt, obwohl ihr Geld am selben Tag verbucht wurde."),
        ),
        (("4 11:50", accept, ANA), ("1 09:30", start, ANA)),
    ),
    Tale(
        ("Reports › Dashboard", WRONG, ANNOYING, ALWAYS, CHROME_MAC, "4.12.1"),
        (
            Told(
                "7 12:05",
                "Elena",
                "Los ingresos del panel no coinciden con el informe exportado.",
                "1. Anotar los ingresos del mes en el panel\n2. Exportar el informe del mismo mes",
                "La misma cifra en los dos sitios.",
            ),
            Told("6 16:10", "Tom", "Revenue on the dashboard is higher than in the exported report."),
        ),
        (("6 16:30", accept, JONAS), ("1 13:05", start, JONAS)),
        "Dashboard and report show different revenue",
    ),
)
