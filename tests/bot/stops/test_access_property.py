"""Whatever is asked by whomever: nobody ever sees a stop that is not theirs, or that they did not prove to know."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.conversations.identity import is_proved, read_claims
from bot.stops.answers import Scope, StopQuestion
from bot.stops.models import StopRecord
from bot.stops.references import normal
from connectors.base import ChannelName, StopStatus
from tests.bot.stops.town import Person, Town, stop
from tests.harness.world import TABLES

PHONES = ["+12125550199", "+12125550177", "+12135550199"]
POSTCODES = ["10001", "10002", "SW1A 1AA"]
TRACKINGS = ["AB12CD34", "EF56AB78", "deadbeef", "7718224019", "6021"]
"""Few of each, so that people share them and guesses hit."""
CHANNELS = [ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.WEBCHAT, ChannelName.EMAIL]

order_facts = st.fixed_dictionaries(
    {
        "tracking": st.sampled_from(TRACKINGS),
        "phone": st.sampled_from([*PHONES, None]),
        "postcode": st.sampled_from(POSTCODES),
        "starts": st.integers(-400, 80).map(lambda hours: timedelta(hours=hours)),
        "status": st.sampled_from(list(StopStatus)),
        "client": st.sampled_from(["Acme", "Nova"]),
    }
)
words = st.sampled_from(
    [
        *TRACKINGS,
        *POSTCODES,
        "0199",
        "0177",
        "order",
        "the other one",
        "both",
        "nova",
        "where is it",
        "last 4",
    ]
)
texts = st.lists(words, min_size=1, max_size=4).map(" ".join)


@dataclass
class Known:
    """What one person may see, by the rule as it is written down, kept apart from how the finder does it."""

    person: Person
    channel: ChannelName
    address: str
    said: list[str] = field(default_factory=list)

    def may_see(self, record: StopRecord) -> bool:
        if self.channel in (ChannelName.SMS, ChannelName.WHATSAPP):
            written = "".join(normal(text) for text in self.said)
            return record.recipient_phone == self.address or record.tracking.lower() in written
        return any(
            is_proved(record, read_claims(one).on_top_of(read_claims(other)))
            for one in self.said
            for other in self.said
        )


async def _empty(town: Town) -> None:
    async with town.database.transaction() as session:
        tables = await session.scalar(text(TABLES))
        await session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


async def _people(town: Town) -> list[Known]:
    people = []
    for channel in CHANNELS:
        for phone in PHONES[:2]:
            person = await town._person(channel, phone, "192.0.2.7")
            people.append(Known(person, channel, phone))
    return people


@pytest.mark.filterwarnings("ignore:.*function-scoped fixture.*")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A failing story is short enough to be read; making it shorter takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    population=st.lists(order_facts, min_size=1, max_size=8),
    story=st.lists(
        st.tuples(st.integers(0, 7), texts, st.sampled_from(list(Scope))), min_size=3, max_size=14
    ),
)
async def test_nobody_sees_a_stop_that_is_not_theirs(
    town: Town, population: list[dict[str, Any]], story: list[tuple[int, str, Scope]]
) -> None:
    await _empty(town)
    records = [
        stop(**facts, completed=facts["starts"] if facts["status"].is_closed else None)
        for facts in population
    ]
    await town.holds(*records)
    by_id = {record.id: record for record in records}
    people = await _people(town)
    for index, said, scope in story:
        known = people[index]
        known.said.append(said)
        question = await known.person.asks(said, scope)
        await _all_may_be_seen(known, question, by_id)


async def _all_may_be_seen(known: Known, question: StopQuestion, by_id: dict[UUID, StopRecord]) -> None:
    for answer in question.stops:
        record = by_id[UUID(answer.stop_id)]
        assert known.may_see(record), (known.channel, known.said, record.tracking)
        await known.person.talks_about(record)
        if known.channel in (ChannelName.SMS, ChannelName.WHATSAPP):
            is_theirs = record.recipient_phone == known.address
            assert await known.person.may_change(record) == is_theirs
