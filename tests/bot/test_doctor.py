"""The doctor looks at every part itself, over the wire, and says what to do about what is broken."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.doctor import examine
from bot.settings import Settings
from connectors.base import Probe
from connectors.emulation import free_port
from tests.harness.world import Setting, World


@pytest.fixture
async def mail_world(bare_setting: Setting, empty_database: None) -> AsyncIterator[World]:
    async with World(bare_setting, with_mail=True) as world:
        yield world


async def findings(settings: Settings) -> dict[str, Probe]:
    return {probe.name: probe for probe in await asyncio.to_thread(examine, settings)}


async def test_every_vendor_and_the_web_chat_are_asked(mail_world: World) -> None:
    found = await findings(mail_world.settings)
    for name in (
        "protocol",
        "database",
        "rasa",
        "web chat",
        "Twilio",
        "Email",
        "Slack",
        "Onfleet",
        "Email in",
    ):
        assert found[name].healthy, found[name]
        assert "off" not in found[name].detail.split(), found[name]
    assert str(mail_world.mail_port) in found["Email in"].detail
    assert found["Texts"].healthy
    assert "3.75 segments/s" in found["Texts"].detail


async def test_a_relay_that_refuses_us_is_broken(mail_world: World) -> None:
    nobody = SecretStr(f"smtp://127.0.0.1:{free_port()}")
    found = await findings(mail_world.settings.model_copy(update={"smtp_url": nobody}))
    assert not found["Email"].healthy
    assert "SMTP_URL" in found["Email"].detail


async def test_a_web_chat_that_is_not_started_yet_is_no_mistake(mail_world: World) -> None:
    here = f"http://127.0.0.1:{free_port()}"
    found = await findings(mail_world.settings.model_copy(update={"public_url": here}))
    assert (found["web chat"].healthy, found["web chat"].detail) == (True, "starts with `doorline serve`")


async def test_a_web_chat_that_does_not_let_sockets_through_is_broken(mail_world: World) -> None:
    proxied = mail_world.bases["twilio"]
    found = await findings(mail_world.settings.model_copy(update={"public_url": proxied}))
    assert not found["web chat"].healthy
    assert "WebSockets" in found["web chat"].detail


async def test_it_is_said_that_nobody_vouches_for_the_senders_of_mails(mail_world: World) -> None:
    settings = mail_world.settings
    assert "EMAIL_TRUSTED_AUTHSERV" in (await findings(settings))["Email in"].detail
    vouched = settings.model_copy(update={"email_trusted_authserv": "mx.quickship.example"})
    assert "EMAIL_TRUSTED_AUTHSERV" not in (await findings(vouched))["Email in"].detail


async def test_without_a_way_in_mails_are_said_to_be_unread(mail_world: World) -> None:
    found = await findings(mail_world.settings.model_copy(update={"email_inbound_port": None}))
    assert "EMAIL_INBOUND_PORT" in found["Email in"].detail
    off = await findings(mail_world.settings.model_copy(update={"smtp_url": None, "email_from": None}))
    assert "off" in off["Email"].detail
