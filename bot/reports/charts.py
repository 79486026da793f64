"""The charts of reports, by matplotlib: the same figures give the same bytes, on any machine."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bot.reports.fonts import FACES, font_file

INK, SOFT, LINE = "#1c2422", "#5d6763", "#e2dfd7"
GOOD, BAD, PALE, AIM = "#17695a", "#c4531c", "#c9cec8", "#3a4a46"
"""Told apart by shape and place too, so that they can be read in grey."""

STYLE: Any = {
    "font.family": "Source Sans Pro",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "doorline",
    "path.simplify": False,
}

A_WEEK = 7

_ONE_AT_A_TIME = Lock()
"""matplotlib's settings are the process's."""


@dataclass(frozen=True)
class DayPoint:
    day: date
    percent: float | None
    """None: nothing counted on that day."""
    target: float | None


@dataclass(frozen=True)
class Bar:
    name: str
    values: tuple[int, ...]
    """One per part of the stack."""


@dataclass(frozen=True)
class Mark:
    """A share against what was promised."""

    name: str
    percent: float | None
    target: float


@dataclass(frozen=True)
class Picture:
    """A chart that is not drawn yet, with what it says for those who cannot see it."""

    figure: Figure
    alt: str

    def svg(self) -> bytes:
        return self._written("svg")

    def png(self) -> bytes:
        """At twice the resolution of a plain screen."""
        return self._written("png")

    def _written(self, kind: str) -> bytes:
        out = io.BytesIO()
        with _ONE_AT_A_TIME, mpl.rc_context(STYLE):
            if kind == "svg":
                FigureCanvasSVG(self.figure)
                self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
            else:
                FigureCanvasAgg(self.figure)
                self.figure.savefig(out, format="png", dpi=200, metadata={"Software": None})
        return out.getvalue()


def by_day(
    points: Sequence[DayPoint], alt: str, *, size: tuple[float, float] = (7.4, 2.5), title: str = ""
) -> Picture:
    """A dot per day on a line, the target beneath it; what misses the target is a square."""
    with drawing(size) as (figure, axes):
        entitle(axes, title)
        known = [
            (number, point, point.percent) for number, point in enumerate(points) if point.percent is not None
        ]
        axes.plot(
            [number for number, _, _ in known], [percent for _, _, percent in known], color=PALE, lw=1.4
        )
        _targets(axes, points)
        for is_met, marker, color in ((True, "o", GOOD), (False, "s", BAD)):
            shown = [(n, percent) for n, point, percent in known if _meets(point) is is_met]
            axes.plot([n for n, _ in shown], [v for _, v in shown], marker, color=color, ms=5, zorder=3)
        _percent_axis(axes, [each for point in points for each in (point.percent, point.target)])
        day_axis(axes, [point.day for point in points])
        return Picture(figure, alt)


def by_name(marks: Sequence[Mark], alt: str) -> Picture:
    """A dot per name on the same scale, its target as an upright line."""
    with drawing((7.4, 0.62 + 0.34 * max(len(marks), 1))) as (figure, axes):
        for number, mark in enumerate(reversed(marks)):
            axes.plot([mark.target] * 2, [number - 0.28, number + 0.28], color=AIM, lw=1.6)
            if mark.percent is None:
                continue
            is_met = mark.percent >= mark.target
            axes.plot([mark.percent], [number], "o" if is_met else "s", color=GOOD if is_met else BAD, ms=7)
            axes.annotate(
                f"{mark.percent:.1f}%",
                (mark.percent, number),
                xytext=(-8 if mark.percent < mark.target else 8, 0),
                textcoords="offset points",
                ha="right" if mark.percent < mark.target else "left",
                va="center",
                fontsize=9.5,
            )
        axes.set_yticks(range(len(marks)), [_short(mark.name) for mark in reversed(marks)])
        axes.set_ylim(-0.6, len(marks) - 0.4)
        _percent_axis(axes, [each for mark in marks for each in (mark.percent, mark.target)], upright=False)
        return Picture(figure, alt)


def stacked(
    bars: Sequence[Bar],
    parts: Sequence[tuple[str, str]],
    alt: str,
    *,
    size: tuple[float, float] | None = None,
) -> Picture:
    """Level bars of counts, most first; `parts` are the stack's names and colours."""
    with drawing((7.4, 0.75 + 0.3 * max(len(bars), 1))) as (figure, axes):
        names = [_short(bar.name) for bar in reversed(bars)]
        left = [0] * len(bars)
        for number, (name, color) in enumerate(parts):
            widths = [bar.values[number] for bar in reversed(bars)]
            if any(widths):
                axes.barh(range(len(bars)), widths, left=left, height=0.62, color=color, label=name)
            left = [a + b for a, b in zip(left, widths, strict=True)]
        for number, total in enumerate(left):
            axes.annotate(str(total), (total, number), xytext=(5, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(bars)), names)
        axes.set_xlim(0, max([*left, 1]) * 1.08)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        # Above the bars: inside, it would lie on the longest of them.
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=9)
        return Picture(figure, alt)


