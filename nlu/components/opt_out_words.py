"""Whether a text can be about stopping messages at all, by its words. Pure.

A model alone now and then takes an insult for an opt-out, and who is opted out hears nothing any more. Wide on
purpose: it rules out only what speaks neither of stopping, nor of messages, nor of being the wrong person.
"""

import re

from nlu.components.texting import plain, without_accents

_BEGINNINGS = """
stop stpo sotp sto quit end cease halt enough unsub unsusc opt remov delet eras block mute revok off out
leave_me no_more no_longer don't do_not never any_more anymore wrong wron not_ isn't is_not isnt no_one nobody_by
there_is_no number text txt txet mess mesa msg sms spam notif alert list contact lawyer harass bother annoy report
fcc consent permission sign_ signed
pare dej basta alto cancel elimin borr quite saque saca no_me no_mas no_quiero no_soy no_es no_conozco no_escrib
no_mand no_envi mensa escri mand molest ya_no equivoc suscri desuscri baja bloque aviso alerta salir numero
""".split()
_SPOKEN = re.compile(r"\b(?:%s)" % "|".join(re.escape(stem.replace("_", " ")) for stem in _BEGINNINGS))
_SIGN = "🛑"


def may_be_an_opt_out(text: str) -> bool:
    spelled = without_accents(plain(text))
    return _SIGN in text or _SPOKEN.search(spelled) is not None
