"""The pretended Route4Me's activity feed, and its delivery to the one address that the account has.

A line is written down before its object changes and stays in the feed. A delivery is struck out once it was
answered as the vendor wants: after a kill it may arrive twice, as from the vendor, and is never lost.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from connectors.emulated_webhooks import Deliveries
from connectors.emulation import Ledger
from connectors.route4me.emulator_fields import Json, make_id
from connectors.route4me.emulator_store import OWNER, Store
from connectors.route4me.payloads import to_ts

FIRST_DAY = 1_262_304_000
"""2010-01-01, from which `day_id` counts."""
NOT_POLLED = frozenset({"detailed_event", "order_id", "to_route_id", "order", "order_diffs"})
"""Told by the callback only."""


class Feed(Deliveries):
    """What happened on the account, and who still has to be told."""

    attempts = 11
    """The first and up to ten repeats."""
    answered = frozenset({200, 201, 202, 204, 401, 403, 404, 405, 406})
    """Source: routing-platforms.md 3.8."""

    def __init__(self, store: Store, path: Path | None, repeat_seconds: float, api_key: str) -> None:
        super().__init__(Ledger(path, "route4me_outgoing_activities"), repeat_seconds)
        self.callback_url: str | None = None
        self._store = store
        self._api_key = api_key

    # --- writing ---

    def write(
        self,
        activity_type: str,
        at: datetime,
        *,
        address: Json | None = None,
        route: Json | None = None,
        message: str = "",
        fact: str | None = None,
        **extra: Any,
    ) -> None:
        """One line. With a `fact`, what is told again under it changes nothing."""
        number = fact if fact is not None else str(self._store.next_number("activity", 1))
        activity_id = make_id("activity", f"{activity_type}:{number}")
        if activity_id in self._store.activities:
            return
        line = self._line(activity_id, activity_type, at, address, route, message) | extra
        self._store.activities[activity_id] = line
        if self.callback_url is not None:
            self.put(activity_id)

    def _line(
        self,
        activity_id: str,
        activity_type: str,
        at: datetime,
        address: Json | None,
        route: Json | None,
        message: str,
    ) -> Json:
        on = route or (self._store.routes.get(str(address["route_id"])) if address else None) or {}
        member = self._store.members.get(str(on.get("member_id") or OWNER), {})
        return {
            "activity_id": activity_id,
            "member_id": member.get("member_id", int(OWNER)),
            "activity_timestamp": to_ts(at),
            "activity_type": activity_type,
            "activity_message": message or activity_type,
            "route_id": on.get("route_id", ""),
            "route_destination_id": address["route_destination_id"] if address else "",
            "note_id": "",
            "member": {
                "member_id": str(member.get("member_id", OWNER)),
                "member_first_name": member.get("member_first_name", ""),
                "member_last_name": member.get("member_last_name", ""),
                "member_email": member.get("member_email", ""),
            },
            "note_type": "",
            "note_contents": "",
            "route_name": on.get("parameters", {}).get("route_name", ""),
            "note_file": "",
            "destination_name": address["address"] if address else "",
            "destination_alias": address["alias"] if address else "",
            "order_id": address["order_id"] if address else None,
        }

    # --- polling ---

    def search(self, wanted: Json) -> Json:
        """Newest first. Empty parameters are as good as none."""
        lines = [line for line in reversed(list(self._store.activities.values())) if _matches(line, wanted)]
        lines.sort(key=lambda line: line["activity_timestamp"], reverse=True)
        offset, limit = _whole(wanted.get("offset"), 0), _whole(wanted.get("limit"), 30)
        told = [
            {name: value for name, value in line.items() if name not in NOT_POLLED}
            for line in lines[offset : offset + limit]
        ]
        return {"results": told, "total": len(lines)}

    # --- delivery ---

    @property
    def may_send(self) -> bool:
        return super().may_send and self.callback_url is not None

    async def send(self, client: httpx.AsyncClient, key: str, event: Json) -> httpx.Response:
        return await client.post(str(self.callback_url), json=self._body(key))

    def _body(self, key: str) -> Json:
        """One line as the callback has it: numbers as numbers or words, and more of the owner than is good."""
        line = self._store.activities[key]
        address = self._store.addresses.get(str(line["route_destination_id"]))
        told = {
            name: value
            for name, value in line.items()
            if name not in ("member", "destination_name", "destination_alias", "note_file") and value != ""
        }
        day_id = (line["activity_timestamp"] - FIRST_DAY) // 86_400
        own = {
            "remote_ip": 2_130_706_433,
            "day_id": day_id,
            "activity_day_id": day_id,
            "device_type": "web",
            "root_owner_member_id": OWNER,
            "root_owner_member_email": "dispatch@example.com",
            "root_owner_member_api_key": self._api_key,
            "account_type_id": "111",
            "member_level": "1",
            "member_custom_data": {},
        }
        if address is not None:
            own["address_custom_data"] = address["custom_fields"]
        return json.loads(json.dumps(told | own))  # type: ignore[no-any-return]


def _matches(line: Json, wanted: Json) -> bool:
    for name in ("route_id", "activity_type", "member_id"):
        asked = str(wanted.get(name) or "")
        if asked and asked != str(line[name]):
            return False
    start, end = _whole(wanted.get("start"), 0), _whole(wanted.get("end"), 10**12)
    return bool(start <= line["activity_timestamp"] <= end)


def _whole(told: object, default: int) -> int:
    try:
        return int(str(told))
    except ValueError:
        return default
