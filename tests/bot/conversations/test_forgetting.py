"""Our own copy of a text loses its access codes an hour after it was dealt with; Rasa never hears them."""

import pytest

from bot.conversations.privacy import DOTS, masked, scrambled
from bot.errors import NotFoundError
from tests.harness.handoffs import asks_for_a_person, taken_by, texts_of
from tests.harness.world import World

SAID = "gate code is 4471# leave it at 14 Elm St after 5 pm"


async def test_a_settled_text_keeps_its_codes_for_an_hour_and_no_longer(bare_world: World) -> None:
    await bare_world.recipient().asks(SAID)
    services = bare_world.doorline.services
    (text,) = await texts_of(bare_world)
    await bare_world.advance(minutes=59)
    assert await services.conversations.recipient_words(str(text.id)) == SAID
    await bare_world.advance(minutes=1)
    kept = await services.conversations.recipient_words(str(text.id))
    assert kept == f"gate code is {DOTS} leave it at 14 Elm St after 5 pm"
    assert await services.forgetting.forget_codes() == 0
    assert "4471" not in " ".join(bare_world.rasa.turns)


async def test_a_text_that_still_waits_keeps_its_codes(bare_world: World) -> None:
    bare_world.rasa.down = True
    await bare_world.recipient().texts(SAID)
    for _ in range(3):
        await bare_world.advance(minutes=40)
    (text,) = await texts_of(bare_world)
    assert text.text == SAID


async def test_a_text_that_somebody_holds_loses_them_too(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await taken_by(bare_world, await asks_for_a_person(bare_world, recipient))
    await recipient.texts(SAID)
    for _ in range(2):
        await bare_world.advance(minutes=31)
    assert DOTS in (await texts_of(bare_world))[-1].text


async def test_the_words_of_a_text_that_is_not_ours_are_not_found(bare_world: World) -> None:
    with pytest.raises(NotFoundError):
        await bare_world.doorline.services.conversations.recipient_words("0" * 32)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (SAID, "gate code is 7777# leave it at 14 Elm St after 5 pm"),
        ("gate 4471", "gate 7777"),
        ("code is 44 71", "code is 77 77"),
        ("4471 is the code", "7777 is the code"),
        ("#4471*", "#7777*"),
        ("my zip code is 10001", "my zip code is 10001"),
        ("post code 10001", "post code 10001"),
        ("codigo postal 28013", "codigo postal 28013"),
        ("tracking code 12345678", "tracking code 12345678"),
        ("tomorrow at 10:30", "tomorrow at 10:30"),
    ],
)
def test_a_scrambled_text_reads_the_same_but_for_the_codes(text: str, heard: str) -> None:
    assert scrambled(text) == heard
    assert len(scrambled(text)) == len(text)
    assert scrambled(heard) == heard


@pytest.mark.parametrize("text", [SAID, "gate 4471 or #9912", "clave 1234", ""])
def test_masking_twice_is_masking_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)
