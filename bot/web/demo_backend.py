"""Where the demo page gets its world from: the protocol, and the one over HTTP to the emulators."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from bot.demo import files
from bot.errors import DoorlineError
from bot.settings import Settings
from bot.stops.accounts import told_name
from bot.web.demo_state import (
    ChannelState,
    ClockState,
    DayState,
    EphemeralState,
    FailReason,
    Intervention,
    NewsState,
    Outcome,
    Person,
    PhoneState,
    PressedState,
    ReadinessState,
    SubmittedState,
)

M = TypeVar("M", bound=BaseModel)

READ_SECONDS = 5.0
# A press waits for Doorline's own answer, which Slack allows three seconds.
PRESS_SECONDS = 10.0
_TO_US = "inbound"

FAIL_WORDS: Mapping[FailReason, str] = {
    "recipient_unavailable": "Nobody home",
    "access_issue": "Gate locked",
    "address_issue": "Wrong address",
}
"""In the order in which the page offers them."""


class WorldUnreachableError(DoorlineError):
    """The pretended world is starting, or gone."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class RefusedError(DoorlineError):
    """The pretended world said no; the text is meant for the person at the page."""

    status = HTTPStatus.BAD_REQUEST


class DemoBackend(Protocol):
    """Reads raise `WorldUnreachableError`; what changes something may raise `RefusedError` too."""

    @property
    def dispatchers(self) -> Sequence[Person]: ...

    async def readiness(self) -> ReadinessState: ...

    async def clock(self) -> ClockState: ...

    async def day(self) -> DayState: ...

    async def phone(self, phone: str) -> PhoneState: ...

    async def news(self) -> NewsState: ...

    async def channel(self) -> ChannelState: ...

    async def text(self, phone: str, body: str) -> None: ...

    async def react(self, channel: str, ts: str, name: str, user: str, *, remove: bool) -> None: ...

    async def press(self, channel: str, ts: str, user: str, action_id: str) -> PressedState: ...

    async def command(self, channel: str, user: str, text: str) -> PressedState: ...

    async def submit(
        self, user: str, view_id: str, values: Mapping[str, Mapping[str, str]]
    ) -> SubmittedState: ...

    async def close(self, user: str) -> None: ...

    async def say(self, channel: str, thread_ts: str, user: str, text: str) -> None: ...

    async def set_speed(self, speed: float) -> ClockState: ...

    async def intervene(self, kind: Intervention, reason: FailReason | None = None) -> Outcome: ...


