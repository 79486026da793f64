import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.twilio.segments import GSM7_BASIC, GSM7_EXTENSION, LIMITS, Encoding, Segmentation, segment

gsm_text = st.text(alphabet=sorted(GSM7_BASIC | GSM7_EXTENSION), max_size=700)
any_text = st.text(max_size=300)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segmentation(Encoding.GSM7, 0, 0)),
        ("a" * 160, Segmentation(Encoding.GSM7, 160, 1)),
        ("a" * 161, Segmentation(Encoding.GSM7, 161, 2)),
        ("a" * 306, Segmentation(Encoding.GSM7, 306, 2)),
        ("a" * 307, Segmentation(Encoding.GSM7, 307, 3)),
        ("a" * 1600, Segmentation(Encoding.GSM7, 1600, 11)),
        ("€" * 80, Segmentation(Encoding.GSM7, 160, 1)),
        ("€" * 81, Segmentation(Encoding.GSM7, 162, 2)),
        ("ñ¿¡üà", Segmentation(Encoding.GSM7, 5, 1)),
        ("mañana", Segmentation(Encoding.GSM7, 6, 1)),
        ("está", Segmentation(Encoding.UCS2, 4, 1)),
        ("don’t", Segmentation(Encoding.UCS2, 5, 1)),
        ("á" * 70, Segmentation(Encoding.UCS2, 70, 1)),
        ("á" * 71, Segmentation(Encoding.UCS2, 71, 2)),
        ("📦", Segmentation(Encoding.UCS2, 2, 1)),
        ("📦" * 35, Segmentation(Encoding.UCS2, 70, 1)),
        ("📦" * 36, Segmentation(Encoding.UCS2, 72, 2)),
    ],
)
def test_segments_of_known_texts(text: str, expected: Segmentation) -> None:
    assert segment(text) == expected


def test_an_escaped_character_is_not_split_over_a_boundary() -> None:
    # 152 septets and an escaped pair: the pair moves on, and what follows no longer fits in two segments.
    assert segment("a" * 306).segments == 2
    assert segment("a" * 152 + "€" + "a" * 152).segments == 3


def test_a_surrogate_pair_is_not_split_over_a_boundary() -> None:
    assert segment("á" * 134).segments == 2
    assert segment("á" * 66 + "📦" + "á" * 66).segments == 3


@given(any_text)
def test_units_are_utf16_code_units_outside_gsm7(text: str) -> None:
    counted = segment(text + "á")
    assert counted.encoding is Encoding.UCS2
    assert counted.units == len((text + "á").encode("utf-16-le", "surrogatepass")) // 2


@given(gsm_text)
def test_gsm_text_stays_gsm_and_extension_characters_count_twice(text: str) -> None:
    counted = segment(text)
    assert counted.encoding is Encoding.GSM7
    assert counted.units == len(text) + sum(character in GSM7_EXTENSION for character in text)


@given(gsm_text | any_text)
def test_segments_hold_the_text_and_waste_at_most_one_unit_each(text: str) -> None:
    counted = segment(text)
    lone, each = LIMITS[counted.encoding]
    if counted.segments <= 1:
        assert counted.units <= lone
    else:
        assert lone < counted.units <= counted.segments * each
        assert counted.units > (counted.segments - 1) * (each - 1)


@given(gsm_text | any_text, st.characters())
def test_a_longer_text_never_takes_fewer_segments(text: str, more: str) -> None:
    longer = segment(text + more)
    if longer.encoding is segment(text).encoding:
        assert longer.segments >= segment(text).segments
