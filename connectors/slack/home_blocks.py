"""A dispatcher's App Home: what is theirs, what nobody has, how their zones stand, who is on call, their settings.

Pure. Lists are cut or paged, so that the whole stays far below the 100 blocks that a view may have.
"""

from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    SectionBlock,
    StaticMultiSelectElement,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from connectors.escalation import EscalationState
from connectors.home import BOARD, HomeEscalation, HomeTask, HomeView
from connectors.slack import home_words as words
from connectors.slack.desk_words import KINDS
from connectors.slack.home_gestures import LANGUAGE, LINK, NEXT, PREVIOUS, ZONES
from connectors.slack.mrkdwn import foreign, link, pack

ITEMS_SHOWN, TASKS_SHOWN, UNHELD_SHOWN = 12, 6, 12
LINES_SHOWN = 40
PAGE_SIZE = 10
OPTIONS, OPTION_LIMIT = 100, 75
"""Source: Block Kit reference, select menus and option object."""

BUDGET = 2800
"""Characters of one packed section; Slack takes 3,000."""

LANGUAGES = {"en": "English", "es": "Español"}


def home_view(view: HomeView, now: datetime) -> dict[str, Any]:
    """What `views.publish` is given. Raises nothing for any view."""
    blocks = _dispatchers_blocks(view, now) if view.is_dispatcher else _strangers_blocks()
    return dict(View(type="home", callback_id="home", blocks=blocks).to_dict())


def _strangers_blocks() -> list[Block]:
    return [_header("Doorline"), _section(words.NOT_A_DISPATCHER)]


def _dispatchers_blocks(view: HomeView, now: datetime) -> list[Block]:
    return [
        *_mine(view, now),
        *_unheld(view, now),
        DividerBlock(),
        *_board(view, now),
        *_follow_ups(view, now),
        DividerBlock(),
        *_duty(view),
        *_pauses(view, now),
        DividerBlock(),
        *_settings(view),
        _footer(view, now),
    ]


# --- what is somebody's ------------------------------------------------------------------------------


def _mine(view: HomeView, now: datetime) -> list[Block]:
    blocks: list[Block] = [_header("Your open items")]
    if not view.mine and not view.tasks:
        return [*blocks, _section("Nothing is waiting for you.")]
    blocks += [_escalation(each, view, now) for each in view.mine[:ITEMS_SHOWN]]
    blocks += _rest(len(view.mine) - ITEMS_SHOWN, "more of yours")
    blocks += [_task(each) for each in view.tasks[:TASKS_SHOWN]]
    return blocks + _rest(len(view.tasks) - TASKS_SHOWN, "more that wait for a second person")


def _unheld(view: HomeView, now: datetime) -> list[Block]:
    if not view.unheld:
        return []
    blocks: list[Block] = [_header("Nobody has these yet")]
    blocks += [_escalation(each, view, now) for each in view.unheld[:UNHELD_SHOWN]]
    return blocks + _rest(len(view.unheld) - UNHELD_SHOWN, "more that nobody has")


def _escalation(item: HomeEscalation, view: HomeView, now: datetime) -> SectionBlock:
    style = "primary" if item.state is EscalationState.RAISED else None
    return _opening(words.escalation_words(item, view.timezone, now), item.url, style)


def _task(task: HomeTask) -> SectionBlock:
    return _opening(words.task_words(task, KINDS[task.kind]), task.url, None)


def _opening(text: str, url: str, style: str | None) -> SectionBlock:
    button = ButtonElement(action_id=LINK, text=PlainTextObject(text="Open"), url=url, style=style)
    return SectionBlock(text=_text(text), accessory=button if url else None)


def _rest(count: int, what: str) -> list[Block]:
    return [_context(f"and {count:,} {what}")] if count > 0 else []


# --- the board --------------------------------------------------------------------------------------


def _board(view: HomeView, now: datetime) -> list[Block]:
    heading = "The board today" if not view.zones else "My zones today"
    boards = [words.board_words(board) for board in view.boards]
    lines = _cut(boards, "more zones") or ["No stops today."]
    return [_header(heading), *_sections(lines), *_risks(view, now), *_feeds(view, now)]


