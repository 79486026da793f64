"""Bad days of a platform: short ones are sat out, long ones told, and none of them told as something else."""

import asyncio
import re
import time
from datetime import timedelta

import pytest

from connectors.emulation import Fault, free_port
from connectors.errors import PlatformMisconfiguredError, PlatformUnavailableError
from tests.connectors.platforms.stands import QUICK, TOMORROW, Stand, patient, window


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=500),
        Fault("status", status=502, body={"not": "the vendor's shape"}),
        Fault("status", status=429, headers=(("Retry-After", "0"),)),
        Fault("reset"),
        Fault("slow", seconds=0.05),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
async def test_a_short_outage_is_sat_out(stand: Stand, fault: Fault) -> None:
    stand.faults.next(fault, fault)
    assert (await stand.platform.get_stop(stand.refs[0])).platform_ref == stand.refs[0]
    stand.faults.next(fault, fault)
    assert set(await stand.of_day()) == set(stand.refs)


async def test_a_platform_that_is_down_is_unavailable_to_every_question(stand: Stand) -> None:
    stand.faults.down = True
    with pytest.raises(PlatformUnavailableError):
        await stand.platform.get_stop(stand.refs[0])
    with pytest.raises(PlatformUnavailableError):
        await stand.of_day()
    with pytest.raises(PlatformUnavailableError):
        await stand.platform.find_stop("DL-1")
    assert not (await stand.platform.probe()).healthy


async def test_a_platform_that_came_back_is_used_again(stand: Stand) -> None:
    hasty = stand.connect(limits=patient(QUICK, failures_to_open=2, open_seconds=0.2))
    stand.faults.down = True
    for _ in range(3):
        with pytest.raises(PlatformUnavailableError):
            await hasty.get_stop(stand.refs[0])
    asked = len(stand.between.seen)
    with pytest.raises(PlatformUnavailableError):
        await hasty.get_stop(stand.refs[0])
    assert len(stand.between.seen) == asked, "it is left alone for a while"
    stand.faults.down = False
    await asyncio.sleep(0.25)
    assert (await hasty.get_stop(stand.refs[0])).platform_ref == stand.refs[0]


async def test_nobody_listening_is_unavailable(stand: Stand) -> None:
    nowhere = stand.connect(api_base=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(PlatformUnavailableError):
        await nowhere.drivers()


async def test_nonsense_is_unavailable(stand: Stand) -> None:
    stand.faults.next(Fault("malformed"))
    with pytest.raises(PlatformUnavailableError):
        await stand.platform.get_stop(stand.refs[0])
    assert (await stand.platform.get_stop(stand.refs[0])).platform_ref == stand.refs[0]


async def test_a_silent_platform_is_given_up_after_the_time_out(stand: Stand) -> None:
    hasty = stand.connect(limits=patient(QUICK, read_seconds=0.05, attempts=2))
    stand.faults.slow_share, stand.faults.slow_seconds = 1.0, 1.0
    started = time.monotonic()
    with pytest.raises(PlatformUnavailableError):
        await hasty.get_stop(stand.refs[0])
    assert time.monotonic() - started < 0.8


async def test_a_long_retry_after_is_handed_on(stand: Stand) -> None:
    stand.faults.next(Fault("status", status=429, headers=(("Retry-After", "120"),)))
    with pytest.raises(PlatformUnavailableError) as told:
        await stand.platform.get_stop(stand.refs[0])
    assert told.value.retry_after == timedelta(seconds=120)


async def test_a_wrong_key_is_for_the_operator(stand: Stand) -> None:
    stranger = stand.connect(api_key="wrong")
    with pytest.raises(PlatformMisconfiguredError):
        await stranger.drivers()
    with pytest.raises(PlatformMisconfiguredError):
        await stranger.get_stop(stand.refs[0])
    probe = await stranger.probe()
    assert not probe.healthy
    assert "wrong" not in probe.detail.split(), "the key itself is never told"
    assert f"{stand.vendor.upper()}_WEST_API_KEY" in probe.detail, (
        "of this account, not of its vendor's first"
    )
    assert (await stand.platform.probe()).healthy


async def test_a_change_whose_answer_was_lost_is_done_by_the_next_try(stand: Stand) -> None:
    if not {"create_stop", "change_window"} <= stand.platform.capabilities:
        pytest.skip(f"{stand.vendor} cannot move a window")
    made = await stand.make()
    lost: list[str] = []

    def cut(asked: str) -> None:
        if not asked.startswith("GET") and not lost and "metadata" not in asked:
            lost.append(asked)
            stand.between.lose(f"^{re.escape(asked)}$")

    stand.between.before = cut
    wanted = window(9, 11, TOMORROW)
    try:
        await stand.platform.change_window(made.platform_ref, wanted)
    except PlatformUnavailableError:
        assert lost
    stand.between.before = None
    assert (await stand.platform.change_window(made.platform_ref, wanted)).window == wanted


async def test_half_of_the_calls_failing_still_reads_the_whole_day(stand: Stand) -> None:
    steady = stand.connect(limits=patient(QUICK, attempts=12, failures_to_open=50))
    stand.faults.error_share = 0.5
    stops = {stop.platform_ref async for stop in steady.stops_of_day(stand.clock().date())}
    assert stops == set(stand.refs)
