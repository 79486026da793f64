"""Pictures as files: under DOORLINE_VAR/media, which every process that serves or works must share."""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from bot.errors import NotFoundError
from connectors.base import MediaContent

ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/gif": "gif",
}


@dataclass(frozen=True)
class Kept:
    path: str
    """Below the folder."""
    sha256: str
    size_bytes: int


class MediaStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, photo_id: UUID, picture: MediaContent) -> Kept:
        """Writes whole or not at all. Again: the same file."""
        path = Path(photo_id.hex[:2]) / f"{photo_id}.{ENDINGS[picture.content_type]}"
        await asyncio.to_thread(_write, self._folder / path, picture.content)
        return Kept(str(path), hashlib.sha256(picture.content).hexdigest(), len(picture.content))

    async def read(self, path: str) -> bytes:
        """Raises `NotFoundError` when the file is not there any more."""
        try:
            return await asyncio.to_thread((self._folder / path).read_bytes)
        except FileNotFoundError as exc:
            raise NotFoundError("the picture is not there any more") from exc


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
