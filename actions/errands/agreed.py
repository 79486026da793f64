"""What is agreed so far about a parcel that failed, and what is still missing. Pure.

It is kept between two texts in `errand_data`: words only, as Rasa's slots want them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from actions.booking import from_slot, to_slot
from actions.errands.heard import Heard
from bot.recovery.answers import Choice, FollowUpQuestion, Preference
from bot.sop_recovery import Flow
from connectors.base import DeliveryWindow, StopStatus

REPLY = "reply"
"""The first question: anything may answer it."""
WHEN = "when"
CODE = "code"
NEIGHBOUR = "neighbour"
SAFE_PLACE = "safe_place"
ADDRESS = "address"
POINT = "point"
CONFIRM = "confirm"
ALREADY = "already"
"""It is booked; another time may be named."""


@dataclass(frozen=True)
class Agreed:
    choice: Choice = Choice.REATTEMPT
    window: DeliveryWindow | None = None
    is_firm: bool = False
    """The window was on our list, word for word: it needs no second yes."""
    place: str = ""
    address: str = ""
    code_inbound: str = ""
    lacks_code: bool = False
    note: str = ""
    point: str = ""

    @classmethod
    def of(cls, data: Mapping[str, str]) -> Self:
        window = data.get("window")
        return cls(
            choice=Choice(data.get("choice", Choice.REATTEMPT)),
            window=from_slot(window) if window else None,
            is_firm=data.get("is_firm") == "yes",
            lacks_code=data.get("lacks_code") == "yes",
            **{name: data.get(name, "") for name in _WORDS},
        )

    @classmethod
    def before(cls, question: FollowUpQuestion) -> Self | None:
        """What was agreed earlier, by the recipient or by itself, and may be changed now; None where nothing was."""
        is_booked = question.stop.status is not StopStatus.FAILED
        if question.preference is None and not is_booked:
            return None
        preference = question.preference or Preference()
        return cls(
            choice=preference.choice,
            window=preference.window or (question.stop.window if is_booked else None),
            is_firm=True,
            place=preference.place,
            address=preference.address,
            code_inbound=preference.code_inbound_id or "",
            note=preference.note,
            point=preference.pick_up_point,
        )

    def data(self) -> dict[str, str]:
        flags = {"is_firm": self.is_firm, "lacks_code": self.lacks_code}
        words = {name: getattr(self, name) for name in _WORDS}
        window = {"window": to_slot(self.window)} if self.window else {}
        kept = {
            "choice": self.choice.value,
            **window,
            **{name: "yes" for name, is_so in flags.items() if is_so},
        }
        return kept | {name: word for name, word in words.items() if word}

    def with_heard(self, heard: Heard, inbound_id: str) -> "Agreed":
        """Each word replaces what was said before of the same thing; another choice drops its place."""
        choice = heard.choice or self.choice
        kept_place = self.place if choice is self.choice else ""
        changed = replace(
            self,
            choice=choice,
            place=heard.place or kept_place,
            address=heard.address or self.address,
            code_inbound=inbound_id if heard.has_code else self.code_inbound,
            lacks_code=heard.lacks_code or self.lacks_code,
            note=heard.note or self.note,
            point=heard.point or self.point,
        )
        return changed.at(heard.window, is_firm=heard.is_firm) if heard.window else changed

    def at(self, window: DeliveryWindow | None, *, is_firm: bool = False) -> "Agreed":
        return replace(self, window=window, is_firm=is_firm)

    def preference(self) -> Preference:
        return Preference(
            choice=self.choice,
            window=self.window,
            place=self.place,
            address=self.address,
            has_code=bool(self.code_inbound),
            code_inbound_id=self.code_inbound or None,
            note=self.note,
            pick_up_point=self.point,
        )


_WORDS = ("place", "address", "code_inbound", "note", "point")

_PLACES = {Choice.NEIGHBOUR: NEIGHBOUR, Choice.SAFE_PLACE: SAFE_PLACE}


def completed(agreed: Agreed, question: FollowUpQuestion, offered: Sequence[DeliveryWindow]) -> Agreed:
    """With what the question offered by itself: "send the code and we'll retry today".

    Where that time cannot be had any more, the next one stands in its place, and needs a yes.
    """
    offers, points = question.offers, question.pick_up_points
    if agreed.choice is Choice.PICK_UP and len(points) == 1:
        return replace(agreed, point=points[0].name)
    if agreed.window is not None or not offers:
        return agreed
    if agreed.choice in _PLACES:
        return agreed.at(offers[0])
    if agreed.choice is Choice.REATTEMPT and question.flow is Flow.ACCESS_CODE and agreed.code_inbound:
        return agreed.at(offers[0], is_firm=offers[0] in offered[:1])
    return agreed


def missing(agreed: Agreed, question: FollowUpQuestion) -> str | None:
    """The step that asks for what is missing; None where it can be carried out."""
    match agreed.choice:
        case Choice.SEND_BACK:
            return CONFIRM
        case Choice.PICK_UP:
            return POINT if len(question.pick_up_points) > 1 and not agreed.point else None
        case Choice.NEIGHBOUR | Choice.SAFE_PLACE if not agreed.place:
            return _PLACES[agreed.choice]
        case Choice.NEIGHBOUR | Choice.SAFE_PLACE:
            return CONFIRM if agreed.window and not agreed.is_firm else None
    return _missing_for_another_try(agreed, question)


def _missing_for_another_try(agreed: Agreed, question: FollowUpQuestion) -> str | None:
    if question.flow is Flow.ADDRESS:
        # A dispatcher looks at it anyway: the time is theirs to settle where none was named.
        return None if agreed.address else ADDRESS
    if question.flow is Flow.ACCESS_CODE and not agreed.code_inbound and not agreed.lacks_code:
        return CODE
    if agreed.window is None:
        return WHEN
    return None if agreed.is_firm else CONFIRM
