"""The board: for who has the link, current by itself, readable on a phone, by keyboard and on paper."""

from datetime import datetime, timedelta
from typing import Any

import pypdfium2
import pytest
from playwright.async_api import Browser, ViewportSize
from sqlalchemy import update
from sqlmodel import col

from bot.conversations.models import Conversation
from bot.desk.models import DeskTask
from bot.escalations.models import Escalation
from bot.recovery.models import Recovery, RecoveryState
from bot.requests.models import DispatchRequest, RequestKind
from bot.stops.models import SlaState, StopRecord
from bot.web.board_shown import shown
from bot.web.pages import page as rendered
from connectors.base import ChannelName, FailureReason, StopStatus
from connectors.desk import AnswerCode, CommandKind, DeskCommand, TaskKind
from connectors.escalation import Severity
from connectors.follow_up import Board
from tests.bot.board.failures import failed
from tests.bot.manifest.day import NOON, stop
from tests.harness.accounts import CHANNEL
from tests.harness.world import World

LAPTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=375, height=812)


def link_to(world: World, zone: str | None = None) -> str:
    """What Slack hands out."""
    return world.doorline.services.board_links.page_url(zone)


def ago(world: World, minutes: int) -> datetime:
    return world.clock.now() - timedelta(minutes=minutes)


async def an_afternoon(world: World) -> None:
    """One of each: asked, with dispatch, to be held, booked, sent back; and one that is late."""
    tracking = await world.has_stop(address="9 Late Ln", window=("10:00", "12:00"), eta="12:40")
    async with world.doorline.services.database.transaction() as session:
        await failed(session, "ASKED", ago(world, 42), stop_address_line="1 Asked St")
        await failed(
            session,
            "HELD",
            ago(world, 300),
            remind=None,
            state=RecoveryState.WITH_DISPATCHER,
            detail="attempts",
            reason=FailureReason.RECIPIENT_UNAVAILABLE,
            attempt=3,
            stop_address_line="2 Held <b>St",
            stop_zone="South",
        )
        again = stop("AGAIN", ("16:00", "18:00"), driver=None)
        session.add(again)
        await session.flush()
        over: dict[str, Any] = {"remind": None, "settled_at": ago(world, 60)}
        booked: dict[str, Any] = {
            "state": RecoveryState.BOOKED,
            "settled_by": "recipient",
            "reattempt_id": again.id,
        }
        await failed(session, "BOOKED", ago(world, 200), stop_address_line="3 Booked St", **over, **booked)
        back: dict[str, Any] = {"state": RecoveryState.SENT_BACK, "settled_by": "default"}
        await failed(session, "BACK", ago(world, 400), stop_address_line="4 Back St", **over, **back)
        kept: dict[str, Any] = {"state": RecoveryState.PICK_UP, "settled_by": "recipient"}
        kept_one = await failed(
            session, "KEPT", ago(world, 90), stop_address_line="5 Kept St", **over, **kept
        )
        session.add(_to_do(world, kept_one))
        await session.execute(
            update(StopRecord).where(col(StopRecord.tracking) == tracking).values(sla_state=SlaState.BREACHED)
        )


def _to_do(world: World, recovery: Recovery) -> DeskTask:
    return DeskTask(
        key=f"recovery:{recovery.id}:pick_up",
        kind=TaskKind.FOLLOW_UP,
        timezone=recovery.timezone,
        facts={},
        choices=["done"],
        channel="dispatch",
        created_at=world.clock.now(),
        asked_at=world.clock.wall(),
        posted_revision=1,
        slack_channel="C0DISPATCH",
        slack_ts="1.2",
    )


