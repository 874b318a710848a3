"""Which pages are taken, and how."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tools.screenshots.stage import PASSWORD, Stage

CHROMIUM = "/usr/bin/chromium"
ARGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync".split()
DESK, PHONE = (1280, 860), (390, 844)
Prepare = Callable[[Page], object]


def _nothing(page: Page) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Shot:
    """``name``: of the file, for a page of the menu its endpoint's. ``prepare`` is done before it is taken."""

    name: str
    path: str
    prepare: Prepare = _nothing
    dark: bool = False
    phone: bool = False


def _first(selector: str) -> Prepare:
    """Follow the first link that it finds."""
    return lambda page: (page.locator(selector).first.click(), page.wait_for_load_state())


def _report(page: Page) -> None:
    page.get_by_role("checkbox", name="TestCampaign").check()
    page.get_by_role("button", name="Report on the chosen runs").click()


def _campaign(page: Page) -> None:
    page.get_by_role("link", name="Spring offer").click()


def _list(page: Page) -> None:
    page.get_by_role("link", name="Customers").click()


def _watched(page: Page) -> None:
    page.get_by_role("button", name="Watch").click()
    page.locator("ol.said li").nth(5).wait_for(timeout=20_000)


def _examined(page: Page) -> None:
    page.get_by_role("button", name="Examine").click()
    page.get_by_text("Examined 20").wait_for(timeout=60_000)


def _records(page: Page) -> None:
    _list(page)
    page.get_by_role("link", name="See them").click()


def _jobs(page: Page) -> None:
    _report(page)
    page.get_by_role("link", name="Numbers to a list").click()
    page.get_by_role("checkbox", name="RS_BUSY").check()
    page.get_by_label("Name of the new list").fill("Busy in spring")
    page.get_by_role("button", name="Make the list").click()
    page.get_by_text("DONE").first.wait_for()
    page.locator(".side").get_by_role("link", name="Jobs").click()


SHOTS = (
    Shot("home", "/"),
    Shot("live", "/live"),
    Shot("live-dark", "/live", _first("#calls tbody tr:has(.state-CONNECTED) th a"), dark=True),
    Shot("live-phone", "/live", phone=True),
    Shot("status", "/status"),
    Shot("reports", "/reports"),
    Shot("report", "/reports", _report),
    Shot("report-phone", "/reports", _report, dark=True, phone=True),
    Shot("preview", "/preview"),
    Shot("campaigns", "/campaigns", _campaign),
    Shot("lists", "/lists", _list),
    Shot("records", "/lists", _records),
    Shot("pbx", "/pbx", _first("section table a")),
    Shot("opening-hours", "/opening-hours", _first("section.list tbody a")),
    Shot("jobs", "/reports", _jobs),
    Shot("users", "/users", _first("section.list tbody tr:nth-child(2) a")),
    Shot("classes", "/classes", _first("section.list tbody a")),
    Shot("doctor", "/doctor", _examined),
    Shot("outbox", "/outbox"),
    Shot("syslog", "/syslog"),
    Shot("ami_debug", "/ami", _watched),
    Shot("about", "/about"),
)


def take(stage: Stage, folder: Path, wanted: list[str]) -> Iterator[Path]:
    """All of them, or those named, in order."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        contexts: dict[tuple[bool, bool], BrowserContext] = {}
        for shot in SHOTS:
            if wanted and shot.name not in wanted:
                continue
            kind = (shot.phone, shot.dark)
            if kind not in contexts:
                contexts[kind] = _logged_on(browser, stage, phone=shot.phone, dark=shot.dark)
            yield _take(contexts[kind].new_page(), stage, shot, folder)
        browser.close()


def _logged_on(browser: Browser, stage: Stage, *, phone: bool, dark: bool) -> BrowserContext:
    width, height = PHONE if phone else DESK
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{stage.address}/log-on")
    page.get_by_label("Login").fill(stage.login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log on").click()
    page.wait_for_url(lambda url: "/log-on" not in url)
    page.close()
    return context


def _take(page: Page, stage: Stage, shot: Shot, folder: Path) -> Path:
    page.goto(stage.address + shot.path)
    shot.prepare(page)
    page.wait_for_load_state("networkidle")
    file = folder / f"{shot.name}.png"
    page.mouse.move(0, 0)
    page.screenshot(path=file)
    page.close()
    return file
