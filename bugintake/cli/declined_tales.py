"""What Fakturo decided not to change, and what its customers can do instead."""

from bugintake.cli.fakturo import (
    ALWAYS,
    ANA,
    ANDROID,
    ANNOYING,
    CHROME,
    COSMETIC,
    DIEGO,
    EDGE,
    ERROR,
    FIREFOX,
    JONAS,
    MIRA,
    NOTHING,
    ONCE,
    SAFARI,
    SLOW,
    TIN,
    UGLY,
    WRONG,
)
from bugintake.cli.tales import Tale, Told, accept, answer, ask, declined

TALES = (
    Tale(
        ("Invoices › Numbering", ERROR, ANNOYING, ALWAYS, FIREFOX, "4.11.0"),
        (
            Told(
                "28 11:50",
                "Florian",
                "Die Nummer einer verschickten Rechnung lässt sich nicht mehr ändern.",
                "1. Verschickte Rechnung öffnen\n2. Nummer ändern\n3. Speichern",
                "Die neue Nummer wird gespeichert.",
            ),
            Told("27 14:30", "Joan", "The number of an invoice cannot be corrected once it is sent."),
        ),
        (
            declined(
                "26 10:30",
                MIRA,
                "Works as intended",
                {
                    "en": "The number of an invoice that was sent must not change: tax law asks for it, and your "
                    "customer already has the old one.",
                    "de": "Die Nummer einer verschickten Rechnung darf sich nicht ändern: So verlangt es das "
                    "Steuerrecht, und Ihr Kunde hat die alte schon.",
                },
                {
                    "en": "Cancel the invoice with a credit note and write a new one: Invoice › Correct does both.",
                    "de": "Stornieren Sie die Rechnung und schreiben Sie eine neue: „Rechnung › Berichtigen“ "
                    "erledigt beides.",
                },
            ),
        ),
        "Number of a sent invoice cannot be changed",
    ),
    Tale(
        ("Expenses › Receipts", UGLY, ANNOYING, "Not sure", ANDROID, "4.11.1"),
        (
            Told(
                "21 13:55",
                "Gudrun",
                "Alte Kassenbelege werden nicht erkannt, die Schrift ist verblasst.",
                "Einen Kassenbeleg vom letzten Jahr fotografieren.",
                "Betrag und Datum werden erkannt.",
            ),
        ),
        (
            declined(
                "20 11:25",
                ANA,
                "Not caused by us",
                {
                    "de": "Thermopapier verblasst nach einigen Monaten. Was auf dem Foto nicht mehr zu sehen ist, "
                    "können wir nicht lesen."
                },
                {
                    "de": "Fotografieren Sie Kassenbelege am Tag des Kaufs. Bei verblassten tragen Sie Betrag und "
                    "Datum von Hand ein; das Foto genügt als Nachweis."
                },
            ),
        ),
        "Faded till receipts are not read",
    ),
    Tale(
        ("Reports › Dashboard", UGLY, COSMETIC, ALWAYS, SAFARI, "4.12.0"),
        (
            Told(
                "14 10:40",
                "Nils",
                "The printed dashboard is cut off on the right.",
                "Open the dashboard and print it.",
                "Everything fits on one page.",
            ),
        ),
        (
            declined(
                "12 15:15",
                JONAS,
                "Will be replaced",
                {"en": "The dashboard gets a page of its own for printing this winter; we will not mend the old one."},
                {"en": "Print in landscape at 80 %, or choose Report › Export, which has the same figures."},
            ),
        ),
    ),
    Tale(
        ("Payments › Bank import", NOTHING, ANNOYING, ALWAYS, CHROME, "4.12.0"),
        (
            Told(
                "13 11:15",
                "Raquel",
                "Al importar el extracto en PDF no aparece ningún movimiento.",
                "1. Descargar el extracto en PDF\n2. Importarlo",
                "Que lea los movimientos del PDF.",
            ),
        ),
        (
            ("13 12:30", ask, TIN, "Raquel", "¿Qué banco es? ¿Ofrece CSV, Norma 43 o CAMT?", "Bank"),
            ("12 10:05", answer, DIEGO, "Raquel", "El Banco Cantábrico; sí, ofrece Norma 43."),
            declined(
                "11 12:35",
                TIN,
                "Works as intended",
                {
                    "es": "Un extracto en PDF está pensado para leerlo en papel: cada banco lo compone a su manera y "
                    "no podríamos garantizar los importes."
                },
                {"es": "Descargue el extracto en formato Norma 43, CSV o CAMT: se importa con todos los movimientos."},
            ),
        ),
        "Bank statement in PDF imports nothing",
    ),
    Tale(
        ("Payments › Reminders", WRONG, ANNOYING, ONCE, EDGE, "4.12.0"),
        (
            Told(
                "12 16:30",
                "Andrés",
                "Un recordatorio salió a las tres de la madrugada.",
                "Programar el envío de recordatorios para las nueve.",
                "Que salga a las nueve.",
            ),
            Told("11 16:15", "Chloe", "A customer got a reminder in the middle of the night."),
        ),
        (
            ("11 10:35", accept, ANA),
            declined(
                "6 13:30",
                ANA,
                "Could not be reproduced",
                {
                    "en": "We looked through the log of every reminder of that week, and all of them left between 9 "
                    "and 10. We found nothing that could send one at night. If it happens again, please "
                    "send us the mail with its headers.",
                    "es": "Hemos revisado el registro de todos los recordatorios de esa semana: salieron entre las 9 "
                    "y las 10. No encontramos nada que pueda enviarlos de noche. Si vuelve a ocurrir, envíenos el "
                    "correo con sus cabeceras.",
                },
            ),
        ),
        "Reminder went out at three in the morning",
    ),
    Tale(
        ("Integrations › Web shop", SLOW, ANNOYING, ALWAYS, CHROME, "4.12.0"),
        (
            Told(
                "9 13:15",
                "Selin",
                "Bestellungen kommen erst nach einer Stunde in Fakturo an.",
                "1. Im Webshop bestellen\n2. In Fakturo auf die Bestellung warten",
                "Sie ist nach wenigen Minuten da.",
            ),
            Told("8 15:10", "Oliver", "Orders from our shop arrive up to an hour late."),
        ),
        (
            declined(
                "5 10:50",
                MIRA,
                "Not caused by us",
                {
                    "en": "Your shop hands its orders over once an hour; Fakturo takes them within seconds.",
                    "de": "Ihr Webshop übergibt seine Bestellungen einmal pro Stunde; Fakturo übernimmt sie in "
                    "Sekunden.",
                },
                {
                    "en": "In the shop's settings, set Transfer orders to Every 5 minutes.",
                    "de": "Stellen Sie im Webshop „Bestellungen übertragen“ auf „Alle 5 Minuten“.",
                },
            ),
        ),
        "Orders from the web shop arrive an hour late",
    ),
)
