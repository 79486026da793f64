"""The windows of an escalation: what they offer, what they refuse before they close, what a sent one means."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import DeliveryWindow, FailureReason, StopStatus
from connectors.choices import DriverChoice, OtherEscalation, WindowChoices
from connectors.emulation import Fault
from connectors.errors import StorageUnavailableError
from connectors.escalation import DispatcherVerb, EscalationState, PostedMessage, Severity
from connectors.slack import escalation_windows
from connectors.slack.emulator_blocks import VIEW_BLOCKS, block_problems, view_problems
from connectors.slack.escalation_windows import WindowEdge
from connectors.slack.payloads import ViewSubmission, WindowPlace
from connectors.slack.webhook import build_app, router
from connectors.slack.window_forms import PAGE, window
from connectors.slack.window_inputs import INPUTS, read_window
from connectors.slack.window_kinds import Window
from tests.connectors.slack.conftest import Switchboard
from tests.connectors.slack.slack_world import SECRET, Clock, SlackWorld, make_line, make_view

NORTH, DANA, NEW_YORK = "C0NORTH001", "U0DANA0001", "America/New_York"
NOW = Clock().at
PLACE = WindowPlace(escalation_id="E-1", channel=NORTH, ts="1.1", timezone=NEW_YORK)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 6, day, hour, minute, tzinfo=UTC)


def make_choices(**changes: Any) -> WindowChoices:
    view = make_view(
        lines=(make_line(), make_line(stop_id="S-18", address_line="18 Oak Ave", tracking="T18"))
    )
    values: dict[str, Any] = {
        "view": view,
        "open_stop_ids": ("S-17", "S-18"),
        "drivers": (
            DriverChoice(driver_ref="d9", name="Ana", stops_left=4, on_duty=True, zone="North"),
            DriverChoice(driver_ref="d8", name="Ben", stops_left=31, on_duty=False),
        ),
        "zones": ("South", "West"),
        "others": (
            OtherEscalation(
                escalation_id="E-2",
                severity=Severity.BREACHED,
                zone="North 3",
                client="Nova",
                stops=3,
                address_line="9 Pine Rd",
            ),
        ),
        "root_causes": tuple(FailureReason),
        "exclusions": {"force_majeure": "Force majeure"},
        "can_move_window": True,
        "has_driver": True,
    }
    return WindowChoices(**values | changes)


class Shelf:
    """Where the windows' choices come from."""

    def __init__(self) -> None:
        self.found: WindowChoices | None = make_choices()
        self.is_down = False
        self.asked: list[str] = []

    async def choices(self, escalation_id: str) -> WindowChoices | None:
        self.asked.append(escalation_id)
        if self.is_down:
            raise StorageUnavailableError("down")
        return self.found


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def desk(world: SlackWorld, shelf: Shelf, edge_board: Switchboard) -> SlackWorld:
    """The real bolt app behind the emulator, with the windows registered as `bot.app` does."""
    client, now = world.desk.web, world.clock
    listen = partial(
        escalation_windows.register, edge=WindowEdge(world.receiver, shelf), client=client, now=now
    )
    bolt = build_app(world.receiver, signing_secret=SECRET, client=client, now=now, listeners=(listen,))
    app = FastAPI()
    app.include_router(router(bolt, signing_secret=SECRET), prefix="/connectors/slack")
    edge_board.app = app
    world.emulator.events_url = f"{edge_board.url}/connectors/slack/events"
    return world


async def posted(world: SlackWorld, **changes: Any) -> PostedMessage:
    return await world.desk.post(NORTH, make_view(**changes))


async def press(world: SlackWorld, message: PostedMessage, action_id: str) -> dict[str, Any]:
    order = {"channel": message.channel, "ts": message.ts, "user": DANA, "action_id": action_id}
    return await world.control("press", order)


async def opened(world: SlackWorld, action_id: str, **changes: Any) -> dict[str, Any]:
    answer = await press(world, await posted(world, **changes), action_id)
    assert (answer["status"], answer["view"] is None) == (200, False), answer
    view: dict[str, Any] = answer["view"]
    return view


async def send(world: SlackWorld, view: dict[str, Any], **fields: str) -> dict[str, Any]:
    values = {name: {name: text} for name, text in fields.items()}
    return await world.control("submit", {"user": DANA, "view_id": view["id"], "values": values})


