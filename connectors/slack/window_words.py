"""What the windows of an escalation are called, what they offer, and what they say where there is no choice."""

from connectors.slack.window_kinds import Window

DRIVER_WORDS, OWN_WORDS, NOTE = 300, 600, 500

TITLES = {
    Window.MORE: ("More", "Next"),
    Window.STOPS: ("All stops", "Next page"),
    Window.SNOOZE: ("Snooze", "Snooze"),
    Window.REASSIGN: ("Give to another driver", "Give"),
    Window.CONTACT: ("Text the driver", "Send"),
    Window.TELL: ("Tell recipients", "Send"),
    Window.MOVE: ("Move the window", "Move"),
    Window.HAND_OVER: ("Hand over", "Hand over"),
    Window.MERGE: ("Put together", "Put together"),
    Window.NOISE: ("Mark as noise", "It was noise"),
    Window.RESOLVE: ("Resolve", "Resolve"),
    Window.CAUSE: ("Why was it late?", "Save"),
}
"""Title and what the button says; both at most 24 characters."""

DEEDS = {
    Window.TELL: "Tell recipients",
    Window.CONTACT: "Contact the driver",
    Window.MOVE: "Move a window",
    Window.REASSIGN: "Give stops to another driver",
    Window.SNOOZE: "Snooze",
    Window.HAND_OVER: "Hand over to another zone",
    Window.MERGE: "Put together with another one",
    Window.RESOLVE: "Resolve, with cause and note",
    Window.NOISE: "Mark as noise",
}

FOR_MINUTES = (10, 20, 30, 60, 120)
BEFORE_WINDOW = (15, 30, 60)

MESSAGES = {
    "running_late": "It runs late (with the new time, where there is one)",
    "on_its_way": "It is on its way (how many stops before theirs)",
    "not_today": "We cannot come today",
    "own": "My own words, below",
}

NO_CHOICE = {
    Window.MORE: "It is over, so nothing can be done about it any more.",
    Window.REASSIGN: "There is nobody to give it to, or the platform takes no such change.",
    Window.TELL: "None of its stops is open any more, so there is nobody to tell.",
    Window.CONTACT: "No driver is known for it, so there is nobody to text.",
    Window.MOVE: "The platform takes no other window for these stops.",
    Window.HAND_OVER: "There is no other zone in sop.yml with a channel of its own.",
    Window.MERGE: "There is no other open one to put it together with.",
}
