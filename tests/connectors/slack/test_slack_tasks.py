"""What a dispatcher reads of a task and of a manifest, and that any of them fits into Slack."""

from typing import Any

import pytest
from hypothesis import given, settings

from connectors.base import StopStatus
from connectors.desk import (
    AnswerCode,
    Choice,
    CommandAnswer,
    ManifestChange,
    ManifestView,
    ShiftState,
    Suggestion,
    TaskFacts,
    TaskKind,
    TaskRefusal,
    TaskState,
    TaskView,
)
from connectors.slack.desk_words import answer_text, reason_words, task_refusal_text
from connectors.slack.emulator_blocks import MESSAGE_TEXT, block_problems, length_of
from connectors.slack.manifest_blocks import manifest_blocks, manifest_text
from connectors.slack.task_blocks import task_blocks, task_text
from tests.connectors.slack.desk_views import (
    TODAY,
    make_line,
    make_manifest,
    make_route,
    make_task,
    manifests,
    tasks,
    utc,
    window,
)

NOW = utc(11, 31)
DANA, OMAR = "U0DANA0001", "U0OMAR0001"


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


def shown(view: TaskView) -> list[str]:
    return read_aloud(task_blocks(view, NOW))


# --- tasks --------------------------------------------------------------------------------------------


def test_a_window_change_says_what_is_wanted_and_why_it_is_a_persons_to_decide() -> None:
    facts = TaskFacts(
        address_line="14 Elm St 2B",
        recipient_name="Robin Doe",
        tracking="T17",
        window=window(14, 16),
        wanted_window=window(16, 18),
        reasons=("too_soon", "full"),
        asked_by="api",
    )
    view = make_task(facts=facts)
    assert shown(view) == [
        ":clock3: *Window change* · North · Acme",
        "*14 Elm St 2B for Robin Doe*",
        "Promised 2-4 pm, wants *4-6 pm*",
        "*Why:* it starts too soon; the zone is full then.",
        "[Approve] [Decline]",
        "Asked by the client's system · T17",
    ]
    assert task_text(view, NOW) == "Window change: North, Acme. 14 Elm St 2B for Robin Doe."


def test_a_driver_who_is_silent_comes_with_those_who_could_take_it() -> None:
    ana = Suggestion(driver_ref="w-1", driver_name="Ana", zone="North", load=40, capacity=60, stops_left=3)
    facts = TaskFacts(
        driver_name="Ben",
        driver_phone="+12125550199",
        route_name="N4",
        stops=14,
        starts_at=utc(12),
        reasons=("driver_silent",),
        suggestions=(ana,),
    )
    view = make_task(
        TaskKind.DRIVER_UNCONFIRMED, client="", facts=facts, choices=(Choice.ASSIGN, Choice.DONE)
    )
    assert shown(view) == [
        ":bust_in_silhouette: *Driver not confirmed* · North",
        "*Ben* (+12125550199) · N4 · 14 stops · starts 8:00 am",
        "*Why:* the driver has not answered.",
        "Could take it:",
        "• Ana · North · 3 stops left · 40 of 60",
        "[Give it to Ana] [Driver is coming]",
    ]


def test_sending_routes_takes_two_people_and_asks_whether_they_are_sure() -> None:
    facts = TaskFacts(day=TODAY, routes=14, stops=212, platform="optimoroute", asked_by=DANA)
    view = make_task(TaskKind.RELEASE_ROUTES, client="", facts=facts, approvals_needed=2, approved_by=(DANA,))
    assert shown(view) == [
        ":rocket: *Send routes* · North",
        "*Mon Jun 10* · 14 routes · 212 stops · optimoroute",
        "The routes go to their drivers. It cannot be undone.",
        f"1 of 2 approvals: <@{DANA}>. Somebody else must approve it too.",
        "[Send the routes] [Decline]",
        f"Asked by <@{DANA}>",
    ]
    (actions,) = [block for block in task_blocks(view, NOW) if block["type"] == "actions"]
    assert "cannot be undone" in actions["elements"][0]["confirm"]["text"]["text"]


@pytest.mark.parametrize(
    ("changes", "first_line"),
    [
        (
            {"state": TaskState.APPROVED, "approved_by": (DANA, OMAR), "settled_by": OMAR},
            f":white_check_mark: Approved by <@{DANA}> and <@{OMAR}>",
        ),
        ({"state": TaskState.DECLINED, "settled_by": OMAR}, f":no_entry: Declined by <@{OMAR}>"),
        (
            {"state": TaskState.DONE, "settled_by": OMAR, "settled_at": utc(11)},
            f":white_check_mark: Done by <@{OMAR}> · 7:00 am",
        ),
        (
            {"state": TaskState.CARRYING_OUT, "approved_by": (DANA,), "settled_by": DANA},
            f":hourglass_flowing_sand: <@{DANA}> decided it · being carried out",
        ),
        ({"state": TaskState.EXPIRED, "outcome": "moot"}, ":white_circle: It settled itself"),
        ({"state": TaskState.EXPIRED, "outcome": "strange_end"}, ":white_circle: Strange end"),
        (
            {"state": TaskState.DECLINED, "settled_by": DANA, "outcome": "platform_refused"},
            f":no_entry: Declined by <@{DANA}> · The platform refused it",
        ),
    ],
)
def test_a_settled_task_is_two_lines(changes: dict[str, Any], first_line: str) -> None:
    view = make_task(choices=(), **changes)
    assert shown(view) == [first_line, "Window change · North · Acme · 14 Elm St 2B for Robin Doe"]


