"""The windows of an escalation, by name: each is opened by a button and sent as one deed."""

from enum import StrEnum

from connectors.escalation import DispatcherVerb


class Window(StrEnum):
    MORE = "more"
    """All that can be done, and every stop."""
    STOPS = "stops"
    """A long list, page by page."""
    SNOOZE = "snooze"
    REASSIGN = "reassign"
    CONTACT = "contact_driver"
    TELL = "tell_recipients"
    MOVE = "move_window"
    HAND_OVER = "hand_over"
    MERGE = "merge"
    NOISE = "mark_noise"
    RESOLVE = "resolve"
    CAUSE = "name_cause"
    """Why it was late, asked once it is over."""


VERBS = {
    Window.SNOOZE: DispatcherVerb.SNOOZE,
    Window.REASSIGN: DispatcherVerb.REASSIGN,
    Window.CONTACT: DispatcherVerb.CONTACT_DRIVER,
    Window.TELL: DispatcherVerb.TELL_RECIPIENTS,
    Window.MOVE: DispatcherVerb.MOVE_WINDOW,
    Window.HAND_OVER: DispatcherVerb.HAND_OVER,
    Window.MERGE: DispatcherVerb.MERGE,
    Window.NOISE: DispatcherVerb.MARK_NOISE,
    Window.RESOLVE: DispatcherVerb.RESOLVE,
    Window.CAUSE: DispatcherVerb.NAME_CAUSE,
}
"""What sending a window means; the others only show something."""
