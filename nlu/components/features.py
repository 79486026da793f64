"""What the intent is guessed from: words, word pairs and letter groups (sparse), sentence vectors (dense)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from nlu.components.texting import plain

_SHARED = {"sublinear_tf": True, "strip_accents": "unicode", "dtype": np.float32}
_KINDS = {
    # A mark is a word too: "?" and "👍" say much in a short text.
    "words": {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b|[^\w\s.,]", "min_df": 2},
    "letters": {"ngram_range": (3, 5), "analyzer": "char_wb", "min_df": 3},
}


class Words:
    """tf-idf of words, of pairs of words and of groups of three to five letters."""

    def __init__(self, vectorizers: Dict[str, TfidfVectorizer]) -> None:
        self._vectorizers = vectorizers

    @classmethod
    def learned(cls, texts: List[str]) -> Words:
        spelled = [plain(text) for text in texts]
        return cls({kind: TfidfVectorizer(**_SHARED, **how).fit(spelled) for kind, how in _KINDS.items()})

    def __call__(self, texts: List[str]) -> csr_matrix:
        spelled = [plain(text) for text in texts]
        return hstack([each.transform(spelled) for each in self._vectorizers.values()]).tocsr()

    def write(self, folder: Path) -> None:
        """As JSON and numbers, not as a pickle: reading a model runs no code."""
        for kind, vectorizer in self._vectorizers.items():
            terms = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get)
            (folder / f"{kind}.json").write_text(json.dumps(terms, ensure_ascii=False), "utf-8")
            np.save(folder / f"{kind}.npy", vectorizer.idf_)

    @classmethod
    def read(cls, folder: Path) -> Words:
        return cls({kind: _read(folder, kind) for kind in _KINDS})


@dataclass(frozen=True)
class Scale:
    """Centres each encoder's vectors and gives them the length of a tf-idf row, so that none drowns the other."""

    mean: np.ndarray
    factor: np.ndarray

    @classmethod
    def learned(cls, vectors: np.ndarray, sizes: List[int]) -> Scale:
        mean = vectors.mean(axis=0)
        blocks = np.split(vectors - mean, np.cumsum(sizes)[:-1], axis=1)
        lengths = [float(np.sqrt(np.square(block).sum(axis=1).mean())) or 1.0 for block in blocks]
        return cls(mean, np.repeat(1 / np.array(lengths, dtype=np.float32), sizes))

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        return ((vectors - self.mean) * self.factor).astype(np.float32)


def _read(folder: Path, kind: str) -> TfidfVectorizer:
    terms = json.loads((folder / f"{kind}.json").read_text("utf-8"))
    vocabulary = {term: index for index, term in enumerate(terms)}
    vectorizer = TfidfVectorizer(**_SHARED, **_KINDS[kind], vocabulary=vocabulary)
    vectorizer.idf_ = np.load(folder / f"{kind}.npy", allow_pickle=False)
    return vectorizer
