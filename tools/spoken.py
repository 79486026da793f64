"""What the code fills responses with, read from its syntax: nothing is run."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SAID_WITH = {"utter_message", "say", "tell", "Saying", "hand_over"}
ALWAYS_FILLED = {"Saying": frozenset({"by"}), "hand_over": frozenset({"by"})}
"""What is added on the way: the promised time, where a person is asked."""
TO_DRIVERS, SAID_TO_DRIVERS = "utter_driver_", frozenset({"operator"})
"""Texts to drivers always may name us: `DriverTexts` fills it in."""


def slots_given(folders: list[Path]) -> dict[str, frozenset[str]]:
    """By response, what every call that names it literally gives it; calls that give a variable tell nothing."""
    given: dict[str, list[frozenset[str]]] = defaultdict(list)
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            for response, slots in _calls(ast.parse(path.read_text(encoding="utf-8"))):
                given[response].append(slots)
    return {response: frozenset.intersection(*all_given) for response, all_given in given.items()}


def _calls(tree: ast.AST) -> Iterator[tuple[str, frozenset[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in SAID_WITH:
            slots = _slots(node)
            for response in _responses(node) if slots is not None else ():
                yield response, frozenset(slots or ()) | _always(response, _name(node.func))


def _always(response: str, said_with: str) -> frozenset[str]:
    to_drivers = SAID_TO_DRIVERS if response.startswith(TO_DRIVERS) else frozenset()
    return ALWAYS_FILLED.get(said_with, frozenset()) | to_drivers


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _responses(call: ast.Call) -> list[str]:
    literals = [*call.args, *(keyword.value for keyword in call.keywords)]
    values = [node.value for node in literals if isinstance(node, ast.Constant)]
    return [value for value in values if isinstance(value, str) and value.startswith("utter_")]


def _slots(call: ast.Call) -> set[str] | None:
    """Keywords, and the keys of a literal dict; None where something is filled in that cannot be read here."""
    named = {keyword.arg for keyword in call.keywords}
    dicts = [argument for argument in call.args if isinstance(argument, ast.Dict)]
    if None in named or (_name(call.func) == "Saying" and len(call.args) > 1 and not dicts):
        return None
    keys = {key.value for literal in dicts for key in literal.keys if isinstance(key, ast.Constant)}
    return {str(name) for name in named | keys}
