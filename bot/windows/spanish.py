"""The closed Spanish vocabulary, without accents: phrase -> typed tokens."""

from bot.windows.meaning import AnyDay, Offset, Part, Recurring, Shape, Span, Stretch
from bot.windows.named_days import SPANISH_DAYS
from bot.windows.tokens import Kind, Token
from bot.windows.words import NOON, Lexicon, days, entries, part, spans, today_in

WEEKDAYS = (
    "lunes|lun|lune|lunez",
    "martes|mart|marte",
    "miercoles|mierc|mie|miercole|miercols|mircoles",
    "jueves|juev|jue|juebes|jueve|juevez",
    "viernes|vier|vie|biernes|bierne|vierne|viernez",
    "sabado|sab|savado|sabdo|zabado",
    "domingo|dom|domigo",
)
MONTHS = (
    "enero|ene",
    "febrero|feb",
    "marzo",
    "abril|abr",
    "mayo",
    "junio|jun",
    "julio|jul",
    "agosto|ago",
    "septiembre|setiembre|sept|sep",
    "octubre|oct",
    "noviembre|nov",
    "diciembre|dic",
)
_HOURS = (
    "una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis "
    "diecisiete dieciocho diecinueve veinte"
)


def _names() -> Lexicon:
    lexicon: Lexicon = {}
    for index, names in enumerate(WEEKDAYS):
        full = names.split("|")[0]
        lexicon |= entries(Kind.WEEKDAY, names, index)
        lexicon |= days(f"{full} pasado", Offset(-1))
        lexicon |= days(f"los {full}|todos los {full}|cada {full}", Recurring((index,)))
        lexicon |= days(f"los {full}s|{full}s|todos los {full}s", Recurring((index,)))
    for index, names in enumerate(MONTHS, start=1):
        lexicon |= entries(Kind.MONTH, names, index)
        first = (Token(Kind.ORDINAL, 1), Token(Kind.MONTH, index))
        lexicon[f"primero de {names.split('|')[0]}"] = first
    for number, word in enumerate(_HOURS.split(), start=1):
        lexicon |= entries(Kind.WORDNUM, word, number)
    return lexicon | entries(Kind.WORDNUM, "un|uno", 1)


def _bound_part(phrases: str, start: int, end: int, meridiem: str) -> Lexicon:
    """`de la tarde` behind an hour says which half of the day it is in."""
    piece = Part(start * 60, end * 60, "am" if meridiem == "am" else "pm")
    return {phrase: (Token(Kind.OF), Token(Kind.PART, piece)) for phrase in phrases.split("|")}


_DAYS: Lexicon = (
    days("hoy|oy|hoy mismo|dia de hoy|hoy dia", Offset(0))
    | days("manana|mnana|mana|manna|dia de manana|mnn|mnna|maniana|mannana|manhana|manyana", Offset(1))
    | days("pasado manana|pasado", Offset(2))
    | days("ayer|anoche", Offset(-1))
    | days("de hoy en ocho|hoy en ocho|de hoy en ocho dias", Offset(7))
    | days("de hoy en quince|hoy en quince|de hoy en quince dias|en una quincena", Offset(14))
    | days(
        "entre semana|dias de semana|dias laborables|dias habiles|dia de semana", Recurring((0, 1, 2, 3, 4))
    )
    | days("fines de semana|los fines de semana", Recurring((5, 6)))
    | days("todos los dias|cada dia", Recurring())
    | days("cualquier dia|cualquier otro dia|otro dia", AnyDay())
    | days(
        "fin de mes|a fin de mes|final de mes|fines de mes|a finales de mes|a fines de mes", Stretch.SOME_END
    )
    | days("proximo mes|mes que viene|mes proximo|mes entrante", Stretch.NEXT_MONTH)
    | days("este mes", Stretch.THIS_MONTH)
    | days("resto de la semana|mas tarde esta semana", Stretch.REST_OF_WEEK)
    | {name: token for names, day in SPANISH_DAYS.items() for name, token in days(names, day).items()}
    | entries(
        Kind.NEXT_WEEK,
        "proxima semana|semana que viene|semana proxima|otra semana|semana entrante|siguiente semana"
        "|semana siguiente",
    )
    | entries(Kind.THIS_WEEK, "esta semana|esta misma semana|toda la semana")
    | entries(Kind.WEEKEND, "fin de semana|finde|fin de sem|findesemana")
    | entries(Kind.EDGE, "principios de|a principios de|mediados de|a mediados de|inicios de|a inicios de")
    | entries(Kind.EDGE, "finales de|a finales de|fines de|a fines de|fin de|final de", "end")
    | entries(Kind.THIS, "este|esta")
    | entries(Kind.NEXT, "proximo|proxima|que viene|siguiente|entrante|que entra|prox")
    | entries(Kind.DAYS, "dias")
    | entries(Kind.WEEKS, "semana|semanas")
    | entries(Kind.FORTNIGHTS, "quincena|quincenas")
    | entries(Kind.MONTHS, "mes|meses")
    | entries(Kind.EVERY, "cada|todos|todas|siempre")
    | entries(Kind.THE_DAY, "el|dia|el dia")
    | entries(Kind.OTHER, "otro|el otro|el que sigue|el de la otra semana")
)

