"""Posts that are kept current in place: posted once, edited when something that can be seen has changed."""

from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.desk.keeper import ask, show
from bot.desk.models import DeskBoard
from bot.desk.rules import digest_of
from connectors.desk import BoardView


class DeskBoards:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def keep(self, session: AsyncSession, key: str, channel: str, view: BoardView) -> None:
        """Posts the view under this key, or lets its message show it from now on; the same content: nothing."""
        content, digest = view.model_dump(mode="json"), digest_of(view)
        board = await self._insert(session, key, channel, digest, content)
        if board is not None:
            audit.record(session, self._clock.now(), "desk_board", str(board.id), "posted", key=key)
            await ask(session, board)
            return
        board = await self._locked(session, key)
        if board.digest != digest:
            board.digest, board.view = digest, content
            audit.record(session, self._clock.now(), "desk_board", str(board.id), "changed", key=key)
            await show(session, board, self._clock)

    async def is_kept(self, session: AsyncSession, key: str) -> bool:
        """Whether something was posted under this key."""
        return await session.scalar(select(col(DeskBoard.id)).where(col(DeskBoard.key) == key)) is not None

    async def _insert(
        self, session: AsyncSession, key: str, channel: str, digest: str, content: dict[str, object]
    ) -> DeskBoard | None:
        """None when there is one under this key."""
        values = {
            "id": uuid4(),
            "key": key,
            "channel": channel,
            "digest": digest,
            "view": content,
            "revision": 1,
            "posted_revision": 0,
            "asked_at": self._clock.wall(),
        }
        statement = insert(DeskBoard).values(values).on_conflict_do_nothing(index_elements=["key"])
        board_id = (await session.execute(statement.returning(col(DeskBoard.id)))).scalar_one_or_none()
        return await session.get_one(DeskBoard, board_id) if board_id is not None else None

    async def _locked(self, session: AsyncSession, key: str) -> DeskBoard:
        query = select(DeskBoard).where(col(DeskBoard.key) == key).with_for_update()
        return (await session.scalars(query.execution_options(populate_existing=True))).one()
