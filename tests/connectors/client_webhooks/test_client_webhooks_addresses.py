"""Where events may not be posted, whatever a client writes into the URL. Sources: RFC 6890, RFC 6052, RFC 3056."""

import ipaddress

import pytest

from connectors.client_webhooks.addresses import is_public, why_not


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://hooks.acme.example/doorline", ""),
        ("https://hooks.acme.example:8443/doorline?key=1", ""),
        ("https://93.184.216.34/hook", ""),
        ("https://[2606:4700:4700::1111]/hook", ""),
        ("https://xn--mnchen-3ya.example/", ""),
        ("http://hooks.acme.example/doorline", "not_https"),
        ("http://127.0.0.1:8000/hook", "not_https"),
        ("ftp://hooks.acme.example/", "not_https"),
        ("file:///etc/passwd", "not_a_url"),
        ("https://", "not_a_url"),
        ("https:///path", "not_a_url"),
        ("hooks.acme.example", "not_a_url"),
        ("https://hooks.acme.example:99999/", "not_a_url"),
        ("https://hooks.acme.example:0/", "not_a_url"),
        ("https://[::1/", "not_a_url"),
        ("https://a b.example/", "not_a_url"),
        ("https://hooks.acme.example/\r\nX-Evil: 1", "not_a_url"),
        ("https://dana:secret@hooks.acme.example/", "has_password"),
        ("https://hooks.acme.example@127.0.0.1/", "has_password"),
        ("https://hooks.acme.example/#part", "has_fragment"),
        ("https://hooks.acme.example/" + "x" * 2000, "too_long"),
        ("https://localhost/", "private_address"),
        ("https://database/", "private_address"),
        ("https://printer.local/", "private_address"),
        ("https://metadata.google.internal/computeMetadata/v1/", "private_address"),
        ("https://127.0.0.1/", "private_address"),
        ("https://127.1/", "private_address"),
        ("https://2130706433/", "private_address"),
        ("https://0x7f.0.0.1/", "private_address"),
        ("https://0/", "private_address"),
        ("https://10.1.2.3/", "private_address"),
        ("https://172.31.255.255/", "private_address"),
        ("https://192.168.1.1/", "private_address"),
        ("https://169.254.169.254/latest/meta-data/", "private_address"),
        ("https://100.64.0.1/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://[fd00::1]/", "private_address"),
        ("https://[fe80::1%25eth0]/", "private_address"),
        ("https://[::ffff:10.0.0.1]/", "private_address"),
    ],
)
def test_a_url_of_a_stranger_is_judged_before_anything_is_asked(url: str, why: str) -> None:
    assert why_not(url, private=False) == why


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:8000/hook", ""),
        ("http://localhost:8000/hook", ""),
        ("http://[::1]:8000/hook", ""),
        ("https://192.168.1.1/", ""),
        ("https://erp.internal/hook", ""),
        ("http://192.168.1.1/", "not_https"),
        ("http://hooks.acme.example/", "not_https"),
        ("https://dana:secret@10.0.0.1/", "has_password"),
    ],
)
def test_private_networks_can_be_allowed_and_plain_http_on_this_machine_only(url: str, why: str) -> None:
    assert why_not(url, private=True) == why


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "fc00::1",
        "fd12:3456::1", "fe80::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::",
    ],
)  # fmt: skip
def test_an_address_that_only_we_could_reach_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "128.0.0.1",
     "192.167.255.255", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)  # fmt: skip
def test_an_address_of_the_open_internet_is(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
