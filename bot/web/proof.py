"""What a link in a text opens: the proof of a delivery for its recipient, and a picture for a dispatcher.

Whoever has the link may see it, until it runs out. The platform's own addresses never leave the server.
"""

from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, Response

from bot.errors import NotFoundError
from bot.incidents.photos import PhotoKeeper, file_name
from bot.links import ExpiredLinkError, ForgedLinkError, Opened, SignedLinks
from bot.sla.rules import clock_time
from bot.stops.models import StopRecord
from bot.stops.proof import ProofService, finished_at, proof_of
from bot.stops.streets import street_of
from bot.web.pages import mount_static, page
from connectors.base import MediaContent
from connectors.errors import ConnectorError, MediaRefusedError

log = structlog.get_logger()

SIGNATURE = "signature"

PRIVATE = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
ONLY_A_PICTURE = PRIVATE | {"Content-Security-Policy": "default-src 'none'; img-src 'self'; sandbox"}


def mount(app: FastAPI, proofs: ProofService, links: SignedLinks, photos: PhotoKeeper) -> None:
    """The pages with their static files, on `app`; `links` are those that `proofs` gives out."""
    mount_static(app)
    app.include_router(proof_router(proofs, links))
    app.include_router(photo_router(photos))


def proof_router(proofs: ProofService, links: SignedLinks) -> APIRouter:
    """`GET /proof/{token}` and its pictures: 410 once the link has run out, 404 for one that is not ours."""
    routes = APIRouter(prefix="/proof", include_in_schema=False)

    @routes.get("/{token}")
    async def show_proof(token: str, lang: str = "") -> HTMLResponse:
        try:
            opened = links.open(token)
        except ExpiredLinkError as exc:
            return _closed("expired", _language(lang, exc.language), HTTPStatus.GONE)
        except ForgedLinkError:
            return _closed("unknown", _language(lang, "en"), HTTPStatus.NOT_FOUND)
        language = _language(lang, opened.language)
        record = await proofs.find_shown(opened.thing_id)
        if record is None:
            return _closed("unknown", language, HTTPStatus.NOT_FOUND)
        return _private(page("proof.html", language=language, proof=_shown(record, token, language)))

    @routes.get("/{token}/photo/{number}")
    async def photo(token: str, number: int) -> Response:
        return await _picture(proofs, links, token, number)

    @routes.get("/{token}/signature")
    async def signature(token: str) -> Response:
        return await _picture(proofs, links, token, SIGNATURE)

    return routes


def photo_router(photos: PhotoKeeper) -> APIRouter:
    """`GET /incidents/photo/{token}`: a picture that a recipient sent, for who has the link."""
    routes = APIRouter(prefix="/incidents", include_in_schema=False)

    @routes.get("/photo/{token}")
    async def show_photo(token: str) -> Response:
        try:
            photo, content = await photos.open_kept(token)
        except ExpiredLinkError:
            return _plain("This link has run out.", HTTPStatus.GONE)
        except (ForgedLinkError, NotFoundError):
            return _plain("There is no such picture.", HTTPStatus.NOT_FOUND)
        named = {"Content-Disposition": f'inline; filename="{file_name(photo)}"'}
        return Response(content, media_type=photo.content_type, headers=ONLY_A_PICTURE | named)

    return routes


async def _picture(proofs: ProofService, links: SignedLinks, token: str, which: int | str) -> Response:
    try:
        fetched = await _fetched(proofs, links.open(token), which)
    except ExpiredLinkError:
        return _plain("", HTTPStatus.GONE)
    except (ForgedLinkError, NotFoundError, MediaRefusedError):
        return _plain("", HTTPStatus.NOT_FOUND)
    except ConnectorError as exc:
        log.warning("proof_picture_not_fetched", error=type(exc).__name__)
        return _plain("", HTTPStatus.BAD_GATEWAY)
    return Response(fetched.content, media_type=fetched.content_type, headers=ONLY_A_PICTURE)


async def _fetched(proofs: ProofService, opened: Opened, which: int | str) -> MediaContent:
    record = await proofs.find_shown(opened.thing_id)
    if record is None:
        raise NotFoundError("nothing to show")
    proof = proof_of(record)
    urls = [proof.signature_url] if which == SIGNATURE else list(proof.photo_urls)
    index = 0 if isinstance(which, str) else which
    url = urls[index] if 0 <= index < len(urls) else None
    if url is None:
        raise NotFoundError("no such picture")
    return await proofs.fetch(record, url)


def _shown(record: StopRecord, token: str, language: str) -> dict[str, object]:
    """What the page tells. The street without its number: a link may travel."""
    proof = proof_of(record)
    at = finished_at(record)
    return {
        "photos": [f"/proof/{token}/photo/{number}" for number in range(len(proof.photo_urls))],
        "signature": f"/proof/{token}/signature" if proof.signature_url else None,
        "signed_by": proof.signed_by,
        "client": record.client,
        "street": street_of(record.address_line),
        "status": record.status.value,
        "date": _local(at, record.timezone),
        "time": clock_time(at, record.timezone) if at is not None else "",
        "language": language,
    }


def _local(at: datetime | None, timezone: str) -> datetime | None:
    return at.astimezone(ZoneInfo(timezone)) if at is not None else None


def _language(asked: str, of_person: str) -> str:
    return asked if asked in ("en", "es") else of_person if of_person in ("en", "es") else "en"


def _closed(why: str, language: str, status: HTTPStatus) -> HTMLResponse:
    response = _private(page("proof_closed.html", language=language, why=why))
    response.status_code = status
    return response


def _private(response: HTMLResponse) -> HTMLResponse:
    response.headers.update(PRIVATE)
    return response


def _plain(text: str, status: HTTPStatus) -> Response:
    return Response(text, status, media_type="text/plain", headers=PRIVATE)
