"""`python -m tools.platform_docs` writes docs/platforms.md from what the connectors declare."""

from pathlib import Path

from bot.platforms.cli import vendor_matrix
from bot.platforms.matrix import markdown
from bot.stops.accounts import VENDOR_NAMES

PAGE = Path(__file__).parents[1] / "docs" / "platforms.md"
INTRODUCTION = """\
# What the routing platforms can do

Written by `python -m tools.platform_docs` from what each connector declares; do not edit it by hand.
`doorline platforms abilities` shows the same, `doorline doctor` what an account of yours lacks. What a platform
cannot do, a dispatcher is asked to do by hand. `-` is not possible there; words are the condition.

"""


def page() -> str:
    return f"{INTRODUCTION}{markdown(VENDOR_NAMES, vendor_matrix())}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
