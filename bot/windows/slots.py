"""Time meanings in minutes of a local day: which half of the day is meant, what is open, what lies outside service."""

from dataclasses import dataclass
from typing import Literal

from bot.windows.meaning import Clock, Meridiem, Part, Shape, Span
from bot.windows.reading import DAY_ENDS, DAY_STARTS, Doubt

OPENS = DAY_STARTS.hour * 60
CLOSES = DAY_ENDS.hour * 60
_HALF_DAY = 12 * 60
_SLOT = 60
_ABOUT = 30
_CLOCKED = (Shape.EXACT, Shape.AROUND, Shape.RANGE)
OPEN_ENDED = (Shape.AFTER, Shape.BEFORE, Shape.BY, Shape.UNTIL)


@dataclass(frozen=True)
class Slot:
    """Minutes from midnight, half open. `exact` slots are over once they have begun."""

    start: int
    end: int
    kind: Literal["exact", "closed", "open"] = "closed"
    doubt: Doubt | None = None

    @property
    def is_outside(self) -> bool:
        if self.kind == "exact":
            return not OPENS <= self.start < CLOSES
        return self.end <= OPENS or self.start >= CLOSES

    def clipped(self) -> "Slot":
        return Slot(max(self.start, OPENS), min(self.end, CLOSES), self.kind, self.doubt)


def settle(spans: list[Span], passed: int, *, either: bool = False) -> Slot | Doubt | None:
    """One slot out of everything said of the time; None when nothing was.

    `passed` is how many minutes of the day are already over, 0 on a day to come. `either`: the times were
    offered side by side (`before 10 or after 4`), none of them narrows another.
    """
    said = [span for span in spans if span.shape not in (Shape.ANY, Shape.VAGUE)]
    if not said:
        vague = any(span.shape is Shape.VAGUE for span in spans)
        return Doubt.VAGUE if vague else None
    hint = None if either else _hint(said)
    clocked = [_slot(span, hint, passed) for span in said if span.shape in _CLOCKED]
    bounds = [_slot(span, hint, passed) for span in said if span.shape in OPEN_ENDED]
    parts = _finest([_of_part(span.part) for span in said if span.part is not None])
    if any(slot.doubt is Doubt.CONFLICT for slot in clocked):
        return Doubt.CONFLICT
    if either:
        return _united([*clocked, *bounds, *parts])
    if clocked := _not_overruled(clocked, bounds):
        return _united(clocked)
    if not parts:
        return _narrowed(bounds)
    whole = _united(parts)
    if isinstance(whole, Doubt):
        return whole
    narrowed = _narrowed([whole, *bounds])
    return narrowed if isinstance(narrowed, Slot) else _narrowed(bounds)


def _not_overruled(clocked: list[Slot], bounds: list[Slot]) -> list[Slot]:
    """Without the times that only say why: `school is out at 3 so after 4`."""
    return [
        slot
        for slot in clocked
        if all(slot.start > bound.start or bound.start <= OPENS for bound in bounds)
        and all(slot.start < bound.end for bound in bounds)
    ]


def _hint(spans: list[Span]) -> Meridiem | None:
    halves = {span.part.meridiem for span in spans if span.part is not None}
    return halves.pop() if len(halves) == 1 else None


def _finest(parts: list[Slot]) -> list[Slot]:
    """`early monday morning`: a part inside another makes it narrower."""
    return [
        part
        for part in parts
        if not any(part.start <= other.start and other.end <= part.end for other in parts if other != part)
    ]


def _of_part(part: Part) -> Slot:
    return Slot(part.start, part.end)


def _united(slots: list[Slot]) -> Slot | Doubt:
    """Slots that touch are one offer (`afternoon or evening`); slots apart need a question."""
    first, *rest = sorted(slots, key=lambda slot: slot.start)
    for slot in rest:
        if slot.start > first.end:
            return Doubt.WHICH_TIME
        first = Slot(
            first.start, max(first.end, slot.end), "exact" if slot == first else "closed", first.doubt
        )
    return first


