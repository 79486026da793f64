"""The word of a small closed vocabulary that a misspelt word means."""

from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def nearest(word: str, vocabulary: frozenset[str]) -> str | None:
    """The one entry within one slip of `word`, or two for entries of eight letters and more.

    A slip is a letter missing, added, changed, or two swapped. The first letter must be right and short words
    must be exact: `match` is not March.
    """
    if len(word) < 5:
        return None
    close = [(_distance(word, entry), entry) for entry in _candidates(word, vocabulary)]
    close = [(slips, entry) for slips, entry in close if slips <= (2 if len(entry) >= 8 else 1)]
    return min(close)[1] if close else None


def _candidates(word: str, vocabulary: Iterable[str]) -> list[str]:
    return [entry for entry in vocabulary if entry[0] == word[0] and abs(len(entry) - len(word)) <= 2]


def _distance(one: str, other: str) -> int:
    """Damerau-Levenshtein distance, adjacent swaps only."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, left in enumerate(one, start=1):
        line = [row]
        for column, right in enumerate(other, start=1):
            cost = min(above[column] + 1, line[-1] + 1, above[column - 1] + (left != right))
            if row > 1 and column > 1 and left == other[column - 2] and one[row - 2] == right:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, above = above, line
    return above[-1]
