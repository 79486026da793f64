"""A delivery that failed: how, when and where it is tried again, or what else becomes of the parcel.

It begins with our own question, or with the recipient's words about the failed stop. One text may say everything;
what is missing is asked, one thing at a time; what was not on our list is read back before it is booked.
"""

from collections.abc import Mapping
from dataclasses import replace

from actions.booking import Verdict, Wish, is_abandoned, names_day, to_slot
from actions.errands.agreed import (
    ADDRESS,
    ALREADY,
    CODE,
    CONFIRM,
    NEIGHBOUR,
    POINT,
    REPLY,
    SAFE_PLACE,
    WHEN,
    Agreed,
    completed,
    missing,
)
from actions.errands.answers import SOCIAL, is_something_else, verdict_of
from actions.errands.base import SURE, Ask, Done, Errand, ErrandKind, Next, Restart, SomethingElse, Unclear
from actions.errands.heard import (
    Heard,
    address_heard,
    free_of_codes,
    may_name_time,
    option_heard,
    place_heard,
    with_wish,
    words_heard,
)
from actions.errands.recovery_words import (
    NO_SUCH_WAY,
    kept_facts,
    offers_kept,
    say_outcome,
    say_question,
    ways_listed,
)
from actions.status import Saying
from actions.wishes import Wishes
from bot.recovery.answers import Choice, FollowUpOutcome, FollowUpQuestion
from bot.sop_recovery import Flow

NAME = "follow_up"
"""As Rasa's slot `errand` names it; no text is understood as this by itself."""

MAY_ANSWER = frozenset(
    {
        "reschedule_delivery",
        "report_unavailable",
        "delivery_instructions",
        "change_address",
        "cancel_delivery",
        "running_late",
    }
)
"""Intents of what else a text may be about and answer the question all the same."""

UNSAID = frozenset({"vague", "which_day", "which_time", "no_time"})
"""Problems of a text that only asks for another time, and not for which."""

ABOUT_TIME = frozenset({REPLY, WHEN, CONFIRM, ALREADY})


