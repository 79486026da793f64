"""Failed deliveries as dispatchers read them: tasks, the manifest's post, the App Home, `/doorline recovery`."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bot.recovery.models import Why
from connectors.base import FailureReason, StopStatus
from connectors.desk import (
    AnswerCode,
    Choice,
    CommandAnswer,
    CommandKind,
    StopCard,
    TaskFacts,
    TaskKind,
    TaskState,
)
from connectors.follow_up import (
    BoardStop,
    FollowedUp,
    FollowUp,
    FollowUpState,
    NextStep,
    SecondTry,
    ZoneFollowUps,
)
from connectors.home import BOARD, HomeLink, HomeView
from connectors.slack.desk_words import answer_text
from connectors.slack.home_blocks import home_view
from connectors.slack.manifest_blocks import manifest_blocks
from connectors.slack.slash import Commands, read_slash
from connectors.slack.stop_card import stop_card_text
from connectors.slack.task_blocks import task_blocks
from connectors.slack.task_facts import FOLLOW_UPS
from tests.connectors.slack.any_record import any_record
from tests.connectors.slack.desk_views import (
    NEW_YORK,
    make_line,
    make_manifest,
    make_route,
    make_task,
    utc,
    window,
)

NOW = utc(16)
PAGE = "https://doorline.example/board?key=abc"


def read_aloud(blocks: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if block["type"] in ("section", "header"):
            lines += block["text"]["text"].splitlines()
        elif block["type"] == "actions":
            lines.append(" ".join(f"[{each['text']['text']}]" for each in block["elements"]))
        elif block["type"] == "context":
            lines += [element["text"] for element in block["elements"]]
    return lines


# --- tasks --------------------------------------------------------------------------------------------

FAILED = TaskFacts(
    address_line="14 Elm St 2B",
    recipient_name="Robin Doe",
    tracking="T17",
    window=window(10, 12),
    failed_at=utc(15, 40),
    attempt=1,
    platform="onfleet",
)


def test_an_unexplained_failure_asks_which_cause_it_was() -> None:
    causes = (FailureReason.RECIPIENT_UNAVAILABLE, FailureReason.ACCESS_ISSUE, FailureReason.DAMAGED)
    facts = FAILED.model_copy(
        update={"causes": causes, "words": "cliente raro", "reasons": ("unknown_reason",)}
    )
    view = make_task(
        TaskKind.FAILURE_REASON, facts=facts, choices=(Choice.REASON, Choice.SEND_BACK, Choice.DONE)
    )
    assert read_aloud(task_blocks(view, NOW)) == [
        ":grey_question: *Why did it fail?* · North · Acme",
        "*14 Elm St 2B for Robin Doe*",
        "Failed 11:40 am, promised 10 am-12 pm",
        "Nobody has said why. Which was it?",
        "> cliente raro",
        "[Nobody there] [No access] [Damaged] [Send back] [Dealt with]",
        "T17",
    ]


def test_a_follow_up_says_why_it_needs_a_person_and_what_can_be_had() -> None:
    facts = FAILED.model_copy(
        update={
            "cause": FailureReason.RECIPIENT_UNAVAILABLE,
            "attempt": 3,
            "reasons": ("attempts",),
            "wanted_window": window(16, 18),
        }
    )
    choices = (Choice.AGAIN, Choice.HOLD, Choice.SEND_BACK, Choice.DONE)
    view = make_task(TaskKind.FOLLOW_UP, facts=facts, choices=choices)
    assert read_aloud(task_blocks(view, NOW)) == [
        ":package: *Failed delivery* · North · Acme",
        "*14 Elm St 2B for Robin Doe*",
        "Nobody there · 3rd try failed 11:40 am, promised 10 am-12 pm",
        "It was tried as often as agreed.",
        "Next window that can be had: *4-6 pm*",
        "[Try again] [Hold for pick-up] [Send back] [Dealt with]",
        "T17",
    ]


def test_what_is_to_be_held_says_where() -> None:
    facts = FAILED.model_copy(update={"reasons": ("pick_up",), "place": "our depot, 8 Dock Rd"})
    lines = read_aloud(task_blocks(make_task(TaskKind.FOLLOW_UP, facts=facts, choices=(Choice.DONE,)), NOW))
    assert lines[3:5] == ["The recipient comes for it. It is to be held.", "Where: our depot, 8 Dock Rd"]


def test_a_cancelled_try_says_when_it_was_to_come() -> None:
    facts = FAILED.model_copy(update={"reasons": ("try_cancelled",), "wanted_window": window(16, 18)})
    lines = read_aloud(task_blocks(make_task(TaskKind.FOLLOW_UP, facts=facts, choices=(Choice.DONE,)), NOW))
    assert lines[3:5] == [
        "The second try was cancelled on the platform. The recipient still expects it.",
        "It was to come *4-6 pm*",
    ]


def test_sending_back_asks_first() -> None:
    view = make_task(TaskKind.FOLLOW_UP, facts=FAILED, choices=(Choice.SEND_BACK,))
    [button] = [
        each for block in task_blocks(view, NOW) for each in block.get("elements", ()) if "confirm" in each
    ]
    assert button["confirm"]["text"]["text"] == "14 Elm St 2B. The client and the recipient are told."


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        (TaskKind.FOLLOW_UP, TaskState.APPROVED, "Decided by <@U0DANA0001>"),
        (TaskKind.FAILURE_REASON, TaskState.DONE, "Answered by <@U0DANA0001>"),
        (TaskKind.FOLLOW_UP, TaskState.DONE, "Done by <@U0DANA0001>"),
    ],
)
def test_once_settled_it_says_who_did(kind: TaskKind, state: TaskState, words: str) -> None:
    view = make_task(kind, state=state, choices=(), settled_by="U0DANA0001", facts=FAILED)
    assert words in read_aloud(task_blocks(view, NOW))[0]


def test_every_reason_for_a_person_has_words() -> None:
    assert {each.value for each in Why} - {"unknown_reason"} == set(FOLLOW_UPS)


# --- the manifest's post -------------------------------------------------------------------------------


def follow_up(state: FollowUpState, **facts: Any) -> FollowUp:
    common = {"reason": FailureReason.ACCESS_ISSUE, "attempt": 1, "failed_at": utc(15, 18)}
    return FollowUp(**(common | {"state": state} | facts))


def test_the_post_tells_failures_dispatch_first_and_what_second_tries_need() -> None:
    asked = follow_up(
        FollowUpState.ASKING, asked_at=utc(15, 45), next_step=NextStep.REMIND, next_at=utc(17, 45)
    )
    held = follow_up(FollowUpState.WITH_DISPATCHER, why="unknown_reason")
    second = SecondTry(attempt=2, choice="safe_place", place="behind `the` <planter>", has_code=True)
    view = make_manifest(
        make_route(
            make_line(stop_id="1", address_line="1 Elm St", status=StopStatus.FAILED, follow_up=asked),
            make_line(stop_id="2", address_line="2 Elm St", status=StopStatus.FAILED, follow_up=held),
            make_line(stop_id="3", address_line="3 Elm St", second_try=second),
        ),
        posted_at=None,
    )
    lines = read_aloud(manifest_blocks(view, NOW))
    assert lines[1:6] == [
        "*2 failures followed up*",
        "• 2 Elm St · :warning: with dispatch: reason unknown",
        "• 1 Elm St · asked 11:45 am, no answer yet; reminder 1:45 pm",
        "*1 second try*",
        "• 3 Elm St · 2nd try. Safe place: behind 'the' &lt;planter&gt;. Code on file",
    ]


# --- /doorline recovery --------------------------------------------------------------------------------


def followed(number: int, state: FollowUpState, **facts: Any) -> FollowedUp:
    stop = BoardStop(
        stop_id=str(number),
        tracking=f"T{number}",
        client="Acme",
        zone="North",
        address_line=f"{number} Elm St",
        timezone=NEW_YORK,
    )
    return FollowedUp(
        stop=stop, follow_up=follow_up(state, **facts), url="https://slack.example/p1", is_to_do=True
    )


@pytest.mark.parametrize(("text", "zone"), [("recovery", ""), ("Recovery North Side", "North Side")])
def test_the_command_takes_a_zone_or_none(text: str, zone: str) -> None:
    assert read_slash(text) == Commands(CommandKind.SHOW_FOLLOW_UPS, {"zone": zone})


def test_it_lists_what_waits_for_dispatch_and_counts_the_rest() -> None:
    waiting = (
        followed(1, FollowUpState.WITH_DISPATCHER, why="no_answer"),
        followed(2, FollowUpState.WITH_DISPATCHER, why="by_rule", reason=FailureReason.DAMAGED),
        followed(3, FollowUpState.PICK_UP, place="our depot"),
    )
    answer = CommandAnswer(
        code=AnswerCode.FOLLOW_UPS, follow_ups=waiting, count=5, detail="North", page_url=PAGE
    )
    assert answer_text(answer, NOW).splitlines() == [
        "3 failed deliveries wait for dispatch in North:",
        "• 1 Elm St · Acme · No access · no answer · failed 42 min ago · <https://slack.example/p1|open it>",
        "• 2 Elm St · Acme · Damaged · failed 42 min ago · <https://slack.example/p1|open it>",
        "• 3 Elm St · Acme · No access · to be picked up at our depot · failed 42 min ago"
        " · <https://slack.example/p1|open it>",
        f"2 more are being asked. <{PAGE}|Open the board>",
    ]


def test_nothing_waiting_is_said_in_one_line() -> None:
    answer = CommandAnswer(code=AnswerCode.FOLLOW_UPS, count=0, page_url=PAGE)
    assert answer_text(answer, NOW).splitlines() == [
        "No failed delivery waits for dispatch.",
        f"<{PAGE}|Open the board>",
    ]


@given(answer=any_record(CommandAnswer))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_list_stays_below_what_one_message_takes(answer: CommandAnswer) -> None:
    told = answer.model_copy(update={"code": AnswerCode.FOLLOW_UPS})
    assert len(answer_text(told, NOW)) < 12_000


# --- /doorline stop ------------------------------------------------------------------------------------


def card(**facts: Any) -> list[str]:
    common = {"tracking": "T17", "client": "Acme", "zone": "North", "address_line": "14 Elm St 2B"}
    stop = {"timezone": NEW_YORK, "status": StopStatus.FAILED, "window": window(10, 12)}
    return stop_card_text(StopCard(**(common | stop | facts)), NOW).splitlines()


def test_a_stop_s_card_says_what_is_done_about_its_failure() -> None:
    told = follow_up(FollowUpState.ASKING, asked_at=utc(15, 45), answered_at=utc(15, 50))
    assert "Follow-up: answered 11:50 am, not settled yet" in card(follow_up=told)
    assert not any(line.startswith("Follow-up") for line in card())


def test_the_card_of_a_second_try_says_what_the_driver_has_to_know() -> None:
    second = SecondTry(attempt=2, choice="neighbour", place="Kim, 12B")
    assert "For the driver: 2nd try. Neighbour: Kim, 12B" in card(
        second_try=second, status=StopStatus.ASSIGNED
    )


# --- the App Home --------------------------------------------------------------------------------------


def test_the_home_counts_open_failures_by_zone_and_opens_the_board() -> None:
    view = HomeView(
        timezone=NEW_YORK,
        as_of=NOW,
        follow_ups=(
            ZoneFollowUps(zone="North", asking=3, with_dispatcher=1, oldest_at=utc(15, 40)),
            ZoneFollowUps(zone="South", asking=1, oldest_at=utc(15, 55)),
        ),
        links=(HomeLink(label=BOARD, url=PAGE),),
    )
    blocks = home_view(view, NOW)["blocks"]
    at = next(n for n, each in enumerate(blocks) if each.get("text", {}).get("text") == "Failed deliveries")
    assert blocks[at + 1]["text"]["text"].splitlines() == [
        "*North* · 4 open, the oldest since 11:40 am · :warning: 1 waits for dispatch",
        "*South* · 1 open since 11:55 am",
    ]
    assert (blocks[at + 1]["accessory"]["text"]["text"], blocks[at + 1]["accessory"]["url"]) == (
        "Open the board",
        PAGE,
    )


def test_without_failures_the_home_does_not_speak_of_them() -> None:
    assert "Failed deliveries" not in str(home_view(HomeView(timezone=NEW_YORK, as_of=NOW), NOW))


def test_since_is_the_age_of_the_failure() -> None:
    old = followed(1, FollowUpState.WITH_DISPATCHER, failed_at=NOW - timedelta(hours=26))
    answer = CommandAnswer(code=AnswerCode.FOLLOW_UPS, follow_ups=(old,), count=1)
    assert "failed 26 h ago" in answer_text(answer, NOW)
