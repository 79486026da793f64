"""What drivers text of failed deliveries: that it failed, why, and which stop they mean."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.drivers.report_reading import (
    Failed,
    Nameable,
    Standing,
    option_meant,
    read_failure,
    read_why,
    stop_named,
    stops_meant,
    without_places,
)
from connectors.base import FailureReason

NOBODY, ACCESS, ADDRESS = (
    FailureReason.RECIPIENT_UNAVAILABLE,
    FailureReason.ACCESS_ISSUE,
    FailureReason.ADDRESS_ISSUE,
)
REFUSED, DAMAGED, VEHICLE = FailureReason.REFUSED, FailureReason.DAMAGED, FailureReason.VEHICLE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("stop 12 nobody home", NOBODY),
        ("14 elm no answer", NOBODY),
        ("no hay nadie en la parada 3", NOBODY),
        ("toqué y nadie abre", NOBODY),
        ("couldn't deliver 14 elm, gate locked", ACCESS),
        ("couldn't get in", ACCESS),
        ("no pude entregar, portón cerrado", ACCESS),
        ("nobody home, not leaving it here", NOBODY),
        ("nobody home, leaving now", NOBODY),
        ("no hay nadie, no lo dejo", NOBODY),
        ("sin acceso", ACCESS),
        ("12 refused", REFUSED),
        ("she doesn't want it", REFUSED),
        ("no lo quiere, lo rechazó", REFUSED),
        ("box is crushed", DAMAGED),
        ("el paquete llegó mojado", DAMAGED),
        ("wrong address, no such number", ADDRESS),
        ("dirección equivocada", ADDRESS),
        ("ya no vive ahí", ADDRESS),
        ("couldn't deliver, flat tire", VEHICLE),
    ],
)
def test_a_failed_delivery_is_read_with_its_reason(text: str, reason: FailureReason) -> None:
    assert read_failure(text) == Failed(reason)


@pytest.mark.parametrize("text", ["couldn't deliver 18 oak", "no pude entregar", "not delivered"])
def test_a_failure_may_have_no_reason(text: str) -> None:
    assert read_failure(text) == Failed(None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "thanks",
        "gate locked, 10 min",
        "stuck on i95 20 more min",
        "not there yet",
        "nobody home, should I leave it?",
        "what if nobody is home",
        "nobody home so I left it at the door",
        "delivered to the neighbor, not home",
        "no hay nadie, lo dejé en la puerta",
        "nobody home, leaving it with the neighbor",
        "nobody home, i'll leave it at the door",
        "no hay nadie, lo dejo con la vecina",
        "security refused entry, waiting",
        "2 20",
    ],
)
def test_what_is_no_failed_delivery(text: str) -> None:
    assert read_failure(text) is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Couldn't deliver 14 Bridge St!", "couldnt deliver"),
        ("bridge st, gate locked", "gate locked"),
        ("couldn't deliver, bridge closed", "couldnt deliver bridge closed"),
        ("14 gate locked", "14 gate locked"),
        ("", ""),
    ],
)
def test_a_streets_name_tells_no_reason(text: str, left: str) -> None:
    bridge = Nameable(UUID(int=1), 1, "14 Bridge St, Newark", Standing.AT_DOOR)
    assert without_places(text, [bridge]) == left


@pytest.mark.parametrize(
    ("text", "reason"),
    [("1", NOBODY), ("2 gate", ACCESS), ("4.", REFUSED), ("it was damaged", DAMAGED), ("hm", None)],
)
def test_why_is_answered_by_number_or_words(text: str, reason: FailureReason | None) -> None:
    assert read_why(text) is reason


def stops(at_door: int | None = 11) -> list[Nameable]:
    run = {
        10: "9 Pine St",
        11: "11 Elm St",
        12: "14 Elm St 2B",
        13: "12 Oak Ave",
        14: "14 Elm St 3A",
        15: "7 W 34th St, New York",
    }
    return [
        Nameable(
            UUID(int=number),
            number,
            line,
            Standing.OVER if number == 10 else Standing.AT_DOOR if number == at_door else Standing.LATER,
        )
        for number, line in run.items()
    ]


@pytest.mark.parametrize(
    ("text", "numbers", "is_named"),
    [
        pytest.param("nobody home", [11], False, id="where the van stands"),
        pytest.param("stop 12 nobody home", [12], True, id="the number of the route"),
        pytest.param("stop #12 nobody home", [12], True, id="with a hash"),
        pytest.param("parada 13 dañado", [13], True, id="Spanish"),
        pytest.param("12 refused", [12, 13], True, id="a stop, or a house"),
        pytest.param("12 oak refused", [13], True, id="house and street"),
        pytest.param("oak refused", [13], True, id="street alone"),
        pytest.param("14 elm gate locked", [12, 14], True, id="two doors of one house"),
        pytest.param("14 elm 3a gate locked", [14], True, id="one of them"),
        pytest.param("7 w 34th refused", [15], True, id="a street with a number"),
        pytest.param("99 nobody home", [], False, id="none of the run"),
        pytest.param("nobody home, waited 14 min", [11], False, id="minutes are no house"),
        pytest.param("nobody home at 3:12 pm", [11], False, id="nor is a time"),
        pytest.param("9 pine nobody home", [], False, id="delivered long ago"),
    ],
)
def test_the_stop_is_the_one_that_the_text_names_best(text: str, numbers: list[int], is_named: bool) -> None:
    meant = stops_meant(text, stops())
    assert ([stop.number for stop in meant.stops], meant.is_named) == (numbers, is_named)


def test_a_name_is_beyond_doubt_with_house_and_street() -> None:
    assert stop_named("12 oak refused", stops()) is not None
    assert stop_named("oak refused", stops()) is None
    assert stop_named("12 refused", stops()) is None


@pytest.mark.parametrize(
    ("text", "number"), [("1", 12), ("2", 13), ("the second", None), ("oak", 13), ("14 elm", 12), ("3", None)]
)
def test_an_option_is_chosen_by_number_or_name(text: str, number: int | None) -> None:
    chosen = option_meant(text, [stop for stop in stops() if stop.number in (12, 13)])
    assert (chosen.number if chosen is not None else None) == number


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    read_failure(text)
    assert all(stop.standing is not Standing.OVER for stop in stops_meant(text, stops()).stops)