_PARTS: Lexicon = (
    part(
        "temprano|tempranito|primera hora|a primera hora|temprano por la manana|temprano en la manana"
        "|por la manana temprano|en la manana temprano|muy temprano|a primera hora de la manana",
        8,
        10,
        "am",
    )
    | part(
        "la manana|por la manana|en la manana|a la manana|mananita|por las mananas|las mananas", 8, 12, "am"
    )
    | part("mediodia|al mediodia|a mediodia|medio dia|al medio dia|a medio dia", 12, 14, "pm")
    | part("almuerzo|hora del almuerzo|hora de comer|hora de la comida", 12, 14, "pm")
    | part(
        "tarde|la tarde|trde|la trde|x la tarde|por la tarde|en la tarde|a la tarde|tardecita|tardes"
        "|por las tardes|las tardes",
        12,
        19,
        "pm",
    )
    | part(
        "noche|la noche|nochecita|la nochecita|en la nochecita|por la noche|en la noche|a la noche"
        "|noches|por las noches|las noches",
        19,
        21,
        "pm",
    )
    | part("saliendo del trabajo|despues del trabajo|despues de trabajar", 17, 21, "pm")
    | part("madrugada|la madrugada|en la madrugada|de madrugada|medianoche", 24, 25, "am")
    | today_in("esta manana|hoy por la manana|hoy en la manana|hoy a la manana", 8, 12, "am")
    | today_in("esta tarde|hoy por la tarde|hoy en la tarde|hoy a la tarde", 12, 19, "pm")
    | today_in("esta noche|hoy por la noche|hoy en la noche|hoy a la noche", 19, 21, "pm")
    | _bound_part("de la manana", 8, 12, "am")
    | _bound_part("de la tarde", 12, 19, "pm")
    | _bound_part("de la noche", 19, 21, "pm")
    | _bound_part("del mediodia", 12, 14, "pm")
    | _bound_part("de la madrugada", 0, 6, "am")
)

