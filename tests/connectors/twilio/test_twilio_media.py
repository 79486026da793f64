"""Pictures that people send: fetched with the account's credentials, from this account, up to a size."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors import pictures
from connectors.emulation import Fault
from connectors.errors import (
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    MediaRefusedError,
)
from connectors.media import named_by_bytes
from connectors.twilio.client import TwilioChannel
from connectors.twilio.emulator_media import SentPicture

PHONE = "+15550100001"
PICTURE = pictures.snapshot("a test")
PLENTY = 1_000_000

OpenChannel = Callable[..., TwilioChannel]


def sent(content: bytes, content_type: str = "image/jpeg") -> SentPicture:
    return SentPicture(content=base64.b64encode(content), content_type=content_type)


async def url_of_a_picture(twilio: Any, edge: Any, content: bytes = PICTURE) -> str:
    """The address in the webhook, as Twilio words it: on its own API."""
    await twilio.emulator.text(PHONE, "look", pictures=[sent(content)])
    url = str(edge.messages[-1].media[0].url)
    assert url.startswith("https://api.twilio.com/2010-04-01/Accounts/")
    return url


async def test_a_picture_is_fetched_as_it_was_sent_and_named_by_its_bytes(
    channel: TwilioChannel, twilio: Any, edge: Any
) -> None:
    fetched = await channel.fetch_media(await url_of_a_picture(twilio, edge), at_most_bytes=PLENTY)
    assert (fetched.content, fetched.content_type) == (PICTURE, "image/png")


async def test_a_picture_of_a_recovered_text_is_fetched_too(
    channel: TwilioChannel, twilio: Any, clock: Any
) -> None:
    await twilio.emulator.text(PHONE, "look", pictures=[sent(PICTURE)])
    (message,) = await channel.list_inbound(clock.now())
    fetched = await channel.fetch_media(message.media[0].url, at_most_bytes=PLENTY)
    assert fetched.content == PICTURE


async def test_the_api_wants_credentials_and_the_media_host_must_not_get_them(twilio: Any, edge: Any) -> None:
    path = (await url_of_a_picture(twilio, edge)).removeprefix("https://api.twilio.com")
    async with httpx.AsyncClient(base_url=twilio.url, trust_env=False) as http:
        assert (await http.get(path)).status_code == 401
        redirect = await http.get(path, auth=(twilio.emulator.account_sid, twilio.emulator.auth_token))
        assert redirect.status_code == 307
        assert (await http.get(redirect.headers["location"])).content == PICTURE
        assert (await http.get(redirect.headers["location"], auth=("a", "b"))).status_code == 400
        assert (await http.get(redirect.headers["location"] + "0")).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/secret",
        "https://example.com/2010-04-01/Accounts/{account}/Messages/MM{0}/Media/ME{0}",
        "https://api.twilio.com.example.com/2010-04-01/Accounts/{account}/Messages/MM{0}/Media/ME{0}",
        "https://api.twilio.com@example.com/2010-04-01/Accounts/{account}/Messages/MM{0}/Media/ME{0}",
        "https://api.twilio.com/2010-04-01/Accounts/AC{0}/Messages/MM{0}/Media/ME{0}",
        "https://api.twilio.com/2010-04-01/Accounts/{account}/Messages/MM{0}/Media/../../..",
        "https://api.twilio.com/2010-04-01/Accounts/{account}/Messages/MM{0}/Media/ME{0}?to=elsewhere",
        "https://api.twilio.com/2010-04-01/Accounts/{account}.json",
        "http://[::1",
        "",
    ],
)
async def test_any_address_but_media_of_our_account_is_refused_unasked(
    channel: TwilioChannel, twilio: Any, url: str
) -> None:
    with pytest.raises(MediaRefusedError) as refused:
        await channel.fetch_media(
            url.format("00" * 16, account=twilio.emulator.account_sid), at_most_bytes=PLENTY
        )
    assert refused.value.code == "foreign_url"


async def test_a_picture_over_the_limit_is_refused_and_one_at_the_limit_is_not(
    channel: TwilioChannel, twilio: Any, edge: Any
) -> None:
    url = await url_of_a_picture(twilio, edge)
    with pytest.raises(MediaRefusedError) as refused:
        await channel.fetch_media(url, at_most_bytes=len(PICTURE) - 1)
    assert refused.value.code == "too_big"
    assert (await channel.fetch_media(url, at_most_bytes=len(PICTURE))).content == PICTURE


@pytest.mark.parametrize(
    "content", [b"<html><script>alert(1)</script>", b"%PDF-1.7 a letter", b"<svg xmlns='http'/>", b""]
)
async def test_what_is_no_picture_is_refused_whatever_it_is_called(
    channel: TwilioChannel, twilio: Any, edge: Any, content: bytes
) -> None:
    url = await url_of_a_picture(twilio, edge, content)
    with pytest.raises(MediaRefusedError) as refused:
        await channel.fetch_media(url, at_most_bytes=PLENTY)
    assert refused.value.code == "wrong_type"


async def test_a_deleted_picture_is_gone(channel: TwilioChannel, twilio: Any, edge: Any) -> None:
    url = await url_of_a_picture(twilio, edge)
    twilio.emulator.media_files.remove(url.rpartition("/")[2])
    with pytest.raises(MediaRefusedError) as refused:
        await channel.fetch_media(url, at_most_bytes=PLENTY)
    assert refused.value.code == "gone"


@pytest.mark.parametrize("path", ["/2010-04-01/", "/media/"])
@pytest.mark.parametrize("fault", [Fault("status", status=503), Fault("reset"), Fault("status", status=429)])
async def test_trouble_on_either_host_is_for_later(
    channel: TwilioChannel, twilio: Any, edge: Any, path: str, fault: Fault
) -> None:
    url = await url_of_a_picture(twilio, edge)
    twilio.emulator.faults.next(
        Fault(kind=fault.kind, status=fault.status, path_contains=path, headers=fault.headers)
    )
    with pytest.raises(ChannelUnavailableError):
        await channel.fetch_media(url, at_most_bytes=PLENTY)


async def test_a_wrong_token_is_the_operators_to_mend(
    open_channel: OpenChannel, twilio: Any, edge: Any
) -> None:
    url = await url_of_a_picture(twilio, edge)
    with pytest.raises(ChannelMisconfiguredError):
        await open_channel(auth_token="wrong").fetch_media(url, at_most_bytes=PLENTY)


async def test_a_redirect_out_of_https_or_without_end_is_not_followed(
    channel: TwilioChannel, twilio: Any, edge: Any
) -> None:
    url = await url_of_a_picture(twilio, edge)
    away = Fault("status", status=302, headers=(("location", "http://169.254.169.254/latest"),))
    twilio.emulator.faults.next(away)
    with pytest.raises(MediaRefusedError) as refused:
        await channel.fetch_media(url, at_most_bytes=PLENTY)
    assert refused.value.code == "foreign_url"
    twilio.emulator.faults.next(*[Fault("status", status=302, headers=(("location", "/media/a/b"),))] * 4)
    with pytest.raises(MediaRefusedError) as refused:
        await channel.fetch_media(url, at_most_bytes=PLENTY)
    assert refused.value.code == "gone"


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (bytes.fromhex("ffd8ffe000104a464946000101000001"), "image/jpeg"),
        (bytes.fromhex("ffd8ffdb0043000000000000"), "image/jpeg"),
        (b"GIF89a\x01\x00\x01\x00", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image/heic"),
    ],
)
def test_the_pictures_of_phones_are_known_by_their_beginning(beginning: bytes, kind: str) -> None:
    assert named_by_bytes("sms", beginning + b"\x00" * 32).content_type == kind


async def test_pictures_from_the_controls_are_the_ones_that_were_given(twilio: Any, edge: Any) -> None:
    body = {"from": PHONE, "body": "hi", "media": [{"content": base64.b64encode(PICTURE).decode()}]}
    async with httpx.AsyncClient(base_url=twilio.url, trust_env=False) as http:
        answer = await http.post("/_emulator/inbound", json=body | {"num_media": 1})
        assert answer.json()["webhook_status"] == 200
        refused = await http.post(
            "/_emulator/inbound", json=body | {"media": [{"content_type": "no", "content": ""}]}
        )
        assert refused.status_code == 422
    assert len(edge.messages[-1].media) == 2
