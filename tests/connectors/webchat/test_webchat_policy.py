"""Who may connect, how fast anybody may write, and what a session token is worth: pure decisions."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webchat.policy import Pace, Policy, is_welcome, network_of, origin_of
from connectors.webchat.sessions import Sessions

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Shop.Example/path?x=1", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80/", "http://shop.example"),
        ("http://shop.example:8080", "http://shop.example:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("null", ""),
        ("", ""),
        ("https://shop.example:port", ""),
        ("https://[", ""),
    ],
)
def test_an_origin_is_scheme_host_and_unusual_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        (None, True),
        ("https://door.example", True),
        ("https://shop.example", True),
        ("http://shop.example", False),
        ("https://shop.example.evil.example", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_our_own_and_the_named_sites_are_welcome(origin: str | None, welcome: bool) -> None:
    policy = Policy(origins=("https://shop.example",))
    assert is_welcome(origin, ("https://door.example/base",), policy) is welcome


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_a_network_address_is_what_one_subscriber_has(host: str, network: str) -> None:
    assert network_of(host) == network


@given(st.text(max_size=60))
def test_no_host_or_origin_breaks_anything(text: str) -> None:
    assert network_of(text)
    assert isinstance(origin_of(text), str)


def test_a_minutes_worth_may_come_at_once_and_then_one_at_a_time() -> None:
    at = NOON
    pace = Pace(lambda: at)
    assert [pace.wait_for("a", 3) for _ in range(3)] == [timedelta(0)] * 3
    assert pace.wait_for("a", 3) == timedelta(seconds=20)
    assert pace.wait_for("b", 3) == timedelta(0)
    at += timedelta(seconds=19)
    assert pace.wait_for("a", 3) == timedelta(seconds=1)
    at += timedelta(seconds=1)
    assert pace.wait_for("a", 3) == timedelta(0)
    assert pace.wait_for("a", 3) == timedelta(seconds=20)
    at += timedelta(minutes=5)
    assert [pace.wait_for("a", 3) for _ in range(3)] == [timedelta(0)] * 3


def test_who_has_gone_quiet_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.webchat.policy.FORGET_AFTER_KEYS", 10)
    at = NOON
    pace = Pace(lambda: at)
    for key in range(10):
        pace.wait_for(str(key), 60)
    at += timedelta(minutes=2)
    pace.wait_for("new", 60)
    assert list(pace._full_until) == ["new"]


def test_a_token_is_known_to_every_process_with_the_key_until_it_ends() -> None:
    session = Sessions("key").issue(NOON)
    month = timedelta(days=30)
    assert Sessions("key").find(session.token, NOON + month - timedelta(seconds=1), month) == session
    assert Sessions("key").find(session.token, NOON + month, month) is None
    assert Sessions("another key").find(session.token, NOON, month) is None


def test_no_two_sessions_are_alike_and_no_address_tells_its_token() -> None:
    sessions = [Sessions("key").issue(NOON) for _ in range(100)]
    assert len({session.address for session in sessions}) == 100
    secret = sessions[0].token.split(".")[1]
    assert secret not in sessions[0].address


@given(st.text(max_size=200))
def test_no_invented_token_is_known(token: str) -> None:
    assert Sessions("key").find(token, NOON, timedelta(days=30)) is None
