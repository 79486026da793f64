"""The typeface of all reports, from a package of its own, so that every machine draws the same letters."""

import base64
import io
from functools import cache
from importlib import resources
from pathlib import Path

FACES = {400: "SourceSansPro-Regular.ttf", 600: "SourceSansPro-Semibold.ttf", 700: "SourceSansPro-Bold.ttf"}
"""By weight. Source Sans Pro, under the SIL Open Font License."""

LETTERS = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2027), 0x20AC, 0x2212]
"""Latin with its accents, and punctuation: names in other scripts are drawn in the reader's own typeface."""


def font_file(name: str) -> Path:
    return Path(str(resources.files("font_source_sans_pro"))) / "files" / name


@cache
def embedded_faces() -> str:
    """CSS that carries the typeface inside a page, some 20 KB per weight."""
    return "".join(
        f"@font-face {{ font-family: Report; font-weight: {weight}; "
        f"src: url(data:font/woff2;base64,{_small(name)}) format('woff2'); }}\n"
        for weight, name in FACES.items()
    )


def _small(name: str) -> str:
    # Imported here: charts need the typeface as it is, and this is a second of loading.
    from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    # Without `recalcTimestamp` the time of writing would stand in the file.
    font = TTFont(font_file(name), recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=["kern", "liga", "tnum", "lnum"], hinting=False))
    subsetter.populate(unicodes=LETTERS)
    subsetter.subset(font)
    font.flavor = "woff2"
    out = io.BytesIO()
    font.save(out)
    return base64.b64encode(out.getvalue()).decode()
