"""What of people's words may be shown: phone numbers shortened, codes covered, everything else as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incidents.naming import private


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("call +12125550142 please", "call •••• 0142 please"),
        ("call (212) 555-0142", "call •••• 0142"),
        ("212.555.0142 or 212 555 0143.", "•••• 0142 or •••• 0143."),
        ("+34 600 123 456", "•••• 3456"),
        ("gate code 4471#", "gate code ••••"),
        # numbers that nobody can call
        ("order 10-4471", "order 10-4471"),
        ("between 2:00 pm and 4:00 pm", "between 2:00 pm and 4:00 pm"),
        ("Jun 9, 2026", "Jun 9, 2026"),
        ("2026-06-09 16:00", "2026-06-09 16:00"),
        ("14 Elm St 2B", "14 Elm St 2B"),
        ("", ""),
    ],
)
def test_phone_numbers_keep_their_last_four_digits(written: str, shown: str) -> None:
    assert private(written) == shown


@given(
    st.tuples(st.integers(201, 989), st.integers(200, 989), st.integers(0, 9999)),
    st.sampled_from(
        ["{0}{1}{2:04}", "+1{0}{1}{2:04}", "({0}) {1}-{2:04}", "{0}-{1}-{2:04}", "+1 {0} {1} {2:04}"]
    ),
    st.sampled_from(["", "my number is ", "llámame al ", "#"]),
)
def test_no_number_that_can_be_called_stays_whole(
    parts: tuple[int, int, int], form: str, before: str
) -> None:
    number = form.format(*parts)
    shown = private(f"{before}{number} thanks")
    assert number not in shown
    assert f"{parts[0]}" not in shown.replace(f"{parts[2]:04}", "")
