"""Every kind of errand, by the intent that begins it."""

from actions.errands.address import Address
from actions.errands.base import ErrandKind
from actions.errands.incidents import Damaged, Missing, Photo
from actions.errands.information import Information, Proof
from actions.errands.instructions import Instructions
from actions.errands.on_the_way import OnTheWay
from actions.errands.opting_out import OptingOut
from actions.errands.recovery import FollowUp
from actions.errands.refusal import Refusal
from actions.errands.unavailable import Unavailable
from actions.services import ActionServices

KINDS: tuple[type[ErrandKind], ...] = (
    Instructions,
    Unavailable,
    Address,
    Refusal,
    Missing,
    Damaged,
    Photo,
    Proof,
    Information,
    OnTheWay,
    OptingOut,
    FollowUp,
)


def errand_kinds(services: ActionServices) -> dict[str, ErrandKind]:
    return {kind.intent: kind(services) for kind in KINDS}
