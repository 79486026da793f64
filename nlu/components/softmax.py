"""Multinomial logistic regression over a sparse and a dense block of features.

scikit-learn's takes one matrix: 900 dense columns stored as sparse make it six times slower (docs/decisions/0016).
"""

from dataclasses import dataclass
from typing import Tuple

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Softmax:
    """`weights`: float32 of shape (sparse + dense + 1, labels), the last row being the bias."""

    weights: np.ndarray
    temperature: float = 1.0

    def logits(self, sparse: csr_matrix, dense: np.ndarray) -> np.ndarray:
        return _logits(self.weights, sparse, dense)

    def probabilities(self, sparse: csr_matrix, dense: np.ndarray) -> np.ndarray:
        """float32 of shape (texts, labels); each row sums to 1."""
        return _normalised(self.logits(sparse, dense) / self.temperature)


def fit(
    sparse: csr_matrix, dense: np.ndarray, labels: np.ndarray, *, penalty: float, iterations: int
) -> Softmax:
    """Every label weighs the same, however many texts it has. `labels`: integers from 0. Deterministic."""
    shape = (sparse.shape[1] + dense.shape[1] + 1, int(labels.max()) + 1)
    weight = (1 / np.bincount(labels)[labels]).astype(np.float32)[:, None]
    weight /= weight.sum()
    truth, transposed = np.eye(shape[1], dtype=np.float32)[labels], sparse.T.tocsr()

    def loss(flat: np.ndarray) -> Tuple[float, np.ndarray]:
        weights = flat.astype(np.float32).reshape(shape)
        likely = _normalised(_logits(weights, sparse, dense))
        error = weight * (likely - truth)
        gradient = np.vstack([transposed @ error, dense.T @ error, error.sum(axis=0, keepdims=True)])
        gradient[:-1] += penalty * weights[:-1]
        missed = -float((weight * truth * np.log(likely + 1e-12)).sum())
        return missed + penalty / 2 * float(np.square(weights[:-1]).sum()), gradient.ravel().astype(np.float64)

    found = minimize(
        loss,
        np.zeros(shape[0] * shape[1]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": iterations, "gtol": 1e-6},
    )
    return Softmax(found.x.reshape(shape).astype(np.float32))


def best_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """What to divide the logits of held-out texts by, so that a confidence of 0.7 is right in 7 of 10."""

    def missed(temperature: float) -> float:
        likely = _normalised(logits / temperature)
        return -float(np.log(likely[np.arange(len(labels)), labels] + 1e-12).mean())

    return float(minimize_scalar(missed, bounds=(0.2, 5.0), method="bounded").x)


def _logits(weights: np.ndarray, sparse: csr_matrix, dense: np.ndarray) -> np.ndarray:
    columns = sparse.shape[1]
    return sparse @ weights[:columns] + dense @ weights[columns:-1] + weights[-1]


def _normalised(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