async def seen(world: SlackWorld) -> dict[str, Any]:
    view: dict[str, Any] = (await world.control(f"views/{DANA}"))["view"]
    return view


def read_aloud(view: dict[str, Any]) -> list[str]:
    """Title, texts, and what is asked with its options."""
    lines = [view["title"]["text"]]
    for block in view["blocks"]:
        if block["type"] == "section":
            lines += block["text"]["text"].splitlines()
        else:
            options = [option["text"]["text"] for option in block["element"].get("options", [])]
            lines.append(f"{block['label']['text']}: {' | '.join(options)}".rstrip(": "))
    return lines


# --- what they show --------------------------------------------------------------------------------


def shown(kind: Window, choices: WindowChoices | None = None, page: int = 0) -> dict[str, Any]:
    return window(kind, choices or make_choices(), PLACE.model_copy(update={"page": page}), NOW)


def test_reassigning_offers_drivers_with_their_load() -> None:
    assert read_aloud(shown(Window.REASSIGN)) == [
        "Give to another driver",
        "*At risk* · North 3 · Acme · 2 stops",
        "ETA 4:25 pm, window ends 4:00 pm.",
        "To: Ana · 4 stops left · North | Ben · 31 stops left · off duty",
        "Which: All 2 open stops | 14 Elm St 2B · 2-4 pm | 18 Oak Ave · 2-4 pm",
    ]


def test_moving_begins_with_the_window_as_it_is() -> None:
    blocks = {block.get("block_id"): block.get("element", {}) for block in shown(Window.MOVE)["blocks"]}
    assert blocks["stop_id"]["initial_option"]["value"] == "S-17"
    assert blocks["date"]["initial_date"] == "2024-06-10"
    assert (blocks["start"]["initial_time"], blocks["end"]["initial_time"]) == ("14:00", "16:00")


def test_more_lists_every_deed_that_is_possible_and_no_other() -> None:
    lines = read_aloud(shown(Window.MORE))
    assert lines[-1] == (
        "What to do: Tell recipients | Contact the driver | Move a window | Give stops to another driver | Snooze"
        " | Hand over to another zone | Put together with another one | Resolve, with cause and note | Mark as noise"
    )
    alone = make_choices(drivers=(), zones=(), others=(), can_move_window=False, has_driver=False)
    assert read_aloud(shown(Window.MORE, alone))[-1] == (
        "What to do: Tell recipients | Snooze | Resolve, with cause and note | Mark as noise"
    )


def test_nothing_is_offered_for_what_is_over() -> None:
    over = make_choices(view=make_view(state=EscalationState.RESOLVED))
    view = shown(Window.MORE, over)
    assert view.get("submit") is None
    assert read_aloud(view)[-1] == "It is over, so nothing can be done about it any more."


def test_resolving_something_that_is_not_late_asks_for_no_cause() -> None:
    silent = make_choices(view=make_view(severity=Severity.PLATFORM_SILENT, lines=()))
    assert [line.split(":")[0] for line in read_aloud(shown(Window.RESOLVE, silent))][-1] == "Note"
    assert read_aloud(shown(Window.RESOLVE))[-2] == "Does not count because: Force majeure"


@pytest.mark.parametrize(
    "kind", [Window.REASSIGN, Window.CONTACT, Window.MOVE, Window.HAND_OVER, Window.MERGE]
)
def test_a_window_without_a_choice_says_so_and_cannot_be_sent(kind: Window) -> None:
    nothing = make_choices(drivers=(), zones=(), others=(), can_move_window=False, has_driver=False)
    view = shown(kind, nothing)
    assert view.get("submit") is None
    assert len(read_aloud(view)) == 2