_NOON = Token(Kind.HOUR, NOON)
_TIMES: Lexicon = (
    entries(Kind.MINUTES, "y media|y 1/2|y treinta", 30)
    | entries(Kind.MINUTES, "y cuarto|y quince", 15)
    | entries(Kind.MINUTES, "menos cuarto|menos quince", -15)
    | entries(Kind.MINUTES, "y cinco", 5)
    | entries(Kind.MINUTES, "y diez", 10)
    | entries(Kind.MINUTES, "y veinte", 20)
    | entries(Kind.MINUTES, "y cuarenta", 40)
    | entries(Kind.MINUTES, "menos cinco", -5)
    | entries(Kind.MINUTES, "menos diez", -10)
    | entries(Kind.MINUTES, "menos veinte", -20)
    | entries(Kind.SUFFIX, "am", "am")
    | entries(Kind.SUFFIX, "pm", "pm")
    | {
        f"{quarter} para {article}": (Token(Kind.QUARTER), Token(Kind.TO))
        for quarter in ("cuarto", "un cuarto")
        for article in ("la", "las")
    }
    | entries(Kind.OCLOCK, "en punto")
    | entries(Kind.HALF, "media")
    | entries(Kind.ISH, "mas o menos|aproximadamente|aprox|o algo asi|o por ahi|y algo|y pico")
    | entries(Kind.AT, "a las|a la|alas|tipo las|@|para el")
    | entries(Kind.AT, "para las|para la|pa las|pa la", "to")
    | entries(
        Kind.AFTER,
        "despues de|despues|dsps|dsps de|dspues|dspues de|despues d|despues d las|desp|dsp|depues de|depues"
        "|despue|despue de|desp de|dsp de|luego de|pasadas|pasado de|mas tarde de"
        "|no antes de|no antes|no antes del|despues del|luego del|tras|mas tarde que"
        "|recien despues de|recien a las|cualquier hora despues de|desde despues de|despues de la"
        "|despues de las|no antes de las",
    )
    | entries(Kind.AFTER, "a partir de|apartir de|a partir del|a partir", "onwards")
    | entries(
        Kind.BEFORE,
        "antes de|antes del|antes|ants de|no mas tarde de|no despues de|no mas tarde del|maximo|maximo a"
        "|antes de la|antes de las|no despues de las|no mas tarde de las",
    )
    | entries(Kind.BY, "a mas tardar|como muy tarde|como maximo")
    | entries(Kind.UNTIL, "hasta|asta")
    | entries(
        Kind.AROUND,
        "como a|como a las|como a la|como las|a eso de|a eso de las|a eso de la|eso de|tipo|tipo a las"
        "|sobre|alrededor de|cerca de|por ahi de|por ahi a|mas o menos a|aproximadamente a|aprox a"
        "|rondando|hacia|hacia las|sobre las|alrededor de las|cerca de las|por ahi de las|por ahi a las"
        "|mas o menos a las|aproximadamente a las|como",
    )
    | entries(Kind.BETWEEN, "entre")
    | entries(Kind.FROM, "desde|desde el|a contar de")
    | entries(Kind.OF, "de")
    # `del 12 al 15` are days, `de 12 a 15` hours.
    | entries(Kind.OF, "del", "days")
    | entries(Kind.TO, "a|al")
    | entries(Kind.AND, "y|e")
    | entries(Kind.OR, "o|u|/")
    | entries(Kind.ONWARDS, "en adelante|o mas tarde|o despues|para adelante|o mas|+|en delante|pa delante")
    | entries(Kind.OR_EARLIER, "o antes|a mas tardar|como muy tarde|como maximo|maximo")
    | entries(Kind.IN, "en|dentro de|adentro de|en unas|en unos")
    | entries(Kind.AGO, "hace")
    | entries(Kind.HOURS, "hora|horas|hs|hrs|hr")
    | entries(Kind.MINS, "minuto|minutos|min|mins")
    | spans("esta misma hora|a esta hora|a esta misma hora", Span(Shape.SAME_TIME))
    | spans(
        "todo el dia|cualquier hora|a cualquier hora|cuando sea|en cualquier momento|cualquier momento"
        "|cuando quieran|cuando puedan",
        Span(Shape.ANY),
    )
    | spans(
        "mas tarde|tardecito|en unos dias|en unas horas|en unos minutos|en unas semanas|un par de dias"
        "|unos dias|unas horas|un par de horas|unos minutos|unas semanas"
        "|un par de semanas|luego|pronto|cuanto antes|lo antes posible|ahorita|ahora|ahora mismo|ya"
        "|lo mas pronto posible|mas temprano|despues de cenar|en otro momento|mas tardecito|al rato"
        "|en un rato|enseguida|ultima hora|a ultima hora|otra hora|misma hora|la misma hora"
        "|a la misma hora|otro horario|tan pronto como sea posible|lo mas temprano posible",
        Span(Shape.VAGUE),
    )
    | {phrase: (Token(Kind.AFTER), _NOON) for phrase in ("despues del mediodia", "despues de mediodia")}
    | {"pasado el mediodia": (Token(Kind.AFTER), _NOON), "pasado del mediodia": (Token(Kind.AFTER), _NOON)}
    | {
        phrase: (Token(Kind.AFTER), Token(Kind.PART, Part(12 * 60, 14 * 60, "pm")))
        for phrase in (
            "despues de comer",
            "despues del almuerzo",
            "despues de almorzar",
            "despues de la comida",
        )
    }
)

