"""Modals and home views, pretended: triggers, stacks, hashes, and what the app's answer to a submission does.

Source: docs.slack.dev, modals; views.* method pages.
"""

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.base import Now
from connectors.emulation import Ledger
from connectors.slack.emulator_args import Args, check_blocks
from connectors.slack.emulator_blocks import VIEW_BLOCKS, view_problems
from connectors.slack.emulator_inputs import complaint, entered
from connectors.slack.emulator_state import APP_ID, BOT_ID, TEAM_ID, Actor, SlackError

FORGOTTEN_SECONDS = 60.0
"""How long an old trigger is told apart from an invented one."""

STACK = 3

View = dict[str, Any]
Values = Mapping[str, Mapping[str, str]]
"""What a person typed, by block id and action id."""


class Views:
    """Real time rules the triggers: they are about the network, whatever day is being pretended."""

    def __init__(self, now: Now, ledger_path: Path | None, trigger_seconds: float) -> None:
        self._now = now
        self._trigger_seconds = trigger_seconds
        self._views = Ledger(ledger_path, "slack_views")
        self._stacks = Ledger(ledger_path, "slack_view_stacks")
        self._homes = Ledger(ledger_path, "slack_homes")
        self._triggers: dict[str, tuple[str, float]] = {}
        self._exchanged: dict[str, str] = {}

    def issue_trigger(self, user_id: str) -> str:
        alive = {
            t: made for t, made in self._triggers.items() if time.monotonic() - made[1] < FORGOTTEN_SECONDS
        }
        self._exchanged = {t: view_id for t, view_id in self._exchanged.items() if t in alive}
        self._triggers = alive
        trigger_id = f"{time.time_ns()}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = (user_id, time.monotonic())
        return trigger_id

    def opened_by(self, trigger_id: str) -> View | None:
        """The view that the app opened with this trigger."""
        view_id = self._exchanged.get(trigger_id)
        return self._views.get(view_id) if view_id else None

    def seen_by(self, user_id: str) -> View | None:
        """The modal in front of this person."""
        stack = self._stacks.get(user_id) or []
        return dict(self._views[stack[-1]]) if stack else None

    # --- methods ----------------------------------------------------------------------------------

    def open(self, actor: Actor, args: Args) -> dict[str, Any]:
        user_id = self._exchange(args)
        view = self._checked(args, "modal")
        return {"view": self._place(user_id, args.text("trigger_id"), view, [])}

    def push(self, actor: Actor, args: Args) -> dict[str, Any]:
        user_id = self._exchange(args)
        view = self._checked(args, "modal")
        stack = self._stacks.get(user_id) or []
        if not stack:
            raise SlackError("not_found")
        return {"view": self._place(user_id, args.text("trigger_id"), view, stack)}

    def update(self, actor: Actor, args: Args) -> dict[str, Any]:
        before = self._views.get(args.text("view_id"))
        if before is None:
            raise SlackError("not_found")
        if "hash" in args and args.text("hash") != before["hash"]:
            raise SlackError("hash_conflict")
        return {"view": self._keep({**self._checked(args, before["type"]), **_identity(before)})}

    def publish(self, actor: Actor, args: Args) -> dict[str, Any]:
        """Each person has one home; with `hash`, only over the one that the app saw last."""
        before = self.home_of(args.text("user_id"))
        if "hash" in args and (before is None or args.text("hash") != before["hash"]):
            raise SlackError("hash_conflict")
        view = self._keep({**self._checked(args, "home"), **(_identity(before) if before else {})})
        self._homes[args.text("user_id")] = view["id"]
        return {"view": view}

    def home_of(self, user_id: str) -> View | None:
        """What this person's home shows; None before the app published one."""
        view_id = self._homes.get(user_id)
        return dict(self._views[view_id]) if view_id else None

    def _exchange(self, args: Args) -> str:
        """The person whose gesture the trigger stands for; it is used up by `_place`."""
        trigger_id = args.text("trigger_id")
        if trigger_id not in self._triggers:
            raise SlackError("invalid_trigger_id")
        if trigger_id in self._exchanged:
            raise SlackError("exchanged_trigger_id")
        user_id, issued = self._triggers[trigger_id]
        if time.monotonic() - issued > self._trigger_seconds:
            raise SlackError("expired_trigger_id")
        return user_id

    def _checked(self, args: Args, kind: str) -> View:
        view = args.structure("view", "invalid_arguments")
        if not isinstance(view, dict) or view.get("type") != kind:
            raise SlackError("invalid_arguments")
        return _checked_view(view)

    def _place(self, user_id: str, trigger_id: str, view: View, below: list[str]) -> View:
        if len(below) >= STACK:
            raise SlackError("push_limit_reached")
        placed = self._keep(
            view | ({"root_view_id": below[0], "previous_view_id": below[-1]} if below else {})
        )
        self._stacks[user_id] = [*below, placed["id"]]
        if trigger_id:
            self._exchanged[trigger_id] = placed["id"]
        return placed

    def _keep(self, view: View) -> View:
        """The view under its id, with a new hash: it has changed."""
        view_id = view.get("id") or f"V{secrets.token_hex(5).upper()}"
        stored = {
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "state": {"values": {}},
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": None,
            "root_view_id": view_id,
            "previous_view_id": None,
            **view,
            "blocks": [{"block_id": secrets.token_hex(3), **block} for block in view["blocks"]],
            "id": view_id,
            "team_id": TEAM_ID,
            "app_id": APP_ID,
            "bot_id": BOT_ID,
            "app_installed_team_id": TEAM_ID,
            "hash": f"{int(self._now().timestamp())}.{secrets.token_hex(4)}",
        }
        self._views[view_id] = stored
        return stored

    # --- people -----------------------------------------------------------------------------------

    def filled_in(self, user_id: str, view_id: str, values: Values) -> tuple[View, dict[str, str]]:
        """The view as it would be submitted, and what Slack's own form would complain about first."""
        view = self.seen_by(user_id)
        if view is None or view["id"] != view_id:
            raise SlackError("view_not_found")
        state: dict[str, dict[str, Any]] = {}
        complaints: dict[str, str] = {}
        for block in (block for block in view["blocks"] if block["type"] == "input"):
            element = block["element"]
            field = entered(element, values.get(block["block_id"], {}).get(element["action_id"]))
            state[block["block_id"]] = {element["action_id"]: field}
            if found := complaint(block, field):
                complaints[block["block_id"]] = found
        return {**view, "state": {"values": state}}, complaints

    def close(self, user_id: str, *, whole_stack: bool = False) -> None:
        stack = self._stacks.get(user_id) or []
        self._stacks[user_id] = [] if whole_stack else stack[:-1]

    def answered(self, user_id: str, view: View, answer: Mapping[str, Any]) -> dict[str, str]:
        """Does what the app answered to a submission; gives the errors that the form shows now."""
        match answer.get("response_action"):
            case None:
                self.close(user_id)
            case "clear":
                self.close(user_id, whole_stack=True)
            case "errors":
                return _errors(view, answer.get("errors"))
            case "update":
                self._keep({**_checked_view(answer.get("view")), **_identity(view)})
            case "push":
                stack = self._stacks.get(user_id) or []
                self._place(user_id, "", _checked_view(answer.get("view")), stack)
            case _:
                raise SlackError("invalid_response_action")
        return {}


def _checked_view(view: Any) -> View:
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments")
    problems = view_problems(view)
    if problems:
        raise SlackError("invalid_arguments", response_metadata={"messages": problems})
    check_blocks(view.get("blocks"), VIEW_BLOCKS)
    return view


def _identity(view: View) -> View:
    return {name: view[name] for name in ("id", "root_view_id", "previous_view_id")}


def _errors(view: View, errors: Any) -> dict[str, str]:
    known = {block["block_id"] for block in view["blocks"]}
    if not isinstance(errors, dict) or not errors or not set(errors) <= known:
        # Slack shows its own "We had some trouble connecting" instead.
        raise SlackError("invalid_errors")
    return {block_id: str(text) for block_id, text in errors.items()}
