"""Rasa intent classifier: words and sentence vectors in one softmax, trained on careless typing too, calibrated.

Rasa's LogisticRegressionClassifier counts words without idf, is six times slower beside dense vectors and is not
calibrated. What was measured, and against what: docs/decisions/0016.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Text, Type

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.encoders import SIZES, RememberingEncoder
from nlu.components.intent_model import IntentModel, Recipe
from nlu.components.opt_out_words import may_be_an_opt_out
from nlu.components.sentence_embedding import SentenceEmbeddingFeaturizer, embeddings_folder

OPT_OUT = "opt_out"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceIntentClassifier(IntentClassifier, GraphComponent):
    """Reads the vectors that `SentenceEmbeddingFeaturizer` put on a message.

    `models`: the encoders, as configured there. `careless_copies`: careless copies of each training text.
    `penalty`, `iterations`: of the softmax. `least_confidence`: intents that must be surer than others,
    or the next likeliest is taken. `ranking_length`: how many intents to report.
    """

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: Optional[IntentModel] = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def required_components(cls) -> List[Type]:
        return [SentenceEmbeddingFeaturizer]

    @staticmethod
    def required_packages() -> List[Text]:
        return ["sklearn", "scipy"]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {
            "models": ["use"],
            "careless_copies": 1,
            "penalty": 1e-5,
            "iterations": 150,
            "least_confidence": {},
            "ranking_length": 5,
        }

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceIntentClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        texts = [(message.get(TEXT), message.get(INTENT)) for message in training_data.intent_examples]
        recipe = Recipe(
            sizes=[SIZES[model] for model in self._config["models"]],
            careless_copies=self._config["careless_copies"],
            penalty=self._config["penalty"],
            iterations=self._config["iterations"],
        )
        encode = RememberingEncoder(self._config["models"], embeddings_folder())
        self._model = IntentModel.trained(texts, encode, recipe)
        with self._model_storage.write_to(self._resource) as folder:
            self._model.write(folder)
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceIntentClassifier:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, IntentModel.read(folder))

    def process(self, messages: List[Message]) -> List[Message]:
        if self._model is None:
            raise RuntimeError("the intent classifier was asked before it was trained")
        for message in messages:
            ranking = self._model.ranking(message.get(TEXT) or "", _vector(message))
            chosen = self._chosen(ranking, message.get(TEXT) or "")
            others = [entry for entry in ranking if entry is not chosen]
            message.set("intent", chosen, add_to_output=True)
            ranking = [chosen, *others][: self._config["ranking_length"]]
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def _chosen(self, ranking: List[Dict[Text, Any]], text: Text) -> Dict[Text, Any]:
        """The likeliest that is as sure as it has to be, and an opt-out only in words that can mean one."""
        least = self._config["least_confidence"]
        return next(
            entry
            for entry in ranking
            if entry["confidence"] >= least.get(entry["name"], 0.0)
            and (entry["name"] != OPT_OUT or may_be_an_opt_out(text))
        )


def _vector(message: Message) -> np.ndarray:
    """The sentence vector, of shape (1, size)."""
    _, sentence = message.get_dense_features(attribute=TEXT)
    if sentence is None:
        raise ValueError("SentenceEmbeddingFeaturizer must stand before the intent classifier")
    return sentence.features
