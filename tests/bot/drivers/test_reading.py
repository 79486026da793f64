"""What drivers' texts say to "on time? what is in the way?"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.drivers.reading import MOST_MINUTES, DriverAnswer, read_answer
from connectors.base import FailureReason

TRAFFIC, ACCESS, VEHICLE = FailureReason.TRAFFIC, FailureReason.ACCESS_ISSUE, FailureReason.VEHICLE
ON_TIME = DriverAnswer(is_on_time=True)


def late(cause: FailureReason | None = None, minutes: int | None = None) -> DriverAnswer:
    return DriverAnswer(root_cause=cause, minutes=minutes)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1", ON_TIME),
        ("yes", ON_TIME),
        ("Sí", ON_TIME),
        ("on time", ON_TIME),
        ("a tiempo", ON_TIME),
        ("no problem", ON_TIME),
        ("2", late(TRAFFIC)),
        ("3", late(ACCESS)),
        ("4", late(VEHICLE)),
        ("2 20", late(TRAFFIC, 20)),
        ("2, 20 min", late(TRAFFIC, 20)),
        ("2 traffic 20", late(TRAFFIC, 20)),
        ("traffic 20", late(TRAFFIC, 20)),
        ("stuck on i95 20 more min", late(TRAFFIC, 20)),
        ("stuck on I-95, 20 more min", late(TRAFFIC, 20)),
        ("accident on exit 9", late(TRAFFIC)),
        ("acceso", late(ACCESS)),
        ("no puedo entrar, portón cerrado", late(ACCESS)),
        ("3 no code for gate 15", late(ACCESS)),
        ("vehiculo 30", late(VEHICLE, 30)),
        ("flat tire, 1 hour", late(VEHICLE, 60)),
        ("I had an accident", late(VEHICLE)),
        ("1h 30", late(None, 90)),
        ("media hora", late(None, 30)),
        ("15-20 min", late(None, 20)),
        ("20", late(None, 20)),
        ("2 min", late(None, 2)),
        ("voy retrasado 25 min", late(FailureReason.DRIVER_DELAY, 25)),
        ("lluvia 40", late(FailureReason.WEATHER, 40)),
        ("nobody home", late(FailureReason.RECIPIENT_UNAVAILABLE)),
        ("not on time, traffic", late(TRAFFIC)),
        ("no", late()),
        ("2 stops left", late()),
        ("be there by 4 30 pm", late()),
        ("thanks", late()),
        ("", late()),
    ],
)
def test_an_answer_is_read_as_the_driver_meant_it(text: str, answer: DriverAnswer) -> None:
    assert read_answer(text) == answer


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_and_minutes_stay_likely(text: str) -> None:
    answer = read_answer(text)
    assert answer.minutes is None or 0 < answer.minutes <= MOST_MINUTES
    assert not (answer.is_on_time and answer.root_cause)
