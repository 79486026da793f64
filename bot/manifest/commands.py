"""A dispatcher asks for a manifest: it is posted, or its post brought up to now."""

from datetime import date

from bot.clock import Clock
from bot.manifest.days import read_day
from bot.manifest.links import ManifestLinks
from bot.manifest.reading import ManifestReader
from bot.manifest.service import ManifestKeeper
from bot.sop import ProtocolInForce
from connectors.desk import AnswerCode, CommandAnswer, DeskCommand, ManifestView


class ShowManifest:
    def __init__(
        self,
        clock: Clock,
        sop: ProtocolInForce,
        reader: ManifestReader,
        keeper: ManifestKeeper,
        links: ManifestLinks,
    ) -> None:
        self._clock = clock
        self._sop = sop
        self._reader = reader
        self._keeper = keeper
        self._links = links

    async def __call__(self, command: DeskCommand) -> CommandAnswer:
        """Without a zone all of that day's. Carrying it out twice changes nothing."""
        try:
            day = self._day(command.fields.get("date", "").strip())
        except ValueError:
            return CommandAnswer(code=AnswerCode.NOT_READABLE)
        wanted = command.fields.get("zone", "").strip().casefold()
        facts = await self._reader.read(day)
        zones = [zone for zone in facts.zones if not wanted or zone.casefold() == wanted]
        views = [view for zone in zones if (view := await self._keeper.keep(zone, day)) is not None]
        return self._answer(views) if views else CommandAnswer(code=AnswerCode.NOTHING_FOUND)

    def _day(self, written: str) -> date:
        """Raises `ValueError` for what is not `YYYY-MM-DD`; nothing is the operator's today."""
        if written:
            return read_day(written)
        return self._clock.now().astimezone(self._sop.current.zone).date()

    def _answer(self, views: list[ManifestView]) -> CommandAnswer:
        only = views[0] if len(views) == 1 else None
        return CommandAnswer(
            code=AnswerCode.MANIFEST_POSTED,
            timezone=views[0].timezone,
            count=sum(view.stops for view in views),
            # Made anew, because the post's own link may have run out.
            page_url=self._links.page_url(only.zone, only.day) if only is not None else "",
        )
