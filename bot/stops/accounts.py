"""Names of platform accounts as people read them. Pure."""

VENDOR_NAMES = {"onfleet": "Onfleet", "route4me": "Route4Me", "optimoroute": "OptimoRoute"}


def told_name(account: str) -> str:
    """`onfleet_west` -> `Onfleet west`."""
    first, *rest = account.split("_")
    return " ".join([VENDOR_NAMES.get(first, first.capitalize()), *rest])
