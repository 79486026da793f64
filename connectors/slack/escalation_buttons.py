"""The buttons of an escalation's message: the likeliest first, everything else behind More. Pure."""

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, MarkdownTextObject

from connectors.base import FailureReason
from connectors.escalation import DispatcherVerb, EscalationState, EscalationView
from connectors.slack.cause_words import CAUSES, LATE
from connectors.slack.modal import reply_value
from connectors.slack.mrkdwn import foreign_within, sentence
from connectors.slack.stop_lines import count_of, hidden_of
from connectors.slack.window_kinds import Window

CONFIRMED_LIMIT = 270
"""Of the 300 characters that a confirmation may have."""

CAUSE = "cause_"
"""How the action ids of the one-tap causes begin."""
CAUSES_SHOWN = 5

WINDOW = "window_"
"""How the action ids of buttons begin that open a window; its kind follows."""

LABELS = {
    Window.TELL: "Tell recipients",
    Window.CONTACT: "Contact driver",
    Window.MOVE: "Move window",
    Window.RESOLVE: "Resolve",
    Window.HAND_OVER: "Hand over",
    Window.SNOOZE: "Snooze",
    Window.MORE: "More…",
}


def buttons_of(view: EscalationView) -> list[ButtonElement]:
    if view.state is EscalationState.RESOLVED:
        return _causes(view)
    if view.severity in LATE and not view.can_reply and not view.decision:
        return _about_stops(view)
    return _about_people(view)


def _about_stops(view: EscalationView) -> list[ButtonElement]:
    if view.state is EscalationState.ACKNOWLEDGED:
        kinds = [Window.RESOLVE, Window.HAND_OVER, Window.SNOOZE, Window.MORE]
        return [_opens(kind, view, "primary" if kind is Window.RESOLVE else None) for kind in kinds]
    first = _button("Acknowledge", DispatcherVerb.ACKNOWLEDGE, view, "primary")
    kinds = [Window.TELL, Window.CONTACT, Window.MOVE] if count_of(view) else []
    if not view.has_driver:
        kinds = [kind for kind in kinds if kind is not Window.CONTACT]
    return [first, *(_opens(kind, view) for kind in [*kinds, Window.MORE])]


def _about_people(view: EscalationView) -> list[ButtonElement]:
    """A decision ends by Approve or Decline: resolving it would leave somebody waiting."""
    is_held = view.state is EscalationState.ACKNOWLEDGED
    buttons = [_approve(view), _decline(view)] if view.decision else []
    if not is_held:
        style = None if view.decision else "primary"
        buttons.append(_button("Acknowledge", DispatcherVerb.ACKNOWLEDGE, view, style))
    if view.can_reply:
        buttons.append(_reply(view, "primary" if is_held and not view.decision else None))
    if not view.decision:
        buttons.append(_button("Resolve", DispatcherVerb.RESOLVE, view))
    return buttons


def _causes(view: EscalationView) -> list[ButtonElement]:
    """The usual ones; More has the others, with a note and what does not count."""
    if not view.causes_asked:
        return []
    usual = [cause for cause in dict.fromkeys(view.causes_asked) if cause is not FailureReason.OTHER]
    taps = [
        ButtonElement(text=CAUSES[cause], action_id=f"{CAUSE}{cause.value}", value=view.escalation_id)
        for cause in usual[:CAUSES_SHOWN]
    ]
    return [*taps, _opens(Window.CAUSE, view, label="Other…")]


def all_stops_button(view: EscalationView) -> ButtonElement | None:
    """Beside a list that is cut short."""
    if not hidden_of(view):
        return None
    return _opens(Window.STOPS, view, label=f"Show all {count_of(view)}")


def _button(
    label: str, verb: DispatcherVerb, view: EscalationView, style: str | None = None
) -> ButtonElement:
    return ButtonElement(text=label, action_id=verb.value, value=view.escalation_id, style=style)


def _opens(kind: Window, view: EscalationView, style: str | None = None, label: str = "") -> ButtonElement:
    return ButtonElement(
        text=label or LABELS[kind], action_id=f"{WINDOW}{kind.value}", value=view.escalation_id, style=style
    )


def _approve(view: EscalationView) -> ButtonElement:
    return _button("Approve", DispatcherVerb.APPROVE, view, "primary")


def _decline(view: EscalationView) -> ButtonElement:
    # The recipient is told at once, and a thumb is easily a button too far.
    button = _button("Decline", DispatcherVerb.DECLINE, view)
    about = sentence(foreign_within(view.decision, CONFIRMED_LIMIT))
    button.confirm = ConfirmObject(
        title="Decline this?",
        # verbatim: what somebody asked for must not become a mention or a link.
        text=MarkdownTextObject(text=f"{about} The recipient is told no.", verbatim=True),
        confirm="Decline",
        deny="Back",
    )
    return button


def _reply(view: EscalationView, style: str | None) -> ButtonElement:
    return ButtonElement(
        text="Reply", action_id=DispatcherVerb.REPLY.value, value=reply_value(view), style=style
    )
