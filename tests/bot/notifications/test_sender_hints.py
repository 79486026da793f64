"""What the doctor says of the number that texts leave from."""

import pytest

from bot.notifications.rates import RATES, segments_per_second
from bot.notifications.sender_hints import SenderFacts, hints, what_is_broken
from bot.sop_notifications import Messaging, NumberType

LOCAL, TOLL_FREE, SERVICE = "+12125550100", "+18885550100", "MG" + "0" * 32


def facts(sender: str = LOCAL, kind: NumberType = NumberType.LONG_CODE, **known: object) -> SenderFacts:
    return SenderFacts(sender, kind, RATES[kind], 5, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", list(NumberType))
def test_every_type_of_number_has_a_rate_and_the_file_may_say_another(kind: NumberType) -> None:
    assert segments_per_second(Messaging(number_type=kind)) == RATES[kind] > 0
    assert segments_per_second(Messaging(number_type=kind, segments_per_second=225)) == 225


@pytest.mark.parametrize(
    ("sender", "kind", "said"),
    [
        (LOCAL, NumberType.LONG_CODE, "A2P 10DLC campaign (30034"),
        ("+442079460000", NumberType.LONG_CODE, None),
        (LOCAL, NumberType.LOW_VOLUME_10DLC, "must be active"),
        (TOLL_FREE, NumberType.LONG_CODE, "number_type to toll_free"),
        (LOCAL, NumberType.TOLL_FREE, "correct messaging.number_type"),
        (TOLL_FREE, NumberType.TOLL_FREE, None),
        (SERVICE, NumberType.TOLL_FREE, None),  # which numbers it holds, only Twilio knows
        ("12345", NumberType.SHORT_CODE, None),
    ],
)
def test_a_type_that_does_not_fit_the_number_is_said(sender: str, kind: NumberType, said: str | None) -> None:
    told = hints(facts(sender, kind))[1:]
    assert [said in each for each in told] == [True] if said else told == []


@pytest.mark.parametrize(
    ("texts", "codes", "broken"),
    [
        (0, {}, None),
        (100, {"30034": 100}, "register brand and campaign"),
        (100, {"30007": 5}, None),  # exactly what sop.yml allows
        (100, {"30007": 6}, "filtered 6 of 100"),
        (100, {"30003": 90, "30006": 5}, None),  # about people's phones, not about ours
    ],
)
def test_what_keeps_texts_from_arriving_is_broken(
    texts: int, codes: dict[str, int], broken: str | None
) -> None:
    found = what_is_broken(facts(texts=texts, codes=codes))
    assert [broken in each for each in found] == [True] if broken else found == []


@pytest.mark.parametrize(
    ("stops", "kind", "said", "helps"),
    [
        (0, NumberType.LONG_CODE, "1 segments/s", False),
        (60, NumberType.LONG_CODE, "60 stops takes 60 s", False),
        (2000, NumberType.LONG_CODE, "2,000 stops takes 33 min", True),
        (2000, NumberType.SHORT_CODE, "2,000 stops takes 20 s", False),
    ],
)
def test_how_long_a_text_to_everybody_takes(stops: int, kind: NumberType, said: str, helps: bool) -> None:
    pace = hints(facts(kind=kind, stops=stops))[0]
    assert said in pace
    assert ("would help" in pace) is helps


def test_a_busy_queue_is_told_but_is_no_fault() -> None:
    known = facts(texts=10, codes={"21611": 3, "30001": 1})
    assert not what_is_broken(known)
    assert any("21611, 3 times" in each for each in hints(known))
