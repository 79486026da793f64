"""Understands JSON lines `{"text": ...}` from standard input with a trained model, in order.

Runs in Rasa's environment and imports nothing of ours; `doorline nlu parse` starts it. Any text is answered: empty,
long, with control characters or lone surrogates.
"""

import asyncio
import io
import json
import logging
import os
import sys
import warnings
from typing import TextIO


async def main(model_path: str, lines: TextIO, answers: TextIO) -> int:
    import structlog
    from rasa.core.agent import Agent

    # Rasa logs each text that it parses.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    agent = Agent.load(model_path)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            text = text_of(line)
        except (ValueError, KeyError, TypeError):
            sys.stderr.write(f'line {number}: expected {{"text": "..."}}\n')
            return 1
        parsed = await agent.parse_message(as_text(text))
        # ASCII: line separators and lone surrogates inside a text neither end a line nor fail to be written.
        answers.write(json.dumps(understood(text, parsed)) + "\n")
        answers.flush()
    return 0


def text_of(line: str) -> str:
    text = json.loads(line)["text"]
    if not isinstance(text, str):
        raise TypeError(text)
    return text


def as_text(text: str) -> str:
    """What begins with a slash Rasa would take for the name of an intent; offsets stay."""
    bare = text.lstrip()
    return text if not bare.startswith("/") else text.replace("/", " ", len(bare) - len(bare.lstrip("/")))


def understood(text: str, parsed: dict) -> dict:
    entities = [entity for entity in parsed.get("entities", []) if entity["entity"] != "language"]
    language = next((e["value"] for e in parsed.get("entities", []) if e["entity"] == "language"), "en")
    return {
        "text": text,
        # What the model is not sure of is none of the labels: the dialogue asks back, as it does out of scope.
        "intent": "out_of_scope" if parsed["intent"]["name"] == "nlu_fallback" else parsed["intent"]["name"],
        "confidence": round(float(parsed["intent"]["confidence"]), 4),
        "entities": [{"entity": entity["entity"], "value": entity["value"]} for entity in entities],
        "language": language,
    }


def answers_only() -> TextIO:
    """Standard output for the answers alone: what libraries print goes to standard error."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


if __name__ == "__main__":
    # A carriage return inside a line does not end it.
    given = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace", newline="\n")
    sys.exit(asyncio.run(main(sys.argv[1], given, answers_only())))
