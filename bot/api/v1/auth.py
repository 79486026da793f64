"""Who calls, and how often: a bearer token on every request."""

import math
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from bot.api.v1.problems import ProblemError
from bot.clients.service import Caller
from bot.services import Services

_bearer = HTTPBearer(
    auto_error=False, description="A token of `doorline client token CLIENT`.", scheme_name="clientToken"
)


def services_of(request: Request) -> Services:
    """What `bot.app` wired; the app under which these routes are mounted carries it."""
    return cast(Services, request.app.state.doorline.services)


async def authenticated(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Raises `ProblemError`: 401 without a good token, 429 when it calls too often."""
    tokens = services_of(request).client_tokens
    caller = await tokens.recognise(credentials.credentials) if credentials is not None else None
    if caller is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "unauthorized",
            "Send a client token: `Authorization: Bearer dl_...`.",
            headers={"WWW-Authenticate": 'Bearer realm="doorline"'},
        )
    if wait := tokens.wait_for(caller):
        headers = {"Retry-After": str(max(1, math.ceil(wait)))}
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", headers=headers)
    return caller


CallerIn = Annotated[Caller, Depends(authenticated)]
ServicesIn = Annotated[Services, Depends(services_of)]


def client_for(caller: Caller, named: str | None) -> str:
    """Whose stop it becomes: a client's own token settles that, an operator must say.

    Raises `ProblemError` for somebody else's name.
    """
    if caller.client is None:
        if named is None:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "client_missing", "An operator's token must name the client."
            )
        return named
    if named not in (None, caller.client):
        raise ProblemError(HTTPStatus.FORBIDDEN, "other_client", "The token is another client's.")
    return caller.client


def only_operators(caller: CallerIn) -> Caller:
    if not caller.is_operator:
        raise ProblemError(HTTPStatus.FORBIDDEN, "operators_only", "This is for an operator's token.")
    return caller


OperatorIn = Annotated[Caller, Depends(only_operators)]
