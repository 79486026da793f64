"""What a newcomer and any client from outside find in the demo. Everything runs in processes of their own."""

import asyncio
import json
import os
import secrets
import signal
import smtplib
import time
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psutil
import pytest
from slack_sdk import WebClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.demo.conftest import RunningDemo
from tests.harness.people import readable

pytestmark = pytest.mark.rasa
T = TypeVar("T")
MOMENT = "One moment, please."


def wait_for(look: Callable[[], T], what: str, seconds: float = 60) -> T:
    deadline = time.monotonic() + seconds
    while not (sight := look()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)
    return sight


def twilio(demo: RunningDemo) -> Client:
    facts = demo.facts["twilio"]
    client = Client(facts["account_sid"], facts["auth_token"])
    client.api.base_url = facts["base"]
    return client


def post_text(demo: RunningDemo, phone: str, body: str, *, token: str | None = None) -> httpx.Response:
    """One inbound text as Twilio's servers would deliver it, signed with the real validator's algorithm."""
    facts = demo.facts["twilio"]
    sid = "SM" + secrets.token_hex(16)
    form = {
        "MessageSid": sid,
        "AccountSid": facts["account_sid"],
        "From": phone,
        "To": facts["number"],
        "Body": body,
    }
    form |= {"NumMedia": "0", "NumSegments": "1", "FromCity": "", "FromState": "NY"}
    url = f"{demo.url}/connectors/twilio/sms"
    signature = RequestValidator(token or facts["auth_token"]).compute_signature(url, form)
    return httpx.post(url, data=form, headers={"X-Twilio-Signature": signature}, timeout=15, trust_env=False)


def replies(demo: RunningDemo, phone: str) -> list[str]:
    return [str(message.body) for message in twilio(demo).messages.list(to=phone)]


def somebody(demo: RunningDemo, *, status: str = "out_for_delivery") -> dict[str, Any]:
    """A recipient with one parcel only, whose stop is in this state."""
    people = demo.facts["recipients"]
    phones = [person["phone"] for person in people]
    return next(p for p in people if p["status"] == status and phones.count(p["phone"]) == 1)


def channel(demo: RunningDemo) -> list[dict[str, Any]]:
    slack = WebClient(token=demo.facts["slack"]["bot_token"], base_url=slack_api(demo))
    history = slack.conversations_history(channel=demo.facts["slack"]["channels"][0]["id"])
    messages: list[dict[str, Any]] = history["messages"]
    return messages


def slack_api(demo: RunningDemo) -> str:
    return str(demo.facts["slack"]["base"]) + "/api/"


def test_a_signed_text_from_outside_gets_the_true_window_or_eta(demo: RunningDemo) -> None:
    person = somebody(demo)
    assert post_text(demo, person["phone"], "where is my delivery").status_code == 200
    (answer,) = wait_for(lambda: replies(demo, person["phone"]), "an answer")
    assert "parcel" in answer
    hour = int(person["window_end"][11:13])
    assert f"{hour % 12 or 12}" in answer


def test_a_forged_text_is_refused_and_gets_no_answer(demo: RunningDemo) -> None:
    assert post_text(demo, "+12125550111", "where is my delivery", token="wrong").status_code == 403
    assert replies(demo, "+12125550111") == []


def test_a_stranger_who_mails_is_asked_for_proof(demo: RunningDemo) -> None:
    facts = demo.facts["email"]
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "robin@mail.example", facts["address"], "My parcel"
    letter["Message-ID"] = "<first@mail.example>"
    letter.set_content("Where is my parcel?")
    inbound = urlsplit(facts["inbound_url"])
    with smtplib.SMTP(inbound.hostname or "", inbound.port or 0, timeout=15) as smtp:
        assert smtp.send_message(letter) == {}

    def answers() -> list[dict[str, Any]]:
        mails = httpx.get(f"{facts['base']}/_emulator/messages", trust_env=False).json()["messages"]
        return [mail for mail in mails if mail["recipient"] == "robin@mail.example"]

    (answer,) = wait_for(answers, "an answer by mail")
    assert (answer["subject"], answer["in_reply_to"]) == ("Re: My parcel", "first@mail.example")
    assert "tracking number" in answer["text"]


def test_the_web_chat_tells_a_parcel_to_who_proves_it(demo: RunningDemo) -> None:
    person = somebody(demo)
    with connect(f"{demo.url.replace('http', 'ws')}/connectors/webchat/ws", proxy=None) as socket:
        socket.send(json.dumps({"type": "hello"}))
        assert "tracking number" in asks(socket, "where is my parcel")
        assert person["tracking"] not in asks(socket, f"{person['tracking']} 9999")
        assert "parcel" in asks(socket, f"{person['tracking']} {person['phone'][-4:]}")


