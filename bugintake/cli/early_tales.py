"""What was fixed at Fakturo in the first weeks, and went live with 4.11.1 or 4.12.0."""

from bugintake.cli.fakturo import (
    ALWAYS,
    ANA,
    ANNOYING,
    BLOCKED,
    CHROME,
    EDGE,
    ELSE,
    ERROR,
    FIREFOX,
    GONE,
    HARD,
    IPHONE,
    JONAS,
    LOCKED_OUT,
    MIRA,
    NOTHING,
    SAFARI,
    SOMETIMES,
    TIN,
    UGLY,
    WRONG,
)
from bugintake.cli.tales import Tale, Told, accept, fixed, restrict, start, works_now

TALES = (
    Tale(
        ("Invoices › PDF export", UGLY, ANNOYING, ALWAYS, CHROME, "4.11.0"),
        (
            Told(
                "29 11:20",
                "Priya",
                "Long item names run into the price column. Our customers cannot read the price.",
                "1. Write an item name of more than 60 letters\n2. Export the invoice to PDF",
                "The name wraps onto a second line.",
            ),
            Told("28 09:35", "Dirk", "Bei langen Bezeichnungen sind die Preise im PDF nicht mehr zu lesen."),
        ),
        (
            ("29 14:05", accept, MIRA),
            ("27 09:40", start, MIRA),
            fixed(
                "25 11:30",
                MIRA,
                "4.11.1",
                en="Long item names wrap onto a second line and no longer run into the price.",
                de="Lange Bezeichnungen werden umbrochen und laufen nicht mehr in die Preisspalte.",
            ),
            ("21 08:50", works_now, "Dirk"),
        ),
    ),
    Tale(
        ("Sign-in › Password", LOCKED_OUT, BLOCKED, SOMETIMES, FIREFOX, "4.11.0"),
        (
            Told(
                "29 13:05",
                "Chloe",
                "The password link has expired a minute after it came.",
                "1. Choose Forgot your password\n2. Open the link in the mail",
                "I can choose a new password.",
            ),
            Told("28 10:15", "Raquel", "El enlace para cambiar la contraseña aparece como caducado al abrirlo."),
        ),
        (
            ("29 13:20", accept, TIN),
            ("29 13:30", start, TIN),
            fixed(
                "27 16:10",
                TIN,
                "4.11.1",
                en="The link in the password mail works for a full hour. Please ask for a new one once.",
                es="El enlace del correo de contraseña vale durante una hora. Pida uno nuevo, por favor.",
            ),
            ("21 10:20", works_now, "Raquel"),
        ),
    ),
    Tale(
        ("Payments › Bank import", ERROR, HARD, ALWAYS, CHROME, "4.11.0"),
        (
            Told(
                "28 14:40",
                "Tom",
                "The import stops at the first line with an ampersand.",
                "1. Download the CSV statement\n2. Import it\n3. Look at the line of Marks & Sons",
                "All 214 lines are read.",
            ),
            Told("27 09:55", "Yvonne", "Sobald ein Firmenname ein & enthält, bricht der Import mit einem Fehler ab."),
        ),
        (
            ("28 15:25", accept, JONAS),
            ("26 10:00", start, JONAS),
            fixed(
                "24 12:15",
                JONAS,
                "4.11.1",
                en="Statements with & in a name are read to the end. Import the file once more: "
                "lines that are there already are skipped.",
                de="Kontoauszüge mit & im Namen werden vollständig gelesen. Importieren Sie die Datei "
                "noch einmal: Vorhandene Zeilen werden übersprungen.",
            ),
        ),
    ),
    Tale(
        ("Invoices › Numbering", WRONG, HARD, ALWAYS, "Internet Explorer 11", "4.11.0"),
        (
            Told(
                "28 16:20",
                "Javier",
                "Las facturas rectificativas usan la misma serie que las facturas.",
                "1. Emitir una factura\n2. Emitir una rectificativa",
                "Que las rectificativas tengan su propia serie, como está configurado.",
            ),
            Told("26 13:10", "Sabine", "Gutschriften bekommen Nummern aus dem Kreis der Rechnungen."),
        ),
        (
            ("27 09:30", accept, ANA),
            ("25 09:10", start, ANA),
            fixed(
                "23 15:50",
                ANA,
                "4.11.1",
                de="Gutschriften haben wieder ihren eigenen Nummernkreis. Bereits vergebene Nummern bleiben.",
                es="Las rectificativas vuelven a tener su propia serie. Los números ya asignados no cambian.",
            ),
        ),
        "Credit notes take their numbers from the invoices",
    ),
    Tale(
        ("Settings › People", ELSE, HARD, ALWAYS, CHROME, "4.11.0"),
        (
            Told(
                "27 11:05",
                "Ruth",
                "A shared link to an invoice still opens after it was withdrawn.",
                "1. Share an invoice by link\n2. Withdraw the link\n3. Open it in a private window",
                "The page says that the link is no longer valid.",
            ),
        ),
        (
            ("27 11:15", restrict, MIRA),
            ("27 11:40", accept, MIRA),
            ("27 11:45", start, MIRA),
            fixed(
                "26 17:30",
                MIRA,
                "4.11.1",
                en="A withdrawn link stops working at once. We checked: nobody but you had opened yours.",
            ),
            ("21 15:45", works_now, "Ruth"),
        ),
    ),
    Tale(
        ("Reports › Dashboard", NOTHING, ANNOYING, ALWAYS, SAFARI, "4.11.0"),
        (
            Told(
                "26 10:50",
                "Sofie",
                "The chart of open payments stays empty.",
                "Open the dashboard of a company without a bank account.",
                "The chart shows the open invoices.",
            ),
            Told("25 14:25", "Heike", "Das Diagramm mit den offenen Zahlungen bleibt leer."),
        ),
        (
            ("26 15:10", accept, JONAS),
            ("24 15:00", start, JONAS),
            fixed(
                "23 11:20",
                JONAS,
                "4.11.1",
                en="The chart shows open payments, also without a bank account.",
                de="Das Diagramm zeigt offene Zahlungen jetzt auch ohne Bankkonto.",
            ),
        ),
    ),
    Tale(
        ("Invoices › Recurring", WRONG, BLOCKED, ALWAYS, CHROME, "4.11.1"),
        (
            Told(
                "21 09:25",
                "Amara",
                "Paused subscriptions are billed all the same. 38 customers got an invoice they do not owe.",
                "1. Pause a subscription\n2. Wait for the first of the month",
                "Nothing is billed until it is resumed.",
            ),
            Told("21 11:10", "Miriam", "Pausierte Abos wurden trotzdem berechnet."),
            Told("20 09:45", "Elena", "Se han facturado las suscripciones en pausa."),
        ),
        (
            ("21 09:35", accept, TIN),
            ("21 09:40", start, TIN),
            fixed(
                "19 12:05",
                TIN,
                "4.12.0",
                en="Paused subscriptions are not billed. The invoices made by mistake are marked as drafts: "
                "delete them, no number is lost.",
                de="Pausierte Abos werden nicht mehr berechnet. Die irrtümlichen Rechnungen sind als Entwurf "
                "gekennzeichnet: Sie können sie löschen, es geht keine Nummer verloren.",
                es="Las suscripciones en pausa ya no se facturan. Las facturas emitidas por error figuran como "
                "borrador: puede borrarlas sin perder ningún número.",
            ),
            ("15 09:30", works_now, "Amara"),
            ("14 10:05", works_now, "Elena"),
        ),
    ),
    Tale(
        ("Expenses › Receipts", WRONG, ANNOYING, SOMETIMES, IPHONE, "4.11.1"),
        (
            Told(
                "21 15:15",
                "Joan",
                "Receipts from the phone get today's date. The one printed on them is ignored.",
                "Photograph last week's fuel receipt and save it.",
                "The date on the receipt.",
            ),
            Told("19 10:35", "Gudrun", "Fotografierte Belege bekommen das Datum von heute."),
        ),
        (
            ("20 09:20", accept, ANA),
            ("19 09:00", start, ANA),
            fixed(
                "18 13:40",
                ANA,
                "4.12.0",
                en="Receipts keep the date printed on them. Where it cannot be read, you are asked for it.",
                de="Belege behalten das aufgedruckte Datum. Ist es nicht lesbar, werden Sie danach gefragt.",
            ),
        ),
    ),
    Tale(
        ("Customers › Address book", GONE, HARD, ALWAYS, EDGE, "4.11.1"),
        (
            Told(
                "20 10:30",
                "Nils",
                "Joining two contacts loses the second address.",
                "1. Select two contacts of one company\n2. Choose Join",
                "The joined contact has both addresses.",
            ),
        ),
        (
            ("20 13:15", accept, TIN),
            ("18 09:05", start, TIN),
            fixed(
                "17 15:20",
                TIN,
                "4.12.0",
                en="Joined contacts keep every address. We have put back the two that you had lost.",
            ),
            ("15 16:40", works_now, "Nils"),
        ),
    ),
    Tale(
        ("Taxes › VAT return", WRONG, HARD, ALWAYS, FIREFOX, "4.11.1"),
        (
            Told(
                "20 14:55",
                "Matthias",
                "Rechnungen mit Steuerschuldumkehr stehen als steuerpflichtige Umsätze in der Voranmeldung.",
                "1. Rechnung an einen Kunden in Österreich schreiben\n2. Voranmeldung öffnen",
                "Sie stehen in der Zeile für nicht steuerbare Umsätze.",
            ),
            Told("19 16:05", "Javier", "Las facturas con inversión del sujeto pasivo suman IVA en la declaración."),
        ),
        (
            ("19 09:15", accept, JONAS),
            ("18 10:45", start, JONAS),
            fixed(
                "17 11:55",
                JONAS,
                "4.12.0",
                de="Rechnungen mit Steuerschuldumkehr stehen in der richtigen Zeile. Bitte öffnen Sie die "
                "letzte Voranmeldung noch einmal, bevor Sie sie abgeben.",
                es="Las facturas con inversión del sujeto pasivo aparecen en su casilla. Abra de nuevo la "
                "última declaración antes de presentarla.",
            ),
        ),
        "Reverse-charge invoices are counted as taxed at home",
    ),
)
