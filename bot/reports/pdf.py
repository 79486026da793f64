"""A page as a PDF, by WeasyPrint. The same page gives the same bytes, in any process and on any day."""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from bot.reports.errors import PdfUnavailableError
from bot.reports.fonts import embedded_faces

SYSTEM_LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
"""Debian's and Ubuntu's names of what WeasyPrint loads."""

_ONE_AT_A_TIME = Lock()
"""The environment is the process's."""


def to_pdf(html: str) -> bytes:
    """One self-contained page: nothing is fetched but `data:` URLs. Takes a second or two: call it in a thread.

    The font family `Report` is there in weights 400, 600 and 700, whatever the machine has installed.

    Raises:
        PdfUnavailableError: the system lacks a library; its text says which packages to install.
    """
    weasyprint = _weasyprint()
    from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]
    from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]

    fonts, only_data = FontConfiguration(), URLFetcher(allowed_protocols=("data",))
    faces = weasyprint.CSS(string=embedded_faces(), font_config=fonts, url_fetcher=only_data)
    with _ONE_AT_A_TIME, _without_dates():
        content: bytes = weasyprint.HTML(string=html, url_fetcher=only_data).write_pdf(
            stylesheets=[faces],
            font_config=fonts,
            pdf_identifier=hashlib.sha256(html.encode()).digest()[:16],
            pdf_tags=True,
        )
    return content


def _weasyprint() -> Any:
    try:
        import weasyprint  # type: ignore[import-untyped]
    except OSError as exc:
        raise PdfUnavailableError(
            f"PDF needs libraries of the system: apt-get install {SYSTEM_LIBRARIES}. HTML, CSV and JSON need none."
        ) from exc
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    return weasyprint


@contextmanager
def _without_dates() -> Iterator[None]:
    """fontTools writes the time into each font that it makes smaller, unless told one."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
