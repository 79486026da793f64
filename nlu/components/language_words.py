"""Guesses whether a short text is English or Spanish from the words that only one of the two has."""

import re
import unicodedata
from typing import Optional

_WORD = re.compile(r"[a-zñ']+")
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
    """.split()
) - {"a", "he"}


def guess_language(text: str) -> Optional[str]:
    """`en`, `es`, or None when the text says nothing about its language (a number, "ok", an emoji)."""
    spanish, english = _count(text)
    if spanish == english:
        return None
    return "es" if spanish > english else "en"


def _count(text: str) -> tuple[int, int]:
    lowered = text.casefold()
    bare = unicodedata.normalize("NFD", lowered.replace("ñ", "\0")).replace("\0", "ñ")
    bare = "".join(mark for mark in bare if not unicodedata.combining(mark))
    words = [word.replace("ñ", "n") for word in _WORD.findall(bare)]
    spanish = sum(word in _SPANISH for word in words) + (2 if _SPANISH_MARKS.search(lowered) else 0)
    english = sum(word in _ENGLISH for word in words)
    return spanish, english
