"""Pure: whom of sop.yml the names in a calendar's event mean."""

import re
from collections.abc import Iterable, Mapping

from bot.sop_oncall import Person


def people_named(names: Iterable[str], people: Mapping[str, Person]) -> list[str]:
    """Keys of `people`, each once, in the order in which `names` have them; empty for strangers.

    A name tells who it is when it is somebody's email, name, key or Slack id, or has one of them as whole words:
    `Dana Reyes (primary)`, `On call: dana / sam`. Of two people of whom one's name is within the other's, as in
    `Sam` and `Sam Ode`, the longer one is meant.
    """
    return list(dict.fromkeys(key for name in names for key in _in_text(name.casefold(), people)))


def _in_text(text: str, people: Mapping[str, Person]) -> list[str]:
    spans: list[tuple[int, int, str]] = []
    for key, person in people.items():
        for known in _known(key, person):
            spans += [(*match.span(), key) for match in re.finditer(_words(known), text)]
    whole = [span for span in spans if not any(_is_within(span, other) for other in spans)]
    return list(dict.fromkeys(key for _, _, key in sorted(whole)))


def _known(key: str, person: Person) -> list[str]:
    told = (person.email, person.name, key, person.slack)
    return [each.casefold() for each in told if each]


def _words(known: str) -> str:
    """Whole words only; `sam` is not in `sam@lyft.example`, nor `dana` in `dana-b`."""
    return rf"(?<![\w.@+-]){re.escape(known)}(?![\w@+-]|\.\w)"


def _is_within(span: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    is_longer = other[1] - other[0] > span[1] - span[0]
    return is_longer and other[0] <= span[0] and span[1] <= other[1]
