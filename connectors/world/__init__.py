"""The pretended delivery day behind the emulators: routes, drivers that move, delays, failures, a clock."""

from connectors.world.day import PretendedDay, remembered_day_start, run
from connectors.world.stage import Placement, Stage, Standing
from connectors.world.truth import Visit

__all__ = ["Placement", "PretendedDay", "Stage", "Standing", "Visit", "remembered_day_start", "run"]
