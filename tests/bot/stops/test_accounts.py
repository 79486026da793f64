"""Which accounts of the routing platforms are on, and what is said of those that cannot be."""

import pytest

from bot.app.accounts import accounts_of, accounts_off, webhook_url
from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.sop import Platforms
from bot.stops.accounts import told_name

NEW_YORK, CHICAGO = "America/New_York", "America/Chicago"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def platforms(**accounts: dict[str, object]) -> Platforms:
    return Platforms.model_validate({"poll_seconds": 30, "silent_after_minutes": 20, "accounts": accounts})


def names(declared: Platforms) -> list[str]:
    return [account.name for account in accounts_of(Settings(), declared, NEW_YORK)]


def test_a_vendor_with_a_key_has_one_account_of_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(platforms()) == []
    monkeypatch.setenv("ROUTE4ME_API_KEY", "key")
    (account,) = accounts_of(Settings(), platforms(), NEW_YORK)
    assert (account.name, account.vendor, account.timezone) == ("route4me", "route4me", NEW_YORK)
    assert account.api_base == "https://api.route4me.com"


def test_accounts_of_one_vendor_stand_side_by_side_each_with_its_own_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ONFLEET", "ONFLEET_WEST"):
        monkeypatch.setenv(f"{name}_API_KEY", f"key of {name}")
        monkeypatch.setenv(f"{name}_WEBHOOK_SECRET", "0d" * 32)
    monkeypatch.setenv("ONFLEET_WEST_API_BASE", "http://localhost:9")
    declared = platforms(
        onfleet_west={"vendor": "onfleet", "timezone": CHICAGO, "calls_per_second": 5},
        onfleet_east={"vendor": "onfleet"},
    )
    west, own = accounts_of(Settings(), declared, NEW_YORK)
    assert (west.name, west.timezone, west.api_base, west.calls_per_second) == (
        "onfleet_west",
        CHICAGO,
        "http://localhost:9",
        5,
    )
    assert west.api_key.get_secret_value() == "key of ONFLEET_WEST"
    assert (own.name, own.api_base, own.timezone) == ("onfleet", "https://onfleet.com", NEW_YORK)
    assert accounts_off(Settings(), declared) == ["onfleet_east", "route4me", "optimoroute"]
    assert [webhook_url("https://d.example/", account) for account in (west, own)] == [
        "https://d.example/connectors/onfleet/webhook/onfleet_west",
        "https://d.example/connectors/onfleet/webhook",
    ]


@pytest.mark.parametrize(
    ("environment", "declared", "told"),
    [
        ({"OPTIMOROUTE_API_KEY": "key"}, {}, "OPTIMOROUTE_TIMEZONE"),
        ({"WEST_API_KEY": "key"}, {"west": {"vendor": "optimoroute"}}, "platforms.accounts.west.timezone"),
        ({"OPTIMOROUTE_API_KEY": "key", "OPTIMOROUTE_TIMEZONE": "EDT5"}, {}, "an IANA time zone"),
        ({"WEST_API_KEY": "key"}, {"west": {"vendor": "onfleet"}}, "set WEST_WEBHOOK_SECRET too"),
    ],
)
def test_what_cannot_be_used_as_it_is_configured_stops_the_start(
    environment: dict[str, str],
    declared: dict[str, dict[str, object]],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=told):
        accounts_of(Settings(), platforms(**declared), NEW_YORK)


@pytest.mark.parametrize("where", ["environment", "protocol"])
def test_an_optimoroute_account_has_the_zone_it_was_given(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIMOROUTE_API_KEY", "key")
    declared = platforms()
    if where == "environment":
        monkeypatch.setenv("OPTIMOROUTE_TIMEZONE", CHICAGO)
    else:
        declared = platforms(optimoroute={"vendor": "optimoroute", "timezone": CHICAGO})
    (account,) = accounts_of(Settings(), declared, NEW_YORK)
    assert account.timezone == CHICAGO


def test_keys_of_accounts_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEST_API_KEY", "a-key-nobody-sees")
    settings = Settings()
    assert "nobody-sees" not in repr(settings) + repr(settings.account_environment("west"))


@pytest.mark.parametrize(
    ("account", "told"),
    [("onfleet", "Onfleet"), ("route4me", "Route4Me"), ("onfleet_west_2", "Onfleet west 2"), ("bay", "Bay")],
)
def test_an_account_is_told_as_people_say_it(account: str, told: str) -> None:
    assert told_name(account) == told
