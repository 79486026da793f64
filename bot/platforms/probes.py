"""What `doorline doctor` says of the accounts of the routing platforms."""

from bot.app import Vendors
from bot.app.accounts import accounts_off, route4me_webhook_url
from bot.keys import secret_key
from bot.platforms.matrix import summary
from bot.settings import Settings
from bot.sop import Platforms
from bot.stops.accounts import told_name
from connectors.base import Probe, RoutingPlatform

MASK = "…"


async def platform_probes(
    settings: Settings, platforms: Platforms, vendors: Vendors, *, show_secrets: bool = False
) -> list[Probe]:
    """One line per account: whether it answers, what it cannot do, and what its owner has yet to set up."""
    probes = []
    for account in vendors.accounts:
        probe = await _probe(vendors.platforms[account.name])
        if account.vendor == "route4me" and probe.healthy:
            url = route4me_webhook_url(settings.public_url, account, secret_key(settings))
            shown = url if show_secrets else url[: url.rindex("/") + 5] + MASK
            more = "" if show_secrets else " (whole with --show-secrets)"
            probe = probe.model_copy(
                update={"detail": f"{probe.detail}; paste as the account's webhook: {shown}{more}"}
            )
        probes.append(probe)
    off = [
        Probe(name=told_name(name), healthy=True, detail=f"off: {name.upper()}_API_KEY is not set")
        for name in accounts_off(settings, platforms)
    ]
    return probes + off


async def _probe(platform: RoutingPlatform) -> Probe:
    probe = await platform.probe()
    detail = f"{probe.detail}; {summary(platform.abilities)}" if probe.healthy else probe.detail
    return Probe(name=told_name(platform.name), healthy=probe.healthy, detail=detail)
