"""What was promised to whom, by the protocol in force, kept at hand for many stops."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

from bot.reports.records import Terms
from bot.sop_sla import Sla
from connectors.base import FailureReason


class TermsBook:
    def __init__(self, sla: Sla) -> None:
        self._sla = sla
        self.of = lru_cache(maxsize=None)(self._read)
        """(client, zone, service) -> what is promised there."""

    @property
    def labels(self) -> Mapping[str, str]:
        """What the exclusions are called, by code."""
        return {code: exclusion.label for code, exclusion in self._sla.exclusions.items()}

    def exclusion_of(self, cause: FailureReason | None) -> str:
        """The code that covers this cause by itself; empty where none does."""
        return self._sla.excluded_by_itself(cause)

    def _read(self, client: str, zone: str, service: str) -> Terms:
        rules = self._sla.rules_for(client=client, zone=zone, service=service)
        return Terms(
            target_percent=rules.on_time_target_percent,
            penalty_usd=rules.penalty_usd,
            grace=timedelta(minutes=rules.grace_minutes),
        )
