"""What mail servers say when they return a mail: the words that name an address or a domain that is not there."""

from __future__ import annotations

import re


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


_GAP = r"(?:[^.;\n]|\.(?=\S)){0,80}?"  # within a sentence; a dot within a name ends none
_WHO = r"(?:user|mailbox|mail box|recipient|address|account|alias|local part|addressee|person|inbox|customer|username)"
_GONE = (
    r"(?:does ?n[o']t exist|do(?:es)? not exist|not exist|not found|not known|not recogni[sz]ed|not listed|not valid|"
    r"(?:could ?n[o']t|could not|cannot|can't) be found|was(?:n't| not) found|unavailable|"
    r"no longer (?:valid|exists?|available|here|in use)|(?:is ?n['o]t|is not|not) (?:a )?registered|"
    r"(?:has|have) been (?:removed|deleted)|deleted|is not a valid|no mailbox|is unrouteable|not our customer)"
)
NO_ADDRESS = _any(
    rf"(?:unknown|invalid|no such|non-?existent|unrecogni[sz]ed|incorrect|bad|undefined) (?:\w+[ /-]){{0,2}}{_WHO}",
    rf"{_WHO}(?: name)?\W{{0,3}}(?:is |was |are |has been )?(?:\w+ )?(?:unknown|invalid|undefined|unrecogni[sz]ed)",
    rf"\b{_WHO}{_GAP}{_GONE}",
    r"unknown e-?mail|no such (?:person|e-?mail|name)|not a (?:valid|known) (?:mailbox|user|recipient|address|local)",
    r"no mailbox here|no (?:valid )?(?:mailbox|account|user|recipient)s?(?: here)? (?:by|with|of|for) th(?:at|is)",
    r"recip(?:ient)?notfound|unrouteable address|address (?:lookup|verification) failed|not in (?:the )?directory",
    r"not listed in (?:the )?(?:public|domino)|unknown or illegal alias|user ?unknown|unknown ?user",
    r"we do not (?:relay for|have) that user|name (?:is )?not recogni[sz]ed|bad destination mailbox address",
    r"isn't (?:a |an )?(?:valid|known|in our)|mailbox (?:is )?gone|(?:has|have) (?:left|moved)|not a member",
    r"destinataire (?:invalide|inconnu)|utilisateur inconnu|n'existe pas|empfänger (?:ist )?unbekannt",
    r"unbekannter? ?emp|existiert nicht|nicht bekannt|no existe|(?:usuario|destinatario) (?:desconocido|sconosciuto)",
    r"utente sconosciuto|usu[aá]rio (?:desconhecido|inexistente)|onbekende? gebruiker|ukendt modtager",
    r"見つかりません|存在しません|リストにありません",
    r"5\.4\.1 .{0,200}recipient address rejected: access denied",  # how Exchange Online refuses whom it does not know
)
_SITE = r"(?:host|domain)(?: or domain)?(?: name)?s?"
NO_DOMAIN = _any(
    r"(?:unknown|invalid|no such|non-?existent|illegal|bad|unresolvable) (?:\w+[ /-]){0,2}(?:host|domain|mail server)",
    rf"{_SITE}(?: \S+)? ?(?:is |was )?(?:not (?:found|known|valid)|unknown|invalid)",
    rf"(?:host|domain){_GAP}(?:does(?:n't| not) exist|could(?:n't| not) be found|not be resolved)",
    rf"domain{_GAP}(?:is not reachable|not be reached|has no (?:valid )?(?:mail|mx))",
    r"couldn't find any host|host ?unknown|name (?:or service )?not known|\bnxdomain\b|no a or mx|no mx or a",
    r"host found but no data record|no dns (?:information|record)|dns error",
    r"no (?:mx|mail exchanger|mail host)s?[^.;\n]{0,30}?(?:for|record|found)",
    r"null ?mx|(?:does not|doesn't|never) accepts? (?:e-?)?mail|not accept(?:ing)? (?:any )?mail",
    r"all relevant mx records point to non-existent|responded with code (?:nxdomain|noerror)",
    r"bad destination system address",
)
SENDER = _any(
    r"sender(?:'s)? (?:\S+ )?(?:(?:e-?mail )?address|domain|verify)?[^.;\n]{0,40}?(?:reject|verif|fail|unknown|denied|"
    r"invalid|not (?:exist|found|valid|allowed|accepted)|does(?:n't| not))|(?:from|return) address|mail from",
)
"""Words about whoever sent a mail: they say nothing about whom it was for."""
NOT_NOW = _any(
    r"at a rate|try (?:it )?(?:again|later)|temporar|time[sd]? ?-?out|will be retried|still being|gr[ae]ylist",
    r"retry time(?:out)?|too (?:many|long)|delayed|hop count|mail loop|routing loop|looping|loops back|\bloop\b",
    r"connection (?:was )?(?:refused|reset|dropped|lost)|not accepting connections|no route to host",
    r"unable to (?:connect|deliver.{0,40}for)|rate limit|too frequent|lookup failure|server (?:busy|failure|error)",
)
FULL_OR_CLOSED = _any(
    r"quota|mailbox (?:is |was )?(?:too )?full|is full\b|full mailbox|storage|out of space|disk (?:space|full)|exceed",
    r"too (?:large|big)|size limit|maximum (?:message )?size|insufficient|disabled|suspend|frozen|locked|inactive",
    r"deactivated|discontinued|has been (?:blocked|closed)|account is blocked|not active|expired|dormant",
)
POLICY = _any(
    r"spam|\bube\b|junk|virus|malware|phish|polic(?:y|ies|ía|ia)|black ?list|block ?list|dnsbl|\brbl\b|reputation",
    r"\bspf\b|dkim|dmarc|\bptr\b|reverse (?:dns|lookup)|rdns|relay(?:ing)? (?:access )?(?:denied|not|prohibited|is)",
    r"autoris|berechtigt|not permitted|not allowed|authori[sz]ed|authenticat|blocked|banned|prohibited",
    r"content (?:was )?(?:reject|block)|sender (?:address )?(?:\S+ )?(?:was |is )?(?:reject|verif|unknown|denied)",
    r"from address|mail from|client host|security|suspicious|complaint|administrative|listed (?:at|on|by) ",
    r"helo|hostname|bounce address|envelope sender|tls|encrypt|attachment|header|8-?bit|not accepted for",
)
_DELIVERY = r"deliver(?:y|ed)?\W+(?:status|has |have |to .{0,120}|of .{0,80}|attempts? )?\W*"
FAILED = _any(
    r"undeliver|could(?:n't| not) be delivered|(?:unable|not able|impossible) to (?:be )?deliver|did not reach",
    rf"{_DELIVERY}(?:failed|failure|error|notification|unsuccess|aborted|problem)",
    r"delivery (?:problem|incomplete|report|delay)|failure (?:notice|notification)|(?:mail|message) (?:was )?fail",
    r"return(?:ed|ing)? (?:mail|message|to sender)|return\w* to sender|mail (?:system )?(?:delivery|failure|error)",
    r"message (?:not |was not |you sent )?(?:delivered|could not)|permanent (?:fatal )?error|not (?:be )?delivered",
    r"wasn't (?:able to deliver|delivered)|was rejected|user unknown|unknown user|no such user|invalid user",
    r"unzustellbar|nicht zugestellt|fehlgeschlagen|no se (?:pudo|ha podido) entregar|non remis|échec",
    r"mancata consegna|配信|送信できません",
)
"""Words by which a mail system says that a mail was not delivered."""

ORIGINAL = re.compile(
    r"^(?:-{2,}|={2,}|_{2,}|\*{2,})? ?(?:original message|this is a copy|below this line|a copy of (?:the|your)|"
    r"unsent message|message headers?|returned message|the (?:original|body of the|header|first|text of the)|"
    r"forwarded message|original mail|included is a copy|start of|your original message|"
    r"ursprüngliche|your message (?:was|follows)|content of the)"
    r"[^\n]{0,100}$|^(?:-{3,}|={3,}) ?(?:original|undelivered|returned|message)",
    re.IGNORECASE | re.MULTILINE,
)
"""Where a mail that came back begins to repeat what was sent."""
