"""Tokens of `/api/v1`: shown once, recognised, slowed down, revoked."""

from uuid import UUID

import pytest

from bot.clients.models import ClientToken
from bot.clients.rules import Allowance, after_a_call, digest_of, is_token, new_token
from tests.harness.clients import Program
from tests.harness.protocol import QUIET
from tests.harness.world import World


@pytest.mark.parametrize(
    ("before", "now", "left", "wait"),
    [
        (None, 0.0, 59, 0.0),
        (Allowance(1.0, 0.0), 0.0, 0.0, 0.0),
        (Allowance(0.0, 0.0), 0.0, 0.0, 1.0),
        (Allowance(0.0, 0.0), 0.75, 0.75, 0.25),
        (Allowance(0.0, 0.0), 1.0, 0.0, 0.0),
        (Allowance(59.0, 0.0), 3600.0, 59.0, 0.0),
    ],
)
def test_sixty_calls_a_minute_fill_up_evenly(
    before: Allowance | None, now: float, left: float, wait: float
) -> None:
    after, seconds = after_a_call(before, 60, now)
    assert [after.left, seconds] == pytest.approx([left, wait])


def test_tokens_are_long_and_recognisable() -> None:
    token = new_token()
    assert is_token(token)
    assert len(token) >= 46
    assert new_token() != token
    assert not is_token("dl_" + "é" * 40)
    assert not is_token("dl_" + "x" * 300)


async def test_a_token_says_who_calls_and_is_kept_only_as_a_digest(bare_world: World) -> None:
    acme, operator = await Program.of(bare_world), await Program.of(bare_world, None)
    assert (await acme.calls("GET", "/me")).json()["client"] == "Acme"
    assert (await operator.calls("GET", "/me")).json()["is_operator"] is True
    rows = {row.client: row for row in await bare_world.rows(ClientToken)}
    assert rows["Acme"].digest == digest_of(acme.token)
    assert acme.token not in str(rows)
    assert rows["Acme"].last_used_at == bare_world.clock.wall()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer dl_nonsense", "Basic ZGw6eA=="])
async def test_without_a_good_token_nothing_opens(bare_world: World, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await bare_world.http.get(f"{bare_world.url}/api/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_a_revoked_token_opens_nothing_from_then_on(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    token_id = UUID((await acme.calls("GET", "/me")).json()["token_id"])
    await bare_world.doorline.services.client_tokens.revoke(token_id)
    assert (await acme.calls("GET", "/me")).status_code == 401


async def test_who_calls_too_often_is_told_when_to_go_on(bare_world: World) -> None:
    sop = bare_world.setting.var / "few_calls.yml"
    sop.write_text(QUIET.read_text(encoding="utf-8") + "intake: {requests_per_minute: 3}\n", encoding="utf-8")
    await bare_world.restart_app(doorline_sop=sop)
    acme, nova = await Program.of(bare_world), await Program.of(bare_world, "Nova")
    answers = [await acme.calls("GET", "/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 20
    assert (await nova.calls("GET", "/me")).status_code == 200
