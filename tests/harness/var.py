"""Where the tests keep what they write: a folder for each process that runs them side by side."""

import os

from bot.settings import PROJECT_ROOT

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
VAR = PROJECT_ROOT / "var" / "tests" / WORKER
