"""Takes mails to the relay: marked before the call, repeated under the same Message-ID, refused for good."""

from datetime import timedelta
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.reports.models import Letter, MailState
from connectors.base import LetterWithFiles, MailedFile
from connectors.errors import (
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    UndeliverableError,
)

log = structlog.get_logger()

Row = TypeVar("Row", bound=Letter)


class SendsFiles(Protocol):
    async def send_files(self, letter: LetterWithFiles) -> None:
        """Hands one mail to the relay; the same `mail_id` always carries the same Message-ID.

        Raises:
            ChannelUnavailableError: not sent, try later.
            OutcomeUnknownError: perhaps sent.
            UndeliverableError: never.
            ChannelMisconfiguredError: for the operator to mend.
        """
        ...


class Letters(Generic[Row]):
    """The mails of one table. `sender` is None where email is off: mails wait until it is on."""

    kind: ClassVar[str]
    """As the audit log and the process's log name them."""

    def __init__(self, database: Database, clock: Clock, sender: SendsFiles | None, table: type[Row]) -> None:
        self._database = database
        self._clock = clock
        self._sender = sender
        self._table = table

    async def files_of(self, session: AsyncSession, mail: Row) -> tuple[MailedFile, ...]:
        """What is attached."""
        return ()

    def facts_of(self, mail: Row) -> dict[str, Any]:
        """What the audit log notes of it; no address, no words."""
        return {}

    async def send(self, mail_id: UUID) -> None:
        """Sends one mail unless it left already.

        A mail whose outcome is unknown is sent again: SMTP cannot be asked what it took. It carries the same
        Message-ID, by which mail servers and programs show one.

        Raises:
            ChannelUnavailableError: not sent; the job is to be run again later.
        """
        if self._sender is None:
            log.warning(f"{self.kind}_waits", mail_id=str(mail_id), reason="email is off")
            return
        letter = await self._claim(mail_id)
        if letter is None:
            return
        try:
            await self._sender.send_files(letter)
        except ChannelUnavailableError:
            await self._set(mail_id, MailState.QUEUED)
            raise
        except OutcomeUnknownError as exc:
            raise ChannelUnavailableError(
                exc.channel, "outcome unknown", retry_after=timedelta(seconds=5)
            ) from exc
        except UndeliverableError as exc:
            log.error(f"{self.kind}_refused", mail_id=str(mail_id), code=exc.code)
            await self._set(mail_id, MailState.REFUSED, exc.code or "undeliverable")
        except ChannelMisconfiguredError as exc:
            log.error("channel_misconfigured", channel=exc.channel, code=exc.code)
            await self._set(mail_id, MailState.QUEUED)
            raise ChannelUnavailableError(
                exc.channel, "misconfigured", exc.code, timedelta(seconds=30)
            ) from exc
        else:
            await self._set(mail_id, MailState.SENT)

    async def _claim(self, mail_id: UUID) -> LetterWithFiles | None:
        async with self._database.transaction() as session:
            mail = await session.get(self._table, mail_id, with_for_update=True)
            if mail is None or mail.state not in (MailState.QUEUED, MailState.SENDING):
                return None
            mail.state = MailState.SENDING
            mail.attempts += 1
            mail.asked_at = self._clock.wall()
            return LetterWithFiles(
                mail_id=str(mail.id),
                recipient=mail.recipient,
                subject=mail.subject,
                text=mail.text,
                files=await self.files_of(session, mail),
            )

    async def _set(self, mail_id: UUID, state: MailState, code: str = "") -> None:
        async with self._database.transaction() as session:
            mail = await session.get_one(self._table, mail_id, with_for_update=True)
            if mail.state is not MailState.SENDING:
                return
            mail.state, mail.error_code = state, code
            now = self._clock.now()
            if state is MailState.SENT:
                mail.sent_at = now
            if state is not MailState.QUEUED:
                audit.record(session, now, self.kind, str(mail_id), state.value, **self.facts_of(mail))