class FollowUp(ErrandKind):
    intent = NAME
    can_be_dropped = False  # "leave it" may say where

    async def begin(self, errand: Errand) -> Next:
        question = await self._question(errand)
        if question is None:
            return Done((Saying("utter_recovery_over"),), goes_back=False)
        errand = replace(errand, step=REPLY, data=kept_facts(question, errand.data))
        if not errand.turn.text:
            return Ask(REPLY, errand.data)
        following = await self._follow(errand, question)
        # Whoever writes about it by themselves is asked our question where their text holds no answer to it.
        return Ask(REPLY, errand.data) if isinstance(following, SomethingElse | Unclear) else following

    async def take(self, errand: Errand) -> Next:
        question = await self._question(errand)
        return await self._follow(errand, question) if question is not None else Restart()

    def ask(self, errand: Errand) -> Saying:
        return say_question(errand, Agreed.of(errand.data), self.services)

    async def _question(self, errand: Errand) -> FollowUpQuestion | None:
        return await self.services.recovery.question(errand.turn, errand.data["recovery"])

    # --- one text -------------------------------------------------------------------------------

    async def _follow(self, errand: Errand, question: FollowUpQuestion) -> Next:
        heard = await self._hear(errand, question)
        if _interrupts(errand, heard):
            return SomethingElse()
        if heard.is_empty and is_abandoned(errand.turn.text):
            return Done((Saying("utter_recovery_left", {"parcel": self.parcel(errand)}),))
        if heard.is_empty and errand.step == CONFIRM:
            return await self._take_verdict(errand, question)
        if heard.is_empty:
            return self._take_bare(errand, question)
        return await self._take_heard(errand, question, heard)

    async def _hear(self, errand: Errand, question: FollowUpQuestion) -> Heard:
        text, step = errand.turn.text, errand.step
        if step in (NEIGHBOUR, SAFE_PLACE) and not _turns_away(errand):
            return place_heard(text, Choice(step))
        heard = self._listed(errand, question) or words_heard(text, at_code=step == CODE)
        if heard.choice is not None and option_heard(text, 9) is not None:
            return heard
        if question.flow is Flow.ADDRESS and (address := address_heard(text)):
            heard = replace(heard, address=address, choice=None)
        is_about_time = step in ABOUT_TIME and question.flow is not Flow.ADDRESS
        if may_name_time(text, is_about_time=is_about_time):
            return with_wish(heard, await self._wish(errand, question), offers_kept(errand.data))
        return heard

    def _listed(self, errand: Errand, question: FollowUpQuestion) -> Heard | None:
        """A number, where ways out were listed; where times were, `Wishes` reads it."""
        if errand.step == POINT:
            index = option_heard(errand.turn.text, len(question.pick_up_points))
            names = [point.name for point in question.pick_up_points]
            return Heard(Choice.PICK_UP, point=names[index]) if index is not None else None
        if errand.step == CONFIRM and Agreed.of(errand.data).choice is Choice.SEND_BACK:
            index = option_heard(errand.turn.text, 2)
            return Heard(Choice.REATTEMPT) if index == 1 else None
        if errand.step == REPLY and question.flow is Flow.ALTERNATIVES:
            ways = ways_listed(errand.data)
            index = option_heard(errand.turn.text, len(ways))
            return Heard(ways[index]) if index is not None else None
        return None

    async def _wish(self, errand: Errand, question: FollowUpQuestion) -> Wish:
        """What is said of the time, codes left out: their digits are no hours."""
        turn = errand.turn.model_copy(update={"text": free_of_codes(errand.turn.text)})
        lists_times = errand.step in (REPLY, WHEN) and not (
            errand.step == REPLY and question.flow is Flow.ALTERNATIVES
        )
        offers = offers_kept(errand.data) if lists_times else ()
        pending = Agreed.of(errand.data).window if errand.step == CONFIRM else None
        wish = await Wishes(self.services).read(turn, question.stop, offers, pending)
        return Wish() if wish.problem in UNSAID and not names_day(turn.text) else wish

    # --- what follows ---------------------------------------------------------------------------

    async def _take_heard(self, errand: Errand, question: FollowUpQuestion, heard: Heard) -> Next:
        if heard.choice not in (None, Choice.REATTEMPT) and heard.choice not in question.alternatives:
            return self._when(errand, Agreed.of(errand.data), question, NO_SUCH_WAY)
        agreed = self._so_far(errand, question).with_heard(heard, errand.turn.inbound_id or "")
        if errand.step == CONFIRM and heard.choice is Choice.SEND_BACK:
            return await self._carry_out(errand, question, agreed)
        if heard.choices:
            data = {**errand.data, **agreed.at(None).data(), "offers": " ".join(map(to_slot, heard.choices))}
            return Ask(WHEN, data | {"problem": "which_hours"})
        if heard.problem is not None:
            return self._when(errand, agreed, question, heard.problem)
        if heard.is_soon and agreed.window is None and question.offers:
            agreed = agreed.at(question.offers[0])
        return await self._go_on(errand, question, agreed)

    def _so_far(self, errand: Errand, question: FollowUpQuestion) -> Agreed:
        """What this conversation has agreed, or an earlier one."""
        earlier = Agreed.before(question) if "choice" not in errand.data else None
        return earlier or Agreed.of(errand.data)

    async def _go_on(self, errand: Errand, question: FollowUpQuestion, agreed: Agreed) -> Next:
        agreed = completed(agreed, question, offers_kept(errand.data))
        step = missing(agreed, question)
        if step == WHEN:
            return self._when(errand, agreed, question)
        if step is not None:
            return Ask(step, _kept(errand, agreed))
        return await self._carry_out(errand, question, agreed)

    def _when(
        self, errand: Errand, agreed: Agreed, question: FollowUpQuestion, problem: str | None = None
    ) -> Next:
        data = _kept(errand, agreed.at(None)) | {"offers": " ".join(map(to_slot, question.offers))}
        return Ask(WHEN, data | ({"problem": problem} if problem else {}))

    async def _take_verdict(self, errand: Errand, question: FollowUpQuestion) -> Next:
        """The answer to "shall I book it?", or to "send it back?"."""
        agreed = Agreed.of(errand.data)
        is_back = agreed.choice is Choice.SEND_BACK
        first = is_back and option_heard(errand.turn.text, 2) == 0
        verdict = Verdict.YES if first else verdict_of(errand)
        if verdict is Verdict.YES:
            return await self._carry_out(errand, question, agreed)
        if verdict is Verdict.NO:
            kept = replace(agreed, choice=Choice.REATTEMPT) if is_back else agreed
            return self._when(errand, kept, question, None if is_back else "another")
        return SomethingElse() if is_something_else(errand, also=MAY_ANSWER) else Unclear()

    def _take_bare(self, errand: Errand, question: FollowUpQuestion) -> Next:
        """A plain yes, a plain no, or a request for another time that names none."""
        verdict = verdict_of(errand)
        earlier = Agreed.before(question) if errand.step == REPLY else None
        if earlier is not None and not is_something_else(errand, also=MAY_ANSWER):
            return Ask(ALREADY, _kept(errand, earlier))
        if verdict is Verdict.NO:
            return Done((Saying("utter_recovery_left", {"parcel": self.parcel(errand)}),))
        if errand.step == ALREADY and verdict is Verdict.YES:
            return self._when(errand, Agreed.of(errand.data), question)
        asks_for_time = errand.intent in ("reschedule_delivery", "report_unavailable")
        if verdict is Verdict.YES or (asks_for_time and errand.step == REPLY):
            return self._towards_another_try(errand, question)
        return SomethingElse() if is_something_else(errand, also=MAY_ANSWER) else Unclear()

    def _towards_another_try(self, errand: Errand, question: FollowUpQuestion) -> Next:
        agreed = Agreed.of(errand.data)
        if question.flow is Flow.ADDRESS and not agreed.address:
            return Ask(ADDRESS, _kept(errand, agreed))
        return self._when(errand, agreed, question)

    async def _carry_out(self, errand: Errand, question: FollowUpQuestion, agreed: Agreed) -> Next:
        outcome = await self.services.recovery.answer(errand.turn, question.recovery_id, agreed.preference())
        if outcome.result == "not_bookable":
            return self._when(errand, agreed, question, outcome.problem or "full")
        return Done((self._told(errand, agreed, outcome),), goes_back=False)

    def _told(self, errand: Errand, agreed: Agreed, outcome: FollowUpOutcome) -> Saying:
        return say_outcome(outcome, agreed, errand, self.services)


def _kept(errand: Errand, agreed: Agreed) -> dict[str, str]:
    """Facts of the question, and what is agreed by now; what was wrong with an earlier answer is forgotten."""
    facts: Mapping[str, str] = {name: errand.data[name] for name in _FACTS if name in errand.data}
    return {**facts, **agreed.data()}


_FACTS = ("recovery", "flow", "reason", "failed_at", "offers", "ways", "points")


def _turns_away(errand: Errand) -> bool:
    """Asked for a neighbor or a place, somebody would rather have another day, or something else altogether."""
    names_time = errand.intent in ("reschedule_delivery", "provide_time") and errand.confidence >= SURE
    return names_time or is_something_else(errand, also=MAY_ANSWER) or is_abandoned(errand.turn.text)


def _interrupts(errand: Errand, heard: Heard) -> bool:
    """Something else is surely wanted: "where is it now", "i want a person", "who is this"."""
    if heard.is_empty and errand.intent == "out_of_scope":
        return errand.confidence >= SURE
    if not is_something_else(errand, also=MAY_ANSWER):
        return False
    return heard.is_empty or (errand.intent not in SOCIAL and not heard.has_code)