TEXTS = st.text(max_size=200) | st.sampled_from(["<!channel>", "&" * 100, "x" * 400, "", "\u202e`*_"])
LINES = st.builds(
    make_line,
    stop_id=st.uuids().map(str),
    address_line=TEXTS,
    tracking=TEXTS,
    client=TEXTS,
    last_words=TEXTS,
    window=st.none() | st.just(DeliveryWindow(start_at=utc(10, 18), end_at=utc(10, 20))),
    status=st.sampled_from(StopStatus),
)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(Window),
    lines=st.lists(LINES, max_size=90),
    name=TEXTS,
    state=st.sampled_from(EscalationState),
    page=st.integers(0, 3),
    drivers=st.integers(0, 150),
)
def test_any_window_fits_slacks_limits(
    kind: Window, lines: list[Any], name: str, state: EscalationState, page: int, drivers: int
) -> None:
    choices = make_choices(
        view=make_view(lines=tuple(lines), driver_name=name, why=name, zone=name, state=state),
        open_stop_ids=tuple(line.stop_id for line in lines),
        drivers=tuple(DriverChoice(driver_ref=f"d{n}", name=name) for n in range(drivers)),
        zones=tuple(zone for zone in (name, "South") if zone),
        exclusions={"code": name},
    )
    view = shown(kind, choices, min(page, max(0, len(lines) - 1) // PAGE))
    assert view_problems(view) == []
    assert block_problems(view["blocks"], VIEW_BLOCKS) == []
    texts = [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]
    assert not any(mark in text for text in texts for mark in ("<!", "<@"))


# --- what comes back --------------------------------------------------------------------------------


def submission(**fields: str) -> ViewSubmission:
    values = {name: {name: {"value": text}} for name, text in fields.items()}
    state = {"values": values}
    metadata = PLACE.model_dump_json()
    view = {"id": "V1", "hash": "h", "private_metadata": metadata, "state": state}
    return ViewSubmission.model_validate({"user": {"id": DANA}, "view": view})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"for": "20"}, {"until": (NOW + timedelta(minutes=20)).isoformat()}),
        ({"for": "before_30"}, {"before_window_minutes": "30"}),
        ({"until": "15:50"}, {"until": utc(10, 19, 50).isoformat()}),
        # It is 3:35 pm: a time that has passed is tomorrow's.
        ({"until": "15:35"}, {"until": utc(11, 19, 35).isoformat()}),
        ({"until": "08:00"}, {"until": utc(11, 12).isoformat()}),
    ],
)
def test_a_snooze_is_read_as_an_instant(fields: dict[str, str], expected: dict[str, str]) -> None:
    sent = read_window(Window.SNOOZE, submission(**fields), NOW)
    assert (dict(sent.fields), dict(sent.errors)) == (expected, {})


MOVE = {"stop_id": "S-17", "date": "2024-06-10", "start": "16:00", "end": "18:00", "tell": "yes"}


@pytest.mark.parametrize(
    ("kind", "fields", "block"),
    [
        (Window.SNOOZE, {}, "for"),
        (Window.SNOOZE, {"for": "20", "until": "17:00"}, "for"),
        (Window.TELL, {"message": "own", "stop_ids": "all"}, "words"),
        (Window.MERGE, {}, "into"),
        (Window.CAUSE, {"note": "x"}, "root_cause"),
        (Window.MOVE, MOVE | {"end": "16:00"}, "end"),
        (Window.MOVE, MOVE | {"start": "13:00", "end": "15:35"}, "end"),
        (Window.MOVE, MOVE | {"date": "2024-06-09"}, "date"),
        (Window.MOVE, MOVE | {"date": ""}, "date"),
        (Window.MOVE, MOVE | {"date": "2025-03-09", "start": "02:30", "end": "05:00"}, "start"),
    ],
)
def test_what_a_form_can_find_wrong_stands_beside_its_input(
    kind: Window, fields: dict[str, str], block: str
) -> None:
    errors = read_window(kind, submission(**fields), NOW).errors
    assert list(errors) == [block]
    assert block in INPUTS[kind]


def test_all_stops_are_meant_by_naming_none() -> None:
    sent = read_window(Window.TELL, submission(message="running_late", stop_ids="all"), NOW)
    assert dict(sent.fields) == {"message": "running_late"}


# --- over the real bolt app -------------------------------------------------------------------------


async def test_a_button_opens_its_window_and_what_is_sent_is_stored_before_it_closes(
    desk: SlackWorld, shelf: Shelf
) -> None:
    view = await opened(desk, "window_tell_recipients")
    assert shelf.asked == ["E-1"]
    sent = await send(desk, view, message="own", words="We are <close> & late")
    assert (sent["status"], sent["errors"], sent["open"]) == (200, {}, False)
    (action,) = desk.receiver.actions
    assert (action.verb, action.escalation_id) == (DispatcherVerb.TELL_RECIPIENTS, "E-1")
    assert dict(action.fields) == {"message": "own", "words": "We are <close> & late"}
    assert (action.gesture, action.channel) == ("modal:tell_recipients", NORTH)


