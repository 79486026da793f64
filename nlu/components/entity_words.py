"""Word classes that help to find entities in words that no training text holds. English and Spanish, no accents."""

from typing import Dict, List

from nlu.components.texting import without_accents

_CLASSES = {
    "weekday": """monday mon tuesday tues tue wednesday wed weds thursday thurs thur thu friday fri saturday sat
        sunday sun mondays fridays saturdays sundays lunes martes miercoles jueves viernes sabado domingo""",
    "month": """january jan february feb march mar april apr may june jun july jul august aug september sept sep
        october oct november nov december dec enero febrero marzo abril mayo junio julio agosto septiembre
        octubre noviembre diciembre""",
    "day": """today tomorrow tmrw tmr tmw tomorow tommorow tommorrow tonight tonite 2nite 2day 2moro week weekend
        wknd weeks days day weekday weekdays fortnight hoy manana semana semanas dia dias pasado finde""",
    "next": "next this following coming every proximo proxima este esta siguiente entrante que viene",
    "daypart": """morning mornings afternoon afternoons evening evenings night noon midday midnight lunch
        lunchtime am pm a.m p.m tarde noche mediodia madrugada tardecita anytime early late""",
    "around": """before after by until till til around about between from at past near antes despues hasta desde
        entre como sobre tipo hacia""",
    "number": """one two three four five six seven eight nine ten eleven twelve half quarter uno una dos tres
        cuatro cinco seis siete ocho nueve diez once doce media cuarto""",
    "ordinal": """first second third fourth last 1st 2nd 3rd 4th latest earliest earlier later former latter primera
        primero segunda segundo tercera tercero ultima ultimo either neither both ambas cualquiera""",
    "unit": "min mins minute minutes minuto minutos hr hrs hour hours hora horas oclock ish h",
    "street": """st street ave avenue av rd road dr drive ln lane blvd boulevard ct court pl place way hwy highway
        apt apartment unit suite ste floor fl bldg building zip calle avenida carrera colonia numero piso depto
        apto edificio urbanizacion residencial cl cra""",
    "relative": """neighbor neighbour neighbors wife husband son daughter mom mother dad father brother sister
        roommate doorman concierge super security guard receptionist reception landlord manager boss coworker
        friend grandma kid vecino vecina esposo esposa hijo hija mama papa hermano hermana portero conserje
        guardia recepcion amigo amiga vigilante suegra abuela""",
    "spot": """door porch gate garage shed planter bench mat steps stairs lobby mailbox mailroom locker backyard
        yard patio driveway side back front counter window box bin fence hallway desk dock entrance carport
        puerta porton garaje entrada patio maceta escalera buzon banco reja ventana jardin lobby recepcion
        bodega mostrador pasillo cochera""",
    "code": "code pin combo passcode keypad buzzer gate clave codigo porton timbre",
    "reference": "order tracking number no num ref reference confirmation pedido guia rastreo orden numero",
    "named": "name named llamo nombre im i'm soy",
}
_CLASS_OF: Dict[str, List[str]] = {}
for _name, _words in _CLASSES.items():
    for _word in _words.split():
        _CLASS_OF.setdefault(without_accents(_word), []).append(_name)


def classes(word: str) -> List[str]:
    """The classes of a word in lower case without accents; [] for most words."""
    return _CLASS_OF.get(word, [])