class HttpDemoBackend:
    """Talks to the processes of `doorline demo`.

    `readiness` is asked each time; its answer needs the fields of `ReadinessState`.
    """

    def __init__(
        self,
        *,
        twilio: str,
        slack: str,
        world: str,
        channel_id: str,
        dispatchers: Sequence[Person],
        readiness: Callable[[], Awaitable[BaseModel]],
    ) -> None:
        self.dispatchers: Sequence[Person] = tuple(dispatchers)
        self._twilio, self._slack, self._world = twilio, slack, world
        self._channel_id = channel_id
        self._readiness = readiness
        self._drivers: dict[str, str] = {}
        # trust_env off: the machine's proxy must not be asked about 127.0.0.1.
        self._http = httpx.AsyncClient(timeout=READ_SECONDS, trust_env=False)

    @classmethod
    def for_settings(cls, settings: Settings, readiness: Callable[[], Awaitable[BaseModel]]) -> Self:
        """The backend of a process that `doorline demo` started."""
        if settings.doorline_demo_world is None or settings.doorline_demo_slack is None:
            raise WorldUnreachableError("this process was not started by `doorline demo`")
        return cls(
            twilio=settings.twilio_api_base,
            slack=settings.doorline_demo_slack,
            world=settings.doorline_demo_world,
            channel_id=files.SLACK_CHANNELS[0]["id"],
            dispatchers=[Person.model_validate(person) for person in files.DISPATCHERS],
            readiness=readiness,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    # --- reading ------------------------------------------------------------------------------

    async def readiness(self) -> ReadinessState:
        return ReadinessState.model_validate((await self._readiness()).model_dump())

    async def clock(self) -> ClockState:
        return _read(ClockState, await self._get(f"{self._world}/world/clock"))

    async def day(self) -> DayState:
        day = _read(DayState, await self._get(f"{self._world}/world/summary"))
        self._drivers = {route.driver_ref: route.driver for route in day.routes}
        return day

    async def phone(self, phone: str) -> PhoneState:
        answer = await self._get(f"{self._twilio}/_emulator/messages", phone=phone)
        return _read(PhoneState, {"phone": phone, "messages": answer["messages"]})

    async def news(self) -> NewsState:
        answer = await self._get(f"{self._twilio}/_emulator/messages")
        texts = _read(_Texts, answer).messages
        return NewsState(received=dict(Counter(text.to for text in texts if text.direction != _TO_US)))

    async def channel(self) -> ChannelState:
        channel = await self._get(f"{self._slack}/_emulator/channels/{self._channel_id}")
        whispers = (await self._get(f"{self._slack}/_emulator/ephemerals"))["ephemerals"]
        here = [whisper for whisper in whispers if whisper.get("channel") == self._channel_id]
        return _read(ChannelState, channel | {"ephemerals": [_read(EphemeralState, one) for one in here]})

    # --- changing -----------------------------------------------------------------------------

    async def text(self, phone: str, body: str) -> None:
        await self._post(f"{self._twilio}/_emulator/inbound", {"from": phone, "body": body})

    async def react(self, channel: str, ts: str, name: str, user: str, *, remove: bool) -> None:
        order = {"channel": channel, "ts": ts, "name": name, "user": user, "remove": remove}
        await self._post(f"{self._slack}/_emulator/react", order)

    async def press(self, channel: str, ts: str, user: str, action_id: str) -> PressedState:
        order = {"channel": channel, "ts": ts, "user": user, "action_id": action_id}
        answer = await self._post(f"{self._slack}/_emulator/press", order, seconds=PRESS_SECONDS)
        pressed = _read(PressedState, answer)
        if pressed.status != httpx.codes.OK:
            raise RefusedError("Doorline did not answer that press. Try again.")
        return pressed

    async def command(self, channel: str, user: str, text: str) -> PressedState:
        order = {"channel": channel, "user": user, "text": text}
        answer = await self._post(f"{self._slack}/_emulator/command", order, seconds=PRESS_SECONDS)
        typed = _read(PressedState, answer)
        if typed.status != httpx.codes.OK:
            raise RefusedError("Doorline did not answer that command. Try again.")
        return typed

    async def submit(
        self, user: str, view_id: str, values: Mapping[str, Mapping[str, str]]
    ) -> SubmittedState:
        order = {"user": user, "view_id": view_id, "values": values}
        answer = await self._post(f"{self._slack}/_emulator/submit", order, seconds=PRESS_SECONDS)
        submitted = _read(SubmittedState, answer)
        if submitted.status != httpx.codes.OK and not submitted.errors:
            raise RefusedError("Doorline did not take that. Your words are still here: try again.")
        return submitted

    async def close(self, user: str) -> None:
        await self._post(f"{self._slack}/_emulator/close", {"user": user})

    async def say(self, channel: str, thread_ts: str, user: str, text: str) -> None:
        order = {"channel": channel, "thread_ts": thread_ts, "user": user, "text": text}
        await self._post(f"{self._slack}/_emulator/say", order)

    async def set_speed(self, speed: float) -> ClockState:
        return _read(ClockState, await self._post(f"{self._world}/world/speed", {"speed": speed}))

    async def intervene(self, kind: Intervention, reason: FailReason | None = None) -> Outcome:
        """`reason` is that of a delivery that fails."""
        if kind == "late":
            return await self._make_late()
        if kind == "fail":
            return await self._fail(reason or "recipient_unavailable")
        platform, _, what = kind.rpartition("_")
        await self._post(f"{self._world}/world/platform", {"platform": platform, "down": what == "down"})
        return Outcome(said=f"{told_name(platform)} is {'down' if what == 'down' else 'back'}.")

    async def _make_late(self) -> Outcome:
        done = _read(_Done, await self._post(f"{self._world}/world/late", {}))
        driver = self._drivers.get(done.driver_ref or "", "A driver")
        said = f"{driver} is held up in traffic."
        if done.name:
            said += f" {done.name} is going to wait: this is their phone."
        return Outcome(said=said, driver_ref=done.driver_ref, phone=done.phone)

    async def _fail(self, reason: FailReason) -> Outcome:
        done = _read(_Done, await self._post(f"{self._world}/world/fail", {"reason": reason}))
        said = f"{FAIL_WORDS[reason]}: the delivery to {done.name or 'somebody'} fails. This is their phone."
        return Outcome(said=said, tracking=done.tracking, phone=done.phone)

    # --- the wire -----------------------------------------------------------------------------

    async def _get(self, url: str, **query: str) -> dict[str, Any]:
        return await self._ask("GET", url, params=query)

    async def _post(
        self, url: str, body: Mapping[str, object], seconds: float = READ_SECONDS
    ) -> dict[str, Any]:
        return await self._ask("POST", url, json=dict(body), timeout=seconds)

    async def _ask(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        try:
            response = await self._http.request(method, url, **request)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise WorldUnreachableError("the pretended world does not answer yet") from exc
        if response.is_client_error:
            raise RefusedError(
                str(answer.get("error") or answer.get("detail") or "The pretended world refused that.")
            )
        if not response.is_success or not isinstance(answer, dict):
            raise WorldUnreachableError(f"the pretended world answered {response.status_code}")
        return answer


class _Done(BaseModel):
    """What the pretended world says that it did, and to whom."""

    driver_ref: str | None = None
    tracking: str | None = None
    phone: str | None = None
    name: str = ""


class _Addressed(BaseModel):
    direction: str
    to: str


class _Texts(BaseModel):
    messages: tuple[_Addressed, ...]


def _read(model: type[M], answer: object) -> M:
    """A wire answer as `model`; one that does not fit is no world of ours."""
    try:
        return model.model_validate(answer)
    except ValidationError as exc:
        raise WorldUnreachableError("the pretended world answers what this page cannot read") from exc
