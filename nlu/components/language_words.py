"""Guesses whether a short text is English or Spanish from the words that only one of the two has."""

import re
import unicodedata
from typing import Optional

_WORD = re.compile(r"[a-z0-9ñ']+(?:-[a-z0-9ñ']+)*")
_NUMBERED = re.compile(r"\d")
_SPANISH_MARKS = re.compile(r"[ñ¿¡áéíóú]", re.IGNORECASE)

# Words that exist in both ("no", "a", "me", "once", "come", "van") stand in neither list.
_SPANISH = frozenset(
    """
    de la el los las un una unos unas pero que con por para sin del al lo le les se su sus mi mis tu tus
    es esta este esto eso ese esa estan estoy estamos son soy era fue ser estar hay ha han he hoy manana ayer
    tarde noche dia dias semana lunes martes miercoles jueves viernes sabado domingo hola ola buenas buenos
    gracias favor si sii claro bueno vale dale listo ok donde dnd cuando como cual cuanto cuanta cuantas quien
    porque paquete pedido entrega envio repartidor chofer camion direccion casa puerta numero mensaje mensajes
    quiero quisiera puedo puede pueden necesito tengo tiene tienen llega llegan llego llegar viene vienen venir
    traer traigan traen cambiar cancelar ayuda hablar persona alguien deja dejen dejenlo dejelo ya mas muy
    despues antes entre hasta desde nada nadie otro otra mejor todavia aqui ahi ahora adios luego escriban
    escribirme manden mandarme equivocado equivocada recibir recibi primera primero segunda segundo ambos
    ninguno ninguna menos tambien ustedes usted ellos nosotros les nos estamos roto rota
    te yo hora dejaron dice todo caja trabajo entregado estaba calle entregaron pa falta vino dos nombre telefono
    va eres tardes servicio vez ni pedi disculpe tienda mal esperando mismo hacer sirve salgo minutos hace asi orden
    senor senora senorita bajo ir nunca fecha cancelen solo oficina llevo lado entregan vinieron paso mire horario
    buen firmo toy timbre mama papa algo llegue vaya firma humano uno opcion porfavor porfa queda parce entiendo
    pasar llegado perro mucho tiempo porton entonces dije pasa codigo dieron recibio esperar sali dejar quedo salio
    funciona temprano mio mia ver hago afuera abre mandar saber vecino vecina adentro horas todos creo atras hijo
    hija espere momento dios cita tarjeta vemos llamar venia ningun vivo correcto perdon carajo poner dejo entregar
    dejan dame deme denme prefiero lavadora cama fuera ahorita veo hacen llame muchas muchos mediodia agente verdad
    siempre tercera tercero dijeron muchacho veces tres cosas toda cuarto pues nevera regreso dinero cuantos vuelvan
    salir toquen edificio piso trajeron aparece llama perdi llamo mierda carro habia abrir igual recibirlo baja ella
    fui pon pagar cambio oye domicilio ciudad nueva nuevo esposo esposa tuve dejarlo recibe entrada noches perfecto
    mandaron bodega recogerlo apartamento entregas espanol hablando dicen basura ninos cualquiera ultima ultimo
    mandenlo traiganlo llevenlo entreguenlo cancelenlo entendi pedir escribir bajando camino media ay celular perdio
    cuenta clave sigue grande volver ando estare danado hablamos reciba adonde cualquier alguna alguno empresa vos
    contesta mentira pusieron cada tipo tengan sip chao simon amo kiero ke aki muchisimas bendiciones buenisimo
    """.split()
) - {"ok", "he", "son", "se"}

_ENGLISH = frozenset(
    """
    the is are was were be been am i you u ur he she it its it's we they my your his her our their this that
    these those a an and or but of to from at for with on by what whats what's where wheres where's when who
    how why which not don't dont didn't didnt can could will would should may must do does did have has had
    get got give take bring leave call text tell want need please pls plz thanks thank thx hello hi hey yes
    yeah yep nope today tomorrow tmrw tonight morning afternoon evening monday tuesday wednesday thursday
    friday saturday sunday package parcel delivery order driver address home door code stop help human person
    someone agent wrong late still here there now after before between any anytime one first second both
    number if so just as out up down off
    in im time come day cancel work good back coming all deliver nobody like came send go says change left wait
    again talk phone never house know thats nothing put sorry right about guys next see broken week sign name two
    speak open last works texting new instead anything away then him i'm more keep pick return somebody texts much
    wont make cant let way ordered said missing store many long window missed fine street around yet photo say later
    already front only great too until use going minutes hold signed show another doesnt office place service took
    lost porch turn neighbor outside book old think else isnt ring truck days ask hour food noon same live very
    drivers till everything stuff side theres weekend bell times groceries move them possible fridge room arrived
    yup sure nah thx thnx gonna wanna gotta lol idk rn
    """.split()
) - {"a", "he"}


def guess_language(text: str) -> Optional[str]:
    """`en`, `es`, or None when the text says nothing about its language (a number, "ok", an emoji)."""
    spanish, english = _count(text)
    if not spanish and not english:
        return None
    # A tie is Spanish with English words in it ("mi package"); the reverse is rarer.
    return "es" if spanish >= english else "en"


def _count(text: str) -> tuple[int, int]:
    lowered = text.casefold()
    bare = unicodedata.normalize("NFD", lowered.replace("ñ", "\0")).replace("\0", "ñ")
    bare = "".join(mark for mark in bare if not unicodedata.combining(mark))
    # A tracking number is in no language: the "de" of 7de51b40 is not Spanish.
    tokens = (token for token in _WORD.findall(bare) if not _NUMBERED.search(token))
    words = [word.replace("ñ", "n") for token in tokens for word in token.split("-")]
    spanish = sum(word in _SPANISH for word in words) + (2 if _SPANISH_MARKS.search(lowered) else 0)
    english = sum(word in _ENGLISH for word in words)
    if english and words[:1] == ["yo"]:
        # "yo stop texting me": a shout, no pronoun.
        spanish -= 1
    return spanish, english