def asks(socket: Connection, text: str) -> str:
    socket.send(json.dumps({"type": "text", "id": str(uuid4()), "text": text}))
    while True:
        frame = json.loads(socket.recv(timeout=60))
        if frame["type"] == "message" and frame["from"] != "you":
            return str(frame["text"])


def test_pyonfleet_lists_the_tasks_of_the_day(demo: RunningDemo, monkeypatch: pytest.MonkeyPatch) -> None:
    import onfleet.onfleet
    import onfleet.request

    base = demo.facts["onfleet"]["base"]
    for module in (onfleet.onfleet, onfleet.request):
        monkeypatch.setattr(module, "API_BASE_URL", f"{base}/api/v2")
    client = onfleet.onfleet.Onfleet(api_key=demo.facts["onfleet"]["api_key"])
    tasks = client.tasks.get(queryParams={"from": "1000000000000"})["tasks"]
    trackings = {person["tracking"] for person in demo.facts["recipients"]}
    assert trackings >= {task["shortId"] for task in tasks}
    assert len(tasks) == len(trackings)


def test_an_escalation_appears_and_eyes_acknowledge_it_in_place(demo: RunningDemo) -> None:
    def raised() -> list[dict[str, Any]]:
        return [message for message in channel(demo) if ":red_circle:" in readable(message)]

    message = wait_for(raised, "an escalation in Slack", seconds=120)[0]
    dispatcher = demo.facts["slack"]["dispatchers"][0]
    hands = WebClient(token=f"xoxp-{dispatcher}", base_url=slack_api(demo))
    hands.reactions_add(
        channel=demo.facts["slack"]["channels"][0]["id"], timestamp=message["ts"], name="eyes"
    )

    def acknowledged() -> bool:
        same = next(m for m in channel(demo) if m["ts"] == message["ts"])
        return f"<@{dispatcher}> has it" in readable(same) or ":white_check_mark:" in readable(same)

    wait_for(acknowledged, "the message to change in place", seconds=20)


def test_fifty_texts_in_flight_survive_a_kill_of_the_app(demo: RunningDemo) -> None:
    phones = [f"+1914555{number:04d}" for number in range(50)]

    async def send(client: httpx.AsyncClient, phone: str) -> None:
        base = demo.facts["twilio"]["base"]
        await client.post(f"{base}/_emulator/inbound", json={"from": phone, "body": "where is my delivery"})

    async def storm() -> None:
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            sending = [asyncio.create_task(send(client, phone)) for phone in phones]
            await asyncio.sleep(0.3)
            os.kill(app_process(demo).pid, signal.SIGKILL)
            await asyncio.gather(*sending)

    asyncio.run(storm())

    def answers(phone: str) -> list[str]:
        """Without the word that it takes a moment, which comes first where the app starts again for that long."""
        *newer, first = replies(demo, phone) or [MOMENT]
        return newer if first.startswith(MOMENT) else [*newer, first]

    wait_for(lambda: all(answers(phone) for phone in phones), "fifty answers", seconds=90)
    time.sleep(3)
    assert [len(answers(phone)) for phone in phones] == [1] * 50
    assert not [phone for phone in phones if answers(phone)[0].startswith(MOMENT)]


def app_process(demo: RunningDemo) -> psutil.Process:
    assert demo.process is not None
    for child in psutil.Process(demo.process.pid).children():
        if "serve" in child.cmdline():
            return child
    raise AssertionError("the app is not running")


def test_a_killed_demo_goes_on_with_the_same_day(demo: RunningDemo) -> None:
    person = somebody(demo, status="delivered")
    if not replies(demo, person["phone"]):
        post_text(demo, person["phone"], "where is my delivery")
    before = wait_for(lambda: replies(demo, person["phone"]), "an answer")
    stood_at = httpx.get(f"{world_of(demo)}/world/clock", trust_env=False).json()["now"]
    demo.end(signal.SIGKILL)
    demo.start()
    page = demo.page_answers()
    assert page.status_code == 200
    demo.wait_until_ready()
    assert replies(demo, person["phone"]) == before
    assert httpx.get(f"{world_of(demo)}/world/clock", trust_env=False).json()["now"] > stood_at


def world_of(demo: RunningDemo) -> str:
    ports = json.loads((demo.var / "demo" / "ports.json").read_text())
    return f"http://127.0.0.1:{ports['world']}"
