"""Rasa entity extractor: a conditional random field that also knows the intent which was found.

Rasa's CRFEntityExtractor keeps its training texts and is trained anew whenever a model is loaded (a minute here),
and its tokens cannot split "#60112" or "7733*". Figures: docs/decisions/0016.
"""

from __future__ import annotations

import random
from typing import Any, Dict, List, Text

import pycrfsuite
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.entity_tagging import entities, features, tags, tokens

FILE = "entities.crfsuite"
NAME = "EntityTagger"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class EntityTagger(GraphComponent):
    """`c1`, `c2`, `iterations`: of the training. `unknown_intent`: share of texts taught without their intent."""

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: bytes = b"",
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        # The folder of the model is gone once it is loaded; the tagger reads these bytes as long as it lives.
        self._model = model
        self._tagger = pycrfsuite.Tagger()
        if model:
            self._tagger.open_inmemory(model)

    @staticmethod
    def required_packages() -> List[Text]:
        return ["sklearn_crfsuite"]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"c1": 0.05, "c2": 0.02, "iterations": 100, "unknown_intent": 0.3}

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EntityTagger:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
        trainer.set_params(
            {
                "c1": self._config["c1"],
                "c2": self._config["c2"],
                "max_iterations": self._config["iterations"],
                "feature.possible_transitions": True,
            }
        )
        for message in training_data.intent_examples:
            self._teach(trainer, message)
        with self._model_storage.write_to(self._resource) as folder:
            trainer.train(str(folder / FILE))
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> EntityTagger:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, (folder / FILE).read_bytes())

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            found = tokens(text)
            intent = (message.get(INTENT) or {}).get("name")
            told = self._tagger.tag(features(found, intent)) if found else []
            new = [{**entity, "extractor": NAME} for entity in entities(text, found, told)]
            message.set(ENTITIES, [*message.get(ENTITIES, []), *new], add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def _teach(self, trainer: Any, message: Message) -> None:
        """The intent that will be found is sometimes wrong, so the words must do without it now and then."""
        text = message.get(TEXT)
        found = tokens(text)
        unknown = random.Random(text).random() < self._config["unknown_intent"]
        if found:
            known = features(found, None if unknown else message.get(INTENT))
            trainer.append(known, tags(found, message.get(ENTITIES, [])))
