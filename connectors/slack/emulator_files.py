"""Files, pretended: an address for each upload, the bytes brought there, then shared as one message.

Source: files.getUploadURLExternal, files.completeUploadExternal; the upload answers `OK - <n>` and takes no token.
"""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.slack.emulator_args import Args
from connectors.slack.emulator_state import Actor, Draft, SlackError, Workspace


class Files:
    """Kept in memory: what was uploaded and not shared is forgotten with the process, as Slack forgets it in time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._expected: dict[str, tuple[str, int]] = {}
        self._names: dict[str, str] = {}
        self.contents: dict[str, bytes] = {}
        """By file id, once the bytes are there."""
        self.shared: dict[str, str] = {}
        """Channel of each file that was shared, by file id."""

    def routes(self) -> list[Route]:
        return [
            Route("/upload/v1/{ticket}", self._take, methods=["POST"]),
            Route("/_emulator/files/{file_id}", self._show),
        ]

    def get_upload_url(self, base_url: str, args: Args) -> dict[str, Any]:
        name, length = args.text("filename"), args.number("length", 0)
        if not name or length <= 0:
            raise SlackError("invalid_arguments")
        ticket, file_id = secrets.token_urlsafe(16), f"F{secrets.token_hex(5).upper()}"
        self._expected[ticket] = (file_id, length)
        self._names[file_id] = name
        return {"upload_url": f"{base_url}upload/v1/{ticket}", "file_id": file_id}

    def complete(self, actor: Actor, args: Args) -> dict[str, Any]:
        wanted = args.structure("files", "invalid_arguments")
        if not isinstance(wanted, list) or not wanted:
            raise SlackError("invalid_arguments")
        ids = [str(each.get("id")) for each in wanted]
        if not set(ids) <= self.contents.keys():
            raise SlackError("file_not_found")
        if "channel_id" in args:
            self._share(actor, args, wanted)
        titles = {str(each["id"]): str(each.get("title") or self._names[each["id"]]) for each in wanted}
        return {"files": [{"id": file_id, "title": title} for file_id, title in titles.items()]}

    def _share(self, actor: Actor, args: Args, wanted: list[dict[str, Any]]) -> None:
        channel_id = self._workspace.channel_of(actor, args.text("channel_id"))
        names = tuple(self._names[each["id"]] for each in wanted)
        draft = Draft(args.text("initial_comment"), files=names, thread_ts=args.text("thread_ts") or None)
        self._workspace.post(actor, channel_id, draft)
        self.shared |= {each["id"]: channel_id for each in wanted}

    async def _take(self, request: Request) -> Response:
        expected = self._expected.pop(request.path_params["ticket"], None)
        content = await request.body()
        if expected is None or len(content) != expected[1]:
            return PlainTextResponse("failed", 400)
        self.contents[expected[0]] = content
        return PlainTextResponse(f"OK - {len(content)}")

    async def _show(self, request: Request) -> Response:
        content = self.contents.get(request.path_params["file_id"])
        return Response(content) if content is not None else Response(status_code=404)
