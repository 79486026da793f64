"""Who am I: what a client's program asks first."""

from fastapi import APIRouter

from bot.api.v1.auth import CallerIn
from bot.api.v1.problems import problems
from bot.api.v1.shown import TokenOut

router = APIRouter(tags=["token"])


@router.get("/me", responses=problems())
async def who_am_i(caller: CallerIn) -> TokenOut:
    return TokenOut(
        token_id=caller.token_id, name=caller.name, client=caller.client, is_operator=caller.is_operator
    )
