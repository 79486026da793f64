"""Looking for an access code in what was kept or shown."""

import re

_BY_CHANCE = re.compile(
    r"""
    [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}  # the id of a row
    | \b[0-9a-f]{12,}\b                                           # of a message, or a digest
    | (?<='block_id':\ ')[^']*                                    # of a part of a Slack message
    | (?<="block_id":\ ")[^"]*
    | \b\d{10}\.\d+                                              # seconds of an instant
    | (?<=\d\.)\d{5,}                                            # fractions of others, and of a confidence
    """,
    re.VERBOSE,
)


def spoken(dump: str) -> str:
    """Without what machines number by chance, in which four digits may stand: what is left somebody wrote."""
    return _BY_CHANCE.sub("", dump)
