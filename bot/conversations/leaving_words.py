"""The words with which people ask for silence, by kind; `leaving` reads rows of these kinds. English and Spanish.

Verb forms matter: `manden` asks, `mandan` complains that nobody does. A letter is what stands for the kind.
"""

import re
from difflib import get_close_matches

from bot.conversations.keywords import folded

KINDS = {
    # to stop; not to
    "S": "stop stpo sotp sto stopp stoop sstop stahp stopping stp",
    "s": """
        quit cease enough nomore basta paren parar pare pares cesen cese dejen deje deja dejes dejar
        terminen
    """,
    "n": "dont dnt never no ni nunca jamas",
    "N": "didnt doesnt not havent wasnt isnt nolonger",
    # to write; messages; to send; to get; to want
    "w": """
        text texting txt txting texing textin texitng txtin message messaging msg msging msgin mesaging
        contact contacting notify notifying write writing spam spamming ping pinging bother bothering
        botherin harass harassing harrassing annoying bugging pestering escribir escribiendo escriban
        escriba escribas escrivan escrivir molestar molesten moleste molestes molestando textear texteen
        textees texteando textiar contactar contacten contactes notificar notifiquen mensajear fastidiar
        fastidien joder jodan chinguen acosar spamear bombardear hablen
    """,
    "t": """
        texts txts messages msgs mesages sms notifications notifs alerts reminders mensaje mensajes
        mensages mensajitos mjs msjs msj textos notificacion notificaciones alertas recordatorios
    """,
    "g": """
        send sending sendin snding mandar mandando manden mande mandes enviar enviando envien envie envies
        embien embiar mandarle
    """,
    "v": "get getting receive receiving recieve recieving recibir recibiendo be being lleguen",
    "q": "want wanna need wish care quiero queremos deseo deseamos quisiera necesito interesa interesan",
    # whom; off which list
    "m": "me us nos our number numero num cel",
    "o": "take tkae",
    "r": """
        remove delete erase lose forget drop wipe unlist borren borra borre borrar quiten quita quite
        quitar eliminen elimina elimine eliminar saquen saca saque sacar remuevan remover retiren olviden
    """,
    "d": "off from out outta",
    "l": """
        list lists lsit lista listas database system sistema contacts contactos distribution base
        registros records
    """,
    "u": """
        unsubscribe unsubscribing unsub unsuscribe optout leavealone enpaz debaja desuscribir desuscriban
        desuscribirme desinscribir desinscriban
    """,
    "i": "signup signedup subscribe subscribed consented optedin suscribi registre inscribi autorice",
    "j": "ask asked agree agreed pedi consent",
    # small words, endings, manners
    "f": """
        the these those this that all any ur your my with of so to too many much more other another it
        them sus los las esos esas estos estas este esta ese esto eso tus tantos tanto de del d un una
        ningun otro malditos pinches a el la mi mis su tu que sigan sigas siga seguir vuelvan vuelva
        vuelvas estar esten keep even really further fucking fuckin freaking damn goddamn stupid automated
        constant random for en por al con ustedes uds favor both ever every vez suscripcion
    """,
    "e": """
        anymore again already now here back forever ever immediately asap today anything stuff things more
        mas ya aqui nada hoy ahora inmediatamente nuevo jamas
    """,
    "h": """
        please pls plz plss just ok okay hey hi hello yo can could would will guys im said say told thanks
        thank thx ty kindly seriously omg wtf ffs god sir dude man bro who whos is how do go away must
        should lol ugh hell fuck porfavor porfa xfa xfavor gracias hola oiga oigan oye disculpe senor
        pueden puede podrian puedo les le pido solicito exijo quien quienes es son se hagan haga como
        buenas bueno dias tardes si wont am are simply ahorita darme denme den dar dame deme
    """,
    # who does it
    "y": "i you u yo",
    "z": "they he she driver drivers nobody chofer repartidor ellos",
    "b": "texted messaged contacted notified",
    # to call; to join two; what narrows it; what only looks alike
    "p": """
        call calls calling phone phoning email emailing ring llamar llamen llame llames llamando whatsapp
        marquen marcar correo
    """,
    "a": "and or y o nor but pero",
    "c": """
        if when while until unless before after except instead only at on in by did was why during si
        cuando hasta antes despues excepto mientras porque early late night morning noche temprano trabajo
        twice times hour hours minute minutes so_early solo solamente mejor till hora horas desde
    """,
    "x": """
        escriben escribe mandan manda envian envia molestan llaman contactan textean testing sent waiting
    """,
}
KIND_OF = {word: letter for letter, words in KINDS.items() for word in words.split()}
UNKNOWN = "x"

