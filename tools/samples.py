"""The longest values that slots of responses realistically take. A slot that is not here has no sample: a mistake."""

from tools.responses import SPANISH, Variant

ENGLISH_SAMPLES = {
    "parcel": "Northwind Home parcel",
    "client": "Northwind Home",
    "operator": "QuickShip",
    "eta": "10:35 am",
    "window": "11 am-1 pm",
    "stops": "12",
    "number": "12",
    "age": "50 min",
    "by": "12:25 pm",
    "when": "at 11:40 am",
    "count": "two",
    "options": "1) Tomorrow, Tue Jun 11, 8 am-12 pm. 2) 12-5 pm. 3) 5-9 pm.",
    "message": "Your parcel comes today, 11 am-1 pm.",
    "place": "behind the planter by the side door",
    "link": "https://deliveries.quickship.example/proof/" + 60 * "x",
    "name": "R. Diaz",
    "about": "3 stops at risk of being late, North, Northwind Home, $225 at stake. ETA 4:25 pm, window ends 4 pm",
    "money": "$1,225",
    "who": "QuickShip for Acme",
    "what": "we couldn't find the address",
    "first": "report something damaged or wrong",
    "second": "report that it never came",
    "order": "PO-100123 (a1b2c3d4)",
    "reason": "a problem with the address",
    "answer": "We deliver Monday to Saturday, 8 am to 9 pm. A missed parcel is tried again on the next working day.",
}
SPANISH_SAMPLES = ENGLISH_SAMPLES | {
    "parcel": "paquete de Northwind Home",
    "by": "las 12:25 pm",
    "when": "las 11:40 am",
    "count": "2",
    "options": "1) Mañana, mar 11 jun, 8 am-12 pm. 2) 12-5 pm. 3) 5-9 pm.",
    "message": "Su paquete llega hoy, 11 am-1 pm.",
    "place": "detrás de la maceta de la entrada",
    "first": "reportar un daño o error",
    "who": "QuickShip, de parte de Acme",
    "what": "no dimos con el lugar",
    "second": "saber dónde está el paquete",
    "reason": "un problema con la dirección",
    "answer": "Entregamos de lunes a sábado, de 8 am a 9 pm.",
}
DATED = frozenset(
    {
        "utter_ask_booking",
        "utter_booked",
        "utter_reschedule_refused",
        "utter_reschedule_undecided",
        "utter_request_approved_reschedule",
        "utter_track_stale_later",
        "utter_track_planned",
    }
)
"""These name the day with the window."""
STOPS_LISTED = {
    "en": "1) Northwind, Elm St, about 10:35 am. 2) Nova, Oak Ave, 5-7 pm. 3) Acme, Elm St, 2-4 pm.",
    "es": "1) Northwind, Elm St, aprox. 10:35 am. 2) Nova, Oak Ave, 5-7 pm. 3) Acme, Elm St, 2-4 pm.",
}
"""Of `utter_ask_which_…`; the windows that are offered stand in the other samples."""
DATED_WINDOW = {"en": "Tomorrow, Wed Sep 25, 11 am-1 pm", "es": "Mañana, mié 25 sep, 11 am-1 pm"}


def samples_for(variant: Variant) -> dict[str, str]:
    samples = SPANISH_SAMPLES if variant.language == SPANISH else ENGLISH_SAMPLES
    if variant.response in DATED and variant.language in DATED_WINDOW:
        samples = samples | {"window": DATED_WINDOW[variant.language]}
    if variant.response.startswith("utter_ask_which_") and variant.language in STOPS_LISTED:
        samples = samples | {"options": STOPS_LISTED[variant.language], "count": "three"}
    return samples
