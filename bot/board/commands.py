"""`/doorline recovery`: which failed deliveries wait for dispatch."""

from bot.board.links import BoardLinks
from bot.board.reading import BoardReader
from connectors.desk import AnswerCode, CommandAnswer, DeskCommand


class ShowFollowUps:
    """A handler of `DeskCommands`; it changes nothing."""

    def __init__(self, reader: BoardReader, links: BoardLinks) -> None:
        self._reader = reader
        self._links = links

    async def __call__(self, command: DeskCommand) -> CommandAnswer:
        """Without a zone of all. A zone that nobody knows is told so."""
        board = await self._reader.read()
        wanted = command.fields.get("zone", "").strip()
        zone = next((each for each in board.zones if each.casefold() == wanted.casefold()), None)
        if wanted and zone is None:
            return CommandAnswer(code=AnswerCode.NOTHING_FOUND, detail=wanted)
        ours = [each for each in board.follow_ups if not wanted or each.stop.zone == zone]
        waiting = [each for each in ours if each.waits_for_dispatch]
        asking = [each for each in ours if not (each.waits_for_dispatch or each.follow_up.state.is_over)]
        return CommandAnswer(
            code=AnswerCode.FOLLOW_UPS,
            timezone=board.timezone,
            follow_ups=tuple(waiting),
            count=len(waiting) + len(asking),
            detail=zone or "",
            page_url=self._links.page_url(zone if wanted else None),
        )
