"""Pure: what the proof says in one sentence, and how reasons and words add up."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.incidents.rules import REASONS, distance, proof_sentence, with_proof, with_words
from bot.stops.answers import IncidentKind
from connectors.base import ProofOfDelivery

NOW = datetime(2026, 6, 9, 20, 0, tzinfo=UTC)
AT = datetime(2026, 6, 9, 18, 2, tzinfo=UTC)
PHOTO = "https://media.example.org/p1"


@pytest.mark.parametrize(
    ("proof", "meters", "expected"),
    [
        (
            ProofOfDelivery(photo_urls=(PHOTO,), signed_by="R. Diaz", at=AT),
            31.4,
            "proof: photo 2:02 pm, 30 m from the address, signed by R. Diaz",
        ),
        (ProofOfDelivery(photo_urls=(PHOTO, PHOTO), at=AT), None, "proof: 2 photos 2:02 pm"),
        (ProofOfDelivery(signature_url=PHOTO, at=AT), 2, "proof: signature 2:02 pm, 10 m from the address"),
        (
            ProofOfDelivery(photo_urls=(PHOTO,), at=AT - timedelta(days=2)),
            None,
            "proof: photo Jun 7 2:02 pm",
        ),
        (ProofOfDelivery(photo_urls=(PHOTO,)), None, "proof: photo"),
        (ProofOfDelivery(at=AT), 2104, "no proof, driver was 2.1 km away"),
        (ProofOfDelivery(), None, "no proof"),
    ],
)
def test_the_proof_in_one_sentence(proof: ProofOfDelivery, meters: float | None, expected: str) -> None:
    assert proof_sentence(proof, meters, "America/New_York", NOW) == expected


@pytest.mark.parametrize(
    ("meters", "expected"), [(0, "10 m"), (994, "990 m"), (995, "1.0 km"), (12_340, "12.3 km")]
)
def test_distances_are_told_as_people_say_them(meters: float, expected: str) -> None:
    assert distance(meters) == expected


def test_what_the_proof_says_follows_the_newest_reason_and_stands_once() -> None:
    why = with_proof("Says the parcel is missing; complains", "no proof")
    assert why == "Says the parcel is missing; no proof; complains"
    assert with_proof(why, "no proof") == why
    assert with_proof("a; b; c; d; e", "no proof") == "a; no proof; b; c"


def test_words_are_added_once_each() -> None:
    assert with_words("", "never\n came") == "never came"
    assert with_words("never came", "never came") == "never came"
    assert with_words("never came", "where is it") == "never came\nwhere is it"
    assert with_words("never came", "  ") == "never came"
    assert len(with_words("x" * 3999, "y" * 99)) == 4000


def test_every_kind_has_its_reason() -> None:
    assert set(REASONS) == set(IncidentKind)
