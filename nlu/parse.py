"""Understands JSON lines `{"text": ...}` from standard input with a trained model, in order.

Runs in Rasa's environment and imports nothing of ours; `doorline nlu parse` starts it.
"""

import asyncio
import json
import logging
import os
import sys
import warnings


async def main(model_path: str) -> int:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # What libraries print must not stand between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    import structlog
    from rasa.core.agent import Agent

    # Rasa logs each text that it parses.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    agent = Agent.load(model_path)
    for number, line in enumerate(sys.stdin, start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            sys.stderr.write(f'line {number}: expected {{"text": "..."}}\n')
            return 1
        answers.write(
            json.dumps(understood(text, await agent.parse_message(text)), ensure_ascii=False) + "\n"
        )
        answers.flush()
    return 0


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


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")
    sys.exit(asyncio.run(main(sys.argv[1])))
