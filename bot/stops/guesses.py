"""Wrong guesses are few and slow: every number that somebody must prove to know is looked up through here.

A session that guessed wrong too often is locked for a day. An address is slowed down from its third wrong try
on, across its sessions. Neither ever says which half was wrong, nor whether a number exists.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import Conversation
from bot.stops.access import Seen
from bot.stops.access_models import ProofAttempt
from connectors.base import ChannelName

LOCKED_FOR = timedelta(days=1)
SLOW_FROM = 3
"""Wrong tries of one address after which the next one has to wait."""
LONGEST_WAIT = timedelta(minutes=10)

LookUp = Callable[[], Awaitable[list[Seen]]]


def address_of(conversation: Conversation, network_address: str | None) -> str:
    """Whom to slow down: the browser's network on web chat, else the person's address."""
    if conversation.channel is ChannelName.WEBCHAT and network_address:
        return f"webchat:{_network(network_address)}"
    return f"{conversation.channel.value}:{conversation.address.lower()}"


def _network(address: str) -> str:
    """One household has a whole /64 of IPv6 addresses to write from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return f"{parsed.exploded[:19]}::/64" if isinstance(parsed, IPv6Address) else str(parsed)


def is_locked(conversation: Conversation, tries_allowed: int, wall: datetime) -> bool:
    since = conversation.wrong_tracking_since
    return (
        since is not None
        and wall - since <= LOCKED_FOR
        and conversation.wrong_tracking_tries >= tries_allowed
    )


def wait_after(wrong_tries: int) -> timedelta:
    """How long nothing is looked up after that many wrong tries of one address: 8 s, 16 s ... ten minutes."""
    if wrong_tries < SLOW_FROM:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(wrong_tries, 16)), LONGEST_WAIT)


async def judge(
    session: AsyncSession, conversation: Conversation, address: str, look_up: LookUp, clock: Clock
) -> list[Seen]:
    """What `look_up` finds; empty, and a wrong try more, where it finds nothing.

    Empty too, without looking and without counting, while the address has to wait. One address is judged once
    at a time, however many sessions it opens.
    """
    wall = clock.wall()
    attempt = await _attempt_of(session, address, wall)
    if attempt.next_allowed_at is not None and attempt.next_allowed_at > wall:
        return []
    found = await look_up()
    if not found:
        _slow_down(attempt, wall)
        await _count(session, conversation, clock)
    return found


async def _attempt_of(session: AsyncSession, address: str, wall: datetime) -> ProofAttempt:
    """The row of an address, locked until the transaction ends; a day after its first wrong try it is new."""
    is_over = col(ProofAttempt.first_at) < wall - LOCKED_FOR
    statement = insert(ProofAttempt).values(address=address, wrong_tries=0, first_at=wall)
    fresh = {
        "wrong_tries": case((is_over, 0), else_=col(ProofAttempt.wrong_tries)),
        "first_at": case((is_over, wall), else_=col(ProofAttempt.first_at)),
    }
    statement = statement.on_conflict_do_update(index_elements=["address"], set_=fresh)
    rows = await session.scalars(
        statement.returning(ProofAttempt), execution_options={"populate_existing": True}
    )
    return rows.one()


def _slow_down(attempt: ProofAttempt, wall: datetime) -> None:
    if attempt.wrong_tries == 0:
        attempt.first_at = wall
    attempt.wrong_tries += 1
    attempt.next_allowed_at = wall + wait_after(attempt.wrong_tries)


async def _count(session: AsyncSession, conversation: Conversation, clock: Clock) -> None:
    await session.refresh(conversation, with_for_update=True)
    since, wall = conversation.wrong_tracking_since, clock.wall()
    if since is None or wall - since > LOCKED_FOR:
        conversation.wrong_tracking_tries, conversation.wrong_tracking_since = 0, wall
    conversation.wrong_tracking_tries += 1
    audit.record(
        session,
        clock.now(),
        "conversation",
        str(conversation.id),
        "wrong_proof",
        actor="recipient",
        tries=conversation.wrong_tracking_tries,
    )
