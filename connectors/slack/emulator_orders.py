"""Orders that the demo page and the tests give the pretended Slack: read, carried out, answered or refused."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.emulation import read_json
from connectors.slack.emulator_state import SlackError


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


AnyOrder = TypeVar("AnyOrder", bound=Order)


async def obey(
    request: Request,
    shape: type[AnyOrder],
    carry_out: Callable[[AnyOrder, Request], Awaitable[dict[str, Any]]],
) -> Response:
    try:
        answer = await carry_out(shape.model_validate(await read_json(request)), request)
    except ValidationError as error:
        return refused(error)
    except SlackError as error:
        return JSONResponse({"ok": False, "error": error.code}, 400)
    return JSONResponse({"ok": True, **answer})


def refused(error: ValidationError) -> Response:
    return JSONResponse({"ok": False, "error": "invalid_arguments", "details": str(error)}, 400)
