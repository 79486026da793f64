"""From an inbound text to a reply: who wrote, may we answer, what did Rasa say, when must a person step in."""
