"""The model behind the intent classifier: how it is trained, kept and asked. Knows nothing of Rasa."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from nlu.components.features import Scale, Words
from nlu.components.noise import mistyped
from nlu.components.softmax import Softmax, best_temperature, fit

HELD_OUT = 5
"""Every fifth text of an intent calibrates the confidence of a model that has not seen it."""

Embed = Callable[[List[str]], np.ndarray]


@dataclass(frozen=True)
class Recipe:
    sizes: List[int]
    """Values per encoder, in the order of the vectors."""
    careless_copies: int
    penalty: float
    iterations: int


@dataclass(frozen=True)
class IntentModel:
    labels: List[str]
    words: Words
    scale: Scale
    softmax: Softmax

    @classmethod
    def trained(cls, examples: List[Tuple[str, str]], embed: Embed, recipe: Recipe) -> IntentModel:
        """`examples`: (text, intent). The order of the examples does not matter."""
        examples = sorted(set(examples))
        texts, labels = [text for text, _ in examples], sorted({intent for _, intent in examples})
        known = np.array([labels.index(intent) for _, intent in examples])
        words, vectors = Words.learned(texts), embed(texts)
        scale = Scale.learned(vectors, recipe.sizes)
        everything = [*texts, *_careless(texts, recipe.careless_copies)]
        sparse, dense = words(everything), scale(embed(everything))
        truth = np.tile(known, recipe.careless_copies + 1)
        temperature = _temperature(sparse, dense, truth, np.tile(_every_nth(known), recipe.careless_copies + 1), recipe)
        softmax = fit(sparse, dense, truth, penalty=recipe.penalty, iterations=recipe.iterations)
        return cls(labels, words, scale, Softmax(softmax.weights, temperature))

    def ranking(self, text: str, vector: np.ndarray) -> List[Dict[str, Any]]:
        """Every intent with its confidence, likeliest first. `vector`: of `text`, shape (1, size)."""
        likely = self.softmax.probabilities(self.words([text]), self.scale(vector))[0]
        return [{"name": self.labels[at], "confidence": float(likely[at])} for at in np.argsort(-likely)]

    def write(self, folder: Path) -> None:
        self.words.write(folder)
        np.savez(
            folder / "softmax.npz",
            weights=self.softmax.weights,
            temperature=self.softmax.temperature,
            mean=self.scale.mean,
            factor=self.scale.factor,
        )
        (folder / "labels.json").write_text(json.dumps(self.labels), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> IntentModel:
        labels = json.loads((folder / "labels.json").read_text("utf-8"))
        with np.load(folder / "softmax.npz", allow_pickle=False) as kept:
            scale = Scale(kept["mean"], kept["factor"])
            softmax = Softmax(kept["weights"], float(kept["temperature"]))
        return cls(labels, Words.read(folder), scale, softmax)


def _careless(texts: List[str], copies: int) -> List[str]:
    return [mistyped(text, seed=str(copy)) for copy in range(copies) for text in texts]


def _every_nth(known: np.ndarray) -> np.ndarray:
    """True for every `HELD_OUT`-th text of each intent."""
    held = np.zeros(len(known), dtype=bool)
    for label in np.unique(known):
        held[np.flatnonzero(known == label)[:: HELD_OUT]] = True
    return held


def _temperature(sparse: Any, dense: np.ndarray, truth: np.ndarray, held: np.ndarray, recipe: Recipe) -> float:
    """From texts that a second model, trained without them and their copies, has not seen."""
    taught = ~held
    model = fit(
        sparse[taught], dense[taught], truth[taught], penalty=recipe.penalty, iterations=recipe.iterations
    )
    return best_temperature(model.logits(sparse[held], dense[held]), truth[held])