def test_a_change_on_the_road_says_whether_the_driver_knows() -> None:
    facts = TaskFacts(address_line="14 Elm St", change="added", driver_name="Ana", route_name="N1")
    view = make_task(TaskKind.LATE_CHANGE, facts=facts, choices=(Choice.DONE,))
    assert shown(view)[1:] == ["*14 Elm St* was added to Ana's route N1", "[Seen]"]
    untold = view.model_copy(update={"facts": facts.model_copy(update={"reasons": ("opted_out",)})})
    assert "*The driver was not told:* the driver asked for no more texts." in shown(untold)
    addresses = ("1 Elm St", "2 Elm St")
    many = TaskFacts(change="cancelled", driver_name="Ana", stops=3, addresses=addresses)
    assert shown(view.model_copy(update={"facts": many}))[1:-1] == [
        "*3 stops* were taken off Ana's route",
        "• 1 Elm St",
        "• 2 Elm St",
        "and 1 more",
    ]


def test_a_write_that_was_refused_says_what_is_to_be_done_by_hand() -> None:
    facts = TaskFacts(
        address_line="14 Elm St", change="cancelled", platform="route4me", reasons=("released",), detail="no"
    )
    view = make_task(TaskKind.WRITE_REFUSED, facts=facts, choices=(Choice.DONE,))
    assert shown(view)[1:] == [
        "*14 Elm St*",
        "route4me did not take the cancellation. It is to be done there.",
        "*Why:* the route is with the driver.",
        'route4me said: "no"',
        "[Done by hand]",
    ]


def test_many_windows_say_by_how_much_and_afterwards_how_many_were_moved() -> None:
    facts = TaskFacts(
        stops=34, route_name="North", day=TODAY, window=window(14, 16), wanted_window=window(12, 14)
    )
    view = make_task(TaskKind.MOVE_WINDOWS, client="", facts=facts, approvals_needed=2)
    assert shown(view)[1] == "*34 stops* · North · Mon Jun 10 · *2 h earlier*"
    done = facts.model_copy(update={"stops_done": 32, "reasons": ("under_way",)})
    settled = {"state": TaskState.APPROVED, "approved_by": (DANA, OMAR), "choices": ()}
    assert shown(view.model_copy(update={"facts": done, **settled}))[1:] == [
        "Move many windows · North · North, Mon Jun 10 · 32 of 34 done",
        "*Why:* the driver is out with it.",
    ]


@pytest.mark.parametrize("kind", TaskKind)
def test_every_kind_can_be_read_without_any_facts(kind: TaskKind) -> None:
    view = make_task(kind, facts=TaskFacts(), zone="", client="", choices=(Choice.DONE,))
    assert block_problems(task_blocks(view, NOW)) == []
    assert task_text(view, NOW)


@settings(max_examples=150, deadline=None)
@given(view=tasks)
def test_any_task_fits_slacks_limits_and_lets_nobody_elses_words_out(view: TaskView) -> None:
    blocks = task_blocks(view, NOW)
    assert block_problems(blocks) == []
    assert length_of(blocks) <= MESSAGE_TEXT
    text = task_text(view, NOW) + "\n".join(line for line in read_aloud(blocks) if not line.startswith("["))
    assert len(task_text(view, NOW)) <= 4000
    for own in (DANA, OMAR):
        text = text.replace(f"<@{own}>", "")
    assert not any(mark in text for mark in ("<!", "<@", "<https://evil", "`", "\u202e"))


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ((), ""),
        (("too_soon",), "it starts too soon"),
        (("duplicate:T9", "duplicate"), "it is there already"),
        (("a_new_code",), "a new code"),
        (("<!channel>",), "&lt;!channel&gt;"),
        (tuple(f"code_{n}" for n in range(8)), "code 0; code 1; code 2; code 3; code 4; code 5; and 2 more"),
    ],
)
def test_a_reason_without_words_of_its_own_is_shown_as_plain_words(
    codes: tuple[str, ...], words: str
) -> None:
    assert reason_words(codes) == words


