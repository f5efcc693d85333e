"""What was fixed at Fakturo in the last weeks, and went live with 4.12.0 or since."""

from bugintake.cli.fakturo import (
    ALWAYS,
    ANA,
    ANNOYING,
    BLOCKED,
    CHROME,
    COSMETIC,
    EDGE,
    GONE,
    HARD,
    JONAS,
    LEA,
    MIRA,
    NOTHING,
    SAFARI,
    SOMETIMES,
    TIN,
    UGLY,
    WRONG,
)
from bugintake.cli.tales import Tale, Told, accept, answer, ask, fixed, start, works_now

TALES = (
    Tale(
        ("Sign-in › Single sign-on", NOTHING, BLOCKED, SOMETIMES, SAFARI, "4.11.1"),
        (
            Told(
                "19 09:10",
                "Dev",
                "Signing in with the company account ends on a blank page.",
                "1. Choose Sign in with your company in Safari\n2. Confirm",
                "The dashboard opens.",
            ),
            Told("19 09:50", "Ruth", "Half of our accounting team sees a white page after signing in."),
        ),
        (
            ("19 09:20", accept, MIRA),
            ("19 09:55", start, MIRA),
            fixed(
                "18 16:25",
                MIRA,
                "4.12.0",
                en="Signing in with your company works in Safari again, also with tracking protection on.",
            ),
            ("15 11:15", works_now, "Dev"),
        ),
    ),
    Tale(
        ("Payments › Reminders", WRONG, ANNOYING, ALWAYS, CHROME, "4.11.1"),
        (
            Told(
                "18 14:10",
                "Florian",
                "In der Mahnung steht das alte Fälligkeitsdatum, obwohl wir das Zahlungsziel verlängert haben.",
                "1. Zahlungsziel einer Rechnung verlängern\n2. Mahnung schreiben",
                "Das neue Datum.",
            ),
            Told("18 15:35", "Marta", "El recordatorio indica el vencimiento antiguo."),
        ),
        (
            ("18 16:45", accept, ANA),
            ("17 09:00", start, ANA),
            fixed(
                "17 16:30",
                ANA,
                "4.12.0",
                de="Mahnungen nennen das verlängerte Zahlungsziel.",
                es="Los recordatorios indican la nueva fecha de vencimiento.",
            ),
        ),
        "Reminder names the old due date after it was extended",
    ),
    Tale(
        ("Sign-in › Password", GONE, HARD, SOMETIMES, CHROME, "4.12.0"),
        (
            Told(
                "15 11:25",
                "Grace",
                "The session ends in the middle of an invoice. What I had written is lost.",
                "1. Begin a long invoice\n2. Take a phone call of half an hour\n3. Save",
                "I stay signed in while I write.",
            ),
            Told("14 09:20", "Anke", "Beim Schreiben abgemeldet worden, alles noch einmal eingegeben."),
            Told("13 12:45", "Andrés", "Se cierra la sesión a mitad de una factura y se pierde lo escrito."),
        ),
        (
            ("15 13:00", accept, TIN),
            ("12 09:30", start, TIN),
            fixed(
                "10 16:45",
                TIN,
                "4.12.1",
                en="You stay signed in while you write, and a draft is kept every few seconds.",
                de="Sie bleiben angemeldet, solange Sie schreiben, und der Entwurf wird laufend gesichert.",
                es="La sesión sigue abierta mientras escribe y el borrador se guarda cada pocos segundos.",
            ),
            ("6 10:25", works_now, "Grace"),
        ),
    ),
    Tale(
        ("Integrations › Web shop", WRONG, HARD, ALWAYS, EDGE, "4.12.0"),
        (
            Told(
                "15 14:15",
                "Heike",
                "Die Versandkosten aus dem Webshop kommen ohne Umsatzsteuer an.",
                "1. Bestellung mit Versandkosten abschließen\n2. Rechnung öffnen",
                "Versandkosten mit demselben Steuersatz wie die Ware.",
            ),
            Told("13 10:30", "Nuria", "Los gastos de envío de la tienda llegan sin IVA."),
        ),
        (
            ("15 15:40", accept, ANA),
            ("11 10:15", start, ANA),
            fixed(
                "8 12:10",
                ANA,
                "4.12.1",
                de="Versandkosten bekommen den Steuersatz der Ware. Rechnungen der letzten zwei Wochen: "
                "„Steuer neu berechnen“ im Menü der Rechnung.",
                es="Los gastos de envío llevan el mismo IVA que los artículos. En las facturas de las dos últimas "
                "semanas elija «Recalcular impuestos» en el menú de la factura.",
            ),
        ),
        "Shipping costs from the web shop carry no VAT",
    ),
    Tale(
        ("Reports › Dashboard", WRONG, ANNOYING, ALWAYS, "Opera on Windows", "4.12.0"),
        (
            Told(
                "14 13:50",
                "Oliver",
                "Quarter picker forgets the year.",
                "1. Choose the last quarter of last year\n2. Go to another page and come back",
                "The same quarter of the same year.",
            ),
            Told("12 11:40", "Lucía", "Al volver al panel, el trimestre cambia al año actual."),
        ),
        (
            ("14 15:30", accept, JONAS),
            ("13 09:10", start, JONAS),
            fixed(
                "11 15:05",
                JONAS,
                "4.12.1",
                en="The dashboard remembers quarter and year until you choose others.",
                es="El panel recuerda el trimestre y el año hasta que elija otros.",
            ),
            ("5 09:15", works_now, "Oliver"),
        ),
    ),
    Tale(
        ("Invoices › PDF export", UGLY, COSMETIC, ALWAYS, SAFARI, "4.12.0"),
        (
            Told(
                "13 09:30",
                "Theo",
                "Every page of a long invoice says page 1.",
                "Export an invoice with more than 40 items.",
                "Page 1 of 3, page 2 of 3, page 3 of 3.",
            ),
            Told("12 14:50", "Franz", "Auf jeder Seite einer langen Rechnung steht „Seite 1“."),
        ),
        (
            ("13 11:05", accept, MIRA),
            ("10 09:45", start, MIRA),
            fixed(
                "9 10:50",
                MIRA,
                "4.12.1",
                en="Pages of long invoices are numbered one after the other.",
                de="Die Seiten langer Rechnungen sind fortlaufend nummeriert.",
            ),
        ),
        further={"invoice_template": "Modern"},
    ),
    Tale(
        ("Payments › Bank import", WRONG, HARD, ALWAYS, CHROME, "4.12.0"),
        (
            Told(
                "12 09:15",
                "Dev",
                "The same bank statement can be imported twice. All payments of the week are there double.",
                "1. Import a statement\n2. Import the same file again",
                "The second import says that it knows the file.",
            ),
            Told("11 13:35", "Kathrin", "Derselbe Kontoauszug wurde zweimal verbucht, ohne Hinweis."),
        ),
        (
            ("12 09:45", ask, TIN, "Dev", "Which bank is it, and did two colleagues import it?", "Bank"),
            ("12 10:30", answer, LEA, "Dev", "Nordbank; from two colleagues, a few minutes apart."),
            ("12 11:00", accept, TIN),
            ("10 13:20", start, TIN),
            fixed(
                "8 16:15",
                TIN,
                "4.12.1",
                en="A statement that was imported before is refused. Doubled payments are listed under "
                "Payments › To check; one click takes them back.",
                de="Ein bereits importierter Kontoauszug wird abgelehnt. Doppelte Zahlungen stehen unter "
                "Zahlungen › Zu prüfen und lassen sich dort mit einem Klick zurücknehmen.",
            ),
            ("6 08:45", works_now, "Kathrin"),
        ),
    ),
    Tale(
        ("Settings › People", WRONG, COSMETIC, ALWAYS, CHROME, "4.12.0"),
        (
            Told(
                "11 10:55",
                "Pablo",
                "La invitación a un compañero llega en inglés aunque usamos Fakturo en español.",
                "Invitar a un compañero desde Ajustes › Personas.",
                "Que llegue en español.",
            ),
            Told("10 11:30", "Yvonne", "Einladungen an Kollegen kommen immer auf Englisch an."),
        ),
        (
            ("10 15:00", accept, ANA),
            ("9 15:30", start, ANA),
            fixed(
                "8 09:40",
                ANA,
                "4.12.1",
                de="Einladungen kommen in der Sprache Ihrer Firma an.",
                es="Las invitaciones llegan en el idioma de su empresa.",
            ),
        ),
        "Invitations are always sent in English",
    ),
    Tale(
        ("Invoices › PDF export", WRONG, ANNOYING, ALWAYS, EDGE, "4.12.1"),
        (
            Told(
                "6 14:35",
                "Nils",
                "The country is missing on delivery notes for customers abroad.",
                "1. Open an order to Norway\n2. Print the delivery note",
                "The country is the last line of the address.",
            ),
            Told("5 11:20", "Florian", "Auf Lieferscheinen ins Ausland fehlt das Land."),
        ),
        (
            ("6 15:20", accept, MIRA),
            ("4 13:10", start, MIRA),
            fixed(
                "1 11:45",
                MIRA,
                "4.12.2",
                en="Delivery notes to other countries name the country in the last line of the address.",
                de="Lieferscheine ins Ausland nennen das Land in der letzten Zeile der Anschrift.",
            ),
        ),
        further={"invoice_template": "Letterhead"},
    ),
)
