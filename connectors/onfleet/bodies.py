"""What Doorline wants of Onfleet, as request bodies and as the notes a driver reads. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from connectors.base import ACCESS_CODE_LABEL, Address, DeliveryWindow, NewStop, Reattempt
from connectors.onfleet.mapping import OWN_KEY, REATTEMPT_KEY, Account
from connectors.onfleet.payloads import Metadatum, Task, to_ms

Json = dict[str, Any]
MINUTE = timedelta(minutes=1)


def create_body(new: NewStop, account: Account, recipients: Sequence[str | Json]) -> Json:
    """`recipients` as Onfleet takes them: the id of a known one, else name and phone; none or one."""
    own = {
        OWN_KEY: new.own_ref,
        account.client_key: new.client,
        account.zone_key: new.zone,
        account.order_key: new.order_ref or "",
    }
    body: Json = {
        "destination": destination_body(new.address),
        "recipients": list(recipients),
        # On this task only: the same person may be told otherwise by another client.
        "recipientName": new.recipient_name,
        **window_body(new.window),
        "notes": with_access_code(one_line_each(new.notes), new.access_code),
        "quantity": new.load,
        "serviceTime": new.service / MINUTE,
        "metadata": [metadatum(name, value) for name, value in own.items() if value],
    }
    return body | ({"container": worker_container(new.driver_ref)} if new.driver_ref else {})


def clone_body(failed: Task, wanted: Reattempt, destination_id: str | None) -> Json:
    """Everything that is to differ is given, the metadata whole: it names us once and the failed task once."""
    notes = failed.notes
    if destination_id is not None or wanted.access_code:
        # The code of the old door opens no other one.
        notes = with_access_code(notes, wanted.access_code)
    overrides: Json = {
        **window_body(wanted.window),
        "notes": with_line(notes, wanted.note),
        "metadata": _metadata_of_reattempt(failed, wanted.own_ref),
    }
    if destination_id is not None:
        overrides["destination"] = destination_id
    options = {
        "includeMetadata": False,
        "includeBarcodes": True,
        "includeDependencies": False,
        "overrides": overrides,
    }
    return {"options": options}


def _metadata_of_reattempt(failed: Task, own_ref: str) -> list[Json]:
    kept = [item for item in failed.metadata if item.name not in (OWN_KEY, REATTEMPT_KEY)]
    ours = [metadatum(OWN_KEY, own_ref), metadatum(REATTEMPT_KEY, failed.id)]
    return [*(_as_it_was(item) for item in kept), *ours]


def _as_it_was(item: Metadatum) -> Json:
    body: Json = {"name": item.name, "type": item.type or "string", "value": item.value}
    return body | {"visibility": list(item.visibility or ("api",))}


def metadatum(name: str, value: str) -> Json:
    return {"name": name, "type": "string", "value": value, "visibility": ["api"]}


def metadata_query(own_ref: str) -> list[Json]:
    return [{"name": OWN_KEY, "type": "string", "value": own_ref}]


def window_body(window: DeliveryWindow) -> Json:
    return {"completeAfter": to_ms(window.start_at), "completeBefore": to_ms(window.end_at)}


def worker_container(worker_id: str) -> Json:
    return {"type": "WORKER", "worker": worker_id}


def destination_body(address: Address) -> Json:
    body: Json = {"address": wire_address(address)}
    if address.latitude is not None and address.longitude is not None:
        body["location"] = [address.longitude, address.latitude]
    return body


def wire_address(address: Address) -> Json:
    """Onfleet's parts where the line begins with a house number, else one line for its geocoder.

    A comma sets the apartment off: `14 Elm St, 2B`.
    """
    number, _, street = address.line.partition(" ")
    street, _, apartment = street.partition(", ")
    if not (number[:1].isdigit() and street and address.city and address.country):
        parts = (address.line, address.city, f"{address.region} {address.postcode}".strip(), address.country)
        return {"unparsed": ", ".join(part for part in parts if part)}
    return {
        "number": number,
        "street": street,
        "apartment": apartment,
        "city": address.city,
        "state": address.region,
        "postalCode": address.postcode,
        "country": address.country,
    }


# --- notes ---


def one_line(note: str) -> str:
    return " ".join(note.split())


def one_line_each(notes: str) -> str:
    return "\n".join(line for line in map(one_line, notes.splitlines()) if line)


def with_line(notes: str, note: str) -> str:
    """`notes` with `note` as their last line, unless it stands there already."""
    line = one_line(note)
    if not line or line in notes.splitlines():
        return notes
    return f"{notes.rstrip()}\n{line}".lstrip("\n")


def with_access_code(notes: str, code: str) -> str:
    """`notes` with the one line of our access code, where an earlier one stood, else at the end; "" takes it out."""
    line = f"{ACCESS_CODE_LABEL}{one_line(code)}" if code.strip() else ""
    kept: list[str] = []
    for old in notes.splitlines():
        if not old.startswith(ACCESS_CODE_LABEL):
            kept.append(old)
        elif line:
            kept.append(line)
            line = ""
    return "\n".join([*kept, line] if line else kept)
