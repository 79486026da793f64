"""What `bench.nlu` counts, as pure functions of labelled rows and what a model said of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.results import percentile

Row = dict[str, Any]
"""As in `nlu_dev.jsonl`: `text`, `intent`, `lang`, perhaps `accept` and `entities`."""
Said = dict[str, Any]
"""As `bench.nlu_worker` prints it."""
FALLBACK = "nlu_fallback"
NOT_OURS = "out_of_scope"


@dataclass(frozen=True)
class Answer:
    row: Row
    said: Said

    @property
    def is_ours(self) -> bool:
        return bool(self.row["intent"] != NOT_OURS)

    @property
    def is_right(self) -> bool:
        """A label in `accept` counts; asking back counts out of scope only."""
        return self.accepts(self.said["intent"]) or (not self.is_ours and self.said["intent"] == FALLBACK)

    @property
    def ranking(self) -> list[tuple[str, float]]:
        return [(name, confidence) for name, confidence in self.said["ranking"] if name != FALLBACK]

    def accepts(self, intent: str) -> bool:
        return bool(intent == self.row["intent"] or intent in self.row.get("accept", ()))


def scores(answers: Sequence[Answer]) -> dict[str, float]:
    ours = [answer for answer in answers if answer.is_ours]
    return {
        "in-domain": _share(ours, lambda answer: answer.is_right),
        "English": _share([each for each in ours if each.row["lang"] == "en"], lambda each: each.is_right),
        "Spanish": _share([each for each in ours if each.row["lang"] == "es"], lambda each: each.is_right),
        "best guess": _share(ours, lambda answer: answer.accepts(answer.ranking[0][0])),
        "of two": _share(ours, lambda answer: any(answer.accepts(name) for name, _ in answer.ranking[:2])),
        "out of scope": _share([each for each in answers if not each.is_ours], lambda each: each.is_right),
        "opt-out": _share(
            [each for each in ours if each.row["intent"] == "opt_out"], lambda each: each.is_right
        ),
        "false opt-out": sum(each.said["intent"] == "opt_out" and not each.is_right for each in answers),
        "ECE": round(calibration_error(answers), 3),
        "language": _share(answers, lambda each: (_language(each) or "en") == each.row["lang"]),
        "entity F1": entity_f1(answers),
        "p50 ms": round(percentile([each.said["seconds"] for each in answers], 0.5) * 1000, 1),
        "p99 ms": round(percentile([each.said["seconds"] for each in answers], 0.99) * 1000, 1),
    }


def by_intent(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for intent in sorted({answer.row["intent"] for answer in answers}):
        of_it = [answer for answer in answers if answer.row["intent"] == intent]
        rows[intent] = {"texts": len(of_it), "right": _share(of_it, lambda answer: answer.is_right)}
    return rows


def calibration_error(answers: Sequence[Answer], bins: int = 10) -> float:
    """Expected calibration error: how far a confidence is from the share that is right at it."""
    parts: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for answer in answers:
        name, confidence = answer.ranking[0]
        parts[min(int(confidence * bins), bins - 1)].append((confidence, answer.accepts(name)))
    gaps = (abs(sum(confidence - right for confidence, right in part)) for part in parts)
    return sum(gaps) / len(answers)


def entity_f1(answers: Sequence[Answer]) -> float:
    """Exact spans, over the rows that have any: the labels are not exhaustive elsewhere."""
    hits = found = wanted = 0
    for answer in answers:
        if answer.row.get("entities"):
            truth = Counter((each["entity"], each["value"].casefold()) for each in answer.row["entities"])
            said = Counter((kind, str(value).casefold()) for kind, value, *_ in answer.said["entities"])
            said = Counter({key: count for key, count in said.items() if key[0] != "language"})
            hits, found, wanted = hits + (truth & said).total(), found + said.total(), wanted + truth.total()
    return round(2 * hits / (found + wanted), 3) if found + wanted else 0.0


def _language(answer: Answer) -> str | None:
    return next((value for kind, value, *_ in answer.said["entities"] if kind == "language"), None)


def _share(answers: Sequence[Answer], holds: Callable[[Answer], bool]) -> float:
    return round(sum(map(holds, answers)) / len(answers), 3) if answers else 0.0
