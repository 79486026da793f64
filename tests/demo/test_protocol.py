"""The demo's protocol: the shipped file and the pretended town's zones."""

from pathlib import Path

from bot.demo.protocol import write_protocol
from bot.settings import DEFAULT_PROTOCOL
from bot.sop import load_protocol
from connectors.world.town import ZONES


def test_each_zone_of_the_town_has_a_platform_that_runs(tmp_path: Path) -> None:
    target = tmp_path / "demo" / "sop.yml"
    write_protocol(DEFAULT_PROTOCOL, target, ("onfleet", "route4me"))
    protocol, shipped = load_protocol(target), load_protocol(DEFAULT_PROTOCOL)
    assert [zone.name for zone in protocol.zones] == [zone.name for zone in ZONES]
    assert {zone.platform for zone in protocol.zones} == {"onfleet", "route4me"}
    assert protocol.sla == shipped.sla


def test_the_pretended_dispatchers_are_on_call_and_have_phones(tmp_path: Path) -> None:
    target = tmp_path / "demo" / "sop.yml"
    write_protocol(DEFAULT_PROTOCOL, target, ("onfleet",))
    protocol, shipped = load_protocol(target), load_protocol(DEFAULT_PROTOCOL)
    tiers = protocol.escalations.tiers
    assert tiers[: len(shipped.escalations.tiers)] == shipped.escalations.tiers
    assert [tier.kind.value for tier in tiers] == ["post", "mention", "sms", "call", "call"]
    assert protocol.on_call.default is not None
    assert protocol.on_call.default.named == set(protocol.people) == {"dana", "sam"}
    assert all(person.phone for person in protocol.people.values())
