"""The edge that Twilio calls about phone calls: what comes next in one, and what became of it.

The person waits on the phone while the first is answered, and Twilio for 15 s: our database is asked, no vendor.
"""

import structlog
from fastapi import APIRouter, Request, Response
from twilio.request_validator import RequestValidator

from connectors.errors import UnreadablePayloadError
from connectors.twilio import voice_mapping
from connectors.twilio.payloads import CallStatusForm, CallTurnForm
from connectors.twilio.webhook import EdgeRoute, empty_twiml, signed_fields
from connectors.voice import AnswerTurn, ReceiveCallReport

LAST_TURN = 99
LONGEST_ID = 64

log = structlog.get_logger()


def router(
    answer_turn: AnswerTurn, receive_report: ReceiveCallReport, *, auth_token: str, public_url: str
) -> APIRouter:
    """`POST /voice` and `POST /voice/status`, to be mounted under `/connectors/twilio`; see `webhook.router`."""
    routes = APIRouter(route_class=EdgeRoute, include_in_schema=False)
    validator = RequestValidator(auth_token)
    base = public_url.rstrip("/")

    @routes.post("/voice")
    async def say(request: Request) -> Response:
        form = CallTurnForm.read(dict(await signed_fields(request, validator, base)))
        call_id, turn = _call_id(request), _turn(request)
        spoken = await answer_turn(voice_mapping.turn_of(form, call_id, turn))
        path: str = request.scope["path"]
        next_url = voice_mapping.call_url(base + path, call_id, turn=str(turn + 1))
        return Response(voice_mapping.twiml(spoken, next_url), media_type="text/xml; charset=utf-8")

    @routes.post("/voice/status")
    async def receive_status(request: Request) -> Response:
        form = CallStatusForm.read(dict(await signed_fields(request, validator, base)))
        report = voice_mapping.report_from_form(form, _call_id(request))
        if report is None:
            log.warning("twilio.unknown_call_status", call_sid=form.call_sid, status=form.status)
        else:
            await receive_report(report)
        return empty_twiml()

    return routes


def _call_id(request: Request) -> str:
    """What names the call to us; empty for a call that is not of ours. It is no number of anybody."""
    call_id = request.query_params.get("page", "")
    if len(call_id) > LONGEST_ID:
        raise UnreadablePayloadError("page: too long")
    return call_id


def _turn(request: Request) -> int:
    turn = request.query_params.get("turn", "0")
    if not (turn.isascii() and turn.isdigit()) or int(turn) > LAST_TURN:
        raise UnreadablePayloadError("turn: not a small number")
    return int(turn)