async def test_a_form_that_is_wrong_stays_and_says_where(desk: SlackWorld) -> None:
    view = await opened(desk, "window_move_window")
    sent = await send(desk, view, start="15:00", end="14:00")
    assert (sent["errors"], sent["open"]) == ({"end": "It must end after it starts."}, True)
    assert desk.receiver.arrivals == 0
    sent = await send(desk, view, start="16:00", end="18:00")
    assert sent["open"] is False
    (action,) = desk.receiver.actions
    assert action.fields["date"] == "2024-06-10"


async def test_more_turns_into_the_chosen_window(desk: SlackWorld) -> None:
    view = await opened(desk, "window_more")
    assert (await send(desk, view, deed="hand_over"))["open"] is True
    following = await seen(desk)
    assert following["title"]["text"] == "Hand over"
    assert (await send(desk, following, zone="South", note="yours"))["open"] is False
    (action,) = desk.receiver.actions
    assert (action.verb, dict(action.fields)) == (
        DispatcherVerb.HAND_OVER,
        {"zone": "South", "note": "yours"},
    )


async def test_a_long_list_is_leafed_through_page_by_page(desk: SlackWorld, shelf: Shelf) -> None:
    lines = tuple(make_line(stop_id=f"S-{n}", address_line=f"{n} Elm St") for n in range(90))
    shelf.found = make_choices(view=make_view(lines=lines))
    view = await opened(desk, "window_stops", lines=lines[:8], more_stops=82)
    assert read_aloud(view)[1] == "*1 to 40 of 90*"
    await send(desk, view)
    await send(desk, await seen(desk))
    last = await seen(desk)
    assert read_aloud(last)[1] == "*81 to 90 of 90*"
    assert last["submit"] is None
    assert "• 89 Elm St" in "\n".join(read_aloud(last))


async def test_a_tap_on_a_cause_is_one_gesture(desk: SlackWorld) -> None:
    delivered = make_line(status=StopStatus.DELIVERED, completed_at=utc(10, 20, 22))
    message = await posted(
        desk,
        state=EscalationState.RESOLVED,
        lines=(delivered,),
        causes_asked=(FailureReason.TRAFFIC, FailureReason.ACCESS_ISSUE),
    )
    assert (await press(desk, message, "cause_traffic"))["status"] == 200
    (action,) = desk.receiver.actions
    assert (action.verb, dict(action.fields)) == (DispatcherVerb.NAME_CAUSE, {"root_cause": "traffic"})
    assert (action.escalation_id, action.channel, action.message_ts) == ("E-1", NORTH, message.ts)


async def test_words_that_cannot_be_kept_stay_in_the_window(desk: SlackWorld) -> None:
    view = await opened(desk, "window_contact_driver")
    desk.receiver.refusals.append(StorageUnavailableError("down"))
    sent = await send(desk, view, words="where are you?")
    assert sent["open"] is True
    assert "could not keep it" in sent["errors"]["words"]
    assert (await send(desk, view, words="where are you?"))["open"] is False


@pytest.mark.parametrize("trouble", ["database", "gone", "slack"])
async def test_a_window_that_cannot_open_is_told_quietly(
    desk: SlackWorld, shelf: Shelf, trouble: str
) -> None:
    message = await posted(desk)
    shelf.is_down = trouble == "database"
    if trouble == "gone":
        shelf.found = None
    if trouble == "slack":
        desk.emulator.faults.next(Fault("status", status=503, path_contains="views.open"))
    answer = await press(desk, message, "window_move_window")
    assert (answer["status"], answer["view"]) == (200, None)
    (note,) = desk.emulator.workspace.ephemerals.values()
    assert note["user"] == DANA
    assert "nothing was changed" in note["text"]


async def test_noise_asks_nothing_but_whether_it_is_meant(desk: SlackWorld) -> None:
    view = await opened(desk, "window_more")
    await send(desk, view, deed="mark_noise")
    assert (await send(desk, await seen(desk)))["open"] is False
    (action,) = desk.receiver.actions
    assert (action.verb, dict(action.fields)) == (DispatcherVerb.MARK_NOISE, {})
