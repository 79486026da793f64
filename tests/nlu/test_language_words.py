"""English or Spanish, from the words alone."""

import pytest

from nlu.components.language_words import guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("wheres my package", "en"),
        ("can u come tmrw", "en"),
        ("no thanks", "en"),
        ("ola donde esta mi paquete", "es"),
        ("¿a qué hora llegan?", "es"),
        ("mañana por la tarde", "es"),
        ("manana", "es"),
        ("dejen de mandarme mensajes", "es"),
        ("gracias", "es"),
        ("si", "es"),
        ("ok", None),
        ("no", None),
        ("y", None),
        ("2", None),
        ("QS-48213", None),
        ("7de51b40 zip 90210", None),
        ("QS-de-48213", None),
        ("its 7de51b40 and the zip is 90210", "en"),
        ("👍", None),
        ("", None),
    ],
)
def test_a_text_tells_its_language_or_nothing(text: str, language: str | None) -> None:
    assert guess_language(text) == language
