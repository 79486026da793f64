"""Pages, PDFs and charts are made in a process of their own: seconds of work that nobody else has to wait for.

`python -m bot.reports.rendering html|pdf` reads a report as JSON and writes it out.
"""

import asyncio
import base64
import json
import sys

from pydantic import BaseModel

from bot.reports.errors import PdfUnavailableError, RenderingError
from bot.reports.report import SlaReport
from bot.reports.writing import MEDIA_TYPES, Format, Written, filename, write
from connectors.digest import DigestChart, DigestView

PATIENCE_SECONDS = 180
LACKS_A_LIBRARY = 3
ONE_AT_A_TIME = asyncio.Semaphore(1)


async def render(report: SlaReport, wanted: Format) -> Written:
    """As `write`, without holding up the process.

    Raises:
        PdfUnavailableError: a library of the system is missing.
        RenderingError: it could not be made.
    """
    if wanted in (Format.CSV, Format.JSON):
        return await asyncio.to_thread(write, report, wanted)
    async with ONE_AT_A_TIME:
        content = await _in_a_process(report, "bot.reports.rendering", wanted.value)
    return Written(content, MEDIA_TYPES[wanted], filename(report, wanted))


async def draw(view: DigestView) -> dict[DigestChart, bytes]:
    """PNGs, both by one process. Raises `RenderingError`: they could not be made."""
    async with ONE_AT_A_TIME:
        made = await _in_a_process(view, "bot.reports.digest_charts")
    return {DigestChart(name): base64.b64decode(picture) for name, picture in json.loads(made).items()}


async def _in_a_process(content: BaseModel, module: str, *arguments: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        given = content.model_dump_json().encode()
        made, words = await asyncio.wait_for(process.communicate(given), PATIENCE_SECONDS)
    except (TimeoutError, asyncio.CancelledError) as exc:
        process.kill()
        await process.wait()
        if isinstance(exc, asyncio.CancelledError):
            raise
        raise RenderingError(f"not made within {PATIENCE_SECONDS} seconds") from exc
    if process.returncode == LACKS_A_LIBRARY:
        raise PdfUnavailableError(words.decode(errors="replace").strip())
    if process.returncode != 0:
        raise RenderingError(words.decode(errors="replace")[-500:])
    return made


def main() -> None:
    report = SlaReport.model_validate_json(sys.stdin.buffer.read())
    try:
        written = write(report, Format(sys.argv[1]))
    except PdfUnavailableError as exc:
        sys.stderr.write(str(exc))
        raise SystemExit(LACKS_A_LIBRARY) from exc
    sys.stdout.buffer.write(written.content)


if __name__ == "__main__":
    main()
