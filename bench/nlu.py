"""Which pipeline understands best. `python -m bench.nlu [--variants chosen,counts-lr] [--data FILE]`

Trains each variant on `nlu/data` in Rasa's environment, parses the labelled texts one at a time and prints accuracy by
language and intent, out-of-scope recall, opt-outs, calibration, entities, time, memory, training time, model size.
`--careless` parses the texts again as somebody in a hurry would have typed them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from ruamel.yaml import YAML

from bench.nlu_scores import Answer, Row, by_intent, scores
from bench.nlu_variants import CHOSEN, variants
from bench.results import keep, show
from bot.settings import PROJECT_ROOT
from nlu.components.noise import mistyped

PYTHON = str(PROJECT_ROOT / ".venv-nlu" / "bin" / "python")
DATA = PROJECT_ROOT.parent / "shared" / "data" / "nlu_dev.jsonl"
MODELS = PROJECT_ROOT / "var" / "bench" / "nlu"
SEED = "bench"
"""Not the seed of the training: the slips of the measured texts are others."""


def main() -> None:
    options = _options()
    rows = [json.loads(line) for line in options.data.read_text("utf-8").splitlines()]
    table: dict[str, dict[str, float]] = {}
    for name in options.variants.split(","):
        model, seconds = _trained(name, reuse=options.reuse)
        answers, facts = _asked(model, rows)
        facts |= {"training s": round(seconds), "model MB": round(model.stat().st_size / 1e6, 1)}
        table[name] = scores(answers) | facts
        if options.careless:
            careless, _ = _asked(model, [row | {"text": mistyped(row["text"], SEED)} for row in rows])
            table[f"{name}, careless"] = scores(careless) | facts
        if name == CHOSEN:
            show("by intent, chosen", by_intent(answers))
    _show(table)
    file = keep("nlu", {"texts": len(rows), "variants": table})
    print(f"{len(rows)} texts; written to {file.relative_to(PROJECT_ROOT)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="labelled rows, one JSON object a line")
    parser.add_argument("--variants", default=CHOSEN, help=f"some of {', '.join(variants())}")
    parser.add_argument("--careless", action="store_true", help="also with typing errors")
    parser.add_argument("--reuse", action="store_true", help="a model that is there is not trained again")
    return parser.parse_args()


def _trained(name: str, *, reuse: bool) -> tuple[Path, float]:
    """The model of a variant and how long its training took (0 when reused)."""
    MODELS.mkdir(parents=True, exist_ok=True)
    path = MODELS / f"{name}.tar.gz"
    if reuse and path.exists():
        return path, 0.0
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        YAML(typ="safe").dump(variants()[name], file)
        file.flush()
        began = perf_counter()
        _run(
            *("-m", "rasa", "train", "nlu", "--quiet", "--config", file.name),
            *("--domain", "nlu/domain", "--nlu", "nlu/data/nlu"),
            *("--out", str(MODELS), "--fixed-model-name", name),
        )
    return path, perf_counter() - began


def _asked(model: Path, rows: list[Row]) -> tuple[list[Answer], dict[str, float]]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(row["text"]) + "\n" for row in rows)
        file.flush()
        *said, facts = [json.loads(line) for line in _run("-m", "bench.nlu_worker", str(model), file.name)]
    told: dict[str, float] = {"load s": round(facts["load_s"], 1), "memory MB": round(facts["memory_mb"])}
    return [Answer(row, each) for row, each in zip(rows, said, strict=True)], told


def _run(*arguments: str) -> list[str]:
    quiet: dict[str, Any] = {
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONWARNINGS": "ignore",
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "1",
    }
    result = subprocess.run(
        [PYTHON, *arguments], cwd=PROJECT_ROOT, env=os.environ | quiet, capture_output=True, text=True
    )
    if result.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{result.stderr[-3000:]}")
    return result.stdout.splitlines()


def _show(table: dict[str, dict[str, float]]) -> None:
    """Figures as rows: there are more of them than variants."""
    figures = list(next(iter(table.values())))
    show("variants", {figure: {name: values[figure] for name, values in table.items()} for figure in figures})


if __name__ == "__main__":
    main()
