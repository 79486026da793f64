"""Takes wanted stops in: judged once, under one key, and on their way to a platform or to a dispatcher."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.models import DeskTask
from bot.desk.service import DeskTasks
from bot.durable.queue import defer_each
from bot.intake import jobs
from bot.intake.errors import KeyReusedError
from bot.intake.forms import CleanStop, Finding, StopForm, window_of
from bot.intake.known import KnownSoFar
from bot.intake.models import RequestState, Source, StopRequest
from bot.intake.queries import take_turn
from bot.intake.reasons import Because, Verdict, verdict_of
from bot.intake.rules import Judged, judge, read_form
from bot.intake.telling import (
    TOLD_OF_REQUESTS,
    TellClient,
    id_of_key,
    request_facts,
    request_key,
    task_of_request,
)
from bot.sop import ProtocolInForce
from connectors.base import Capability, RoutingPlatform
from connectors.desk import Choice, TaskAction, TaskKind, TaskState


@dataclass(frozen=True)
class Submission:
    """One wanted stop and who wants it."""

    client: str
    form: StopForm
    source: Source
    key: str
    """Unique per client and wish: the same again is the same request."""
    asked_by: str
    unreadable: tuple[Finding, ...] = ()
    """What could not even be put into the form."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.form.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True)
class Reading:
    """A submission, read: clean, or what of it is wrong."""

    wanted: Submission
    clean: CleanStop | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Submitted:
    request: StopRequest
    is_repeat: bool = False
    duplicate: str | None = None
    """`stop` or `stop_request`, whichever `request.duplicate_of` is."""

    @property
    def is_to_be_entered(self) -> bool:
        return self.request.state is RequestState.RECEIVED


_STATES = {
    Verdict.ENTER: RequestState.RECEIVED,
    Verdict.ASK: RequestState.NEEDS_DISPATCHER,
    Verdict.REFUSE: RequestState.REFUSED,
}


