"""Whom a calendar's event means."""

import pytest

from bot.oncall.naming import people_named
from tests.bot.oncall.rotas import PEOPLE


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["dana@quickship.example"], ["dana"]),
        (["DANA@Quickship.Example", "On call"], ["dana"]),
        (["Dana Reyes (primary)"], ["dana"]),
        (["On call: dana"], ["dana"]),
        (["U0DANA"], ["dana"]),
        (["lee / sam"], ["lee", "sam"]),
        (["sam / lee"], ["sam", "lee"]),
        (["Sam Ode"], ["ode"]),
        (["Sam Ode, Sam"], ["ode", "sam"]),
        (["Sam"], ["sam"]),
        (["somebody@else.example", "Lee Wong"], ["lee"]),
        (["dana@quickship.example", "Dana Reyes"], ["dana"]),
        (["sam@lyft.example"], []),
        (["Danae"], []),
        (["lee-ann"], []),
        (["Kim"], []),
        ([""], []),
    ],
)
def test_names(names: list[str], keys: list[str]) -> None:
    assert people_named(names, PEOPLE) == keys
