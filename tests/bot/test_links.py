"""A link is ours, for one purpose, for a while; anything else is not."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.links import ExpiredLinkError, ForgedLinkError, Opened, SignedLinks
from tests.harness.clock import ManualClock

THING = uuid4()


def links(clock: ManualClock, purpose: str = "proof", key: str = "a key") -> SignedLinks:
    return SignedLinks(key, purpose, "https://example.org/proof/", clock.wall, lambda: timedelta(hours=72))


def token_of(made: SignedLinks, language: str = "en") -> str:
    return made.link(THING, language).rpartition("/")[2]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_link_opens_to_what_it_was_made_for(language: str) -> None:
    made = links(ManualClock())
    assert made.open(token_of(made, language)) == Opened(THING, language)


def test_a_link_is_short_enough_for_a_text() -> None:
    link = links(ManualClock()).link(THING)
    assert link.startswith("https://example.org/proof/")
    assert len(link) - len("https://example.org/proof/") <= 64


def test_a_link_holds_to_its_last_second_and_no_longer() -> None:
    clock = ManualClock()
    made = links(clock)
    token = token_of(made, "es")
    clock.move(timedelta(hours=72))
    assert made.open(token).thing_id == THING
    clock.move(timedelta(seconds=1))
    with pytest.raises(ExpiredLinkError) as expired:
        made.open(token)
    assert expired.value.language == "es"


def test_a_link_of_another_purpose_or_another_installation_is_forged() -> None:
    clock = ManualClock()
    token = token_of(links(clock))
    for other in (links(clock, purpose="photo"), links(clock, key="another key")):
        with pytest.raises(ForgedLinkError):
            other.open(token)


@given(st.integers(min_value=0), st.characters())
def test_changing_any_character_forges_it(position: int, character: str) -> None:
    made = links(ManualClock())
    token = token_of(made)
    # Not the last one: in base64 it carries bits that mean nothing.
    at = position % (len(token) - 1)
    changed = token[:at] + character + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises((ForgedLinkError, ExpiredLinkError)):
        made.open(changed)


@given(st.text(max_size=200))
def test_no_text_is_a_link_by_chance(text: str) -> None:
    with pytest.raises(ForgedLinkError):
        links(ManualClock()).open(text)
