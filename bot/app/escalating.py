"""Escalations: who hears of a promise at risk, what they do about it; the services in the order of their needs."""

from typing import TypedDict

from bot.app.deeds import DeedServices, deed_services
from bot.app.desk import DeskServices
from bot.app.ground import Ground
from bot.app.oncall import OnCallServices
from bot.app.paging import PagingServices, open_paging, paging_services
from bot.conversations.notices import Notices
from bot.drivers.texts import DriverTexts
from bot.durable.outbox_ports import FailureDesk
from bot.escalations.desk import DeskKeeper
from bot.escalations.gestures import Gestures
from bot.escalations.promises import Promises
from bot.escalations.replies import Replies, UndeliveredReplies
from bot.escalations.service import EscalationService
from bot.escalations.view import ViewSources
from bot.paging.service import Paging
from bot.paging.telling import UndeliveredPages
from bot.paging.words import PageWords
from bot.requests.carrying import PlatformHand
from bot.requests.deciding import Deciding
from bot.requests.service import RequestService
from bot.sla.selfwatch import SelfWatch
from bot.sla.sweep import Sweep
from bot.stops.sync import PlatformSync
from connectors.slack import blocks as slack_words


class WatchServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    escalations: EscalationService
    sweep: Sweep
    self_watch: SelfWatch
    requests: RequestService
    deciding: Deciding
    gestures: Gestures
    promises: Promises
    desk_keeper: DeskKeeper


class Escalating:
    """Made in two steps: what raises escalations first, then, once drivers can be texted, what answers them."""

    def __init__(self, ground: Ground, desk: DeskServices, duty: OnCallServices) -> None:
        self._ground = ground
        self._desk = desk
        self._duty = duty
        self._caller = ground.vendors.caller
        paging = open_paging(ground.clock, ground.sop, ground.consent, ground.words, self._caller)
        self._paging: Paging = paging[0]
        self._said: PageWords = paging[1]
        self.service = EscalationService(
            ground.database,
            ground.clock,
            ground.sop,
            on_call=duty["on_call"],
            pager=self._paging,
            paused=duty["hold_back"],
            paused_steps=duty["hold_back"],
        )
        self.requests = RequestService(ground.database, ground.clock, ground.sop, self.service)

    def answered(
        self, sync: PlatformSync, notices: Notices, texts: DriverTexts
    ) -> tuple[WatchServices, DeedServices, PagingServices]:
        ground, on_call = self._ground, self._duty["on_call"]
        database, clock, sop = ground.database, ground.clock, ground.sop
        sources = ViewSources(on_call=on_call)
        keeper = DeskKeeper(database, clock, sop, ground.vendors.slack, slack_words, sources)
        hand = PlatformHand(database, clock, ground.platforms, sync, self._desk["desk_tasks"])
        deciding = Deciding(database, clock, notices, hand)
        deeds = deed_services(
            database,
            clock,
            sop,
            ground.platforms,
            sync,
            ground.consent,
            ground.words,
            texts,
            keeper,
            sources,
        )
        replies = Replies(clock, sop, ground.consent)
        gestures = Gestures(clock, sop, replies, deciding, deeds.deeds, on_call)
        pages = paging_services(database, clock, self._caller, self._paging, self._said, gestures, on_call)
        watch = WatchServices(
            escalations=self.service,
            sweep=Sweep(database, clock, sop, self.service),
            self_watch=SelfWatch(
                database,
                clock,
                sop,
                self.service,
                pages["operator_pages"],
                watches_channels=ground.vendors.slack is not None,
            ),
            requests=self.requests,
            deciding=deciding,
            gestures=gestures,
            promises=Promises(database, clock, sop, notices),
            desk_keeper=keeper,
        )
        return watch, deeds, pages

    def failure_desk(self) -> FailureDesk:
        """Who hears of messages that the carrier could not deliver."""
        return UndeliveredPages(self._ground.clock, UndeliveredReplies(self._ground.clock))