_OFTEN_MISSPELT = (
    "texting",
    "messages",
    "messaging",
    "message",
    "notifications",
    "unsubscribe",
    "contacting",
    "harassing",
    "spamming",
    "mensajes",
)

_MESSAGES = r"(?:texts|messages|sms|notifications|alerts|mensajes)"
_OURS = r"(?:my|this|our|mi|este)"
_NUMBER = r"(?:phone number|number|phone|cell|numero|telefono|celular|cel)"
_JOINED = (
    (r"\b(?:do not|don t|can you not|could you not|can u not|please not|pls not|pls no)\b", "dont"),
    (r"\b(?:did not|didn t|have not|havent|never ever)\b", "didnt"),
    (r"\bno longer\b", "nolonger"),
    (r"\b(?:no more|no mas|no further|ni un|ya basta|done with|alto a|basta de|nada de)\b", "nomore"),
    (r"\bany more\b", "anymore"),
    (r"\bopt(?:ing)? (?:me |us )?out\b", "optout"),
    (r"\bopt(?:ed)? in\b", "optedin"),
    (r"\bsign(?:ed|ing)? (?:me )?up\b", "signedup"),
    (r"\bun subscribe\b", "unsubscribe"),
    (r"\bleave (?:me|us) (?:the \w+ )?(?:alone|be)\b", "leavealone"),
    (r"\bdej[ae]n?(?:me|nos) (?:en paz|tranquil[oa]s?)\b", "enpaz"),
    (r"\b(?:d[aeo]\w{0,6}|quiero|solicito|pido) (?:la |mi |el )?(?:darme )?(?:de )?baja\b", "debaja"),
    (r"\b(?:turn|shut|switch) off\b", "stop"),
    (rf"\b(?:cancel(?:ar|en?)?|end|disable)\b(?= (?:\w+ ){{0,3}}{_MESSAGES}\b)", "stop"),
    (r"\bpara de\b", "paren de"),
    (r"\bblow(?:ing|in|n)? up my (?:phone|cell)\b", "spamming me"),
    (r"\bsms (?=messages|texts|alerts)|\btext (?=messages|alerts|updates|notifications)", ""),
    (r"\b(?:mensajes|textos) de texto\b", "mensajes"),
    (rf"\b{_OURS} (?:cell )?{_NUMBER}\b", "number"),
    (r"\b(?:to|on|a) (?=number\b)", ""),
)
_JOINS = tuple((re.compile(pattern), joined) for pattern, joined in _JOINED)

_NUMBER_SIGN = re.compile(r"\b(my|this|our) ?#(?! ?\d)", re.IGNORECASE)
"""`take my # off`; in `my #2` it is something else."""

_ENCLITIC = re.compile(r"(\w{4,}?)(me|nos)(?:l[oae]s?)?")
"""`mandarme`, `borrenme`, `escribirnos`: the verb and whom."""


def kinds_of(clause: str) -> tuple[list[str], str]:
    """The words of a clause, and the letter of each one's kind: as many letters as words."""
    said = folded(_NUMBER_SIGN.sub(r"\1 number", clause))
    for pattern, joined in _JOINS:
        said = pattern.sub(joined, said)
    words = [part for word in said.split() for part in _parts(word)]
    return words, "".join(_kind(word) for word in words)


def _parts(word: str) -> list[str]:
    enclitic = None if word in KIND_OF else _ENCLITIC.fullmatch(word)
    return list(enclitic.groups()) if enclitic and enclitic.group(1) in KIND_OF else [word]


def _kind(word: str) -> str:
    near = get_close_matches(word, _OFTEN_MISSPELT, 1, 0.85) if word not in KIND_OF and len(word) > 5 else []
    return KIND_OF.get(near[0] if near else word, UNKNOWN)