def _narrowed(slots: list[Slot]) -> Slot | Doubt:
    """What all of them allow."""
    if len(slots) == 1:
        return slots[0]
    start, end = max(slot.start for slot in slots), min(slot.end for slot in slots)
    if start >= end:
        return Doubt.CONFLICT
    kind: Literal["closed", "open"] = "open" if all(slot.kind == "open" for slot in slots) else "closed"
    return Slot(start, end, kind, slots[0].doubt)


def _slot(span: Span, hint: Meridiem | None, passed: int) -> Slot:
    if span.first is None:
        raise ValueError(f"a {span.shape} span needs a clock time")
    if span.shape is Shape.RANGE and span.last is not None:
        return _range(span.first, span.last, hint)
    at = minutes(span.first, hint, passed)
    doubt = Doubt.AM_PM if _stays_open(span.first, hint, at) else None
    if span.shape is Shape.EXACT:
        return Slot(at, at + _SLOT, "exact", doubt)
    if span.shape is Shape.AROUND:
        return Slot(at - _ABOUT, at + _ABOUT, "closed", doubt)
    if span.shape is Shape.AFTER:
        return Slot(at, max(CLOSES, at), "open", doubt)
    # Before 8 in the morning there is nothing: the evening is meant.
    end = at + _HALF_DAY if at == OPENS and span.first.meridiem is None and not span.first.fixed else at
    return Slot(min(OPENS, end), end)


def _stays_open(clock: Clock, hint: Meridiem | None, at: int) -> bool:
    return clock.hour == 8 and not (clock.meridiem or clock.fixed or hint) and at < _HALF_DAY


def minutes(clock: Clock, hint: Meridiem | None = None, passed: int = 0) -> int:
    """The reading of a clock time that lies inside the service day, unless the text says which half."""
    at = clock.hour * 60 + clock.minute
    half = clock.meridiem or hint
    if clock.fixed or not 1 <= clock.hour <= 12:
        return at
    if half:
        return at % _HALF_DAY + (
            _HALF_DAY if half == "pm" or (clock.hour == 12 and not clock.meridiem) else 0
        )
    if clock.hour == 8:
        evening_is_left = at < passed <= at + _HALF_DAY
        return at + _HALF_DAY if evening_is_left else at
    return at + _HALF_DAY if clock.hour < 8 else at


def _range(first: Clock, last: Clock, hint: Meridiem | None) -> Slot:
    starts, ends = _readings(first), _readings(last)
    # A bare first hour never means the small hours: `3-1` is a slip, `6-9am` is said.
    early = OPENS if first.meridiem is None and last.meridiem is None and not first.fixed else 0
    pairs = [(start, end) for start in starts for end in ends if early <= start < end]
    if not pairs:
        return Slot(minutes(first, hint), minutes(first, hint) + _SLOT, "closed", Doubt.CONFLICT)
    return Slot(*min(pairs, key=lambda pair: _oddness(pair, first, last, hint)))


def _readings(clock: Clock) -> list[int]:
    at = clock.hour * 60 + clock.minute
    if clock.fixed or not 1 <= clock.hour <= 12:
        return [at] if at else [24 * 60]
    if clock.meridiem:
        return [minutes(clock)]
    return sorted({at % _HALF_DAY, at % _HALF_DAY + _HALF_DAY})


def _oddness(
    pair: tuple[int, int], first: Clock, last: Clock, hint: Meridiem | None
) -> tuple[bool, bool, bool, int]:
    """Smaller is likelier: in the half of the day that was said, inside service, then the shortest."""
    start, end = pair
    said_half = hint or (last.meridiem if first.meridiem is None else None)
    other_half = hint is not None and (start >= _HALF_DAY) != (hint == "pm")
    outside = not (start >= OPENS and end <= CLOSES)
    usual = minutes(first)
    unusual = start != usual and said_half is None
    return other_half, outside, unusual, end - start
