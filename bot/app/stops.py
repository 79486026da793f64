"""Stops and what is known and wanted of them: the services, in the order in which they need each other."""

from datetime import timedelta
from typing import TypedDict

from bot.app.ground import Ground
from bot.conversations.handoff import Handoff
from bot.conversations.notices import Notices
from bot.drivers.reported import about_picture
from bot.escalations.service import EscalationService
from bot.incidents.media import MediaStore
from bot.incidents.photos import PhotoKeeper
from bot.incidents.service import IncidentService
from bot.links import SignedLinks
from bot.requests.service import RequestService
from bot.stops.finder import StopFinder
from bot.stops.inbound import FeedWatch, events_pause, read_pause
from bot.stops.instructions import InstructionService, TellsDriver
from bot.stops.proof import ProofService
from bot.stops.service import StopService
from bot.stops.sync import PlatformSync
from connectors.base import Channel, ChannelName


class StopServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    finder: StopFinder
    stops: StopService
    instructions: InstructionService
    proof_links: SignedLinks
    proofs: ProofService
    feeds: FeedWatch


class ReportServices(TypedDict):
    """Of what recipients report: missing and damaged parcels, with their pictures."""

    photos: PhotoKeeper
    incidents: IncidentService


def sync_of(ground: Ground) -> PlatformSync:
    sop, clock = ground.sop, ground.clock
    return PlatformSync(
        ground.database,
        clock,
        ground.platforms,
        lambda: read_pause(sop, clock),
        lambda: events_pause(sop, clock),
    )


def stop_services(
    ground: Ground,
    sync: PlatformSync,
    escalations: EscalationService,
    requests: RequestService,
    driver: TellsDriver,
) -> StopServices:
    database, clock, sop, platforms = ground.database, ground.clock, ground.sop, ground.platforms
    finder = StopFinder(database, clock, sop, platforms)
    links = ground.links("proof", lambda: timedelta(hours=sop.current.proof.link_hours))
    return StopServices(
        finder=finder,
        stops=StopService(database, clock, sop, platforms, sync, finder),
        instructions=InstructionService(database, clock, platforms, sync, finder, requests, driver),
        proof_links=links,
        proofs=ProofService(database, clock, sop, finder, links, platforms),
        feeds=FeedWatch(database, clock, sop, escalations, platforms),
    )


def report_services(
    ground: Ground,
    channels: dict[ChannelName, Channel],
    escalations: EscalationService,
    handoff: Handoff,
    notices: Notices,
) -> ReportServices:
    database, clock, sop = ground.database, ground.clock, ground.sop
    store = MediaStore(ground.settings.doorline_var / "media")
    links = ground.links("incidents/photo", lambda: timedelta(days=sop.current.incidents.photo_link_days))
    photos = PhotoKeeper(database, clock, sop, escalations, notices, channels, store, links, about_picture)
    incidents = IncidentService(database, clock, sop, handoff, escalations, photos)
    return ReportServices(photos=photos, incidents=incidents)
