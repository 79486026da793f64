"""A stranger who got a recipient's texts is left alone, and dispatchers learn whose phone is wrong."""

from actions.errands.opting_out import leave
from bot.app.building import action_services
from bot.conversations.models import InboundText
from bot.stops.answers import Turn
from tests.harness.world import World

PHONE = "+12125550100"


async def test_dispatchers_hear_of_it_once_and_the_stranger_hears_no_more(bare_world: World) -> None:
    await bare_world.has_stop(phone=PHONE, client="Acme")
    stranger = bare_world.recipient(PHONE)
    await stranger.asks("hello")
    (inbound,) = await bare_world.rows(InboundText)
    turn = Turn(conversation_id=str(inbound.conversation_id), inbound_id=str(inbound.id), text="wrong number")
    services = action_services(bare_world.doorline.services)
    for _ in range(2):
        said = await leave(services, turn, turn.text)
        assert said.response == "utter_opted_out_wrong_number"
    await bare_world.tick()
    message = await bare_world.channel_shows("Recipient waiting", "wrong number", "Acme")
    assert len(await bare_world.channel()) == 1
    await bare_world.advance(minutes=60)
    assert len(await stranger.reads()) == 1
    assert (await bare_world.channel())[0]["ts"] == message["ts"]
