"""What drivers leave, as Onfleet tells it and as it is fetched."""

import pytest

from connectors.base import ProofOfDelivery
from connectors.emulation import Fault
from connectors.errors import MediaRefusedError, PlatformUnavailableError
from connectors.onfleet.client import OnfleetPlatform
from connectors.onfleet.mapping import MEDIA_BASE, Account, to_proof
from connectors.onfleet.payloads import CompletionDetails, from_ms
from tests.connectors.onfleet.onfleet_town import Connect, Town

NEW_YORK = Account("America/New_York")
MS = 1_780_934_400_000
PLENTY = 1_000_000


def proof_of(**details: object) -> ProofOfDelivery | None:
    return to_proof(CompletionDetails.model_validate({"success": True, "time": MS, **details}), NEW_YORK)


def test_photos_signature_and_place_are_told() -> None:
    proof = proof_of(
        photoUploadId="p1",
        photoUploadIds=["p1", "p2"],
        signatureUploadId="s1",
        signatureText=" R. Diaz ",
        successNotes="porch",
        lastLocation=[-73.41, 41.12],
    )
    assert proof == ProofOfDelivery(
        photo_urls=(f"{MEDIA_BASE}/p1/800x.png", f"{MEDIA_BASE}/p2/800x.png"),
        signature_url=f"{MEDIA_BASE}/s1/282x.png",
        signed_by="R. Diaz",
        note="porch",
        at=from_ms(MS),
        latitude=41.12,
        longitude=-73.41,
    )


def test_a_single_photo_of_older_tasks_is_a_photo() -> None:
    proof = proof_of(photoUploadId="p1", photoUploadIds=None)
    assert proof is not None
    assert proof.photo_urls == (f"{MEDIA_BASE}/p1/800x.png",)


def test_where_the_driver_left_counts_before_the_last_place_that_was_seen() -> None:
    left = {"name": "departure", "time": MS, "location": [-73.4, 41.1]}
    proof = proof_of(events=[left], lastLocation=[-73.5, 41.2])
    assert proof is not None
    assert (proof.latitude, proof.longitude) == (41.1, -73.4)


@pytest.mark.parametrize(
    "details",
    [{}, {"photoUploadIds": [], "lastLocation": []}, {"photoUploadId": None, "signatureText": None}],
)
def test_nothing_left_is_no_proof(details: dict[str, object]) -> None:
    assert proof_of(**details) is None


async def test_a_finished_stop_carries_its_proof_and_the_pictures_can_be_fetched(
    town: Town, platform: OnfleetPlatform
) -> None:
    ref = town.refs[0]
    town.emulator.start_task(ref)
    assert (await platform.get_stop(ref)).proof is None
    town.emulator.complete_task(ref, photos=2, signed_by="D. Okafor", location=(41.1202, -73.4101))
    proof = (await platform.get_stop(ref)).proof
    assert proof is not None
    assert (len(proof.photo_urls), proof.signed_by, proof.latitude) == (2, "D. Okafor", 41.1202)
    assert proof.signature_url is not None
    for url in (*proof.photo_urls, proof.signature_url):
        picture = await platform.fetch_picture(url, at_most_bytes=PLENTY)
        assert picture.content_type == "image/png"
        assert picture.content.startswith(b"\x89PNG")
    listed = [stop async for stop in platform.changed_stops(town.clock.at)]
    assert [stop.proof for stop in listed if stop.platform_ref == ref] == [proof]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://example.org/p1/800x.png", "foreign_url"),
        ("{base}.example.org/p1/800x.png", "foreign_url"),
        ("{base}@example.org/p1/800x.png", "foreign_url"),
    ],
)
async def test_pictures_from_elsewhere_are_refused(
    town: Town, platform: OnfleetPlatform, url: str, code: str
) -> None:
    with pytest.raises(MediaRefusedError) as refused:
        await platform.fetch_picture(url.format(base=town.url), at_most_bytes=PLENTY)
    assert refused.value.code == code


async def test_a_picture_may_be_too_big_or_late(town: Town, platform: OnfleetPlatform) -> None:
    town.emulator.complete_task(town.refs[0], photos=1)
    proof = (await platform.get_stop(town.refs[0])).proof
    assert proof is not None
    with pytest.raises(MediaRefusedError) as refused:
        await platform.fetch_picture(proof.photo_urls[0], at_most_bytes=100)
    assert refused.value.code == "too_big"
    town.emulator.faults.next(Fault("status", status=503))
    with pytest.raises(PlatformUnavailableError):
        await platform.fetch_picture(proof.photo_urls[0], at_most_bytes=PLENTY)


def test_a_client_of_the_real_onfleet_looks_for_pictures_at_its_media_host(connect: Connect) -> None:
    assert connect(api_base="https://onfleet.com/").account.media_base == MEDIA_BASE
    assert connect(media_base="https://media.example.org/").account.media_base == "https://media.example.org"
