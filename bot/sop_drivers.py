"""Section `drivers` of `sop.yml`: what drivers on the road are texted without a dispatcher."""

from typing import Annotated

from pydantic import Field

from bot.sop_parts import Minutes, Section

Few = Annotated[int, Field(ge=0, le=50)]


class CheckIns(Section):
    """A van with a stop at risk that nobody has explained: its driver is asked, once, about the worst of them."""

    before_window_end_minutes: Minutes = 60
    """So long before the window's end at the earliest; what is late already is asked about at once."""
    after_minutes: Minutes = 3
    """A risk that dispatchers have seen for so long: much explains itself before."""
    most_a_day: Few = 6
    """Questions to one driver, those of dispatchers among them."""
    apart_minutes: Minutes = 20
    """Between two questions to one driver."""
    waits_for_a_door_minutes: Minutes = 8
    """Who may be at the wheel is asked at the next door, or after so long at the latest."""


class Drivers(Section):
    """In the language of `shifts`. What drivers write themselves is read whatever stands here."""

    enabled: bool = False
    check_ins: CheckIns | None = CheckIns()
    """None: only dispatchers ask."""
    relay_instructions: bool = True
    """What a recipient leaves for a stop that is on the van, codes included, goes to the driver by text too."""
