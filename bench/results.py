"""How a measurement is summed up, shown and kept."""

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds."""
    return {
        "count": len(seconds),
        "p50": round(percentile(seconds, 0.50) * 1000, 1),
        "p90": round(percentile(seconds, 0.90) * 1000, 1),
        "p99": round(percentile(seconds, 0.99) * 1000, 1),
        "max": round(max(seconds) * 1000, 1),
    }


def show(title: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    columns = list(next(iter(rows.values())))
    table = Table("", *columns, title=title)
    for name, values in rows.items():
        table.add_row(name, *(f"{values[column]:g}" for column in columns))
    Console().print(table)


def keep(name: str, figures: Mapping[str, object]) -> Path:
    """Writes `bench/results/<name>.json`, with the machine that it was measured on."""
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "cpus": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    file = RESULTS / f"{name}.json"
    measured_at = datetime.now(UTC).isoformat(timespec="seconds")
    file.write_text(json.dumps({"measured_at": measured_at, "machine": machine, **figures}, indent=2) + "\n")
    return file
