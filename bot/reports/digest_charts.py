"""The two charts of the weekly digest. They are read on a phone: large letters, no legend where none is needed.

`python -m bot.reports.digest_charts` reads a digest as JSON and writes its charts as JSON: PNGs in base64 by name.
Little is imported beyond what draws, so that the process is quick.
"""

import base64
import json
import sys

from matplotlib.axes import Axes

from bot.reports.charts import AIM, PALE, DayPoint, Picture, by_day, day_axis, drawing, entitle
from connectors.digest import DigestChart, DigestDay, DigestView

SIZE = (7.4, 3.3)
WIDTH = 0.62


def picture(view: DigestView, chart: DigestChart) -> Picture:
    return _on_time(view) if chart is DigestChart.ON_TIME else _escalations(view)


def _on_time(view: DigestView) -> Picture:
    points = [DayPoint(each.day, each.on_time_percent, each.target_percent) for each in view.days]
    title = f"On time by day, {_week_of(view)}"
    return by_day(points, title, size=SIZE, title=title)


def _escalations(view: DigestView) -> Picture:
    title = f"Escalations by day, {_week_of(view)}"
    with drawing(SIZE) as (figure, axes):
        entitle(axes, title)
        _columns(axes, view.days)
        day_axis(axes, [each.day for each in view.days])
        return Picture(figure, title)


def _week_of(view: DigestView) -> str:
    return f"week of {view.start:%B} {view.start.day}, {view.start.year}"


def _columns(axes: Axes, days: tuple[DigestDay, ...]) -> None:
    places, real = range(len(days)), [each.escalations - each.noise for each in days]
    axes.bar(places, real, WIDTH, color=AIM, label="Escalations")
    if any(each.noise for each in days):
        noise = [each.noise for each in days]
        axes.bar(
            places, noise, WIDTH, bottom=real, color=PALE, hatch="///", edgecolor=AIM, label="Marked as noise"
        )
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, fontsize=9)
    for place, each in enumerate(days):
        axes.annotate(
            str(each.escalations),
            (place, each.escalations),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
        )
    axes.set_ylim(0, max([each.escalations for each in days] + [1]) * 1.15)
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)


def main() -> None:
    view = DigestView.model_validate_json(sys.stdin.buffer.read())
    made = {chart.value: base64.b64encode(picture(view, chart).png()).decode() for chart in DigestChart}
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
