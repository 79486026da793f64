"""The capability matrix, from what each connector declares: as a table, as a page of the docs, as one line. Pure."""

from collections.abc import Mapping

from connectors.base import Capability

Matrix = Mapping[str, Mapping[Capability, str]]
"""By vendor or account: what it can do, each with its condition, empty where there is none."""

WORDS: Mapping[Capability, str] = {
    Capability.PUSH_EVENTS: "tells what happens by webhook",
    Capability.POLL_EVENTS: "is asked what happened",
    Capability.LIVE_ETA: "ETA that follows the day",
    Capability.PROOF: "proof of delivery",
    Capability.FAILURE_REASON: "reason of a failure",
    Capability.TRACKING_LINK: "tracking link",
    Capability.DRIVER_DUTY: "who is on duty",
    Capability.DRIVER_POSITION: "where drivers are",
    Capability.DRIVER_CAPACITY: "vehicle capacity",
    Capability.CREATE_STOP: "create a stop",
    Capability.CHANGE_WINDOW: "change a window",
    Capability.ADD_NOTE: "add a note",
    Capability.ACCESS_CODE: "leave an access code",
    Capability.ASSIGN_DRIVER: "assign to a driver",
    Capability.ASSIGN_ROUTE: "put on a route",
    Capability.CANCEL: "cancel a stop",
    Capability.REATTEMPT: "try a failed stop again",
    Capability.RELEASE_ROUTES: "send routes to drivers",
}


def rows(matrix: Matrix) -> list[tuple[str, ...]]:
    """One row per capability, its words first: `yes`, the condition, or `-` for each column of `matrix`."""
    return [
        (words, *(_cell(abilities, capability) for abilities in matrix.values()))
        for capability, words in WORDS.items()
    ]


def markdown(columns: Mapping[str, str], matrix: Matrix) -> str:
    """A table of Markdown; `columns` are the headings by key of `matrix`."""
    heads = ["", *(columns[key] for key in matrix)]
    lines = [heads, ["---"] * len(heads), *rows(matrix)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def summary(abilities: Mapping[Capability, str]) -> str:
    """In one line what an account cannot do: `all but: ...`."""
    missing = [words for capability, words in WORDS.items() if capability not in abilities]
    return f"cannot: {', '.join(missing)}" if missing else "can do everything"


def _cell(abilities: Mapping[Capability, str], capability: Capability) -> str:
    if capability not in abilities:
        return "-"
    return abilities[capability] or "yes"
