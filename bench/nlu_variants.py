"""The pipelines that `bench.nlu` compares: the chosen one is config.yml itself."""

import copy
from typing import Any

from ruamel.yaml import YAML

from bot.settings import PROJECT_ROOT

CHOSEN = "chosen"
FEATURIZER = "nlu.components.sentence_embedding.SentenceEmbeddingFeaturizer"
CLASSIFIER = "nlu.components.intent_classifier.SentenceIntentClassifier"

Config = dict[str, Any]

_COUNTS: list[Config] = [
    {"name": "CountVectorsFeaturizer", "min_ngram": 1, "max_ngram": 2, "strip_accents": "unicode"},
    {
        "name": "CountVectorsFeaturizer",
        "analyzer": "char_wb",
        "min_ngram": 3,
        "max_ngram": 5,
        "strip_accents": "unicode",
    },
]
_TOKENS: Config = {"name": "WhitespaceTokenizer", "intent_tokenization_flag": False}
_LANGUAGE: Config = {"name": "nlu.components.language.LanguageExtractor"}
_REGRESSION: Config = {
    "name": "LogisticRegressionClassifier",
    "max_iter": 100,
    "tol": 0.001,
    "ranking_length": 5,
}
_DIET: Config = {
    "name": "DIETClassifier",
    "epochs": 10,
    "entity_recognition": False,
    "constrain_similarities": True,
    "model_confidence": "softmax",
    "ranking_length": 5,
}


def variants() -> dict[str, Config]:
    """Name -> Rasa's configuration."""
    chosen = YAML(typ="safe").load((PROJECT_ROOT / "config.yml").read_text("utf-8"))
    sentence = {"name": FEATURIZER, "models": ["use"]}
    return {
        "counts-lr": _with(chosen, [_TOKENS, *_COUNTS, _REGRESSION]),
        "counts-diet": _with(chosen, [_TOKENS, *_COUNTS, _DIET]),
        "counts-embedding-lr": _with(chosen, [_TOKENS, *_COUNTS, sentence, _REGRESSION]),
        "careful-typing-only": _changed(chosen, careless_copies=0),
        CHOSEN: chosen,
    }


def _with(chosen: Config, parts: list[Config]) -> Config:
    """Other parts, and the same thresholds."""
    fallback = [part for part in chosen["pipeline"] if part["name"] == "FallbackClassifier"]
    return chosen | {"pipeline": [*parts, _LANGUAGE, *fallback]}


def _changed(chosen: Config, **values: Any) -> Config:
    config = copy.deepcopy(chosen)
    for part in config["pipeline"]:
        if part["name"] in {FEATURIZER, CLASSIFIER}:
            known = {"models"} if part["name"] == FEATURIZER else set(values)
            part.update({key: value for key, value in values.items() if key in known})
    return config
