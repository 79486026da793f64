"""Gives out tokens, recognises them, takes them back."""

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import or_, select, update
from sqlmodel import col

from bot import audit
from bot.clients.models import ClientToken
from bot.clients.rules import Allowance, after_a_call, digest_of, is_token, new_token
from bot.clock import Clock
from bot.db import Database
from bot.errors import NotFoundError
from bot.sop import ProtocolInForce

USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """Who calls the API."""

    token_id: UUID
    client: str | None
    """None: an operator."""
    name: str = ""

    @property
    def is_operator(self) -> bool:
        return self.client is None

    @property
    def actor(self) -> str:
        """As the audit log names it."""
        return f"token:{self.token_id}"

    def may_see(self, client: str) -> bool:
        return self.client is None or self.client == client


class ClientTokens:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._allowances: dict[UUID, Allowance] = {}

    async def give_out(self, client: str | None, name: str = "") -> tuple[ClientToken, str]:
        """A new token, and its text, which is shown this once and never again."""
        text, now = new_token(), self._clock.wall()
        token = ClientToken(id=uuid4(), client=client, name=name, digest=digest_of(text), created_at=now)
        async with self._database.transaction() as session:
            session.add(token)
            audit.record(session, now, "token", str(token.id), "given_out", client=client or "")
        return token, text

    async def all(self) -> list[ClientToken]:
        """Newest last, revoked ones too."""
        async with self._database.transaction() as session:
            return list(await session.scalars(select(ClientToken).order_by(col(ClientToken.created_at))))

    async def revoke(self, token_id: UUID) -> None:
        """From now on it opens nothing. Raises `NotFoundError`; one that is revoked already stays so."""
        async with self._database.transaction() as session:
            token = await session.get(ClientToken, token_id, with_for_update=True)
            if token is None:
                raise NotFoundError(f"no token {token_id}")
            if token.revoked_at is None:
                token.revoked_at = self._clock.wall()
                audit.record(session, token.revoked_at, "token", str(token_id), "revoked")

    async def recognise(self, text: str) -> Caller | None:
        """Whose token it is; None for one that is unknown or revoked."""
        if not is_token(text):
            return None
        now = self._clock.wall()
        async with self._database.transaction() as session:
            # Looked up by its digest: how long it takes tells nothing about the token.
            token = await session.scalar(
                select(ClientToken).where(col(ClientToken.digest) == digest_of(text))
            )
            if token is None or token.revoked_at is not None:
                return None
            if token.last_used_at is None or token.last_used_at <= now - USE_NOTED_EVERY:
                await session.execute(
                    update(ClientToken)
                    .where(
                        col(ClientToken.id) == token.id,
                        or_(
                            col(ClientToken.last_used_at).is_(None),
                            col(ClientToken.last_used_at) <= now - USE_NOTED_EVERY,
                        ),
                    )
                    .values(last_used_at=now)
                    .execution_options(synchronize_session=False)
                )
            return Caller(token.id, token.client, token.name)

    def wait_for(self, caller: Caller) -> float:
        """Counts one call; gives the seconds that it must wait, 0 when it may pass. Counted per process."""
        per_minute = self._sop.current.intake.requests_per_minute
        allowance, wait = after_a_call(self._allowances.get(caller.token_id), per_minute, time.monotonic())
        self._allowances[caller.token_id] = allowance
        return wait
