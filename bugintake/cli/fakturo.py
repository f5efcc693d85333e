"""Fakturo, the sample company: its people, customers and words. What happened to them is told in `sample`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bugintake.team.models import Role

ZONE, COUNTRY = "Europe/Berlin", "DE"
DOMAIN = "fakturo.example"


class Person(NamedTuple):
    """Somebody who works at Fakturo."""

    name: str
    role: Role
    zone: str = ZONE


PETRA = Person("Petra Novak", Role.ADMIN)
LUKA = Person("Luka Horvat", Role.LEAD, "Europe/Zagreb")
LEA = Person("Lea Sommer", Role.AGENT)
DIEGO = Person("Diego Ruiz", Role.AGENT, "Europe/Madrid")
MIRA = Person("Mira Kovač", Role.ENGINEER, "Europe/Zagreb")
TIN = Person("Tin Babić", Role.ENGINEER, "Europe/Zagreb")
JONAS = Person("Jonas Weber", Role.ENGINEER)
ANA = Person("Ana Ferreira", Role.ENGINEER, "Europe/Lisbon")
TEAM = (PETRA, LUKA, LEA, DIEGO, MIRA, TIN, JONAS, ANA)
IN_TURN = (MIRA, TIN, JONAS, ANA)

AREAS = {
    "Invoices › PDF export": ("Rechnungen › PDF-Export", "Facturas › Exportación a PDF", "print,download,paper"),
    "Invoices › Numbering": ("Rechnungen › Nummernkreis", "Facturas › Numeración", "number,sequence,gap"),
    "Invoices › Recurring": ("Rechnungen › Abo-Rechnungen", "Facturas › Recurrentes", "subscription,monthly"),
    "Payments › Bank import": ("Zahlungen › Bankimport", "Pagos › Importación bancaria", "csv,statement,camt"),
    "Payments › Reminders": ("Zahlungen › Mahnungen", "Pagos › Recordatorios", "dunning,overdue"),
    "Expenses › Receipts": ("Ausgaben › Belege", "Gastos › Recibos", "photo,scan,camera"),
    "Customers › Address book": ("Kunden › Adressbuch", "Clientes › Agenda", "contacts,search"),
    "Taxes › VAT return": ("Steuern › Umsatzsteuer", "Impuestos › Declaración del IVA", "vat,elster,rounding"),
    "Reports › Dashboard": ("Berichte › Übersicht", "Informes › Panel", "figures,charts,home"),
    "Sign-in › Password": ("Anmeldung › Passwort", "Acceso › Contraseña", "login,reset,pwd"),
    "Sign-in › Single sign-on": ("Anmeldung › Single Sign-on", "Acceso › Inicio único", "login,saml,sso"),
    "Integrations › Web shop": ("Schnittstellen › Webshop", "Integraciones › Tienda online", "orders,sync,api"),
    "Settings › People": ("Einstellungen › Personen", "Ajustes › Personas", "team,roles,access"),
}

ACCOUNTS = {
    "Brightline Media": "Business",
    "Alder & Finch": "Business",
    "Northwind Bicycles": "Starter",
    "Kovač Interijeri": "Business",
    "Müller Elektrotechnik": "Business",
    "Café Morgenrot": "Starter",
    "Steinbach Logistik": "Enterprise",
    "Huerta Verde": "Starter",
    "Talleres Rojas": "Business",
    "Óptica Luz": "Enterprise",
    "Halden Foods": "Enterprise",
    "Larkspur Dental": "Business",
    "Tidewater Yachts": "Business",
    "Fenwick Roofing": "Starter",
    "Druckerei Vogel": "Business",
    "Hofmann Metallbau": "Business",
    "Gärtnerei Lenz": "Starter",
    "Weinhof Seidl": "Starter",
    "Clínica Norte": "Enterprise",
    "Imprenta Vega": "Starter",
}


@dataclass(frozen=True)
class Caller:
    """A customer, by first name in the stories."""

    name: str
    language: str
    company: str
    has_address: bool = True


CUSTOMERS = (
    Caller("Hana Kovač", "en", "Kovač Interijeri"),
    Caller("Grace Okafor", "en", "Brightline Media"),
    Caller("Tom Ellery", "en", "Brightline Media"),
    Caller("Priya Raman", "en", "Alder & Finch"),
    Caller("Will Finch", "en", "Alder & Finch"),
    Caller("Sofie Lindqvist", "en", "Northwind Bicycles"),
    Caller("Marek Dvořák", "en", "Northwind Bicycles"),
    Caller("Iva Marić", "en", "Kovač Interijeri"),
    Caller("Omar Haddad", "en", "Brightline Media"),
    Caller("Jürgen Müller", "de", "Müller Elektrotechnik"),
    Caller("Anke Brandt", "de", "Müller Elektrotechnik"),
    Caller("Selin Yıldız", "de", "Café Morgenrot"),
    Caller("Bernd Kruse", "de", "Café Morgenrot", has_address=False),
    Caller("Kathrin Voss", "de", "Steinbach Logistik"),
    Caller("Ole Petersen", "de", "Steinbach Logistik"),
    Caller("Miriam Adler", "de", "Steinbach Logistik"),
    Caller("Franz Huber", "de", "Müller Elektrotechnik"),
    Caller("Carmen Vidal", "es", "Huerta Verde"),
    Caller("Álvaro Peña", "es", "Huerta Verde"),
    Caller("Lucía Rojas", "es", "Talleres Rojas"),
    Caller("Mateo Rojas", "es", "Talleres Rojas"),
    Caller("Inés Cabrera", "es", "Óptica Luz"),
    Caller("Sergio Mora", "es", "Óptica Luz"),
    Caller("Nuria Soler", "es", "Óptica Luz"),
    Caller("Pablo Nieto", "es", "Talleres Rojas"),
    Caller("Ruth Halvorsen", "en", "Halden Foods"),
    Caller("Dev Patel", "en", "Halden Foods"),
    Caller("Amara Diallo", "en", "Halden Foods"),
    Caller("Chloe Mercer", "en", "Larkspur Dental"),
    Caller("Theo Grant", "en", "Larkspur Dental"),
    Caller("Nils Aasen", "en", "Tidewater Yachts"),
    Caller("Oliver Quinn", "en", "Tidewater Yachts"),
    Caller("Joan Fenwick", "en", "Fenwick Roofing"),
    Caller("Sabine Vogel", "de", "Druckerei Vogel"),
    Caller("Matthias Vogel", "de", "Druckerei Vogel"),
    Caller("Dirk Hofmann", "de", "Hofmann Metallbau"),
    Caller("Yvonne Krämer", "de", "Hofmann Metallbau"),
    Caller("Gudrun Lenz", "de", "Gärtnerei Lenz"),
    Caller("Heike Lenz", "de", "Gärtnerei Lenz"),
    Caller("Florian Seidl", "de", "Weinhof Seidl"),
    Caller("Javier Ortiz", "es", "Clínica Norte"),
    Caller("Elena Prieto", "es", "Clínica Norte"),
    Caller("Andrés Molina", "es", "Clínica Norte"),
    Caller("Raquel Vega", "es", "Imprenta Vega"),
    Caller("Marta Vega", "es", "Imprenta Vega"),
)

Words = dict[str, str]

NUMBERING_NOTE: Words = {
    "en": "Deleting a draft no longer uses up its number: the next invoice gets it.",
    "de": "Ein gelöschter Entwurf verbraucht keine Nummer mehr: Die nächste Rechnung bekommt sie.",
    "es": "Borrar un borrador ya no gasta su número: lo recibe la siguiente factura.",
}
ROUNDING_NOTE: Words = {
    "en": "The VAT return now adds up to the cent, also with mixed rates. Please open last month's return once more.",
    "de": "Die Umsatzsteuer stimmt jetzt auf den Cent, auch bei gemischten Sätzen. Bitte öffnen Sie den letzten Monat "
    "noch einmal.",
    "es": "La declaración del IVA cuadra al céntimo, también con tipos mezclados. Abra otra vez la del último mes.",
}
REMINDER_NOTE: Words = {
    "en": "A payment reminder is sent once, also when two people work on the same customer.",
    "de": "Eine Mahnung wird nur noch einmal verschickt, auch wenn zwei Personen am selben Kunden arbeiten.",
    "es": "El recordatorio de pago se envía una sola vez, aunque dos personas trabajen con el mismo cliente.",
}
DASHBOARD_NOTE: Words = {
    "en": "The dashboard opens within two seconds, also with tens of thousands of invoices.",
    "de": "Die Übersicht öffnet sich in zwei Sekunden, auch mit Zehntausenden von Rechnungen.",
    "es": "El panel se abre en dos segundos, también con decenas de miles de facturas.",
}
WEB_SHOP_NOTE: Words = {
    "en": "Each web shop order becomes one invoice.",
    "de": "Aus jeder Bestellung im Webshop wird eine Rechnung.",
    "es": "Cada pedido de la tienda online se convierte en una sola factura.",
}
STRETCHED_NOTE: Words = {
    "en": "The frame on the invoice always has one shape, so that the address stays in the window of the envelope. A "
    "logo of another shape is fitted into it.",
    "de": "Der Rahmen auf der Rechnung hat eine feste Form, damit die Anschrift im Sichtfenster bleibt. Ein Logo mit "
    "anderem Seitenverhältnis wird eingepasst.",
}
STRETCHED_WAY: Words = {
    "en": "Save the logo with a clear margin as 600 × 200 pixels: then nothing is stretched.",
    "de": "Speichern Sie das Logo mit freiem Rand in 600 × 200 Pixeln: Dann wird nichts verzerrt.",
}
SPAM_NOTE: Words = {
    "en": "Our mail carries every signature that it should; the mail service of your provider moves it to spam.",
    "de": "Unsere Mails tragen alle nötigen Signaturen; Ihr Mail-Anbieter legt sie in den Spam-Ordner.",
    "es": "Nuestros correos llevan todas las firmas necesarias; su proveedor de correo los envía a la carpeta de spam.",
}
SPAM_WAY: Words = {
    "en": "Add no-reply@fakturo.example to your contacts once.",
    "de": "Nehmen Sie no-reply@fakturo.example einmal in Ihre Kontakte auf.",
    "es": "Añada no-reply@fakturo.example a sus contactos.",
}
VAT_LINE_WAY: Words = {
    "en": "Print the invoice to PDF in the browser (Ctrl P): the VAT line is there.",
    "de": "Drucken Sie die Rechnung im Browser als PDF (Strg P): Dort steht die Steuerzeile.",
    "es": "Imprima la factura como PDF desde el navegador (Ctrl P): ahí aparece la línea del IVA.",
}

Scene = tuple[datetime, Callable[[], Any]]

WRONG, SLOW, NOTHING = "Shows or saves the wrong thing", "Very slow or never finishes", "Nothing happens"
UGLY, LOCKED_OUT, ELSE = "Looks wrong", "Cannot get in", "Something else"
ERROR, GONE, CRASH = "Shows an error message", "Data is gone", "Closes or crashes"
BLOCKED, HARD, ANNOYING, COSMETIC = "Cannot work", "Hard to work", "Annoying", "Looks off"
ALWAYS, SOMETIMES, ONCE = "Always", "Sometimes", "Happened once"
CHROME, EDGE, FIREFOX, SAFARI = "Chrome on Windows", "Edge", "Firefox", "Safari on Mac"
ANDROID, IPHONE, CHROME_MAC = "Android phone or tablet", "iPhone or iPad", "Chrome on Mac"


class Calendar:
    """Times relative to now: so many working days or minutes ago."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.zone = ZoneInfo(ZONE)

    def day(self, working_days: int, at: str) -> datetime:
        """Return a time of a working day that lies so many before today."""
        found = self.now.astimezone(self.zone).date()
        while working_days:
            found -= timedelta(days=1)
            working_days -= found.weekday() < 5
        return self._at(found, at)

    def monday(self, weeks: int) -> datetime:
        """Return the beginning of the Monday that comes in so many weeks; in one it is that of next week."""
        today = self.now.astimezone(self.zone).date()
        return self._at(today + timedelta(weeks=weeks, days=-today.weekday()), "00:00")

    def ago(self, minutes: int) -> datetime:
        """Return the time so many minutes before now."""
        return self.now - timedelta(minutes=minutes)

    def at(self, moment: str) -> datetime:
        """Read a moment: "27 10:12" is a time so many working days ago, "175" so many minutes ago."""
        number, _, clock = moment.partition(" ")
        return self.day(int(number), clock) if clock else self.ago(int(number))

    def _at(self, day: date, at: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(at), self.zone)
