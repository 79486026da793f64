"""What a dispatcher approves is done on the platform where it can be: a second try, a stop taken back."""

from bot.desk.models import DeskTask
from bot.requests.carrying import reattempt_ref
from bot.requests.models import DispatchRequest, RequestState
from bot.requests.rules import Carried
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow, StopStatus
from connectors.desk import TaskKind
from tests.harness.turns import says
from tests.harness.world import World


async def ask(world: World, kind: str, tracking: str, window: DeliveryWindow | None = None) -> None:
    turn = await says(world, world.recipient(), "please")
    record = await world.stop_record(tracking)
    await world.doorline.services.requests.ask(turn, kind, str(record.id), window=window)
    await world.settled()


async def approve(world: World, *words: str) -> None:
    await world.dispatcher().presses(await world.channel_shows(*words), "approve")
    await world.settled()


async def the_request(world: World) -> DispatchRequest:
    (request,) = await world.rows(DispatchRequest)
    return request


async def test_another_try_of_a_failed_stop_is_a_new_stop_linked_to_it(bare_world: World) -> None:
    tracking = await bare_world.has_stop(window=("10:00", "12:00"), eta="11:50")
    await bare_world.delivers(tracking, success=False, reason="NONE", notes="nobody home")
    window = DeliveryWindow(start_at=bare_world.local("17:00", 1), end_at=bare_world.local("21:00", 1))
    await ask(bare_world, "redeliver", tracking, window)
    await approve(bare_world, "Wants another try")
    request = await the_request(bare_world)
    failed = await bare_world.stop_record(tracking)
    assert request.state is RequestState.APPROVED
    (again,) = [stop for stop in await bare_world.rows(StopRecord) if stop.id != failed.id]
    assert (again.window, again.reattempt_of) == (window, failed.platform_ref)
    assert again.own_ref == reattempt_ref(request)
    assert failed.status is StopStatus.FAILED
    # Carried out once more, as after a crash: the same stop is found by our reference.
    outcome = await bare_world.doorline.services.deciding._carry_out(request)
    assert outcome.result is Carried.DONE
    await bare_world.sync()
    assert len(await bare_world.rows(StopRecord)) == 2


async def test_a_stop_that_is_sent_back_is_cancelled_on_the_platform(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    record = await bare_world.stop_record(tracking)
    await ask(bare_world, "send_back", tracking)
    await approve(bare_world, "Refuses the parcel")
    assert (await the_request(bare_world)).state is RequestState.APPROVED
    assert record.platform_ref not in bare_world.onfleet.store.tasks
    assert (await bare_world.stop_record(tracking)).status is StopStatus.CANCELLED
    assert await bare_world.rows(DeskTask) == []


async def test_a_stop_that_the_platform_does_not_give_back_is_a_dispatchers_to_fetch(
    bare_world: World,
) -> None:
    tracking = await bare_world.has_stop()
    record = await bare_world.stop_record(tracking)
    await ask(bare_world, "send_back", tracking)
    bare_world.onfleet.start_task(record.platform_ref)
    await approve(bare_world, "Refuses the parcel")
    request = await the_request(bare_world)
    assert request.state is RequestState.APPROVED
    (task,) = await bare_world.rows(DeskTask)
    assert task.kind is TaskKind.WRITE_REFUSED
    assert record.platform_ref in bare_world.onfleet.store.tasks
    # Done again it is the same task.
    await bare_world.doorline.services.deciding._carry_out(request)
    assert len(await bare_world.rows(DeskTask)) == 1
