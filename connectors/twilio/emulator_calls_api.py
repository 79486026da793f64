"""The Calls API of the pretended Twilio, and under `/_emulator/` what tests and the demo page do with phones.

`GET /_emulator/calls?phone=` lists calls with what was heard; `POST /_emulator/callers` says what somebody does when
their phone rings: `{"phone": "+1...", "kind": "answers", "keys": ["1"]}`, see `Habit`. Not emulated: recordings,
applications, SIP, redirecting a call under way.
"""

from collections.abc import Awaitable, Callable

from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.emulation import read_json
from connectors.twilio.emulator_call_state import (
    CallOrder,
    CallQuery,
    StoredCall,
    call_page,
    call_resource,
    refusal_for_call,
)
from connectors.twilio.emulator_calls import PretendedCalls
from connectors.twilio.emulator_phones import Habit
from connectors.twilio.emulator_state import API_VERSION
from connectors.twilio.emulator_wire import form_of, not_found, refused

Handler = Callable[[Request], Awaitable[Response]]

UNSUPPORTED = ("ApplicationSid", "FallbackUrl", "SendDigits", "Record", "AsyncAmd", "Byoc")
"""Parameters of a create request that change what happens and that we do not pretend to know."""


class CallerOrder(Habit):
    """Body of `POST /_emulator/callers`."""

    phone: str = Field(pattern=r"^\+[0-9]{3,15}$")


class CallsApi:
    def __init__(self, calls: PretendedCalls) -> None:
        self._calls = calls
        self._account = calls.account

    def vendor_routes(self) -> list[tuple[str, str, Handler]]:
        account = f"/{API_VERSION}/Accounts/{{account_sid}}"
        return [
            ("POST", f"{account}/Calls.json", self._create),
            ("GET", f"{account}/Calls.json", self._list),
            ("GET", f"{account}/Calls/{{sid}}.json", self._fetch),
            ("POST", f"{account}/Calls/{{sid}}.json", self._update),
            ("GET", f"{account}/IncomingPhoneNumbers.json", self._numbers),
        ]

    def own_routes(self) -> list[Route]:
        return [
            Route("/_emulator/calls", self._show, methods=["GET"]),
            Route("/_emulator/callers", self._script, methods=["POST"]),
        ]

    async def _create(self, request: Request) -> Response:
        form = await form_of(request)
        for name in UNSUPPORTED:
            if name in form:
                self._account.alert("", f"creating a call: {name} is not emulated", 20001)
                return refused(20001, name)
        order = CallOrder.read(form)
        refusal = refusal_for_call(order, self._account.number)
        if refusal is not None:
            return refused(refusal.code, refusal.value)
        return JSONResponse(call_resource(self._calls.take_order(order), self._account.account_sid), 201)

    async def _list(self, request: Request) -> Response:
        try:
            query = CallQuery.read(request.query_params)
        except ValueError:
            return refused(20001, request.url.query)
        return JSONResponse(call_page(self._calls.calls, query, self._account.account_sid))

    async def _fetch(self, request: Request) -> Response:
        call = self._calls.calls.find(request.path_params["sid"])
        if call is None:
            return not_found(request)
        return JSONResponse(call_resource(call, self._account.account_sid))

    async def _update(self, request: Request) -> Response:
        call = self._calls.calls.find(request.path_params["sid"])
        if call is None:
            return not_found(request)
        form = await form_of(request)
        ending = next(iter(form.get("Status", [])), "")
        if set(form) != {"Status"} or ending not in ("completed", "canceled"):
            self._account.alert(call.sid, f"changing a call: {', '.join(form)} is not emulated", 20001)
            return refused(20001, ", ".join(form))
        if call.is_over:
            return refused(21220)
        return JSONResponse(call_resource(self._calls.end(call.sid, ending), self._account.account_sid))

    async def _numbers(self, request: Request) -> Response:
        """The one number of the account, where it is asked for by name or not at all."""
        wanted = request.query_params.get("PhoneNumber", self._account.number)
        uri = request.url.path
        number = {
            "sid": "PN" + "0e" * 16,
            "account_sid": self._account.account_sid,
            "phone_number": self._account.number,
            "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        }
        found = [number] if wanted == self._account.number else []
        page = {"page": 0, "page_size": 50, "start": 0, "end": 0, "uri": uri, "first_page_uri": uri}
        rest = {"next_page_uri": None, "previous_page_uri": None}
        return JSONResponse({"incoming_phone_numbers": found, **page, **rest})

    async def _show(self, request: Request) -> Response:
        # A bare + in a query means a space.
        phone = request.query_params.get("phone", "").replace(" ", "+")
        calls = [call for call in self._calls.calls if phone in ("", call.recipient)]
        return JSONResponse({"calls": [_shown(call) for call in calls]})

    async def _script(self, request: Request) -> Response:
        try:
            order = CallerOrder.model_validate(await read_json(request))
        except ValidationError as exc:
            return JSONResponse({"detail": str(exc)}, 422)
        habit = Habit.model_validate(order.model_dump(exclude={"phone"}))
        self._calls.habit_for(order.phone, habit)
        return JSONResponse({"phone": order.phone, **habit.model_dump(mode="json")})


def _shown(call: StoredCall) -> dict[str, object]:
    return {
        "sid": call.sid,
        "to": call.recipient,
        "from": call.sender,
        "status": call.status,
        "answered_by": call.answered_by,
        "seconds": call.seconds,
        "heard": list(call.heard),
        "languages": list(call.languages),
        "pressed": call.pressed,
        "at": call.created_at.isoformat(),
    }
