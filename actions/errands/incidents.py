"""Something is wrong with what came, or it did not come: an incident, with what the proof says and a picture."""

import re

from actions.choice import fold
from actions.errands.answers import is_something_else, says_nothing
from actions.errands.base import Ask, Done, Errand, ErrandKind, Next, SomethingElse
from actions.speech import say_instant
from actions.status import Saying, describe
from bot.stops.answers import IncidentAnswer, IncidentKind, ProofAnswer, Scope
from connectors.base import StopStatus

_WRONG = re.compile(
    r"\b(?:wrong|not mine|someone elses|somebody elses|different|not what i|equivocad\w*|otra cosa|no es mi[oa]?"
    r"|no era|no es lo (?:que|mio)|de otr[oa] (?:persona|senora?|vecin[oa]|cliente|casa))\b"
)
_INCOMPLETE = re.compile(
    r"\b(?:missing|incomplete|empty|only (?:got|received|one|half|part)|half|short|not all|falt\w+|vaci[oa]"
    r"|incomplet\w+|solo (?:llego|recibi|vino))\b"
)

_OPENINGS = r"^(?:(?:nvm|never ?mind|ok|okay|oh|wait|hey|sorry|all good|good news|ya|olvid\w+|perdon|ah)\W+)*"
_FOUND = re.compile(
    rf"{_OPENINGS}(?:(?:i|we) )?(?:just )?(?:found (?:it|them|the|my)\b|got it now\b|(?:it|they) (?:turned|showed) up)"
    rf"|{_OPENINGS}(?:(?:lo|la|los|las) )?(?:encontre|encontramos|aparecio|aparecieron)\b"
)
"""At the beginning only: "i havent found it" and "nobody found the box" say the opposite."""


class Missing(ErrandKind):
    """Shown as delivered and not there. A stop that is still to come is told as it stands instead."""

    intent = "report_missing"
    scope = Scope.FINISHED

    async def begin(self, errand: Errand) -> Next:
        stop = errand.about
        if stop.status is not StopStatus.DELIVERED:
            return Done((describe(stop, self.services.now(), errand.turn.language),))
        if says_found(errand.began.text):
            await self.services.handoff.ask_dispatcher(errand.began, "found", stop.stop_id)
            return Done((Saying("utter_found"),))
        incident = await self.services.incidents.open(errand.began, IncidentKind.MISSING, stop.stop_id)
        proof = await self.services.proofs.look(errand.began, stop.stop_id)
        return Done((self._proof(proof, errand), _opened(self, errand, incident)), goes_back=False)

    def _proof(self, proof: ProofAnswer, errand: Errand) -> Saying:
        slots = proof_slots(proof, self, errand)
        if not proof.may_be_shown:
            return Saying("utter_missing_private", slots)
        if proof.near == "elsewhere":
            return Saying("utter_missing_elsewhere", slots)
        if proof.link is not None:
            return Saying("utter_missing_proof", slots)
        return Saying("utter_missing_no_proof", slots)


class Damaged(ErrandKind):
    """Damaged, wrong or incomplete: a picture is asked for once, and not insisted on."""

    intent = "report_damaged_or_wrong"
    scope = Scope.FINISHED

    async def begin(self, errand: Errand) -> Next:
        incident = await self.services.incidents.open(
            errand.began, kind_of(errand.began.text), errand.about.stop_id
        )
        if errand.began.photos:
            await self.services.incidents.add_photos(errand.began, incident.incident_id)
        if errand.began.photos or incident.photos:
            # Also one that came shortly before the words.
            return Done((_with_photo(self, errand, incident),), goes_back=False)
        slots = {"incident": incident.incident_id, "by": _by(self, errand, incident)}
        return Ask("photo", slots)

    def ask(self, errand: Errand) -> Saying:
        return Saying("utter_ask_photo", {"by": errand.data["by"]})

    async def take(self, errand: Errand) -> Next:
        if errand.turn.photos:
            incident = await self.services.incidents.add_photos(errand.turn, errand.data["incident"])
            if incident is not None:
                return Done((_with_photo(self, errand, incident),), goes_back=False)
        if errand.intent == "deny" or says_nothing(errand.turn.text):
            return Done((Saying("utter_no_photo_needed", {"by": errand.data["by"]}),), goes_back=False)
        if is_something_else(errand, also={self.intent, "complaint"}):
            return SomethingElse()
        if await self._is_about_another_stop(errand):
            return SomethingElse()
        # More about what is wrong: kept with the incident.
        await self.services.incidents.open(errand.turn, kind_of(errand.began.text), errand.about.stop_id)
        return Done((Saying("utter_incident_added", {"by": errand.data["by"]}),), goes_back=False)

    async def _is_about_another_stop(self, errand: Errand) -> bool:
        question = await self.services.finder.stops_in_question(errand.turn)
        return question.kind == "one" and question.stops[0].stop_id != errand.about.stop_id


class Photo(ErrandKind):
    """A picture that nobody asked for: it belongs to the newest open incident, or its meaning is asked."""

    intent = "send_photo"
    needs_stop = False

    async def begin(self, errand: Errand) -> Next:
        incident = await self.services.incidents.add_photos(errand.began, None)
        if incident is None:
            return Done((Saying("utter_photo_about_what"),))
        return Done((_with_photo(self, errand, incident),))


def says_found(text: str) -> bool:
    """`nvm found it`: what was missing is there."""
    return _FOUND.search(fold(text)) is not None


def kind_of(text: str) -> IncidentKind:
    words = fold(text)
    if _WRONG.search(words):
        return IncidentKind.WRONG
    return IncidentKind.INCOMPLETE if _INCOMPLETE.search(words) else IncidentKind.DAMAGED


def proof_slots(proof: ProofAnswer, kind: ErrandKind, errand: Errand) -> dict[str, str]:
    stop, language = proof.stop, errand.turn.language
    slots = {"parcel": kind.parcel(errand), "link": proof.link or ""}
    at = proof.at or stop.completed_at
    slots["when"] = say_instant(at, stop.timezone, kind.services.now(), language) if at else ""
    return slots | {"name": proof.signed_by}


def _opened(kind: ErrandKind, errand: Errand, incident: IncidentAnswer) -> Saying:
    return Saying("utter_incident_opened", {"by": _by(kind, errand, incident)})


def _with_photo(kind: ErrandKind, errand: Errand, incident: IncidentAnswer) -> Saying:
    return Saying("utter_incident_photo", {"by": _by(kind, errand, incident)})


def _by(kind: ErrandKind, errand: Errand, incident: IncidentAnswer) -> str:
    now = kind.services.now()
    return say_instant(incident.respond_by, incident.timezone, now, errand.turn.language)
