"""Rasa component: settles which entities stand (`entity_rules.py`); comes after the extractors."""

from __future__ import annotations

from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.components.entity_rules import settled


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EntitySettler(GraphComponent):
    """Leaves training data as it is."""

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EntitySettler:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            entities = settled(message.get(ENTITIES, []), message.get(TEXT) or "")
            message.set(ENTITIES, entities, add_to_output=True)
        return messages