_CLAUSES: Lexicon = (
    entries(Kind.ARTICLE, "la|las|los")
    | entries(Kind.OF, "de este|de esta")
    | entries(Kind.NOT, "no|excepto|menos|salvo|que no sea|que no sean|cualquier dia menos|no el|nunca")
    | entries(Kind.INSTEAD_OF, "en vez de|en lugar de|en vez del|en lugar del|y no")
    | entries(
        Kind.UNAVAILABLE,
        "no puedo|no podre|no podria|no podemos|no estoy|no estare|no estamos|no estaremos|no voy a estar"
        "|no esta nadie|no va a haber nadie|no va a haber|no hay nadie|nadie|no habra|no habra nadie"
        "|no me sirve|no sirve|no funciona|ocupado|ocupada|fuera|de viaje|no vengan|no me viene bien"
        "|imposible|no nos sirve|no me queda|no me conviene|no vamos a estar|no me encuentro|no se puede"
        "|trabajando|trabajo|no tengo tiempo|me es imposible|no voy a poder|no me va bien|estoy ocupado"
        "|no me acomoda|no hay|no entreguen|no pasen",
    )
    | entries(
        Kind.HOME_FROM,
        "llego|regreso|vuelvo|salgo del trabajo|salgo de trabajar|estoy de vuelta|llegamos|volvemos"
        "|regresamos|llego a casa|llegare|estoy en casa desde|salgo del trabajo a las|llego hasta"
        "|salga del trabajo|salga de trabajar|cuando salga|cuando salga del trabajo"
        "|cuando salga de trabajar|cuando llegue"
        "|llegue|regrese|vuelva|llegue a casa|trabajo hasta|trabajo hasta las"
        "|regreso hasta|vuelvo hasta",
    )
    | entries(
        Kind.REPORTED,
        "dijeron|me dijeron|dijo|decia|dice|prometieron|se suponia|supuestamente|estaba programado|era"
        "|era para|estaba para|tocaba|quedaron|quedaron en"
        "|estaba programada|llevo esperando|estoy esperando|espero desde|esperando desde|esperando"
        "|iba a llegar|tenia que llegar|debia llegar|programado para|programada para|iban a venir",
    )
    | entries(Kind.AFTER_THAT, "despues de eso|luego de eso|a partir de ahi|de ahi en adelante")
    | entries(Kind.BEFORE_THAT, "antes de eso|hasta entonces|hasta esa hora|para entonces")
    | entries(Kind.LEAVES, "me voy|salimos|nos vamos|tengo que salir|tengo que irme|debo salir|salgo")
    | entries(
        Kind.CORRECTION,
        "mejor|digo|perdon|no perdon|perdon no|quise decir|no espera|corrijo|mas bien|o mejor|espera|no mejor",
    )
    | entries(Kind.CHANGE, "cambiar|cambie|cambien|mover|muevan|reprogramar|pasar|cambiarlo|cambiarla")
    | entries(
        Kind.BREAK,
        "pero|puede|pueden|podria|podrian|entonces|porque|pues|si no|que sea|seria|vengan|venga|traigan"
        "|traer|entregar|entreguen|traiganlo|prefiero|aunque|cuando|sirve|funciona|puede ser|esta bien"
        "|me queda bien|me viene bien",
    )
    | entries(
        Kind.FILLER,
        "por favor|porfa|porfavor|xfa|gracias|si|hola|buenas|buenos dias|buenas tardes|buenas noches|ok"
        "|vale|bueno|bien|se|me|mi|yo|un poco|que|es|estoy|estare|en casa|casa|paquete|entrega|pedido"
        "|tambien|solo|solamente|no se|no importa|no hay problema|estamos|estaremos|voy a estar|nos|quizas"
        "|tal vez|si se puede|si es posible|libre|disponible|aqui|ahi|lo",
    )
)

SPANISH: Lexicon = _names() | _DAYS | _TIMES | _PARTS | _CLAUSES
FUZZY_SPANISH = frozenset(
    {"miercoles", "jueves", "viernes", "sabado", "domingo", "martes", "febrero", "septiembre", "octubre"}
    | {"noviembre", "diciembre", "mediodia", "temprano", "despues"}
)
"""Words whose misspellings are understood."""
