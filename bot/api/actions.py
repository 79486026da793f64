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
        try:
            call: dict[str, Any] = await request.json()
            result = await executor.run(call)
        except ActionExecutionRejection as exc:
            # Rasa reads these two fields: a form hands the turn back to the rules.
            return JSONResponse({"error": str(exc), "action_name": exc.action_name}, 400)
        except ActionNotFoundException as exc:
            log.error("action_missing", action=exc.action_name)
            return JSONResponse({"error": str(exc), "action_name": exc.action_name}, 404)
        except ValueError:
            return JSONResponse({"error": "not JSON"}, 400)
        return JSONResponse(result)

    return routes