async def test_it_shows_what_needs_somebody_in_which_group(bare_world: World) -> None:
    await an_afternoon(bare_world)
    board = await bare_world.doorline.services.board_reader.read()
    groups = shown(board)
    assert [each["tracking"] for each in groups["with_dispatch"]] == ["HELD", "KEPT"]
    assert [each["tracking"] for each in groups["asking"]] == ["ASKED"]
    assert [each["address"] for each in groups["late"]] == ["9 Late Ln"]
    assert {each["tracking"] for each in groups["settled"]} == {"BOOKED", "BACK"}
    [asked] = groups["asking"]
    assert (asked["since"], asked["next"]) == ("42 min", "Reminder 1:18 pm")
    kept = groups["with_dispatch"][1]
    assert (kept["to_do"], kept["url"].endswith("/archives/C0DISPATCH/p12")) == (True, True)
    page = (await bare_world.http.get(link_to(bare_world))).text
    for words in (
        "2 Held &lt;b&gt;St",
        "3rd try",
        "Attempts used up",
        "Second try 4-6 pm",
        "nobody answered",
    ):
        assert words in page, words
    assert "+1212" not in page


async def test_a_wish_to_approve_opens_the_message_with_approve_and_decline(bare_world: World) -> None:
    now = bare_world.clock.now()
    async with bare_world.doorline.services.database.transaction() as session:
        held = {"state": RecoveryState.WITH_DISPATCHER, "detail": "request"}
        recovery = await failed(session, "WISH", ago(bare_world, 5), remind=None, **held)
        talk = Conversation(channel=ChannelName.SMS, address="+12125550177", our_address="+1", created_at=now)
        escalation = Escalation(
            cause_key="request:1",
            severity=Severity.RECIPIENT_WAITING,
            timezone=recovery.timezone,
            why="wants another address",
            channel="dispatch",
            raised_at=now,
            posted_revision=1,
            slack_channel="C0DISPATCH",
            slack_ts="3.4",
        )
        session.add_all([talk, escalation])
        await session.flush()
        wish = DispatchRequest(
            kind=RequestKind.CHANGE_ADDRESS,
            conversation_id=talk.id,
            stop_id=recovery.stop_id,
            wanted={},
            stop_status=StopStatus.FAILED,
            escalation_id=escalation.id,
            asked_at=now,
            answer_by=now,
        )
        session.add(wish)
    [row] = shown(await bare_world.doorline.services.board_reader.read())["with_dispatch"]
    assert (row["state"], row["url"].endswith("/archives/C0DISPATCH/p34")) == ("A wish to approve", True)