@contextmanager
def drawing(size: tuple[float, float]) -> Iterator[tuple[Figure, Axes]]:
    """A figure in our style; nothing of matplotlib's own settings is left changed."""
    with _ONE_AT_A_TIME, mpl.rc_context(STYLE):
        _register_fonts()
        figure = Figure(figsize=size, layout="constrained")
        yield figure, figure.add_subplot()


def entitle(axes: Axes, title: str) -> None:
    """For a chart that stands alone; pages have headings of their own."""
    if title:
        axes.set_title(title, loc="left", fontsize=12, fontweight="semibold", pad=12)


def _register_fonts() -> None:
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for name in FACES.values():
        if str(font_file(name)) not in known:
            font_manager.fontManager.addfont(str(font_file(name)))


def _meets(point: DayPoint) -> bool:
    return point.target is None or (point.percent or 0.0) >= point.target


def _targets(axes: Axes, points: Sequence[DayPoint]) -> None:
    """A step per day, for targets that differ; through days on which nothing was promised."""
    known = [(number, point.target) for number, point in enumerate(points) if point.target is not None]
    if not known:
        return
    axes.plot(
        [-0.5, *(number for number, _ in known), len(points) - 0.5],
        [known[0][1], *(target for _, target in known), known[-1][1]],
        color=AIM,
        lw=1.2,
        ls=(0, (4, 3)),
        drawstyle="steps-mid",
    )
    axes.annotate(
        "target",
        (len(points) - 0.5, known[-1][1] or 0),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=AIM,
        annotation_clip=False,
    )


def _percent_axis(axes: Axes, values: Sequence[float | None], *, upright: bool = True) -> None:
    """Begins somewhat below the lowest value, in steps that can be read: dots show a place, not a length."""
    lowest = min((value for value in values if value is not None), default=90.0)
    bottom = max(0, int(lowest - 2) // 5 * 5)
    step = 1 if bottom > 95 else 2 if bottom >= 90 else 5 if bottom >= 70 else 10 if bottom >= 50 else 20
    ticks = [tick for tick in range(0, 101, step) if tick >= bottom]
    room = (100 - bottom) * 0.04
    if upright:
        axes.set_ylim(bottom, 100 + room)
        axes.set_yticks(ticks, [f"{tick}%" for tick in ticks])
    else:
        axes.set_xlim(bottom, 100 + room * 2.2)
        axes.set_xticks(ticks, [f"{tick}%" for tick in ticks])
    axes.grid(axis="y" if upright else "x", color=LINE, lw=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines[["left"]].set_visible(False)


def day_axis(axes: Axes, days: Sequence[date]) -> None:
    """A dozen labels at most; the first and each new month name the month, and a week names its weekdays."""
    every = max(1, -(-len(days) // 12))
    ticks = range(0, len(days), every)
    labels = []
    for place, number in enumerate(ticks):
        day, is_new = days[number], place == 0 or days[number].month != days[ticks[place - 1]].month
        dated = f"{day:%b} {day.day}" if is_new else f"{day.day}"
        labels.append(f"{day:%a}\n{dated}" if len(days) <= A_WEEK else "\n".join(reversed(dated.split())))
    axes.set_xticks(list(ticks), labels)
    axes.set_xlim(-0.5, len(days) - 0.5)


def _short(name: str) -> str:
    return name if len(name) <= 28 else name[:27] + "…"
