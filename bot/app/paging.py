"""Pages to people on call: the services, in the order in which they need each other, and what their clock does."""

from typing import TypedDict

from actions import speech
from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.words import Words
from bot.db import Database
from bot.durable.ticks import Tick
from bot.paging.calling import Calls
from bot.paging.operators import OperatorPages, OperatorsOnCall
from bot.paging.replies import PageReplies
from bot.paging.service import Paging
from bot.paging.taking import Gestures, Taking
from bot.paging.turns import PhoneTurns
from bot.paging.words import PageWords
from bot.sop import ProtocolInForce
from connectors.voice import Caller


class PagingServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    calls: Calls
    phone_turns: PhoneTurns
    page_replies: PageReplies
    operator_pages: OperatorPages


def open_paging(
    clock: Clock, sop: ProtocolInForce, consent: ConsentLedger, words: Words, caller: Caller | None
) -> tuple[Paging, PageWords]:
    """What escalations are made with, before there are gestures."""
    said = PageWords(clock, sop, words, speech)
    return Paging(clock, consent, said, can_call=caller is not None), said


def paging_services(
    database: Database,
    clock: Clock,
    caller: Caller | None,
    paging: Paging,
    said: PageWords,
    gestures: Gestures,
    on_call: OperatorsOnCall,
) -> PagingServices:
    taking = Taking(clock, gestures, paging, said)
    return PagingServices(
        calls=Calls(database, clock, caller),
        phone_turns=PhoneTurns(database, clock, taking, said),
        page_replies=PageReplies(clock, taking, said),
        operator_pages=OperatorPages(clock, paging, on_call, can_call=caller is not None),
    )


def paging_ticks(calls: Calls) -> list[Tick]:
    return [Tick("calls", calls.watch, 5)]
