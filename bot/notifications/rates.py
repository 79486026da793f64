"""How many segments a second carriers take from one sender, by the type of its number.

Source: messaging-contracts A10 (Twilio 21611, sender rates of toll-free and short codes, A2P 10DLC campaigns).
"""

from bot.sop_notifications import Messaging, NumberType

RATES = {
    NumberType.LONG_CODE: 1.0,
    NumberType.LOW_VOLUME_10DLC: 3.75,
    # Of a trust score from 50 to 74; from 75 on 225, which `segments_per_second` can say.
    NumberType.STANDARD_10DLC: 120.0,
    NumberType.TOLL_FREE: 3.0,
    NumberType.SHORT_CODE: 100.0,
}


def segments_per_second(messaging: Messaging) -> float:
    """The rate in force: what `sop.yml` says, else what is usual for the type of number."""
    return messaging.segments_per_second or RATES[messaging.number_type]
