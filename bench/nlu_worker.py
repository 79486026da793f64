"""Runs inside Rasa's environment for `bench.nlu`: parses texts with a model, one at a time, and times each.

python -m bench.nlu_worker MODEL TEXTS: TEXTS holds one JSON string a line; one JSON object a line comes out, and
last one with `load_s` and `memory_mb`. Imports nothing of ours.
"""

import asyncio
import json
import logging
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any


async def main(model: str, texts: list[str]) -> None:
    answers = _quiet_output()
    import structlog
    from rasa.core.agent import Agent

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.perf_counter()
    agent = Agent.load(model)
    await agent.parse_message("warm up")
    loaded = time.perf_counter() - began
    for text in texts:
        began = time.perf_counter()
        parsed = await agent.parse_message(text)
        answers.write(json.dumps(_told(parsed, time.perf_counter() - began)) + "\n")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answers.write(json.dumps({"load_s": loaded, "memory_mb": memory}) + "\n")
    answers.flush()


def _told(parsed: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "intent": parsed["intent"]["name"],
        "ranking": [
            [entry["name"], float(entry["confidence"])] for entry in parsed.get("intent_ranking", [])
        ],
        "entities": [
            [entity["entity"], entity["value"], entity.get("start"), entity.get("end")]
            for entity in parsed.get("entities", [])
        ],
        "seconds": seconds,
    }


def _quiet_output() -> Any:
    """What libraries print must not stand between the answers."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


if __name__ == "__main__":
    lines = Path(sys.argv[2]).read_text("utf-8").splitlines()
    asyncio.run(main(sys.argv[1], [json.loads(line) for line in lines]))