@pytest.mark.parametrize("refusal", TaskRefusal)
def test_every_refusal_is_a_sentence(refusal: TaskRefusal) -> None:
    assert task_refusal_text(refusal, DANA).endswith(".")


@pytest.mark.parametrize("code", AnswerCode)
def test_every_answer_is_a_sentence_with_and_without_facts(code: AnswerCode) -> None:
    whole = CommandAnswer(
        code=code,
        timezone="America/New_York",
        address_line="14 Elm St",
        tracking="T17",
        platform="onfleet",
        window=window(14, 16),
        count=3,
        reasons=("full",),
        detail="it said no",
    )
    for answer in (whole, CommandAnswer(code=code)):
        text = answer_text(answer, NOW)
        assert text[:1].isupper()
        assert text.endswith(".")
        assert "{" not in text


def test_an_answer_says_what_where_and_why() -> None:
    entered = CommandAnswer(
        code=AnswerCode.STOP_ENTERED,
        timezone="America/New_York",
        address_line="14 Elm St",
        tracking="T17",
        platform="onfleet",
        window=window(14, 16),
    )
    assert answer_text(entered, NOW) == "Entered into onfleet: 14 Elm St, 2-4 pm (T17)."
    refused = CommandAnswer(code=AnswerCode.WINDOW_REFUSED, address_line="14 Elm St", reasons=("finished",))
    assert answer_text(refused, NOW) == "Not moved: 14 Elm St. It is over already."


# --- manifests ----------------------------------------------------------------------------------------


def test_a_manifest_is_one_line_per_route_and_what_has_changed() -> None:
    moved = make_line(change=ManifestChange.MOVED, earlier_window=window(16, 18))
    gone = make_line(change=ManifestChange.CANCELLED, status=StopStatus.CANCELLED)
    given_away = make_line(change=ManifestChange.REASSIGNED, earlier_driver_name="Ana Ruiz")
    view = make_manifest(
        make_route(make_line(), moved, shift=ShiftState.CONFIRMED, starts_at=utc(12), load=40, capacity=60),
        make_route(gone, given_away, driver_name="Ben", shift=ShiftState.SILENT, load=72.5, capacity=60),
        without_route=(make_line(change=ManifestChange.ADDED),),
        page_url="https://x.example/board",
    )
    assert read_aloud(manifest_blocks(view, NOW)) == [
        "Manifest · North · Mon, Jun 10 · 4 stops on 2 routes",
        "*4 changed since 7:00 am*",
        "• Added: 14 Elm St 2B · 2-4 pm · no route yet",
        "• Moved: 14 Elm St 2B · 2-4 pm, was 4-6 pm · Ana Ruiz",
        "• Cancelled: ~14 Elm St 2B~ · Ben",
        "• Reassigned: 14 Elm St 2B · now Ben, was Ana Ruiz",
        ":warning: *1 stop without a route*",
        "• *Ben* · N1 · 1 stop · first 2-4 pm at 14 Elm St 2B · :grey_question: no answer"
        " · :warning: 72.5 of 60",
        "• *Ana Ruiz* · N1 · 2 stops · starts 8:00 am at 14 Elm St 2B · :white_check_mark: confirmed · 40 of 60",
        "As of 7:31 am · <https://x.example/board|Whole manifest>",
    ]


def test_before_it_is_posted_nothing_counts_as_changed() -> None:
    view = make_manifest(make_route(make_line(change=ManifestChange.ADDED)), posted_at=None)
    assert not any("changed" in line for line in read_aloud(manifest_blocks(view, NOW)))


def test_a_day_without_stops_says_so() -> None:
    assert read_aloud(manifest_blocks(make_manifest(), NOW)) == [
        "Manifest · North · Mon, Jun 10 · 0 stops",
        "No stops.",
        "As of 7:31 am",
    ]


def test_routes_that_need_somebody_are_never_the_ones_cut_off() -> None:
    quiet = [make_route(driver_name=f"Driver {n}") for n in range(200)]
    over = make_route(driver_name="Too full", load=9, capacity=8)
    lines = read_aloud(manifest_blocks(make_manifest(*quiet, over, page_url="https://x.example/b"), NOW))
    assert lines[1].startswith("• *Too full*")
    assert lines[-2] == "and 141 more routes, <https://x.example/b|see the manifest>"


@settings(max_examples=100, deadline=None)
@given(view=manifests)
def test_any_manifest_fits_slacks_limits_and_lets_nobody_elses_words_out(view: ManifestView) -> None:
    blocks = manifest_blocks(view, NOW)
    assert block_problems(blocks) == []
    assert length_of(blocks) <= MESSAGE_TEXT
    text = "\n".join(block["text"]["text"] if block["type"] == "section" else "" for block in blocks)
    assert not any(mark in text for mark in ("<!", "<@", "<https://evil", "`", "\u202e"))
    assert len(manifest_text(view)) <= 150