def _follow_ups(view: HomeView, now: datetime) -> list[Block]:
    if not view.follow_ups:
        return []
    lines = _cut([words.follow_up_words(each, view.timezone, now) for each in view.follow_ups], "more zones")
    url = next((each.url for each in view.links if each.label == BOARD), "")
    button = ButtonElement(action_id=LINK, text=PlainTextObject(text="Open the board"), url=url)
    first, *rest = pack(lines, BUDGET)
    opening = SectionBlock(text=_text(first), accessory=button if url else None)
    return [_header("Failed deliveries"), opening, *(_section(text) for text in rest)]


def _risks(view: HomeView, now: datetime) -> list[Block]:
    if not view.at_risk:
        return [_section(":white_check_mark: Every stop is on track.")] if view.boards else []
    last = (len(view.at_risk) - 1) // PAGE_SIZE
    page = min(max(view.page, 0), last)
    first = page * PAGE_SIZE
    shown = view.at_risk[first : first + PAGE_SIZE]
    of = f" · {first + 1}-{first + len(shown)} of {len(view.at_risk):,}" if last else ""
    lines = [f"*At risk or late*{of}", *(f"• {words.risk_words(stop, now)}" for stop in shown)]
    return [*_sections(lines), *_pager(page, last)]


def _pager(page: int, last: int) -> list[Block]:
    """The buttons carry the page that they lead to."""
    turns = [(PREVIOUS, "Earlier", page - 1), (NEXT, "More", page + 1)]
    buttons = [
        ButtonElement(action_id=action_id, text=PlainTextObject(text=label), value=str(to))
        for action_id, label, to in turns
        if 0 <= to <= last
    ]
    return [ActionsBlock(elements=buttons)] if buttons else []


def _feeds(view: HomeView, now: datetime) -> list[Block]:
    lines = [words.feed_words(feed, view.timezone, now) for feed in view.feeds]
    return [_context(text) for text in pack(lines[:LINES_SHOWN], BUDGET)]


# --- people and pauses -------------------------------------------------------------------------------


def _duty(view: HomeView) -> list[Block]:
    lines = _cut([words.duty_words(duty) for duty in view.on_call], "more zones")
    return [_header("On call now"), *_sections(lines or [words.NO_ROTA])]


def _pauses(view: HomeView, now: datetime) -> list[Block]:
    if not view.pauses:
        return []
    lines = _cut([words.pause_words(pause, now) for pause in view.pauses], "more pauses")
    return [_header("Paused"), *_sections(lines)]


# --- settings ---------------------------------------------------------------------------------------


def _settings(view: HomeView) -> list[Block]:
    blocks: list[Block] = [_header("Your settings")]
    zones = [zone for zone in view.all_zones if 0 < len(zone) <= OPTION_LIMIT][:OPTIONS]
    if zones:
        blocks.append(SectionBlock(text=_text(words.ZONES_SETTING), accessory=_zones(zones, view)))
    blocks.append(SectionBlock(text=_text(words.LANGUAGE_SETTING), accessory=_language(view.language)))
    return blocks


def _zones(zones: list[str], view: HomeView) -> StaticMultiSelectElement:
    chosen = [_option(zone, zone) for zone in zones if zone in view.zones]
    return StaticMultiSelectElement(
        action_id=ZONES,
        placeholder=PlainTextObject(text="All zones"),
        options=[_option(zone, zone) for zone in zones],
        initial_options=chosen or None,
    )


def _language(language: str) -> StaticSelectElement:
    options = {code: _option(name, code) for code, name in LANGUAGES.items()}
    return StaticSelectElement(
        action_id=LANGUAGE,
        placeholder=PlainTextObject(text="Language"),
        options=list(options.values()),
        initial_option=options.get(language),
    )


def _option(text: str, value: str) -> Option:
    return Option(text=PlainTextObject(text=text), value=value)


def _footer(view: HomeView, now: datetime) -> ContextBlock:
    links = [link(each.url, foreign(each.label, 40)) for each in view.links[:10]]
    return _context(" · ".join([*links, words.footer_words(view, now)]))


# --- blocks -----------------------------------------------------------------------------------------


def _cut(lines: list[str], more: str) -> list[str]:
    hidden = len(lines) - LINES_SHOWN
    return [*lines[:LINES_SHOWN], *([f"and {hidden:,} {more}"] if hidden > 0 else [])]


def _header(text: str) -> HeaderBlock:
    return HeaderBlock(text=PlainTextObject(text=text))


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=_text(text))


def _sections(lines: list[str]) -> list[SectionBlock]:
    return [_section(text) for text in pack(lines, BUDGET)]


def _context(text: str) -> ContextBlock:
    return ContextBlock(elements=[_text(text)])


def _text(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)
