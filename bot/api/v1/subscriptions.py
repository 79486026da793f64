"""Webhooks: where a client's own system hears of its stops, what it took, and what it is sent again."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from bot.api.v1.auth import CallerIn, ServicesIn, client_for
from bot.api.v1.bodies import Instant, Name, Text, reads
from bot.api.v1.pages import Limit
from bot.api.v1.problems import ProblemError, Reason, problems
from bot.handover.delivering import event_id_of
from bot.handover.kinds import SUBSCRIBABLE, EventKind
from bot.handover.models import DeliveryState, Subscription, SubscriptionState
from bot.handover.queries import SubscriptionDisabledError
from bot.handover.replaying import Listed
from bot.handover.service import Revealed, TooManySubscriptionsError, UrlRefusedError

router = APIRouter(prefix="/subscriptions", tags=["webhooks"])

URL_WORDS = {
    "not_https": "Events go to https addresses only.",
    "not_a_url": "This is no address that can be called.",
    "has_password": "Put no name or password into the address; events are signed instead.",
    "has_fragment": "An address for programs has no part after #.",
    "private_address": "The address is not on the open internet.",
    "too_long": "The address is too long.",
}


class SubscriptionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    client: Annotated[Name, Field(min_length=1)] | None = None
    """Operators only: whose events."""
    url: Annotated[Text, Field(min_length=1, max_length=2000)]
    """Where events are posted."""
    events: Annotated[list[EventKind], Field(max_length=50)] = []
    """Which kinds; none for all of them, later ones included."""

    @model_validator(mode="after")
    def _subscribable(self) -> Self:
        if EventKind.PING in self.events:
            raise ValueError("`ping` needs no subscription")
        return self


class SubscriptionOut(BaseModel):
    id: UUID
    client: str
    url: str
    events: list[str]
    state: SubscriptionState
    disabled_because: str
    """`gone`: the system answered 410."""
    created_at: datetime
    failures: int
    """Tries in a row in which nobody took anything."""
    paused_until: datetime | None


class SecretOut(SubscriptionOut):
    secret: str
    """Shown this once. Verify with it as the Standard Webhooks scheme says."""


class SubscriptionList(BaseModel):
    subscriptions: list[SubscriptionOut]


class DeliveryOut(BaseModel):
    event_id: str
    type: str
    sequence: int
    occurred_at: datetime
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    """Of the next try; null once delivered or dead."""
    last_status: int | None
    """What the system answered last, where it answered."""
    last_error: str
    delivered_at: datetime | None


class DeliveryPage(BaseModel):
    deliveries: list[DeliveryOut]
    next_before: int | None
    """For the next page, in `before`."""


class TestOut(BaseModel):
    delivery_id: UUID


class ReplayIn(BaseModel):
    """At least one of the three."""

    model_config = ConfigDict(extra="forbid")

    dead: bool = False
    """Everything that was set aside."""
    since: Instant | None = None
    """Everything that happened from then on, delivered or not."""
    event_ids: Annotated[
        list[Annotated[str, Field(pattern="^evt_[0-9a-f]{32}$")]], Field(max_length=1000)
    ] = []

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not (self.dead or self.since or self.event_ids):
            raise ValueError("expected `dead`, `since` or `event_ids`")
        return self


class ReplayOut(BaseModel):
    events: int
    """How many are on their way again."""


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(400, 403, 409, 413, 415),
    dependencies=[Depends(reads("application/json"))],
)
async def subscribe(body: SubscriptionIn, caller: CallerIn, services: ServicesIn) -> SecretOut:
    """From now on events are posted to `url`, signed with the secret that is shown in this answer alone."""
    client = client_for(caller, body.client)
    try:
        made = await services.hand_over.subscribe(client, body.url, body.events, caller.actor)
    except UrlRefusedError as exc:
        reason = Reason(code=exc.why, text=URL_WORDS.get(exc.why, exc.why), field="url")
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "url_refused", reasons=[reason]) from exc
    except TooManySubscriptionsError as exc:
        raise ProblemError(HTTPStatus.CONFLICT, "too_many_subscriptions", str(exc)) from exc
    return _reveal(made)


@router.get("", responses=problems())
async def list_subscriptions(caller: CallerIn, services: ServicesIn) -> SubscriptionList:
    found = await services.hand_over.subscriptions(caller.client)
    return SubscriptionList(subscriptions=[_show(each) for each in found])


@router.get("/{subscription_id}", responses=problems(404))
async def get_subscription(subscription_id: UUID, caller: CallerIn, services: ServicesIn) -> SubscriptionOut:
    return _show(await services.hand_over.get(subscription_id, caller.client))


@router.delete("/{subscription_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(404))
async def unsubscribe(subscription_id: UUID, caller: CallerIn, services: ServicesIn) -> Response:
    """Nothing is posted there any more, also what waits."""
    await services.hand_over.end(subscription_id, caller.client, caller.actor)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/{subscription_id}/rotate", responses=problems(404))
async def change_secret(subscription_id: UUID, caller: CallerIn, services: ServicesIn) -> SecretOut:
    """A new secret. For 24 hours events carry two signatures, so that nothing is lost while you change over."""
    return _reveal(await services.hand_over.rotate(subscription_id, caller.client, caller.actor))


@router.post("/{subscription_id}/enable", responses=problems(404))
async def enable(subscription_id: UUID, caller: CallerIn, services: ServicesIn) -> SubscriptionOut:
    """Takes a disabled subscription into use again. What was set aside waits for a replay."""
    return _show(await services.hand_over.enable(subscription_id, caller.client, caller.actor))


@router.post("/{subscription_id}/test", status_code=HTTPStatus.ACCEPTED, responses=problems(404, 409))
async def send_test(subscription_id: UUID, caller: CallerIn, services: ServicesIn) -> TestOut:
    """Posts a `ping` there; `GET …/deliveries` tells how it was taken."""
    try:
        delivery_id = await services.hand_over.ping(subscription_id, caller.client)
    except SubscriptionDisabledError as exc:
        raise _disabled() from exc
    return TestOut(delivery_id=delivery_id)


@router.get("/{subscription_id}/deliveries", responses=problems(404))
async def list_deliveries(
    subscription_id: UUID,
    caller: CallerIn,
    services: ServicesIn,
    state: DeliveryState | None = None,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="`next_before` of a page.")] = None,
    limit: Limit = 100,
) -> DeliveryPage:
    """Newest first."""
    found = await services.replays.deliveries(subscription_id, caller.client, state, before, limit + 1)
    page = found[:limit]
    return DeliveryPage(
        deliveries=[_show_delivery(each) for each in page],
        next_before=page[-1].delivery.seq if len(found) > limit else None,
    )


@router.post(
    "/{subscription_id}/replay",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(400, 404, 409, 413, 415),
    dependencies=[Depends(reads("application/json"))],
)
async def replay(subscription_id: UUID, body: ReplayIn, caller: CallerIn, services: ServicesIn) -> ReplayOut:
    """Posts events again, under the ids that they had: your system drops those that it has."""
    try:
        count = await services.replays.replay(
            subscription_id,
            caller.client,
            dead=body.dead,
            since=body.since,
            event_ids=[UUID(hex=event_id.removeprefix("evt_")) for event_id in body.event_ids],
            actor=caller.actor,
        )
    except SubscriptionDisabledError as exc:
        raise _disabled() from exc
    return ReplayOut(events=count)


def _disabled() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT, "subscription_disabled", "Enable it first: POST /subscriptions/{id}/enable."
    )


def _show(subscription: Subscription) -> SubscriptionOut:
    return SubscriptionOut(
        id=subscription.id,
        client=subscription.client,
        url=subscription.url,
        events=subscription.kinds or [kind.value for kind in SUBSCRIBABLE],
        state=subscription.state,
        disabled_because=subscription.disabled_because,
        created_at=subscription.created_at,
        failures=subscription.failures,
        paused_until=subscription.paused_until,
    )


def _reveal(made: Revealed) -> SecretOut:
    return SecretOut(**_show(made.subscription).model_dump(), secret=made.secret)


def _show_delivery(listed: Listed) -> DeliveryOut:
    delivery, event = listed.delivery, listed.event
    is_pending = delivery.state is DeliveryState.PENDING
    return DeliveryOut(
        event_id=event_id_of(event),
        type=event.kind,
        sequence=delivery.seq,
        occurred_at=event.occurred_at,
        state=delivery.state,
        attempts=delivery.attempts,
        next_at=delivery.next_at if is_pending else None,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        delivered_at=delivery.delivered_at,
    )
