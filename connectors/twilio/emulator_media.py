"""The pretended Twilio's media: what people sent, and the host that serves it.

The API itself serves none: it sends on to that host, whose addresses are secrets and ask for no credentials.
"""

import base64
import hmac
from pathlib import Path

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors import pictures
from connectors.emulation import Ledger
from connectors.twilio.emulator_state import StoredMedia, new_sid


class SentPicture(BaseModel):
    """One piece of media as a person sends it."""

    model_config = ConfigDict(frozen=True)

    content_type: str = Field(default="image/png", pattern=r"^[\w.+-]+/[\w.+-]+$")
    """What the sender's phone calls it."""
    content: Base64Bytes


def painted(count: int) -> list[SentPicture]:
    """So many different pictures."""
    contents = [pictures.snapshot(str(index)) for index in range(count)]
    return [SentPicture(content=base64.b64encode(content)) for content in contents]


class MediaFiles:
    """The bytes, by the media's sid; kept in the ledger."""

    def __init__(self, path: Path | None) -> None:
        self._ledger = Ledger(path, "twilio_media")

    def put(self, picture: SentPicture) -> StoredMedia:
        media = StoredMedia(sid=new_sid("ME"), content_type=picture.content_type)
        self._ledger[media.sid] = [media.content_type, base64.b64encode(picture.content).decode()]
        return media

    def find(self, sid: str) -> tuple[str, bytes] | None:
        """Its type and its bytes."""
        stored = self._ledger.get(sid)
        return None if stored is None else (stored[0], base64.b64decode(stored[1]))

    def remove(self, sid: str) -> None:
        """As when a person or Twilio deletes it: the message still names it."""
        self._ledger.pop(sid, None)


class MediaHost:
    def __init__(self, files: MediaFiles, secret: str) -> None:
        self._files = files
        self._secret = secret

    def route(self) -> Route:
        return Route("/media/{sid}/{key}", self._serve, methods=["GET"], name="media")

    def address_of(self, request: Request, media: StoredMedia) -> str:
        return str(request.url_for("media", sid=media.sid, key=self._key(media.sid)))

    async def _serve(self, request: Request) -> Response:
        if "authorization" in request.headers:
            # They were for the API; S3, which stands behind the real host, refuses such a request too.
            return Response("credentials reached the media host", 400, media_type="text/plain")
        sid = request.path_params["sid"]
        found = self._files.find(sid)
        if found is None or not hmac.compare_digest(request.path_params["key"], self._key(sid)):
            return Response(status_code=404)
        return Response(found[1], media_type=found[0])

    def _key(self, sid: str) -> str:
        return hmac.new(self._secret.encode(), sid.encode(), "sha256").hexdigest()[:32]
