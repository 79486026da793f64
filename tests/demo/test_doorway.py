"""The demo's port before the app answers on it: who comes reads how far it is, and a vendor is told to come again."""

from collections.abc import Iterator
from http.client import HTTPConnection

import httpx
import pytest

from bot.demo.doorway import Doorway
from bot.processes import free_port


@pytest.fixture
def url() -> Iterator[str]:
    port = free_port()
    doorway = Doorway(port, lambda: "Loading the language model")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        doorway.close()


def test_a_person_reads_how_far_it_is(url: str) -> None:
    page = httpx.get(f"{url}/demo", trust_env=False)
    assert (page.status_code, "Loading the language model" in page.text) == (200, True)
    status = httpx.get(f"{url}/readyz", trust_env=False)
    assert (status.status_code, status.json()["stage"]) == (503, "Loading the language model")


@pytest.mark.parametrize("size", [0, 300, 30_000_000])
def test_a_vendor_is_told_to_deliver_again_however_much_it_brings(url: str, size: int) -> None:
    assert posted(url, {"Content-Length": str(size)}, b"x" * size) == (503, "2")


@pytest.mark.parametrize("length", ["-1", "many", ""])
def test_a_length_that_is_none_is_answered_too(url: str, length: str) -> None:
    assert posted(url, {"Content-Length": length}, b"") == (503, "2")


def posted(url: str, headers: dict[str, str], body: bytes) -> tuple[int, str | None]:
    """By a plain client, which reads no answer before all that it brings is taken."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", "/connectors/twilio/sms", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After")
    finally:
        connection.close()
