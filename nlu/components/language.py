"""Puts the language of a message on it as the entity `language`, which fills the slot of the same name.

Slots are filled before a rule or a response is chosen, so no action call is needed to answer in the right
language, and `doorline nlu parse` sees the language too. A text that says nothing about its language
("2", "ok") gets the one that the caller sent as metadata, and without that none: the slot keeps its value.
"""

from __future__ import annotations

from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.components.language_words import guess_language

ENTITY = "language"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class LanguageExtractor(GraphComponent):
    """Adds one entity without a span; leaves training data as it is."""

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LanguageExtractor:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            language = guess_language(message.get(TEXT) or "") or _known_language(message)
            if language:
                found = {
                    "entity": ENTITY,
                    "value": language,
                    "start": 0,
                    "end": 0,
                    "extractor": "LanguageExtractor",
                }
                message.set(ENTITIES, [*message.get(ENTITIES, []), found], add_to_output=True)
        return messages


def _known_language(message: Message) -> Text:
    metadata = message.get("metadata") or {}
    return str(metadata.get(ENTITY) or "")
