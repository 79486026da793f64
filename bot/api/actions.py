"""`/actions/webhook`: Rasa asks, an action of ours runs inside this process."""

import hmac
from typing import Any

import structlog
from fastapi import APIRouter, Request
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from starlette.responses import JSONResponse

log = structlog.get_logger()


def router(executor: ActionExecutor, token: str) -> APIRouter:
    """`token` must come with every call, as `?token=`: Rasa's own way for action servers."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/actions/webhook")
    async def run_action(request: Request) -> JSONResponse:
        if not hmac.compare_digest(request.query_params.get("token", "").encode(), token.encode()):
            return JSONResponse({"error": "wrong token"}, 403)
        call = await _read_call(request)
        if call is None:
            return JSONResponse({"error": "expected a JSON object"}, 400)
        try:
            result = await executor.run(call)
        except ActionExecutionRejection as exc:
            # Rasa reads these two fields: a form hands the turn back to the rules.
            return JSONResponse({"error": str(exc), "action_name": exc.action_name}, 400)
        except ActionNotFoundException as exc:
            log.error("action_missing", action=exc.action_name)
            return JSONResponse({"error": str(exc), "action_name": exc.action_name}, 404)
        except Exception:
            # Rasa goes on without the action; the turn then has no reply and a dispatcher gets the text.
            log.exception(
                "action_failed", action=call.get("next_action"), conversation_id=call.get("sender_id")
            )
            return JSONResponse({"error": "the action failed"}, 500)
        return JSONResponse(result.model_dump() if result is not None else {})

    return routes


async def _read_call(request: Request) -> dict[str, Any] | None:
    """Rasa's call; None when the body is something else."""
    try:
        call = await request.json()
    except ValueError:
        return None
    # Rasa leaves the domain out, at our wish: no action reads it. The executor insists on one.
    return {"domain": {}, **call} if isinstance(call, dict) else None
