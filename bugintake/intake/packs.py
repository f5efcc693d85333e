"""Packs: catalogues to start from, in the words of the team and of its customers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bugintake.core.errors import Invalid
from bugintake.core.forms import clean_line
from bugintake.intake import catalogue
from bugintake.intake.models import OptionList
from bugintake.team.models import User


@dataclass(frozen=True)
class Choice:
    """One choice of a pack: the label in three languages, and what else finds or explains it."""

    en: str
    de: str
    es: str
    aliases: str = ""
    hint: str = ""
    deadline_minutes: int | None = None
    is_unsure: bool = False
    is_intended: bool = False


UNSURE = Choice("Not sure", "Nicht sicher", "No está claro", "unknown", is_unsure=True)

IMPACTS = (
    Choice("Cannot work", "Arbeit nicht möglich", "No se puede trabajar", "", "Main job blocked, no way round", 30),
    Choice("Hard to work", "Arbeit erschwert", "Cuesta trabajar", "", "Blocked, but there is a way round", 120),
    Choice("Annoying", "Störend", "Molesto", "", "Slower or confusing", 480),
    Choice("Looks off", "Sieht falsch aus", "Se ve mal", "", "Cosmetic only", 2400),
)
FREQUENCIES = (
    Choice("Always", "Immer", "Siempre", "every time"),
    Choice("Sometimes", "Manchmal", "A veces", "often,random"),
    Choice("Happened once", "Ist einmal passiert", "Pasó una vez", "single"),
    UNSURE,
)
SYMPTOMS = (
    Choice("Shows an error message", "Zeigt eine Fehlermeldung", "Muestra un mensaje de error", "exception,500"),
    Choice(
        "Shows or saves the wrong thing",
        "Zeigt oder speichert etwas Falsches",
        "Muestra o guarda algo incorrecto",
        "incorrect,missing,bad",
    ),
    Choice("Nothing happens", "Es passiert nichts", "No pasa nada", "dead,stuck,click"),
    Choice(
        "Very slow or never finishes", "Sehr langsam oder ohne Ende", "Muy lento o no termina nunca", "hang,loading"
    ),
    Choice("Closes or crashes", "Schließt sich oder stürzt ab", "Se cierra o se cuelga", "freeze"),
    Choice("Data is gone", "Daten sind weg", "Faltan datos", "deleted,lost"),
    Choice("Looks wrong", "Sieht falsch aus", "Se ve mal", "layout,cut off"),
    Choice("Cannot get in", "Kein Zugang", "No se puede entrar", "login,permission,access"),
    Choice("Something else", "Etwas anderes", "Otra cosa", "other,not sure", is_unsure=True),
)
API_SYMPTOMS = (
    Choice("Answers with an error", "Antwortet mit einem Fehler", "Responde con un error", "500,4xx,exception"),
    Choice("Answers with the wrong data", "Antwortet mit falschen Daten", "Responde con datos incorrectos", "missing"),
    Choice("Does not answer", "Antwortet nicht", "No responde", "timeout,down"),
    Choice("Is very slow", "Ist sehr langsam", "Es muy lento", "latency"),
    Choice("Refuses what should work", "Lehnt Gültiges ab", "Rechaza algo válido", "401,403,422,auth"),
    Choice("Differs from the documentation", "Weicht von der Dokumentation ab", "No coincide con la documentación"),
    Choice("An event did not arrive", "Ein Ereignis kam nicht an", "No llegó un evento", "webhook,missing"),
    Choice("Something else", "Etwas anderes", "Otra cosa", "other,not sure", is_unsure=True),
)
REASONS = (
    Choice("Works as intended", "Es ist so gewollt", "Funciona como está previsto", "by design", is_intended=True),
    Choice(
        "Too risky to change now", "Eine Änderung ist derzeit zu riskant", "Cambiarlo ahora es demasiado arriesgado"
    ),
    Choice("Will be replaced", "Wird bald ersetzt", "Se va a sustituir", "obsolete"),
    Choice("Not caused by us", "Liegt nicht an uns", "No depende de nosotros", "third party,external"),
    Choice(
        "Could not be reproduced",
        "Ließ sich nicht nachvollziehen",
        "No hemos podido reproducirlo",
        "cannot reproduce",
    ),
)

WEB_AREAS = (
    Choice("Sign-in › Password", "Anmeldung › Passwort", "Acceso › Contraseña", "login,reset,pwd"),
    Choice("Sign-in › Single sign-on", "Anmeldung › Single Sign-on", "Acceso › Inicio único", "login,saml,sso"),
    Choice("Account › Profile", "Konto › Profil", "Cuenta › Perfil", "avatar,name"),
    Choice("Account › Billing", "Konto › Abrechnung", "Cuenta › Facturación", "invoice,card,payment"),
    Choice("People and permissions", "Personen und Rechte", "Personas y permisos", "team,roles,invite"),
    Choice("Search", "Suche", "Búsqueda", "find,filter"),
    Choice("Lists and tables", "Listen und Tabellen", "Listas y tablas", "sort,columns"),
    Choice("Forms and saving", "Formulare und Speichern", "Formularios y guardado", "edit,fields"),
    Choice("Files › Upload", "Dateien › Hochladen", "Archivos › Subida", "attachment,image"),
    Choice("Import", "Import", "Importación", "csv,spreadsheet"),
    Choice("Export › PDF and print", "Export › PDF und Druck", "Exportación › PDF e impresión", "download,paper"),
    Choice("Export › Spreadsheets", "Export › Tabellen", "Exportación › Hojas de cálculo", "csv,excel"),
    Choice("Reports and charts", "Berichte und Diagramme", "Informes y gráficos", "dashboard,figures"),
    Choice("Notifications › E-mail", "Benachrichtigungen › E-Mail", "Avisos › Correo", "mail,reminder"),
    Choice("Integrations", "Schnittstellen", "Integraciones", "api,webhook,sync"),
    Choice("Settings", "Einstellungen", "Ajustes", "preferences,language"),
    UNSURE,
)
MOBILE_AREAS = (
    Choice("Starting the app", "Start der App", "Inicio de la aplicación", "launch,open,splash"),
    Choice("Sign-in", "Anmeldung", "Acceso", "login,password,fingerprint,face"),
    Choice("Home screen", "Startseite", "Pantalla de inicio", "feed,overview"),
    Choice("Search", "Suche", "Búsqueda", "find,filter"),
    Choice("Camera and photos", "Kamera und Fotos", "Cámara y fotos", "picture,scan,upload"),
    Choice("Working offline", "Arbeiten ohne Netz", "Uso sin conexión", "airplane,connection"),
    Choice("Synchronising", "Abgleich", "Sincronización", "sync,conflict"),
    Choice("Push notifications", "Push-Nachrichten", "Notificaciones", "badge,sound,reminder"),
    Choice("Sharing", "Teilen", "Compartir", "send,link"),
    Choice("Location and maps", "Standort und Karten", "Ubicación y mapas", "gps"),
    Choice("Payments", "Zahlungen", "Pagos", "purchase,subscription"),
    Choice("Settings", "Einstellungen", "Ajustes", "preferences,language"),
    Choice("Battery and data use", "Akku- und Datenverbrauch", "Consumo de batería y datos", "hot,drain"),
    UNSURE,
)
API_AREAS = (
    Choice("Authentication", "Authentifizierung", "Autenticación", "token,key,oauth"),
    Choice("Reading data", "Daten lesen", "Lectura de datos", "get,list,query"),
    Choice("Writing data", "Daten schreiben", "Escritura de datos", "post,put,patch,delete"),
    Choice("Paging and filtering", "Seiten und Filter", "Paginación y filtros", "cursor,sort,search"),
    Choice("Webhooks", "Webhooks", "Webhooks", "event,callback,signature"),
    Choice("Files", "Dateien", "Archivos", "upload,download"),
    Choice("Rate limits", "Nutzungsgrenzen", "Límites de uso", "429,quota,throttle"),
    Choice("Client libraries", "Client-Bibliotheken", "Bibliotecas cliente", "sdk,package"),
    Choice("Documentation", "Dokumentation", "Documentación", "docs,openapi,example"),
    Choice("Test environment", "Testumgebung", "Entorno de pruebas", "sandbox,staging"),
    UNSURE,
)
WEB_PLATFORMS = (
    Choice("Chrome on Windows", "Chrome unter Windows", "Chrome en Windows", "pc"),
    Choice("Chrome on Mac", "Chrome auf dem Mac", "Chrome en Mac", "apple"),
    Choice("Safari on Mac", "Safari auf dem Mac", "Safari en Mac", "apple"),
    Choice("Firefox", "Firefox", "Firefox", "mozilla"),
    Choice("Edge", "Edge", "Edge", "microsoft"),
    Choice("iPhone or iPad", "iPhone oder iPad", "iPhone o iPad", "ios,safari,phone"),
    Choice("Android phone or tablet", "Android-Gerät", "Dispositivo Android", "phone,samsung"),
    UNSURE,
)
MOBILE_PLATFORMS = (
    Choice("iPhone", "iPhone", "iPhone", "ios,apple,phone"),
    Choice("iPad", "iPad", "iPad", "ios,apple,tablet"),
    Choice("Android phone", "Android-Telefon", "Teléfono Android", "samsung,pixel"),
    Choice("Android tablet", "Android-Tablet", "Tableta Android", "samsung"),
    UNSURE,
)
API_PLATFORMS = (
    Choice("Plain HTTP", "HTTP ohne Bibliothek", "HTTP sin biblioteca", "rest,curl"),
    Choice("JavaScript", "JavaScript", "JavaScript", "node,typescript,browser"),
    Choice("Python", "Python", "Python"),
    Choice("Java or Kotlin", "Java oder Kotlin", "Java o Kotlin", "jvm"),
    Choice("C#", "C#", "C#", "dotnet,.net"),
    Choice("PHP", "PHP", "PHP"),
    Choice("Automation tool", "Automatisierungsdienst", "Herramienta de automatización", "zapier,make,n8n,no-code"),
    UNSURE,
)

_FOR_ALL = {
    OptionList.IMPACT: IMPACTS,
    OptionList.FREQUENCY: FREQUENCIES,
    OptionList.VERSION: (UNSURE,),
    OptionList.DECLINE_REASON: REASONS,
}
PACKS: dict[str, dict[OptionList, Sequence[Choice]]] = {
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
    own = [Choice(label, "", "") for label in areas or ()]
    if own:
        lists[OptionList.AREA] = (*own, UNSURE)
    return sum(_add(kind, choice, actor) for kind, found in lists.items() for choice in found)


def fill_list(kind: str, name: str, *, actor: User) -> int:
    """Fill one list from a pack, and count what was added. Records and raises as install_pack."""
    return sum(_add(OptionList(kind), choice, actor) for choice in _lists(name).get(OptionList(kind), ()))


def _lists(name: str) -> dict[OptionList, Sequence[Choice]]:
    if name not in PACKS:
        raise Invalid(f"There is no pack {name[:40]}. There are: {', '.join(PACKS)}.", "pack")
    return dict(PACKS[name])


def areas_from(text: str) -> list[str]:
    """Read areas, one per line; empty lines and repetitions are left out."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        label = clean_line(line)
        if label:
            found.setdefault(catalogue.key_of(label), label)
    return list(found.values())


def _add(kind: OptionList, choice: Choice, actor: User | None) -> bool:
    if catalogue.option_labelled(kind, choice.en) is not None:
        return False
    words = {"en": choice.en, "de": choice.de, "es": choice.es}
    option = catalogue.add_option(
        kind,
        choice.en,
        actor=actor,
        aliases=[alias for alias in choice.aliases.split(",") if alias],
        labels={language: label for language, label in words.items() if label},
        hint=choice.hint,
        deadline_minutes=choice.deadline_minutes,
        is_unsure=choice.is_unsure,
    )
    option.is_intended = choice.is_intended
    return True
