"""Twilio's words about calls turned into ours, and ours into TwiML. Pure.

Sources: twilio.com/docs/voice/api/call-resource (statuses, status callbacks), twilio.com/docs/voice/twiml/gather,
twilio.com/docs/voice/answering-machine-detection (AnsweredBy).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from urllib.parse import urlencode

from twilio.twiml.voice_response import Gather, VoiceResponse

from connectors.twilio.mapping import CLOCK_SKEW
from connectors.twilio.payloads import CallResource, CallStatusForm, CallTurnForm
from connectors.voice import AnsweredBy, CallReport, CallStatus, CallTurn, OutgoingCall, Spoken

CHANNEL = "voice"

CONNECTION_OVERRIDES = "rc=3&rp=ct,rt,5xx&rt=4000"
"""Twilio retries a webhook only as the URL's fragment asks, all within 15 s, while the person waits on the phone."""

KEY_SECONDS = 6
"""For so long after the words a key is waited for."""

STATUSES = {
    "queued": CallStatus.QUEUED,
    "initiated": CallStatus.QUEUED,
    "ringing": CallStatus.RINGING,
    "in-progress": CallStatus.ANSWERED,
    "completed": CallStatus.COMPLETED,
    "busy": CallStatus.BUSY,
    "no-answer": CallStatus.NO_ANSWER,
    "failed": CallStatus.FAILED,
    "canceled": CallStatus.CANCELED,
}

VOICES = {"en": "en-US", "es": "es-US"}
"""Language of Twilio's standard voice."""


def call_url(url: str, call_id: str, **more: str) -> str:
    """`url` with our id in its query. What changes nothing is not signed: the fragment asks for retries."""
    return f"{url}?{urlencode({'page': call_id, **more})}#{CONNECTION_OVERRIDES}"


def answered_by(word: str | None) -> AnsweredBy:
    """Of `machine_start`, `machine_end_beep`, `fax`, `human`, `unknown`, or nothing where nobody looked."""
    if word == "human":
        return AnsweredBy.PERSON
    if word == "fax" or (word or "").startswith("machine"):
        return AnsweredBy.MACHINE
    return AnsweredBy.UNKNOWN


def report_from_resource(resource: CallResource, call_id: str | None = None) -> CallReport:
    """Twilio holds the call, so a status that we do not know means no more than that."""
    return CallReport(
        vendor_id=resource.sid,
        status=STATUSES.get(resource.status, CallStatus.QUEUED),
        call_id=call_id,
        answered_by=answered_by(resource.answered_by),
    )


def report_from_form(form: CallStatusForm, call_id: str | None) -> CallReport | None:
    """None for a status that we do not know."""
    status = STATUSES.get(form.status)
    if status is None:
        return None
    return CallReport(
        vendor_id=form.call_sid,
        status=status,
        call_id=call_id or None,
        answered_by=answered_by(form.answered_by),
    )


def turn_of(form: CallTurnForm, call_id: str, turn: int) -> CallTurn:
    return CallTurn(
        call_id=call_id,
        vendor_id=form.call_sid,
        turn=turn,
        key=form.digits[:1],
        answered_by=answered_by(form.answered_by),
    )


def earlier_call(
    candidates: Sequence[CallResource],
    call: OutgoingCall,
    number: str,
    attempted_at: datetime,
    known_vendor_ids: AbstractSet[str],
) -> CallResource | None:
    """The oldest of `candidates` that can only be `call`, or None. Calls of one person are placed one by one."""
    matches = [
        candidate
        for candidate in candidates
        if candidate.direction == "outbound-api"
        and candidate.recipient == call.to
        and candidate.sender in (number, None)
        and candidate.sid not in known_vendor_ids
        and candidate.date_created is not None
        and candidate.date_created >= attempted_at - CLOCK_SKEW
    ]
    return min(matches, key=lambda match: match.date_created or attempted_at, default=None)


def twiml(spoken: Spoken, next_url: str) -> str:
    """The answer to one turn. `next_url` is asked for the next one, whether or not a key was pressed."""
    response, language = VoiceResponse(), VOICES.get(spoken.language, VOICES["en"])
    if not spoken.asks:
        for line in spoken.lines:
            response.say(line, language=language)
        response.hangup()
        return str(response)
    gather = Gather(action=next_url, method="POST", num_digits=1, timeout=KEY_SECONDS, finish_on_key="")
    for line in spoken.lines:
        gather.say(line, language=language)
    response.append(gather)
    # Without a key Twilio goes on behind the Gather and does not ask its action.
    response.redirect(next_url, method="POST")
    return str(response)
