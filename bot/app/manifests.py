"""The manifests and who hears of late changes: the services, in the order in which they need each other."""

from collections.abc import Mapping
from typing import TypedDict

from bot.app.desk import DeskServices
from bot.clock import Clock
from bot.db import Database
from bot.drivers.queries import shift_states
from bot.drivers.texts import DriverTexts
from bot.links import SignedLinks
from bot.manifest.commands import ShowManifest
from bot.manifest.links import ManifestLinks
from bot.manifest.reading import ManifestReader
from bot.manifest.service import ManifestKeeper
from bot.manifest.telling import TellDrivers
from bot.manifest.watching import LateChanges
from bot.sop import ProtocolInForce
from connectors.base import Capability, RoutingPlatform
from connectors.desk import CommandKind


class ManifestServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    manifest_reader: ManifestReader
    manifest_links: ManifestLinks
    manifests: ManifestKeeper
    late_changes: LateChanges


def manifest_services(
    database: Database,
    clock: Clock,
    sop: ProtocolInForce,
    desk: DeskServices,
    texts: DriverTexts,
    signed: SignedLinks,
    public_url: str,
    platforms: Mapping[str, RoutingPlatform],
) -> ManifestServices:
    """`signed` is for what `public_url` leads to: the manifests' page."""
    links = ManifestLinks(signed, public_url)
    reader = ManifestReader(database, clock, shift_states)
    keeper = ManifestKeeper(database, clock, sop, reader, desk["desk_boards"], links)
    show = ShowManifest(clock, sop, reader, keeper, links)
    desk["desk_commands"].on(CommandKind.SHOW_MANIFEST, show)
    releasing = {name for name, each in platforms.items() if Capability.RELEASE_ROUTES in each.capabilities}
    return ManifestServices(
        manifest_reader=reader,
        manifest_links=links,
        manifests=keeper,
        late_changes=LateChanges(database, clock, sop, desk["desk_tasks"], TellDrivers(texts), releasing),
    )
