"""Any record of a type that could ever be, the awkward ones first: empty, endless, hostile, right to left."""

import types
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel

TEXTS = (
    "",
    "x",
    "14 Elm St 2B",
    "&" * 4000,
    "<!channel>" * 300,
    "```" * 900,
    "line\nline\n" * 500,
    "\u202e\u05e9\u05dc\u05d5\u05dd " * 300,
    "\U0001f4e6" * 2000,
    "\x00\x1b[0m",
)
LENGTHS = (0, 1, 3, 40)
NOW = datetime(2024, 6, 10, 19, 35, tzinfo=UTC)
NAMED: dict[str, st.SearchStrategy[Any]] = {
    "timezone": st.sampled_from(("America/New_York", "UTC", "Asia/Kathmandu")),
    "escalation_id": st.just("6f2c1e7a-4b1d-4c5e-9a51-0d8e2f3a4b5c"),
    "task_id": st.just("6f2c1e7a-4b1d-4c5e-9a51-0d8e2f3a4b5c"),
}
"""Fields that hold no free text, whatever their type says."""

PEOPLE = frozenset(
    {
        *("by", "ended_by", "acknowledged_by", "resolved_by", "snoozed_by", "settled_by"),
        *("asked_by", "approved_by", "slack"),
    }
)
DISPATCHERS = st.sampled_from((None, "U0DANA0001", "W0123456789ABCDEF", "person:omar"))

URLS = st.sampled_from(("", "https://doorline.example/board?zone=North&key=abc"))
INSTANTS = st.integers(-60 * 48, 60 * 48).map(lambda minutes: NOW + timedelta(minutes=minutes))
Model = TypeVar("Model", bound=BaseModel)


def any_record(model: type[Model]) -> st.SearchStrategy[Model]:
    """Not validated again: what the types allow must be shown, whatever a validator would have said."""
    fields = {name: _named(name, field.annotation) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda values: model.model_construct(**values))


def _named(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    if name in NAMED:
        return NAMED[name]
    if name in PEOPLE:
        optional = type(None) in get_args(annotation)
        return _dispatchers(annotation, optional=optional)
    if name.endswith("url"):
        return URLS
    return any_value(annotation)


def _dispatchers(annotation: Any, *, optional: bool) -> st.SearchStrategy[Any]:
    """Ids, as Slack makes them, or as sop.yml does."""
    if get_origin(annotation) is tuple:
        return st.sampled_from(((), ("U0DANA0001",), ("U0DANA0001", "U0OMAR0001")))
    return DISPATCHERS if optional else DISPATCHERS.filter(bool)


def any_value(annotation: Any) -> st.SearchStrategy[Any]:
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation is AwareDatetime or annotation is datetime:
        return INSTANTS
    if origin is Annotated:
        return any_value(inside[0])
    if origin in (Union, types.UnionType):
        return st.one_of([any_value(each) for each in inside])
    if origin is tuple:
        pairs = st.tuples(any_value(inside[0]), st.sampled_from(LENGTHS))
        return pairs.map(lambda pair: (pair[0],) * pair[1])
    if origin in (Mapping, dict):
        keys, values = (any_value(each) for each in inside)
        return st.dictionaries(keys, values, max_size=3)
    return _plain(annotation)


def _plain(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation is type(None):
        return st.none()
    if issubclass(annotation, BaseModel):
        return st.deferred(lambda: any_record(annotation))
    if issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    known: dict[type, st.SearchStrategy[Any]] = {
        str: st.sampled_from(TEXTS),
        bool: st.booleans(),
        int: st.sampled_from((0, 1, 2, 59, 1440, 10**9)),
        float: st.sampled_from((0.0, 1.5, 1e9)),
        timedelta: st.sampled_from((timedelta(), timedelta(minutes=12), timedelta(days=400))),
        date: st.just(NOW.date()),
    }
    return known[annotation]
