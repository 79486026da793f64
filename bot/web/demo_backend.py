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
from bot.web.demo_state import (
    ChannelState,
    ClockState,
    DayState,
    EphemeralState,
    Intervention,
    NewsState,
    Outcome,
    Person,
    PhoneState,
    ReadinessState,
)

M = TypeVar("M", bound=BaseModel)

READ_SECONDS = 5.0
# A press waits for Doorline's own answer, which Slack allows three seconds.
PRESS_SECONDS = 10.0
_TO_US = "inbound"


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

    async def press(self, channel: str, ts: str, user: str, action_id: str) -> None: ...

    async def set_speed(self, speed: float) -> ClockState: ...

    async def intervene(self, kind: Intervention) -> Outcome: ...


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

    async def press(self, channel: str, ts: str, user: str, action_id: str) -> None:
        order = {"channel": channel, "ts": ts, "user": user, "action_id": action_id}
        answer = await self._post(f"{self._slack}/_emulator/press", order, seconds=PRESS_SECONDS)
        if answer.get("status") != httpx.codes.OK:
            raise RefusedError("Doorline did not answer that press. Try again.")

    async def set_speed(self, speed: float) -> ClockState:
        return _read(ClockState, await self._post(f"{self._world}/world/speed", {"speed": speed}))

    async def intervene(self, kind: Intervention) -> Outcome:
        if kind == "late":
            ref = (await self._post(f"{self._world}/world/late", {})).get("driver_ref")
            return Outcome(
                said=f"{self._drivers.get(str(ref), 'A driver')} is held up in traffic.", driver_ref=ref
            )
        if kind == "fail":
            tracking = (await self._post(f"{self._world}/world/fail", {})).get("tracking")
            return Outcome(said="The next delivery on a route is going to fail.", tracking=tracking)
        down = kind == "onfleet_down"
        await self._post(f"{self._world}/world/onfleet", {"down": down})
        return Outcome(said="Onfleet is down." if down else "Onfleet is back.")

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
