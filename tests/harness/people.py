"""The people of a test: somebody with a phone, and somebody in Slack."""

import base64
from typing import TYPE_CHECKING, Any

from slack_sdk.web.async_client import AsyncWebClient

from tests.harness.accounts import CHANNEL
from tests.harness.waiting import eventually

if TYPE_CHECKING:
    from tests.harness.world import World


class Recipient:
    """Somebody with a phone. Texts go through Twilio's emulator, which signs and delivers them."""

    def __init__(self, world: "World", phone: str) -> None:
        self._world = world
        self.phone = phone

    async def texts(self, body: str, sid: str | None = None, media: int = 0) -> None:
        """Sends one text; returns once our webhook has answered."""
        wanted: dict[str, Any] = {"from": self.phone, "body": body}
        if sid is not None:
            wanted["sid"] = sid
        if media:
            wanted["num_media"] = media
        answer = await self._world.http.post(f"{self._world.bases['twilio']}/_emulator/inbound", json=wanted)
        assert answer.raise_for_status().json()["webhook_status"] == 200, answer.text

    async def sends_photo(
        self, text: str = "", content: bytes | None = None, content_type: str = "image/jpeg"
    ) -> None:
        """Sends a picture, with or without words; without `content` one that the emulator paints."""
        picture = {"content": base64.b64encode(content or b"").decode(), "content_type": content_type}
        wanted = {"num_media": 1} if content is None else {"media": [picture]}
        answer = await self._world.http.post(
            f"{self._world.bases['twilio']}/_emulator/inbound",
            json={"from": self.phone, "body": text, **wanted},
        )
        assert answer.raise_for_status().json()["webhook_status"] == 200, answer.text

    async def reads(self) -> list[str]:
        """Every text that Doorline has sent to this phone, oldest first."""
        base = self._world.bases["twilio"]
        answer = await self._world.http.get(f"{base}/_emulator/messages", params={"phone": self.phone})
        messages = answer.raise_for_status().json()["messages"]
        return [message["body"] for message in messages if message["direction"] == "outbound-api"]

    async def reads_next(self, count: int) -> list[str]:
        """Waits until at least `count` texts have come in all; gives them."""
        return await eventually(
            self.reads, lambda texts: len(texts) >= count, f"{count} texts to {self.phone}"
        )

    async def asks(self, body: str) -> str:
        """Sends one text and waits for its answer."""
        before = len(await self.reads())
        await self.texts(body)
        return (await self.reads_next(before + 1))[before]


class Dispatcher:
    """Somebody in Slack, acting through the real slack_sdk with a token of their own."""

    def __init__(self, world: "World", user_id: str) -> None:
        self._world = world
        self.user_id = user_id
        self._client = AsyncWebClient(token=f"xoxp-{user_id}", base_url=world.bases["slack"] + "/api/")
        self._client.proxy = None

    async def reacts(self, message: dict[str, Any], name: str) -> None:
        await self._client.reactions_add(channel=CHANNEL, timestamp=message["ts"], name=name)

    async def takes_back(self, message: dict[str, Any], name: str) -> None:
        await self._client.reactions_remove(channel=CHANNEL, timestamp=message["ts"], name=name)

    async def presses(self, message: dict[str, Any], action_id: str) -> None:
        await self._press(message, action_id)

    async def _press(self, message: dict[str, Any], action_id: str) -> dict[str, Any]:
        wanted = {"channel": CHANNEL, "ts": message["ts"], "user": self.user_id, "action_id": action_id}
        answer = await self._order("press", wanted)
        assert answer["status"] == 200, answer
        return answer

    async def opens_reply(self, message: dict[str, Any]) -> dict[str, Any]:
        """Presses Reply; gives the window that opened."""
        view: dict[str, Any] | None = (await self._press(message, "reply"))["view"]
        assert view is not None, "no window opened"
        return view

    async def sends(self, view: dict[str, Any], words: str) -> dict[str, Any]:
        """Sends the words typed into an open window; gives `status`, `errors` and whether it is still `open`."""
        wanted = {"user": self.user_id, "view_id": view["id"], "values": {"words": {"words": words}}}
        return await self._order("submit", wanted)

    async def replies(self, message: dict[str, Any], words: str) -> None:
        """Presses Reply, types and sends; the window must close."""
        sent = await self.sends(await self.opens_reply(message), words)
        assert (sent["status"], sent["errors"], sent["open"]) == (200, {}, False), sent

    async def writes_in_thread(self, message: dict[str, Any], text: str, *files: str) -> str:
        """Types `text` into the thread, `>> ` and all; gives the ts of what was written."""
        wanted = {"channel": CHANNEL, "user": self.user_id, "text": text, "thread_ts": message["ts"]}
        answer = await self._order("say", {**wanted, "files": list(files)})
        return str(answer["ts"])

    async def is_told(self) -> list[str]:
        """What only this dispatcher was shown, oldest first."""
        answer = await self._world.http.get(f"{self._world.bases['slack']}/_emulator/ephemerals")
        notes = answer.raise_for_status().json()["ephemerals"]
        return [note["text"] for note in notes if note["user"] == self.user_id]

    async def is_told_of(self, *words: str) -> str:
        """Waits for such a note that has all these words; gives it."""

        def fitting(notes: list[str]) -> list[str]:
            return [note for note in notes if all(word in note for word in words)]

        seen = await eventually(
            self.is_told, lambda notes: bool(fitting(notes)), f"a note for {self.user_id} with {words}"
        )
        return fitting(seen)[-1]

    async def _order(self, what: str, wanted: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._world.bases['slack']}/_emulator/{what}"
        answer = await self._world.http.post(url, json=wanted)
        assert answer.is_success, answer.text
        result: dict[str, Any] = answer.json()
        return result


def readable(message: dict[str, Any]) -> str:
    """All that a dispatcher can read in one message, blocks first."""
    parts: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                parts.append(node["text"])
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(message.get("blocks", []))
    return "\n".join(parts) or str(message.get("text", ""))
