"""What a routing platform tells recipients by itself. Pure."""

from bot.sop_desk import PlatformAccount
from bot.sop_notifications import NotificationKind


def platform_tells(
    is_texted_by_platform: bool | None, account: PlatformAccount | None
) -> frozenset[NotificationKind]:
    """What one recipient hears from the platform, so that we need not say it.

    `is_texted_by_platform` is the stop's own setting, None where it has none; `account` is what `sop.yml` says of the
    stop's account, which must name the texts that are switched on in the platform's dashboard: no API tells them.
    """
    if account is None or is_texted_by_platform is False:
        return frozenset()
    return account.texts_recipients
