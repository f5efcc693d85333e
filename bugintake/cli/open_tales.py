"""What is new at Fakturo, accepted, or waits for an answer of a customer."""

from bugintake.cli.fakturo import (
    ALWAYS,
    ANA,
    ANDROID,
    ANNOYING,
    CHROME,
    CHROME_MAC,
    COSMETIC,
    CRASH,
    EDGE,
    ELSE,
    ERROR,
    FIREFOX,
    GONE,
    HARD,
    IPHONE,
    JONAS,
    LEA,
    MIRA,
    ONCE,
    SAFARI,
    SLOW,
    SOMETIMES,
    TIN,
    UGLY,
    WRONG,
)
from bugintake.cli.tales import Tale, Told, accept, answer, ask, withdraw

TALES = (
    Tale(
        ("Expenses › Receipts", GONE, HARD, ALWAYS, IPHONE, "4.12.1"),
        (
            Told(
                "7 13:45",
                "Heike",
                "Fotos von Belegen über 10 MB verschwinden ohne Meldung.",
                "1. Beleg mit hoher Auflösung fotografieren\n2. Speichern\n3. Ausgaben öffnen",
                "Der Beleg ist da, oder es steht da, warum nicht.",
            ),
            Told("4 12:25", "Oliver", "Receipts photographed with the new phone are not in the list afterwards."),
            Told("2 15:20", "Gudrun", "Drei Belege fehlen, die ich sicher gespeichert hatte."),
        ),
        (("7 14:30", accept, ANA),),
        "Receipt photos over 10 MB disappear without a word",
    ),
    Tale(
        ("Integrations › Web shop", WRONG, ANNOYING, ALWAYS, FIREFOX, "4.12.0"),
        (
            Told(
                "10 12:15",
                "Andrés",
                "Los pedidos devueltos siguen como facturas pendientes de cobro.",
                "1. Devolver un pedido en la tienda\n2. Abrir las facturas pendientes",
                "La factura anulada por la devolución.",
            ),
            Told("8 10:40", "Selin", "Erstattete Bestellungen stehen weiter als offen in der Liste."),
        ),
        (("10 14:35", accept, MIRA),),
        "Refunded orders stay open as unpaid invoices",
    ),
    Tale(
        ("Invoices › PDF export", UGLY, COSMETIC, SOMETIMES, CHROME_MAC, "4.12.1"),
        (
            Told(
                "3 14:45",
                "Theo",
                "Footer covers the last row of long invoices.",
                "Export an invoice that fills its first page to the last row.",
                "The last row moves to the second page.",
            ),
        ),
        (("2 12:50", accept, MIRA),),
        further={"invoice_template": "Landscape"},
    ),
    Tale(
        ("Customers › Address book", SLOW, ANNOYING, ALWAYS, CHROME, "4.12.1"),
        (
            Told(
                "5 12:10",
                "Amara",
                "Importing contacts takes more than an hour.",
                "Import a CSV file with 5,000 contacts.",
                "A few minutes.",
            ),
        ),
        (
            ("5 16:15", ask, JONAS, "Amara", "Which columns of your own does the file have?", "A screenshot or file"),
            (
                "4 16:25",
                answer,
                LEA,
                "Amara",
                "Eleven; I send you a picture of them. Without them it is done in two minutes.",
            ),
            ("3 15:05", accept, JONAS),
        ),
    ),
    Tale(
        ("Payments › Bank import", ELSE, ANNOYING, SOMETIMES, "Firefox on Linux", "4.12.1"),
        (
            Told(
                "3 11:35",
                "Sabine",
                "Die Bankverbindung verlangt mehrmals am Tag eine neue TAN.",
                "Zahlungen öffnen und „Umsätze abrufen“ wählen.",
                "Eine TAN reicht für 90 Tage, so sagt es unsere Bank.",
            ),
        ),
        (
            (
                "2 16:05",
                ask,
                TIN,
                "Sabine",
                "Bei welcher Bank ist das Konto, und rufen mehrere Personen die Umsätze ab?",
                "Bank",
            ),
        ),
        "Bank connection keeps asking for a new code",
    ),
    Tale(
        ("Settings › People", ERROR, ANNOYING, ALWAYS, SAFARI, "4.12.1"),
        (
            Told(
                "1 15:40",
                "Javier",
                "No se puede cambiar el rol de una compañera que está de baja.",
                "1. Abrir Ajustes › Personas\n2. Elegir a una persona ausente\n3. Cambiar el rol",
                "Que se guarde el rol nuevo.",
            ),
        ),
        title="Role of a colleague who is away cannot be changed",
    ),
    Tale(
        ("Taxes › VAT return", WRONG, HARD, ALWAYS, EDGE, "4.12.1"),
        (
            Told(
                "230",
                "Gudrun",
                "Bei Rechnungen mit Rabatt ist der Steuerbetrag in der Voranmeldung negativ.",
                "1. Rechnung mit 10 % Rabatt auf alles schreiben\n2. Voranmeldung öffnen",
                "Der Steuerbetrag vom ermäßigten Preis.",
            ),
            Told("95", "Florian", "Mit Rabatt wird die Umsatzsteuer abgezogen statt addiert."),
        ),
        title="Invoices with a discount count as negative VAT",
    ),
    Tale(
        ("Sign-in › Password", GONE, HARD, ONCE, "Chromebook", "4.12.1"),
        (
            Told(
                "120",
                "Joan",
                "Signed out while typing, and my draft is gone.",
                "1. Write an offer\n2. Leave the computer for a while\n3. Go on writing",
                "The draft is still there.",
            ),
        ),
    ),
    Tale(
        ("Expenses › Receipts", CRASH, HARD, ALWAYS, ANDROID, "4.12.1"),
        (
            Told(
                "65",
                "Mateo",
                "Al subir una imagen grande de un recibo se cierra la aplicación.",
                "1. Elegir una foto de 14 MB\n2. Pulsar Guardar",
                "Que se guarde o que avise de que es demasiado grande.",
            ),
        ),
        title="App closes on uploading a large receipt picture",
    ),
    Tale(
        ("Invoices › PDF export", UGLY, COSMETIC, ONCE, CHROME, "4.12.0"),
        (
            Told(
                "11 14:20",
                "Marek",
                "Colours are pale on the printed invoice.",
                "Print an invoice.",
                "The blue of our logo.",
            ),
        ),
        (("11 14:55", withdraw, LEA, "Marek"),),
        further={"invoice_template": "Not sure"},
    ),
)
