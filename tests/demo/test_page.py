"""The demo page in a real browser: play both sides of the day on one screen."""

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.demo.conftest import RunningDemo

pytestmark = [pytest.mark.rasa, pytest.mark.browser]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 30_000


@pytest.fixture
def page() -> Iterator[Page]:
    """A tab of the Chromium on this machine; skipped where there is none, unless it is required."""
    if CHROMIUM is None:
        if os.environ.get("DOORLINE_REQUIRE_BROWSER"):
            pytest.fail("DOORLINE_REQUIRE_BROWSER is set, and no Chromium was found")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def test_a_newcomer_texts_reads_the_eta_and_acknowledges_an_escalation(demo: RunningDemo, page: Page) -> None:
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.goto(f"{demo.url}/demo")
    expect(page.locator("#readiness")).to_have_attribute("data-state", "ready", timeout=PATIENCE_MS)

    page.locator("#compose-text").fill("where is my delivery")
    page.locator("#compose-text").press("Enter")
    answer = page.locator(".bubble.from-us").last
    expect(answer).to_contain_text(re.compile(r"parcel|You have two"), timeout=PATIENCE_MS)
    expect(answer).to_contain_text(re.compile(r"\d( am| pm|:\d\d)"))

    post = page.locator(".post", has_text="At risk").or_(page.locator(".post", has_text="Breached")).first
    expect(post).to_be_visible(timeout=120_000)
    post.locator(".press", has_text="Acknowledge").first.click()
    expect(page.locator(".post", has_text="has it").first).to_be_visible(timeout=PATIENCE_MS)

    page.locator("#speed label", has_text="1x").first.click()
    expect(page.locator(".stop").first).to_be_visible()
    assert mistakes == []


def test_a_newcomer_fails_a_delivery_and_reads_the_question_on_its_recipients_phone(
    demo: RunningDemo, page: Page
) -> None:
    page.goto(f"{demo.url}/demo")
    expect(page.locator("#readiness")).to_have_attribute("data-state", "ready", timeout=PATIENCE_MS)

    page.locator("#fail-reason").select_option("access_issue")
    page.get_by_role("button", name="Fail a delivery").click()
    expect(page.locator("#toast")).to_contain_text("Gate locked")
    asked = page.locator(".bubble.from-us", has_text="get in").last
    expect(asked).to_be_visible(timeout=60_000)

    # Who heard from us a moment ago hears the next thing half an hour of the day later.
    page.locator("#speed label", has_text="30x").click()
    page.get_by_role("button", name="Make a driver late").click()
    expect(page.locator("#toast")).to_contain_text("is going to wait")
    told = page.locator(".bubble.from-us", has_text="running late").last
    expect(told).to_be_visible(timeout=120_000)
