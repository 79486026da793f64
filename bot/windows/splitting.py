"""Reduced tokens -> clauses, once the words that reach over a clause's edge have been settled."""

from collections.abc import Iterator

from bot.windows.meaning import AnyDay, Shape, Span
from bot.windows.tokens import Kind, Token

OPPOSITE = {
    Shape.AFTER: Shape.BEFORE,
    Shape.BEFORE: Shape.AFTER,
    Shape.BY: Shape.AFTER,
    Shape.UNTIL: Shape.AFTER,
}
_SPENT = (Kind.THE_DAY, Kind.ARTICLE, Kind.ONE)
"""Articles that no rule wanted; they stand in the way of what is denied."""
_END = Token(Kind.BREAK)


def shape(token: Token | None) -> Shape | None:
    return token.value.shape if token is not None and isinstance(token.value, Span) else None


def clauses(tokens: list[Token]) -> Iterator[list[Token]]:
    clause: list[Token] = []
    for token in _settled([token for token in tokens if token.kind not in _SPENT]):
        if token.kind is Kind.BREAK:
            yield clause
            clause = []
        else:
            clause.append(token)
    yield clause


def _settled(tokens: list[Token]) -> list[Token]:
    return _carried(_unbroken(_trailing(_any_but(tokens))))


def _any_but(tokens: list[Token]) -> list[Token]:
    """`any day next week but monday`: behind an `any`, a `but` rules out what follows."""
    done: list[Token] = []
    any_said = False
    for token, follower in zip(tokens, [*tokens[1:], _END], strict=False):
        rules_out = token.value == "but" and any_said and _can_be_ruled_out(follower)
        done.append(Token(Kind.NOT) if rules_out else token)
        any_said = any_said or isinstance(token.value, AnyDay) or shape(token) is Shape.ANY
    return done


def _can_be_ruled_out(token: Token) -> bool:
    """`any time, but before 4` is a wish."""
    return token.kind is Kind.DAY or (isinstance(token.value, Span) and shape(token) not in OPPOSITE)


_TRAILING = {Kind.NOT: Kind.UNAVAILABLE, Kind.AFTER: Kind.AFTER_THAT}


def _trailing(tokens: list[Token]) -> list[Token]:
    """`hoy no, manana si`, `at work until 5, come after`: with nothing behind them they look back."""
    followers = [token.kind for token in tokens[1:]] + [Kind.BREAK]
    return [
        Token(_TRAILING[token.kind])
        if token.kind in _TRAILING and follower is Kind.BREAK and (index or token.kind is Kind.AFTER)
        else token
        for index, (token, follower) in enumerate(zip(tokens, followers, strict=False))
    ]


def _unbroken(tokens: list[Token]) -> list[Token]:
    """A correction reaches over the comma behind it: `thursday, no sorry, friday`."""
    before = [_END, *tokens]
    return [
        token
        for token, last in zip(tokens, before, strict=False)
        if not (token.kind is Kind.BREAK and last.kind is Kind.CORRECTION)
    ]


def _carried(tokens: list[Token]) -> list[Token]:
    """`it was supposed to come friday`: what is reported goes on behind its verb."""
    done: list[Token] = []
    for token in tokens:
        verb_of_report = token.value == "verb" and done and done[-1].kind is Kind.REPORTED
        if not verb_of_report:
            done.append(token)
    return done
