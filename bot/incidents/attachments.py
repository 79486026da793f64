"""Pictures that came inside a mail: kept on disk until they are taken into an incident, found by their address."""

import asyncio
import hashlib
import os
from pathlib import Path

from connectors.base import MediaContent
from connectors.errors import ChannelUnavailableError, MediaRefusedError

SCHEME = "attachment:"


class AttachmentFiles:
    """A picture's address is made of the mail's id and its place in it: the same again changes nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, vendor_id: str, index: int, _claimed_type: str, content: bytes) -> str:
        """Gives the address under which `read` finds it."""
        # The sender chooses the id: it must not name a path.
        name = hashlib.sha256(f"{vendor_id}\n{index}".encode()).hexdigest()
        await asyncio.to_thread(self._write, name, content)
        return SCHEME + name

    async def read(self, url: str, at_most_bytes: int) -> MediaContent:
        """Raises `MediaRefusedError` for an address that is none of ours, and for a picture that is too big."""
        name = url.removeprefix(SCHEME)
        if not url.startswith(SCHEME) or not name.isalnum():
            raise MediaRefusedError("email", "not an attachment of ours", "foreign_url")
        try:
            content = await asyncio.to_thread((self._folder / name).read_bytes)
        except FileNotFoundError as exc:
            raise MediaRefusedError("email", "the attachment is not there any more", "gone") from exc
        except OSError as exc:
            raise ChannelUnavailableError("email", "the attachment cannot be read") from exc
        if len(content) > at_most_bytes:
            raise MediaRefusedError("email", "the attachment is too big", "too_big")
        return MediaContent(content_type="application/octet-stream", content=content)

    def _write(self, name: str, content: bytes) -> None:
        path = self._folder / name
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{name}.{os.getpid()}.draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        draft.replace(path)