async def test_a_zone_shows_its_own_and_keeps_the_key(bare_world: World) -> None:
    await an_afternoon(bare_world)
    page = (await bare_world.http.get(link_to(bare_world, "South"))).text
    assert ("2 Held" in page, "1 Asked" in page, "9 Late" in page) == (True, False, False)
    everything = page.split('<nav class="zones"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "1 Asked" in (await bare_world.http.get(bare_world.url + everything)).text


async def test_what_was_settled_yesterday_is_gone(bare_world: World) -> None:
    async with bare_world.doorline.services.database.transaction() as session:
        common: dict[str, Any] = {"remind": None, "state": RecoveryState.SENT_BACK}
        midnight = bare_world.local("00:00")
        await failed(
            session, "OLD", ago(bare_world, 2000), settled_at=midnight - timedelta(seconds=1), **common
        )
        await failed(session, "NEW", ago(bare_world, 2000), settled_at=midnight, **common)
    board = await bare_world.doorline.services.board_reader.read()
    assert [each.stop.tracking for each in board.follow_ups] == ["NEW"]


@pytest.mark.parametrize("key", ["", "made-up", None])
async def test_without_its_link_it_is_closed(bare_world: World, key: str | None) -> None:
    await an_afternoon(bare_world)
    wanted = {"key": key} if key is not None else {}
    answer = await bare_world.http.get(f"{bare_world.url}/board", params=wanted)
    assert (answer.status_code, "/doorline recovery" in answer.text) == (403, True)
    assert "Asked" not in answer.text


async def test_a_manifest_s_key_does_not_open_it_and_a_link_runs_out(bare_world: World) -> None:
    manifest = bare_world.doorline.services.manifest_links.page_url("North", bare_world.clock.now().date())
    key = manifest.split("key=")[1]
    assert (await bare_world.http.get(f"{bare_world.url}/board?key={key}")).status_code == 403
    link = link_to(bare_world)
    headers = (await bare_world.http.get(link)).headers
    assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")
    bare_world.clock.move(timedelta(days=7, seconds=1))
    answer = await bare_world.http.get(link)
    assert (answer.status_code, "run out" in answer.text) == (410, True)


@pytest.mark.parametrize(
    ("zone", "code", "waiting", "count"),
    [
        ("", AnswerCode.FOLLOW_UPS, ["HELD", "KEPT"], 3),
        ("south", AnswerCode.FOLLOW_UPS, ["HELD"], 1),
        ("Atlantis", AnswerCode.NOTHING_FOUND, [], 0),
    ],
)
async def test_slack_lists_what_waits_and_links_the_board(
    bare_world: World, zone: str, code: AnswerCode, waiting: list[str], count: int
) -> None:
    await an_afternoon(bare_world)
    command = DeskCommand(
        vendor_id="1",
        kind=CommandKind.SHOW_FOLLOW_UPS,
        dispatcher="U0DANA",
        channel=CHANNEL,
        fields={"zone": zone},
        occurred_at=bare_world.clock.now(),
    )
    answer = await bare_world.doorline.services.desk_commands.carry_out(command)
    assert (answer.code, [each.stop.tracking for each in answer.follow_ups], answer.count) == (
        code,
        waiting,
        count,
    )
    if answer.page_url:
        assert (await bare_world.http.get(answer.page_url)).status_code == 200


async def test_the_manifest_shows_follow_ups_and_what_the_second_try_needs(bare_world: World) -> None:
    await an_afternoon(bare_world)
    services = bare_world.doorline.services
    link = services.manifest_links.page_url("North", bare_world.clock.now().date())
    page = (await bare_world.http.get(link)).text
    for words in ("Asked 11:19 am, no answer yet; reminder 1:18 pm", "Second try 4-6 pm", "2nd try"):
        assert words in page, words


def test_a_quiet_day_says_so() -> None:
    board = shown(Board(day=NOON.date(), timezone="UTC", as_of=NOON))
    assert "Nothing waits" in bytes(rendered("board.html", board=board, zones=[]).body).decode()


async def test_it_stays_current_and_keeps_the_place_by_keyboard(bare_world: World, chromium: Browser) -> None:
    await an_afternoon(bare_world)
    page = await chromium.new_page(viewport=LAPTOP)
    try:
        errors: list[str] = []
        page.on("console", lambda said: errors.append(said.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.clock.install()
        await page.goto(link_to(bare_world))
        await page.get_by_role("link", name="Open 5 Kept St in Slack").focus()
        async with bare_world.doorline.services.database.transaction() as session:
            await session.execute(
                update(Recovery).where(col(Recovery.detail) == "attempts").values(detail="no_answer")
            )
        await page.clock.run_for(16_000)
        await page.get_by_role("cell", name="No answer", exact=True).wait_for(timeout=10_000)
        focused = await page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert (focused, errors) == ("Open 5 Kept St in Slack", [])
        await page.route("**/board*", lambda route: route.abort())
        await page.clock.run_for(16_000)
        await page.get_by_text("trying again").wait_for(timeout=10_000)
    finally:
        await page.close()


async def test_it_fits_a_phone_and_a_sheet_of_paper(bare_world: World, chromium: Browser) -> None:
    await an_afternoon(bare_world)
    page = await chromium.new_page(viewport=PHONE)
    try:
        await page.goto(link_to(bare_world))
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        small = await page.evaluate(
            "[...document.querySelectorAll('#content a, button')].filter(a => a.offsetHeight < 40).map(a => a.textContent)"
        )
        assert small == []
        paper = pypdfium2.PdfDocument(await page.pdf(format="A4", prefer_css_page_size=True))
        try:
            text = paper[0].get_textpage().get_text_range()
        finally:
            paper.close()
        assert ("1 Asked St" in text, "Print" in text, "Open" in text) == (True, False, False)
    finally:
        await page.close()