class IntakeService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
        tasks: DeskTasks,
        tell_client: TellClient,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._tasks = tasks
        self._tell_client = tell_client
        tasks.on_decided(TaskKind.NEW_STOP, self._decided)
        tasks.on_expired(TaskKind.NEW_STOP, self._expired)

    async def submit(self, wanted: Submission) -> Submitted:
        """Judges one wanted stop and sends it on its way; the same key again changes nothing.

        Raises `KeyReusedError` when the key came with another wish before.
        """
        reading = self.read(wanted)
        async with self._database.transaction() as session:
            await take_turn(session)
            return (await self.submit_all(session, [reading]))[0]

    def read(self, wanted: Submission) -> Reading:
        """Pure, and not quick: it is done before anybody's turn."""
        clean, findings = read_form(wanted.form, self._sop.current.intake.country)
        findings = [*wanted.unreadable, *_beyond(findings, wanted.unreadable)]
        return Reading(wanted, clean if not findings else None, tuple(findings))

    async def submit_all(self, session: AsyncSession, readings: Sequence[Reading]) -> list[Submitted]:
        """As `submit`, in order, all of one client, in a transaction that has taken its turn."""
        earlier = await _of_keys(session, readings)
        new = [reading for reading in readings if reading.wanted.key not in earlier]
        known = KnownSoFar(session, readings[0].wanted.client, self._sop.current)
        await known.look_for([reading.clean for reading in new if reading.clean is not None])
        submitted = [await self._submit(session, known, earlier, reading) for reading in readings]
        await ask_to_enter(
            session,
            [each.request for each in submitted if not each.is_repeat and each.is_to_be_entered],
            self._clock,
        )
        return submitted

    async def _submit(
        self, session: AsyncSession, known: KnownSoFar, earlier: dict[str, StopRequest], reading: Reading
    ) -> Submitted:
        wanted, clean = reading.wanted, reading.clean
        before = earlier.get(wanted.key)
        if before is not None:
            if before.digest != wanted.digest:
                raise KeyReusedError("this key came with another wish before")
            return Submitted(before, is_repeat=True)
        judged = Judged(reading.findings, "", None)
        if clean is not None:
            about = await known.about(clean)
            judged = judge(
                clean, wanted.client, self._sop.current, self._accounts(), about, self._clock.now()
            )
        submitted = await self._keep(session, reading, judged)
        request = earlier[wanted.key] = submitted.request
        if clean is not None and request.state.is_pending:
            known.add(request.id, clean, takes_place=submitted.is_to_be_entered)
        return submitted

    async def _keep(self, session: AsyncSession, reading: Reading, judged: Judged) -> Submitted:
        """With the transaction's next statement; whoever calls asks for what is to be entered."""
        request = self._request(reading.wanted, reading.clean, judged)
        session.add(request)
        if request.state is RequestState.NEEDS_DISPATCHER:
            await self._tasks.open_once(
                session, task_of_request(request, self._sop.current.operator.timezone)
            )
        await self.note(session, request, actor=reading.wanted.asked_by or audit.SYSTEM)
        kind = None
        if judged.duplicate is not None:
            kind = "stop_request" if judged.duplicate.is_request else "stop"
        return Submitted(request, duplicate=kind)

    def _request(self, wanted: Submission, clean: CleanStop | None, judged: Judged) -> StopRequest:
        state = _STATES[verdict_of(finding.code for finding in judged.findings)]
        if clean is not None and state is RequestState.REFUSED:
            clean = clean.without_code()
        form = clean or wanted.form.model_copy(update={"access_code": ""})
        now = self._clock.now()
        window = window_of(wanted.form.start_at, wanted.form.end_at)
        reasons = [finding.model_dump() for finding in judged.findings]
        return StopRequest(
            id=uuid4(),
            own_ref=new_own_ref(),
            client=wanted.client,
            source=wanted.source,
            idempotency_key=wanted.key,
            digest=wanted.digest,
            form=form.model_dump(mode="json"),
            state=state,
            reasons=reasons,
            first_state=state,
            first_reasons=reasons,
            duplicate_of=judged.duplicate.id if judged.duplicate else None,
            order_ref=wanted.form.order_ref.strip() or None,
            zone=judged.zone,
            window_start_at=window.start_at if window else None,
            window_end_at=window.end_at if window else None,
            platform=judged.platform,
            asked_by=wanted.asked_by,
            asked_at=now,
            changed_at=now,
        )

    def _accounts(self) -> list[str]:
        return [name for name, each in self._platforms.items() if Capability.CREATE_STOP in each.capabilities]

    # --- deciding -------------------------------------------------------------------------------

    async def _decided(self, session: AsyncSession, task: DeskTask, action: TaskAction) -> TaskState:
        """In the gesture's transaction. What is approved is entered by a job, whatever the rules say."""
        request = await session.get_one(StopRequest, id_of_key(task.key), with_for_update=True)
        if request.state is not RequestState.NEEDS_DISPATCHER:
            return TaskState.EXPIRED
        request.decided_by = action.dispatcher
        if action.choice is Choice.APPROVE:
            return await self._approve(session, request)
        is_done = action.choice is Choice.DONE
        await self.end(session, request, RequestState.ENTERED if is_done else RequestState.DECLINED)
        return TaskState.DONE if is_done else TaskState.DECLINED

    async def _approve(self, session: AsyncSession, request: StopRequest) -> TaskState:
        request.platform = request.platform or next(iter(self._accounts()), None)
        if request.platform is None:
            # Nobody takes it but a person: it stays to be done by hand.
            request.reasons = [Finding(code=Because.NO_PLATFORM).model_dump()]
            return TaskState.OPEN
        request.state = RequestState.ENTERING
        request.changed_at = self._clock.now()
        await ask_to_enter(session, [request], self._clock)
        await self.note(session, request, actor=request.decided_by or audit.SYSTEM, tells=False)
        return TaskState.CARRYING_OUT

    async def _expired(self, session: AsyncSession, task: DeskTask) -> None:
        """Nobody decided before the wanted window was over."""
        request = await session.get_one(StopRequest, id_of_key(task.key), with_for_update=True)
        if request.state is RequestState.NEEDS_DISPATCHER:
            request.reasons = [*request.reasons, Finding(code=Because.PAST, field="window").model_dump()]
            await self.end(session, request, RequestState.DECLINED)

    async def withdraw(self, request_id: UUID, actor: str) -> StopRequest:
        """The client does not want it any more. Only what is not being entered yet ends; else unchanged."""
        async with self._database.transaction() as session:
            request = await session.get_one(StopRequest, request_id, with_for_update=True)
            if request.state is RequestState.NEEDS_DISPATCHER:
                await self.end(session, request, RequestState.CANCELLED, actor=actor)
                await self._tasks.close(session, request_key(request.id))
            return request

    async def end(
        self, session: AsyncSession, request: StopRequest, state: RequestState, *, actor: str | None = None
    ) -> None:
        """Its last state; the access code is not needed any more."""
        request.state, request.changed_at = state, self._clock.now()
        request.form = request.form | {"access_code": ""}
        await self.note(session, request, actor=actor or request.decided_by or audit.SYSTEM)

    async def note(
        self, session: AsyncSession, request: StopRequest, *, actor: str, tells: bool = True
    ) -> None:
        audit.record(
            session,
            self._clock.now(),
            "stop_request",
            str(request.id),
            request.state.value,
            actor=actor,
            reasons=list(request.codes),
            source=request.source.value,
        )
        kind = TOLD_OF_REQUESTS.get(request.state)
        if tells and kind is not None:
            await self._tell_client(session, request.client, kind, request.id, request_facts(request))

    # --- reading --------------------------------------------------------------------------------

    async def find(self, request_id: UUID) -> StopRequest | None:
        async with self._database.transaction() as session:
            return await session.get(StopRequest, request_id)


async def ask_to_enter(session: AsyncSession, requests: Sequence[StopRequest], clock: Clock) -> None:
    if not requests:
        return
    for request in requests:
        request.tried_at = clock.wall()
    wanted: list[tuple[str | None, dict[str, Any]]] = [
        (f"enter:{request.id}", {"request_id": str(request.id)}) for request in requests
    ]
    await defer_each(session, jobs.enter_stop, wanted)


async def _of_keys(session: AsyncSession, readings: Sequence[Reading]) -> dict[str, StopRequest]:
    found = await session.scalars(
        select(StopRequest).where(
            col(StopRequest.client) == readings[0].wanted.client,
            col(StopRequest.idempotency_key).in_([reading.wanted.key for reading in readings]),
        )
    )
    return {request.idempotency_key: request for request in found}


def _beyond(findings: list[Finding], unreadable: tuple[Finding, ...]) -> list[Finding]:
    """A window whose day or times could not be read is not also the wrong way round."""
    has_unread_window = any(finding.field in ("date", "start", "end") for finding in unreadable)
    return [finding for finding in findings if not (has_unread_window and finding.field == "window")]


def new_own_ref() -> str:
    """`D-` and 55 random bits in base 32."""
    return "D-" + base64.b32encode(secrets.token_bytes(7)).decode().rstrip("=")[:11]
