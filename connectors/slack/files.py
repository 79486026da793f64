"""Files shared in a channel or a thread: an address each, the bytes brought there, then one message with all of them.

Source: files.getUploadURLExternal, files.completeUploadExternal (`files.upload` is gone since November 2025).
"""

from collections.abc import Sequence

from connectors.base import Record
from connectors.slack.payloads import WireModel
from connectors.slack.wire import SlackWire

ALT_LIMIT = 1000


class DeskFile(Record):
    name: str
    """With its ending: Slack shows pictures by it."""
    title: str
    content: bytes
    alt: str = ""
    """What a picture says, for those who cannot see it."""


class _Address(WireModel):
    upload_url: str
    file_id: str


class _Shared(WireModel):
    files: list[dict[str, object]]


async def share(
    wire: SlackWire, channel_id: str, thread_ts: str | None, files: Sequence[DeskFile], words: str = ""
) -> list[str]:
    """Shares all of them at once, `words` above; gives Slack's ids in the same order.

    Nobody sees anything before the last call. That call is not idempotent: after `OutcomeUnknownError` the thread
    must be looked at before it is done again.

    Raises:
        ChannelUnavailableError: nothing was shared; try later.
        OutcomeUnknownError: perhaps shared.
        ChannelMisconfiguredError
    """
    ids = [await _bring(wire, file) for file in files]
    arguments = {
        "channel_id": channel_id,
        "files": [{"id": file_id, "title": file.title} for file_id, file in zip(ids, files, strict=True)],
        **({"thread_ts": thread_ts} if thread_ts else {}),
        **({"initial_comment": words} if words else {}),
    }
    await wire.write("files.completeUploadExternal", arguments, _Shared)
    return ids


async def _bring(wire: SlackWire, file: DeskFile) -> str:
    # The method takes no JSON. Source: its page; observed with slack_sdk 3.47.
    wanted: dict[str, object] = {"filename": file.name, "length": len(file.content)}
    if file.alt:
        wanted["alt_txt"] = file.alt[:ALT_LIMIT]
    address = await wire.read("files.getUploadURLExternal", wanted, _Address)
    await wire.upload(address.upload_url, file.content)
    return address.file_id
