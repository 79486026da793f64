"""Pure: who did what when, of one incident, in one list that is the same whenever the tables are."""

from itertools import chain

from bot.incidents.entries import Entry, merged
from bot.incidents.evidence import Evidence
from bot.incidents.naming import Names
from bot.incidents.told_audit import told_audit
from bot.incidents.told_messages import told_messages
from bot.incidents.told_recovery import told_recovery
from bot.incidents.told_stop import told_stop
from bot.incidents.told_thread import told_thread


def timeline_of(evidence: Evidence, names: Names) -> list[Entry]:
    """Oldest first. No access codes, and of phone numbers the last four digits; for a client no names of staff."""
    parts = (told_stop, told_audit, told_recovery, told_thread, told_messages)
    return merged(chain.from_iterable(told(evidence, names) for told in parts))
