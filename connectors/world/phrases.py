"""What pretended recipients write, in both languages. Written for this day; nothing of it trains the model."""

from collections.abc import Mapping, Sequence

from connectors.base import FailureReason

ASKS: Mapping[str, Sequence[str]] = {
    "en": (
        "where is my delivery",
        "wheres my package",
        "hi, when is my parcel coming?",
        "any update on my delivery?",
        "is it still coming today",
        "how far away is the driver",
        "has my package left yet?",
        "I'm still waiting for my parcel",
    ),
    "es": (
        "donde esta mi paquete",
        "¿a qué hora llega mi entrega?",
        "hola, sigue en camino mi pedido?",
        "cuando llega el repartidor",
        "todavía no llega mi paquete",
    ),
}
STOPS: Mapping[str, Sequence[str]] = {
    "en": ("please stop texting me", "stop sending me messages", "take me off your list"),
    "es": ("dejen de mandarme mensajes", "no me escriban más"),
}
CODES: Mapping[str, str] = {"en": "the gate code is {code}", "es": "el código del portón es {code}"}
YES: Mapping[str, Sequence[str]] = {"en": ("yes", "yes please", "y"), "es": ("sí", "si por favor")}

FOLLOW_UPS: Mapping[FailureReason, Mapping[str, Sequence[str]]] = {
    FailureReason.ACCESS_ISSUE: {
        "en": ("the gate code is {code}", "{code}", "code is {code}, tomorrow morning works"),
        "es": ("el código es {code}", "{code}"),
    },
    FailureReason.RECIPIENT_UNAVAILABLE: {
        "en": ("1", "tomorrow morning", "tomorrow after 5 please", "2", "leave it behind the planter"),
        "es": ("1", "mañana por la mañana", "mañana después de las 5"),
    },
    FailureReason.ADDRESS_ISSUE: {
        "en": ("it's {address}", "the address is {address}", "{address}, apartment on the left"),
        "es": ("la dirección es {address}",),
    },
    FailureReason.REFUSED: {
        "en": ("send it back please", "bring it tomorrow morning", "sorry, please try again tomorrow"),
        "es": ("devuélvanlo por favor", "tráiganlo mañana por la mañana"),
    },
}
"""The first answer to what is asked after a failed delivery; where a reason is missing, nobody is asked."""
