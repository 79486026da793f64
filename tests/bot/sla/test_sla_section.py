"""Which rules hold for a stop: the more that is named, the more it counts."""

import pytest
from pydantic import ValidationError

from bot.sop_sla import Sla, SlaEntry
from connectors.base import FailureReason

DEFAULTS = {
    "at_risk_margin_minutes": 0,
    "back_on_track_minutes": 5,
    "confirm_minutes": 3,
    "unconfirmed_margin_minutes": 30,
    "on_time_target_percent": 97,
    "penalty_usd": 1,
}
SLA = Sla.model_validate(
    {
        "lookahead_minutes": 240,
        "defaults": DEFAULTS,
        "clients": {"Acme": {"penalty_usd": 2}},
        "zones": {"North": {"penalty_usd": 3}},
        "services": {"express": {"penalty_usd": 4}},
        "rules": [
            {"client": "Acme", "zone": "South", "penalty_usd": 6},
            {"client": "Nova", "penalty_usd": 5, "grace_minutes": 7},
        ],
    }
)


@pytest.mark.parametrize(
    ("client", "zone", "service", "penalty"),
    [
        ("Other", "", "", 1),
        ("Acme", "", "", 2),
        ("Acme", "North", "", 3),
        ("Acme", "North", "express", 4),
        ("Nova", "North", "express", 5),
        ("Acme", "South", "express", 6),
    ],
)
def test_the_most_specific_rule_wins(client: str, zone: str, service: str, penalty: int) -> None:
    assert SLA.rules_for(client, zone, service).penalty_usd == penalty


def test_what_a_rule_does_not_name_stays() -> None:
    assert SLA.rules_for("Nova").grace_minutes == 7
    assert SLA.rules_for("Nova").confirm_minutes == 3
    assert SLA.rules_for("Acme").grace_minutes == 0


def test_a_rule_for_everybody_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected a client, a zone or a service"):
        SlaEntry.model_validate({"penalty_usd": 3})


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (FailureReason.RECIPIENT_UNAVAILABLE, "recipient_absent"),
        (FailureReason.WEATHER, "force_majeure"),
        (FailureReason.DRIVER_DELAY, ""),
        (None, ""),
    ],
)
def test_some_reasons_exclude_a_miss_by_themselves(reason: FailureReason | None, code: str) -> None:
    assert SLA.excluded_by_itself(reason) == code
