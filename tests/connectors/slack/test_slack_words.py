"""What a dispatcher reads, line by line, and that nobody else's words can get out of their place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import DeliveryWindow, FailureReason, StopStatus
from connectors.escalation import (
    EscalationLine,
    EscalationState,
    EscalationView,
    Happening,
    HappeningFacts,
    Refusal,
    Severity,
)
from connectors.slack.blocks import (
    escalation_blocks,
    escalation_text,
    quiet_text,
    thread_line,
)
from connectors.slack.emulator_blocks import block_problems
from connectors.slack.history import Hint, hint_text
from connectors.slack.mrkdwn import duration_words, moment, pack, window_words, without_mentions
from tests.connectors.slack.slack_world import Clock, make_line, make_view

NOW = Clock().at
NEW_YORK = "America/New_York"


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, month, day, hour, minute, tzinfo=UTC)


def read_aloud(view: EscalationView, now: datetime = NOW) -> str:
    """The message as text: sections and footers as they are, buttons in brackets."""
    lines = []
    for block in escalation_blocks(view, now):
        if block["type"] == "section":
            lines.append(block["text"]["text"])
        elif block["type"] == "actions":
            lines.append(" ".join(f"[{e['text']['text']}]" for e in block["elements"]))
        else:
            lines.append(" ".join(e["text"] for e in block["elements"]))
        if accessory := block.get("accessory"):
            lines.append(f"[{accessory['text']['text']}]")
    return "\n".join(lines)


# --- one message ----------------------------------------------------------------------------------


def test_a_stop_at_risk_reads_like_the_example() -> None:
    words = "will it still come before 4? i have to leave"
    view = make_view(
        lines=(
            make_line(last_words=words, last_words_at=utc(6, 10, 19, 30)),
            make_line(address_line="18 Oak Ave", eta_at=utc(6, 10, 20, 40)),
        )
    )
    assert read_aloud(view).splitlines() == [
        ":red_circle: *At risk* · North 3 · Acme · 2 stops · $150 exposed",
        "ETA 4:25 pm, window ends 4:00 pm. Van 7 is 3 stops behind plan.",
        f'• 14 Elm St 2B · window 2-4 pm · ETA 4:25 pm · recipient, 3:30 pm: "{words}"',
        "• 18 Oak Ave · window 2-4 pm · ETA 4:40 pm",
        "[Acknowledge] [Tell recipients] [Contact driver] [Move window] [More…]",
        "Next: mentions @oncall-north at 3:41 pm",
    ]
    assert escalation_text(view, NOW) == "At risk: North 3, Acme, 2 stops. ETA 4:25 pm, window ends 4:00 pm."


def test_an_acknowledged_one_says_who_has_it_and_until_when() -> None:
    view = make_view(
        state=EscalationState.ACKNOWLEDGED,
        acknowledged_by="U0DANA0001",
        acknowledged_until=utc(6, 10, 20),
        next_step="",
        next_step_at=None,
    )
    assert read_aloud(view).splitlines() == [
        ":large_yellow_circle: <@U0DANA0001> has it · until 4:00 pm",
        "At risk · North 3 · Acme · 1 stop · $150 exposed",
        "ETA 4:25 pm, window ends 4:00 pm. Van 7 is 3 stops behind plan.",
        "• 14 Elm St 2B · window 2-4 pm · ETA 4:25 pm",
        "[Resolve] [Hand over] [Snooze] [More…]",
    ]
    assert escalation_text(view, NOW) == "<@U0DANA0001> has it until 4:00 pm: North 3, Acme, 1 stop"


def test_a_delivered_one_says_when_and_how_late_and_offers_nothing_more() -> None:
    delivered = make_line(status=StopStatus.DELIVERED, completed_at=utc(6, 10, 20, 22))
    view = make_view(state=EscalationState.RESOLVED, lines=(delivered,))
    assert read_aloud(view, utc(6, 10, 20, 23)).splitlines() == [
        ":white_check_mark: Delivered 4:22 pm, 22 min late",
        "At risk · North 3 · Acme · 1 stop",
        "• 14 Elm St 2B · window 2-4 pm · delivered 4:22 pm, 22 min late",
    ]


@pytest.mark.parametrize(
    ("outcome", "resolved_by", "first_line"),
    [
        ("Recipient accepted 4:25.", "U0DANA0001", "Recipient accepted 4:25 · resolved by <@U0DANA0001>"),
        ("", "U0DANA0001", "Resolved by <@U0DANA0001>"),
        ("All 2 stops delivered in time", None, "All 2 stops delivered in time"),
        ("", None, "Resolved"),
    ],
)
def test_every_ending_is_a_sentence(outcome: str, resolved_by: str | None, first_line: str) -> None:
    view = make_view(state=EscalationState.RESOLVED, outcome=outcome, resolved_by=resolved_by)
    assert read_aloud(view).splitlines()[0] == f":white_check_mark: {first_line}"


def test_a_snoozed_one_can_be_taken() -> None:
    snoozed = {"state": EscalationState.SNOOZED, "snoozed_until": utc(6, 10, 19, 50), "next_step": ""}
    lines = read_aloud(make_view(**snoozed, snoozed_by="U0DANA0001")).splitlines()
    assert lines[0] == ":zzz: Snoozed · until 3:50 pm · by <@U0DANA0001>"
    assert lines[-1].startswith("[Acknowledge] ")


def test_a_waiting_recipient_is_shown_with_their_words_and_how_to_reach_them() -> None:
    line = make_line(
        person_name="Rosa Diaz",
        person_phone="+12125550100",
        last_words="THIRD time you say 3pm and NOTHING. want a human",
        last_words_at=utc(6, 10, 19, 5),
    )
    view = make_view(
        severity=Severity.RECIPIENT_WAITING,
        why="Asks for a person",
        driver_name="",
        driver_behind="",
        lines=(line,),
        exposure_usd=0,
        next_step="",
        can_reply=True,
    )
    assert read_aloud(view).splitlines() == [
        ":red_circle: *Recipient waiting* · North 3 · Acme · 1 stop",
        "Asks for a person.",
        "Rosa Diaz (+12125550100) wrote at 3:05 pm:",
        "> THIRD time you say 3pm and NOTHING. want a human",
        "• 14 Elm St 2B · window 2-4 pm · ETA 4:25 pm",
        "[Acknowledge] [Reply] [Resolve]",
        "Only Reply, or &gt;&gt; in the thread, writes to the recipient",
    ]
    assert escalation_text(view, NOW) == (
        "Recipient waiting: North 3, Acme, 1 stop. Asks for a person. "
        '"THIRD time you say 3pm and NOTHING. want a human"'
    )


def waiting(**changes: Any) -> EscalationView:
    line = make_line(person_name="Rosa Diaz", person_phone="+12125550100", last_words="anyone?")
    values: dict[str, Any] = {
        "severity": Severity.RECIPIENT_WAITING,
        "why": "Asks for a person",
        "driver_name": "",
        "driver_behind": "",
        "lines": (line,),
        "exposure_usd": 0,
        "next_step": "",
        "can_reply": True,
    }
    return make_view(**values | changes)


def test_who_holds_a_conversation_knows_that_the_bot_is_silent() -> None:
    view = waiting(
        state=EscalationState.ACKNOWLEDGED,
        acknowledged_by="U0DANA0001",
        acknowledged_until=utc(6, 10, 20),
    )
    assert read_aloud(view).splitlines() == [
        ":large_yellow_circle: <@U0DANA0001> has it · the bot is silent · until 4:00 pm",
        "Recipient waiting · North 3 · Acme · 1 stop",
        "Asks for a person.",
        "Rosa Diaz (+12125550100) wrote:",
        "> anyone?",
        "• 14 Elm St 2B · window 2-4 pm · ETA 4:25 pm",
        "[Reply] [Resolve]",
        "Only Reply, or &gt;&gt; in the thread, writes to the recipient · Resolve gives it back to the bot",
    ]
    expected = "<@U0DANA0001> has it, the bot is silent until 4:00 pm: North 3, Acme, 1 stop"
    assert escalation_text(view, NOW) == expected


def test_a_request_says_what_is_asked_and_is_ended_by_a_decision() -> None:
    view = waiting(why="Wants another window", decision="Move it to Tue, Jun 11, 5-9 pm?")
    lines = read_aloud(view).splitlines()
    assert lines[1:3] == ["Wants another window.", "*Asks:* Move it to Tue, Jun 11, 5-9 pm?"]
    assert lines[-2] == "[Approve] [Decline] [Acknowledge] [Reply]"
    assert "Asks: Move it to Tue, Jun 11, 5-9 pm?" in escalation_text(view, NOW)
    held = view.model_copy(update={"state": EscalationState.ACKNOWLEDGED, "acknowledged_by": "U0DANA0001"})
    assert "silent" not in read_aloud(held)
    assert read_aloud(held).splitlines()[-2] == "[Approve] [Decline] [Reply]"


def test_declining_asks_once_more_and_approving_does_not() -> None:
    blocks = escalation_blocks(waiting(decision="Move it to 5-9 pm?"), NOW)
    (elements,) = [b["elements"] for b in blocks if b["type"] == "actions"]
    confirms = {e["action_id"]: e.get("confirm") for e in elements}
    assert confirms["approve"] is None
    assert confirms["decline"]["text"]["text"] == "Move it to 5-9 pm? The recipient is told no."


def test_a_waiting_recipient_without_a_known_stop_is_still_somebody() -> None:
    line = make_line(
        stop_id="", address_line="", tracking="", client="", window=None, eta_at=None, last_words="hello?"
    )
    view = waiting(zone="", client="", lines=(line.model_copy(update={"person_phone": "+12125550100"}),))
    assert read_aloud(view).splitlines()[:5] == [
        ":red_circle: *Recipient waiting*",
        "Asks for a person.",
        "+12125550100 wrote:",
        "> hello?",
        "• we do not know which stop it is about",
    ]


def test_a_resolved_handoff_offers_nothing_more() -> None:
    lines = read_aloud(waiting(state=EscalationState.RESOLVED, resolved_by="U0DANA0001")).splitlines()
    assert lines[0] == ":white_check_mark: Resolved by <@U0DANA0001>"
    assert not any(line.startswith(("[", "Only", ">")) for line in lines)


def test_the_phone_number_is_shown_only_where_someone_has_to_call() -> None:
    line = make_line(person_name="Rosa Diaz", person_phone="+12125550100")
    assert "5550100" not in read_aloud(make_view(lines=(line,)))


def test_a_silent_platform_has_no_stops_and_still_reads_well() -> None:
    view = make_view(
        severity=Severity.PLATFORM_SILENT,
        zone="",
        client="",
        why="Nothing from Onfleet since 3:10 pm; 214 ETAs are old",
        driver_name="",
        driver_behind="",
        lines=(),
        exposure_usd=0,
        next_step="",
        has_driver=False,
    )
    assert read_aloud(view).splitlines() == [
        ":red_circle: *No platform updates*",
        "Nothing from Onfleet since 3:10 pm; 214 ETAs are old.",
        "[Acknowledge] [Resolve]",
    ]
    expected = "No platform updates. Nothing from Onfleet since 3:10 pm; 214 ETAs are old."
    assert escalation_text(view, NOW) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"eta_at": None}, "• 14 Elm St 2B · window 2-4 pm · no ETA"),
        ({"eta_age": timedelta(minutes=50)}, "• 14 Elm St 2B · window 2-4 pm · ETA 4:25 pm (50 min old)"),
        ({"window": None}, "• 14 Elm St 2B · ETA 4:25 pm"),
        ({"client": "Nova"}, "• 14 Elm St 2B · Nova · window 2-4 pm · ETA 4:25 pm"),
        ({"address_line": ""}, "• T17 · window 2-4 pm · ETA 4:25 pm"),
        ({"eta_at": utc(6, 11, 13)}, "• 14 Elm St 2B · window 2-4 pm · ETA Tue Jun 11, 9:00 am"),
        (
            {"status": StopStatus.FAILED, "completed_at": utc(6, 10, 15, 40)},
            "• 14 Elm St 2B · window 2-4 pm · delivery failed 11:40 am",
        ),
        ({"status": StopStatus.CANCELLED}, "• 14 Elm St 2B · window 2-4 pm · cancelled"),
        (
            {"status": StopStatus.DELIVERED, "completed_at": utc(6, 10, 20)},
            "• 14 Elm St 2B · window 2-4 pm · delivered 4:00 pm, 1 min late",
        ),
        (
            {"status": StopStatus.DELIVERED, "completed_at": utc(6, 10, 19, 59)},
            "• 14 Elm St 2B · window 2-4 pm · delivered 3:59 pm, in time",
        ),
        (
            {"status": StopStatus.DELIVERED, "completed_at": utc(6, 10, 17, 50)},
            "• 14 Elm St 2B · window 2-4 pm · delivered 1:50 pm, before the window",
        ),
    ],
)
def test_a_stop_says_what_is_known_of_it(changes: dict[str, Any], expected: str) -> None:
    assert expected in read_aloud(make_view(lines=(make_line(**changes),))).splitlines()


def test_a_long_list_shows_eight_and_counts_the_rest() -> None:
    lines = read_aloud(make_view(lines=tuple(make_line(address_line=f"{n} Elm St") for n in range(20))))
    assert lines.count("• ") == 8
    assert "• 7 Elm St" in lines
    assert "8 Elm St" not in lines.replace("18 Elm", "")
    assert "\nand 12 more\n" in lines
    assert "20 stops" in lines


def test_the_buttons_carry_the_escalation_and_change_with_its_state() -> None:
    def buttons(state: EscalationState, **changes: Any) -> list[str]:
        blocks = escalation_blocks(make_view(state=state, **changes), NOW)
        elements = [e for b in blocks if b["type"] == "actions" for e in b["elements"]]
        assert {e["value"] for e in elements} <= {"E-1"}
        return [e["action_id"] for e in elements]

    tell, move, more = "window_tell_recipients", "window_move_window", "window_more"
    raised = ["acknowledge", tell, "window_contact_driver", move, more]
    assert buttons(EscalationState.RAISED) == raised
    assert buttons(EscalationState.RAISED, has_driver=False) == ["acknowledge", tell, move, more]
    held = ["window_resolve", "window_hand_over", "window_snooze", more]
    assert buttons(EscalationState.ACKNOWLEDGED) == held
    assert buttons(EscalationState.RESOLVED) == []


# --- what dispatchers did, as the message shows it ----------------------------------------------------


def test_a_late_delivery_asks_for_its_cause_with_the_usual_ones_one_tap_away() -> None:
    delivered = make_line(status=StopStatus.DELIVERED, completed_at=utc(6, 10, 20, 22))
    view = make_view(
        state=EscalationState.RESOLVED,
        lines=(delivered,),
        causes_asked=(FailureReason.TRAFFIC, FailureReason.OTHER, FailureReason.ACCESS_ISSUE),
    )
    assert read_aloud(view).splitlines() == [
        ":white_check_mark: Delivered 4:22 pm, 22 min late. *Cause?*",
        "At risk · North 3 · Acme · 1 stop",
        "• 14 Elm St 2B · window 2-4 pm · delivered 4:22 pm, 22 min late",
        "[Traffic] [Access] [Other…]",
    ]


def test_a_known_cause_is_told_and_no_longer_asked_for() -> None:
    view = make_view(
        state=EscalationState.RESOLVED, root_cause=FailureReason.TRAFFIC, exclusion="force_majeure"
    )
    lines = read_aloud(view).splitlines()
    assert "Cause: traffic · does not count (force majeure)" in lines
    assert not any(line.startswith("[") for line in lines)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"driver_asked_at": utc(6, 10, 19, 20)}, "Van 7 is 3 stops behind plan (asked 3:20 pm)."),
        (
            {
                "driver_asked_at": utc(6, 10, 19, 20),
                "driver_texted_at": utc(6, 10, 19, 31),
                "driver_minutes": 20,
                "root_cause": FailureReason.TRAFFIC,
            },
            "Van 7 is 3 stops behind plan (traffic, 20 min, texted 3:31 pm).",
        ),
        (
            {"driver_texted_at": utc(6, 10, 19, 31), "driver_minutes": 0},
            "Van 7 is 3 stops behind plan (on time, texted 3:31 pm).",
        ),
        (
            {"driver_texted_at": utc(6, 10, 19, 31), "driver_behind": ""},
            "Driver: Van 7 (texted 3:31 pm).",
        ),
    ],
)
def test_what_the_driver_said_stands_with_the_reason(changes: dict[str, Any], words: str) -> None:
    assert words in read_aloud(make_view(**changes))


def test_noise_is_over_without_a_question() -> None:
    view = make_view(state=EscalationState.RESOLVED, is_noise=True, resolved_by="U0DANA0001")
    assert read_aloud(view).splitlines()[0] == ":white_check_mark: Marked as noise · <@U0DANA0001>"


def test_somebody_without_a_slack_account_is_named_and_not_mentioned() -> None:
    held = make_view(
        state=EscalationState.ACKNOWLEDGED, acknowledged_by="person:dana", names={"person:dana": "Dana R."}
    )
    assert read_aloud(held).splitlines()[0] == ":large_yellow_circle: Dana R. has it"
    unknown = held.model_copy(update={"names": {}})
    assert read_aloud(unknown).splitlines()[0] == ":large_yellow_circle: Somebody has it"


def test_a_storm_lists_the_first_and_opens_a_window_with_all() -> None:
    lines = tuple(make_line(address_line=f"{n} Elm St", stop_id=f"S-{n}") for n in range(8))
    shown = read_aloud(make_view(lines=lines, more_stops=34)).splitlines()
    assert "· 42 stops ·" in shown[0]
    assert shown[-4:-1] == ["and 34 more", "[Show all 42]", shown[-2]]


def test_what_was_handed_over_leaves_a_pointer_and_nothing_to_press() -> None:
    view = make_view(moved_to="South", zone="South")
    assert read_aloud(view) == ":arrow_right: Handed over to South · At risk · South · Acme · 1 stop"
    assert escalation_text(view, NOW) == read_aloud(view)


def test_a_state_that_slack_took_late_says_so() -> None:
    footer = read_aloud(make_view(next_step="", delayed_since=utc(6, 10, 19, 32))).splitlines()[-1]
    assert footer == "Slack took this 3 min late"


@pytest.mark.parametrize(
    ("kind", "facts", "line"),
    [
        (Happening.SNOOZED, {"until": utc(6, 10, 19, 50)}, "<@U0DANA0001> snoozed it until 3:50 pm."),
        (
            Happening.REASSIGNED,
            {"words": "Van 9", "address_line": "14 Elm St"},
            "14 Elm St: <@U0DANA0001> gave it to Van 9. The platform has it.",
        ),
        (
            Happening.DRIVER_ANSWERED,
            {"words": "2 20", "minutes": 20, "root_cause": "traffic", "person": "Ana"},
            'Ana answered: traffic, 20 min ("2 20")',
        ),
        (Happening.DRIVER_ANSWERED, {"words": "where?"}, 'The driver answered: "where?"'),
        (
            Happening.DRIVER_UNREACHABLE,
            {"words": "no_phone"},
            "The text did not reach the driver: the platform has no number of theirs.",
        ),
        (
            Happening.RECIPIENT_TOLD,
            {"message": "running_late", "stops": 3},
            "<@U0DANA0001> had 3 recipients told that it runs late.",
        ),
        (
            Happening.NOT_DONE,
            {"words": "under_way", "address_line": "14 Elm St"},
            "14 Elm St: not done, what <@U0DANA0001> asked for: the driver is out with it.",
        ),
        (
            Happening.CAUSE_NAMED,
            {"root_cause": "traffic", "words": "force_majeure"},
            "<@U0DANA0001> named the cause: traffic; it does not count (force majeure).",
        ),
        (Happening.CALL_OVER, {"person": "Sam", "words": "no_answer"}, "Sam did not answer."),
        (
            Happening.STEP_DEFERRED,
            {"until": utc(6, 11, 12)},
            "The next step waits for its hours, Tue Jun 11, 8:00 am.",
        ),
    ],
)
def test_the_thread_tells_each_deed_in_one_line(kind: Happening, facts: dict[str, Any], line: str) -> None:
    about = HappeningFacts.model_validate({"timezone": NEW_YORK, "dispatcher": "U0DANA0001", **facts})
    assert thread_line(kind, about, NOW) == line


def test_the_tracking_page_is_linked() -> None:
    footer = read_aloud(make_view(next_step="", tracking_url="https://x.example/t/1?a=b&c=d")).splitlines()[
        -1
    ]
    assert footer == "<https://x.example/t/1?a=b%26c=d|Tracking page>"


# --- other people's words -----------------------------------------------------------------------------

NASTY = st.one_of(
    st.text(max_size=400),
    st.sampled_from(
        [
            "<!channel> <@U0DANA0001> <https://evil.example|click>",
            "&lt;!here&gt; & < > &amp;",
            "```code `and` no end",
            "*bold* _it_ ~gone~",
            "\u202egnp.exe \u2066\u2067 ארץ ישראל ثلاثة",
            "👩‍👩‍👧‍👦" * 60,
            "&" * 400,
            "line\nbreak\r\n\t\x00\x07",
            "\ud800",
            "x" * 5000,
        ]
    ),
)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=366)).map(lambda passed: utc(1, 1, 0) + passed)

stop_lines = st.builds(
    EscalationLine,
    stop_id=st.just("S"),
    tracking=NASTY,
    client=NASTY,
    address_line=NASTY,
    window=st.none() | MOMENTS.map(lambda at: DeliveryWindow(start_at=at, end_at=at + timedelta(hours=2))),
    eta_at=st.none() | MOMENTS,
    eta_age=st.none() | st.timedeltas(timedelta(0), timedelta(days=3)),
    status=st.sampled_from(StopStatus),
    person_name=NASTY,
    person_phone=st.none() | NASTY,
    last_words=NASTY,
    last_words_at=st.none() | MOMENTS,
    completed_at=st.none() | MOMENTS,
)
views = st.builds(
    EscalationView,
    escalation_id=st.uuids().map(str),
    severity=st.sampled_from(Severity),
    state=st.sampled_from(EscalationState),
    zone=NASTY,
    client=NASTY,
    timezone=st.sampled_from([NEW_YORK, "Europe/London", "Australia/Lord_Howe"]),
    why=NASTY,
    driver_name=NASTY,
    driver_behind=NASTY,
    lines=st.lists(stop_lines, max_size=12).map(tuple),
    exposure_usd=st.integers(0, 10**7),
    acknowledged_by=st.none() | st.just("U0DANA0001"),
    acknowledged_until=st.none() | MOMENTS,
    resolved_by=st.none() | st.just("U0OMAR0001"),
    outcome=NASTY,
    next_step=NASTY | st.just("mentions <!subteam^S1> and <@U0OMAR0001>"),
    next_step_at=st.none() | MOMENTS,
    tracking_url=st.none() | st.just("https://x.example/t/<!channel>|x"),
    can_reply=st.booleans(),
    decision=st.just("") | NASTY,
    more_stops=st.integers(0, 500),
    snoozed_until=st.none() | MOMENTS,
    root_cause=st.none() | st.sampled_from(FailureReason),
    exclusion=NASTY,
    is_noise=st.booleans(),
    on_call=NASTY,
    causes_asked=st.just(()) | st.just(tuple(FailureReason)),
    driver_texted_at=st.none() | MOMENTS,
    driver_minutes=st.none() | st.integers(0, 480),
    has_driver=st.booleans(),
    moved_to=st.just("") | NASTY,
    delayed_since=st.none() | MOMENTS,
)


def all_text(blocks: list[dict[str, Any]]) -> str:
    sections = [b["text"]["text"] for b in blocks if b["type"] == "section"]
    contexts = [e["text"] for b in blocks if b["type"] == "context" for e in b["elements"]]
    return "\n".join(sections + contexts)


@settings(max_examples=150, deadline=None)
@given(view=views)
def test_any_view_fits_slacks_limits_and_notifies_nobody_it_should_not(view: EscalationView) -> None:
    blocks = escalation_blocks(view, NOW)
    assert block_problems(blocks) == []
    assert len(escalation_text(view, NOW)) <= 3000
    text = all_text(blocks) + escalation_text(view, NOW)
    for own in ("<@U0DANA0001> has it", "esolved by <@U0OMAR0001>", "as noise · <@U0OMAR0001>"):
        text = text.replace(own, "")
    assert "<!" not in text
    assert "<@" not in text
    assert "<https://evil" not in text
    assert "`" not in text
    assert not set(text) & set("\u202e\u2066\u2067\u0000\u0007\r\t")


@settings(max_examples=100, deadline=None)
@given(words=NASTY, kind=st.sampled_from(Happening), refusal=st.sampled_from(Refusal))
def test_nobody_elses_words_get_out_of_a_thread_line_or_a_quiet_answer(
    words: str, kind: Happening, refusal: Refusal
) -> None:
    line = thread_line(kind, HappeningFacts(words=words, address_line=words), NOW)
    for text in (line, quiet_text(refusal, unsent=words)):
        assert not any(mark in text for mark in ("<!", "<@", "<https://evil", "`", "\u202e"))
        assert len(text) < 40_000


def test_a_recipient_cannot_break_the_line() -> None:
    line = make_line(last_words="hi\n:white_check_mark: Delivered\n<!channel>", last_words_at=None)
    (shown,) = [x for x in read_aloud(make_view(lines=(line,))).splitlines() if x.startswith("•")]
    assert shown.endswith('recipient: "hi :white_check_mark: Delivered &lt;!channel&gt;"')


def test_slack_is_told_not_to_link_what_people_wrote() -> None:
    texts = [b["text"] for b in escalation_blocks(make_view(), NOW) if b["type"] == "section"]
    assert all(text["verbatim"] is True for text in texts)


@pytest.mark.parametrize(
    ("text", "quiet"),
    [
        ("mentions <!subteam^S1|@oncall-north>", "mentions @oncall-north"),
        ("mentions <!subteam^S1>", "mentions the on-call group"),
        ("asks <@U0DANA0001>", "asks @Dana"),
        ("asks <@U0OMAR0001>", "asks a dispatcher"),
        ("tells <!channel> and <!here>", "tells the whole channel and everyone who is here"),
    ],
)
def test_announcing_a_page_is_not_the_page(text: str, quiet: str) -> None:
    assert without_mentions(text, {"U0DANA0001": "Dana"}) == quiet


# --- times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (utc(6, 10, 18), utc(6, 10, 20), "2-4 pm"),
        (utc(6, 10, 15), utc(6, 10, 17), "11 am-1 pm"),
        (utc(6, 10, 18, 30), utc(6, 10, 20), "2:30-4 pm"),
        (utc(6, 10, 16), utc(6, 10, 17), "12-1 pm"),
        (utc(6, 11, 0), utc(6, 11, 4), "8 pm-12 am"),
        (utc(6, 11, 21), utc(6, 12, 1), "Tue Jun 11, 5-9 pm"),
        (utc(6, 11, 12), utc(6, 13, 22), "Tue Jun 11, 8 am-Thu Jun 13, 6 pm"),
    ],
)
def test_windows_are_said_as_people_say_them(start: datetime, end: datetime, words: str) -> None:
    assert window_words(DeliveryWindow(start_at=start, end_at=end), NEW_YORK, NOW) == words


@pytest.mark.parametrize(
    ("at", "now", "words"),
    [
        (utc(6, 10, 20, 25), NOW, "4:25 pm"),
        (utc(6, 10, 4), NOW, "12:00 am"),
        (utc(6, 10, 16, 5), NOW, "12:05 pm"),
        (utc(6, 11, 4), NOW, "Tue Jun 11, 12:00 am"),
        (utc(6, 11, 3, 59), NOW, "11:59 pm"),
        # The hour that happens twice, November 3, 2024, 1:30 am, before and after the clocks go back.
        (utc(11, 3, 5, 30), utc(11, 3, 6), "1:30 am"),
        (utc(11, 3, 6, 30), utc(11, 3, 6), "1:30 am"),
        (utc(11, 3, 7, 30), utc(11, 3, 6), "2:30 am"),
    ],
)
def test_instants_are_local_with_the_day_when_it_is_not_today(
    at: datetime, now: datetime, words: str
) -> None:
    assert moment(at, NEW_YORK, now) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=5), "1 min"),
        (timedelta(minutes=22), "22 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
    ],
)
def test_durations_are_short(length: timedelta, words: str) -> None:
    assert duration_words(length) == words


def test_lines_are_packed_whole() -> None:
    assert pack(["a" * 5, "b" * 5, "c"], limit=11) == ["aaaaa\nbbbbb", "c"]


# --- history and quiet answers ------------------------------------------------------------------------

FACTS = HappeningFacts(
    timezone=NEW_YORK,
    dispatcher="U0DANA0001",
    until=utc(6, 10, 20),
    address_line="14 Elm St 2B",
    eta_at=utc(6, 10, 20, 40),
    earlier_eta_at=utc(6, 10, 20, 25),
    window=DeliveryWindow(start_at=utc(6, 10, 18), end_at=utc(6, 10, 20)),
    completed_at=utc(6, 10, 20, 22),
)


@pytest.mark.parametrize(
    ("kind", "words", "line"),
    [
        ("acknowledged", "", "<@U0DANA0001> has it, until 4:00 pm."),
        ("withdrawn", "", "<@U0DANA0001> let go of it. It is open again."),
        ("ran_out", "", "The acknowledgement ran out at 4:00 pm. It is open again."),
        ("resolved", "Left with the neighbour", "<@U0DANA0001> resolved it. Left with the neighbour."),
        (
            "step_fired",
            "mentions <!subteam^S1|north>",
            "Nobody has taken this yet, so Doorline mentions @north.",
        ),
        ("breached", "", "14 Elm St 2B: breached, the window ended at 4:00 pm."),
        ("eta_changed", "", "14 Elm St 2B: ETA now 4:40 pm, was 4:25 pm."),
        ("stop_joined", "", "14 Elm St 2B: joined this escalation, window 2-4 pm, ETA 4:40 pm."),
        ("stop_left", "", "14 Elm St 2B: back on time."),
        ("delivered", "", "14 Elm St 2B: delivered 4:22 pm, 22 min late."),
        ("failed", "no gate code", "14 Elm St 2B: delivery failed, no gate code."),
        ("recipient_wrote", "ok 4:25 is <fine>", '14 Elm St 2B: recipient wrote "ok 4:25 is &lt;fine&gt;"'),
        (
            "transcript",
            "3:02 pm recipient: where is it\n3:02 pm Doorline: About 3:20 pm.\n\n3:30 pm recipient: <!here> human",
            "The conversation so far:\n> 3:02 pm recipient: where is it\n> 3:02 pm Doorline: About 3:20 pm.\n"
            "> 3:30 pm recipient: &lt;!here&gt; human",
        ),
        (
            "replied",
            "He is at the gate.\nTwo minutes.",
            "<@U0DANA0001> wrote to the recipient:\n> He is at the gate.\n> Two minutes.",
        ),
        (
            "reply_not_sent",
            "opted_out",
            "14 Elm St 2B: the words of <@U0DANA0001> did not reach the recipient: they asked for no more messages."
            " Only a call can reach them.",
        ),
        (
            "reply_not_sent",
            "undeliverable",
            "14 Elm St 2B: the words of <@U0DANA0001> did not reach the recipient: the carrier cannot deliver to this address."
            " Try a call.",
        ),
        ("approved", "Moved to 5-9 pm", "<@U0DANA0001> approved it. Moved to 5-9 pm."),
        (
            "not_carried_out",
            "The platform refused it (<1000>)",
            "<@U0DANA0001> approved it. The platform refused it (&lt;1000&gt;). It is still to be decided.",
        ),
        ("declined", "", "<@U0DANA0001> declined it."),
        (
            "told_still_waiting",
            "",
            "Nobody took it in time. The recipient was told that it takes longer, with an answer by 4:00 pm.",
        ),
        (
            "photo_came",
            "https://x.example/m/1?s=a|b>",
            "14 Elm St 2B: the recipient sent a photo. <https://x.example/m/1?s=a%7Cb%3E|Look at it>",
        ),
    ],
)
def test_the_thread_tells_what_happened(kind: str, words: str, line: str) -> None:
    assert thread_line(Happening(kind), FACTS.model_copy(update={"words": words}), NOW) == line


@pytest.mark.parametrize("kind", list(Happening))
def test_history_needs_no_fact_to_be_a_sentence(kind: Happening) -> None:
    line = thread_line(kind, HappeningFacts(), NOW)
    assert line
    assert line[0].isupper()
    assert "None" not in line
    assert "!" not in line


def test_what_resolves_itself_says_so() -> None:
    facts = HappeningFacts(words="Delivered 3:50 pm, in time")
    assert thread_line(Happening.RESOLVED, facts, NOW) == "Resolved by itself. Delivered 3:50 pm, in time."


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        ("already_held", "<@U2> has it already."),
        ("resolved", "This one is resolved."),
        ("not_a_dispatcher", "You are not on the list of dispatchers, so nothing was changed."),
        ("not_yours", "<@U2> has it, so it stays as it is."),
        ("nothing_to_withdraw", "Nobody has this one, so there is nothing to let go of."),
        ("nothing_to_decide", "There is nothing to decide here."),
        ("already_decided", "<@U2> has decided this already."),
        ("nobody_to_reply_to", "Nobody waits for an answer on this one, so nothing was sent."),
        (
            "opted_out",
            "They asked for no more messages, so nothing was sent. Only a call can reach them.",
        ),
    ],
)
def test_a_refused_gesture_is_explained(refusal: str, text: str) -> None:
    assert quiet_text(Refusal(refusal), holder="U2") == text


def test_a_refused_reply_gives_its_words_back() -> None:
    text = quiet_text(Refusal.RESOLVED, unsent="He is at <your> gate.\nTwo minutes.")
    assert text == (
        "This one is resolved.\nYour words, not sent:\n> He is at &lt;your&gt; gate.\n> Two minutes."
    )


@pytest.mark.parametrize("hint", list(Hint))
def test_every_hint_is_a_sentence(hint: Hint) -> None:
    assert hint_text(hint).endswith(".")


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_words_also_without_a_holder(refusal: Refusal) -> None:
    text = quiet_text(refusal)
    assert text.endswith(".")
    assert "None" not in text
