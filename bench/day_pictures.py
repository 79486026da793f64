"""Two pictures of a pretended day: how the arms compare, and when people asked and were told."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Figures = Mapping[str, float]

COMPARED = (
    ("breaches", "Windows missed"),
    ("late_heard_in_time_percent", "Late stops whose recipient\nheard before the window ended, %"),
    ("recovered_percent", "Failed deliveries recovered\nby the second try, %"),
    ("where_asks_per_100", '"Where is it" per 100 stops'),
    ("answer_minutes_median", "Minutes until answered, median"),
    ("dispatcher_hours", "Dispatchers' hours by hand"),
)
WITHOUT, WITH = "#9aa39f", "#2f66c4"
SIMULATED = "Simulated day; people by the table of assumptions in the JSON beside this picture"


def compare(runs: Mapping[str, Sequence[Figures]], target: Path) -> Path:
    """A small pair of bars for each figure, by arm; a dot for each seed."""
    figure, axes = plt.subplots(2, 3, figsize=(11, 6.2), layout="constrained")
    for axis, (name, label) in zip(axes.flat, COMPARED, strict=True):
        _pair(axis, [[run[name] for run in runs[arm]] for arm in ("without", "with")], label)
    seeds = len(runs["with"])
    stops = int(runs["with"][0]["stops"])
    figure.suptitle(
        f"One delivery day of {stops} stops, without and with Doorline ({seeds} seeds)", fontsize=13
    )
    figure.supxlabel(SIMULATED, fontsize=8.5, color="#555")
    return _saved(figure, target)


def _pair(axis: Axes, values: Sequence[Sequence[float]], label: str) -> None:
    means = [sum(each) / len(each) for each in values]
    axis.bar(["without", "with"], means, color=[WITHOUT, WITH], width=0.55)
    for place, (each, mean) in enumerate(zip(values, means, strict=True)):
        axis.scatter([place] * len(each), each, s=14, color="#1c2422", zorder=3)
        above = (place, max(*each, mean))
        axis.annotate(_short(mean), above, (0, 6), textcoords="offset points", ha="center", fontsize=10)
    axis.set_title(label, fontsize=10)
    axis.set_ylim(0, max([*means, *(max(each) for each in values), 0.001]) * 1.22)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=9)


def _short(value: float) -> str:
    if 0 < value < 0.1:
        return "< 0.1"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def through_the_day(hours: Mapping[str, Sequence[float]], days: int, target: Path) -> Path:
    """When people asked where it is, by arm, and when Doorline told them unasked; local hours, mean of the days."""
    figure, (asks, told) = plt.subplots(2, 1, figsize=(11, 6.2), sharex=True, layout="constrained")
    bins = [7 + step / 2 for step in range(31)]
    both, colours = [hours["asked_without"], hours["asked_with"]], [WITHOUT, WITH]
    asks.hist(
        both,
        bins=bins,
        color=colours,
        label=["without Doorline", "with Doorline"],
        weights=[[1 / days] * len(each) for each in both],
    )
    asks.set_ylabel('"Where is it", per half hour')
    asks.legend(frameon=False, loc="upper right", bbox_to_anchor=(0.88, 1))
    told.hist(hours["told"], bins=bins, color="#3c8d5a", weights=[1 / days] * len(hours["told"]))
    told.set_ylabel("Texts unasked, per half hour")
    told.set_xlabel("Hour of the day, local to the stops")
    for axis in (asks, told):
        axis.axvspan(21, bins[-1], color="#ece7da", zorder=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.text(21.12, axis.get_ylim()[1] / 2, "quiet hours", rotation=90, va="center", color="#6b6455")
    figure.suptitle(f"When recipients asked, and when they were told (mean of {days} days)", fontsize=13)
    figure.supxlabel(SIMULATED, fontsize=8.5, color="#555")
    return _saved(figure, target)


def _saved(figure: Figure, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=130)
    plt.close(figure)
    return target
