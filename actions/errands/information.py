"""Questions: how a stop was proved, and what holds for every delivery."""

from actions.errands.base import Done, Errand, ErrandKind, Next
from actions.errands.incidents import proof_slots
from actions.status import Saying, describe
from bot.stops.answers import ProofAnswer, Scope
from connectors.base import StopStatus


class Proof(ErrandKind):
    intent = "proof_of_delivery"
    scope = Scope.FINISHED

    async def begin(self, errand: Errand) -> Next:
        if errand.about.status is not StopStatus.DELIVERED:
            return Done((describe(errand.about, self.services.now(), errand.turn.language),))
        proof = await self.services.proofs.look(errand.began, errand.about.stop_id)
        if not proof.may_be_shown:
            return Done((Saying("utter_proof_private", proof_slots(proof, self, errand)),))
        if proof.link is None and not proof.signed_by:
            return Done((await self.hand_over(errand, "proof_of_delivery", "utter_proof_none"),))
        return Done((Saying(_response(proof), proof_slots(proof, self, errand)),))


class Information(ErrandKind):
    """The operator's own answers; what the protocol does not answer, a dispatcher does."""

    intent = "delivery_info"
    needs_stop = False

    async def begin(self, errand: Errand) -> Next:
        answer = self.services.faq.answer(errand.began.text, errand.turn.language)
        if answer is not None:
            return Done((Saying("utter_faq", {"answer": answer}),))
        return Done((await self.hand_over(errand, "delivery_info", "utter_handed_over_question"),))


def _response(proof: ProofAnswer) -> str:
    if proof.link is None:
        return "utter_proof_signed"
    return "utter_proof_signed_link" if proof.signed_by else "utter_proof_link"
