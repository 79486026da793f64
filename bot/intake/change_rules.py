"""Pure decisions about changes of a stop that is in the plan already: who may move or cancel what until when."""

from datetime import timedelta

from bot.intake.reasons import Because
from bot.intake.rules import WindowRules, against_window
from bot.sop_desk import Client, WindowChanges
from connectors.base import DeliveryWindow, StopStatus

OUT = (StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)


def against_move(
    status: StopStatus,
    promised: DeliveryWindow | None,
    wanted: DeliveryWindow,
    client: Client,
    moves_so_far: int,
    rules: WindowRules,
) -> list[Because]:
    """All that speaks against another window. `rules.cutoff` is the client's, and holds for both windows."""
    if status.is_closed:
        return [Because.FINISHED]
    limit = client.window_change_limit
    checks = {
        Because.NOT_ALLOWED: client.window_changes is WindowChanges.NO,
        Because.NEEDS_APPROVAL: client.window_changes is WindowChanges.ASK,
        Because.LIMIT_REACHED: limit is not None and moves_so_far >= limit,
        Because.UNDER_WAY: status in OUT,
        Because.TOO_SOON: promised is not None and promised.start_at < rules.now + rules.cutoff,
    }
    reasons = [because for because, holds in checks.items() if holds]
    return list(dict.fromkeys([*reasons, *against_window(wanted, rules)]))


def against_cancelling(status: StopStatus) -> list[Because]:
    if status.is_closed:
        return [Because.FINISHED]
    return [Because.UNDER_WAY] if status in OUT else []


def shifted(window: DeliveryWindow, by: timedelta) -> DeliveryWindow:
    return DeliveryWindow(start_at=window.start_at + by, end_at=window.end_at + by)
