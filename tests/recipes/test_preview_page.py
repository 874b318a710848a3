"""docs/cookbook/preview.md with the page of agents: in a real Chromium, on a real Asterisk, with a CRM in a frame."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen, numbers
from tests.system.agents import Agent, Floor
from tests.system.site import until
from tests.webui.console.conftest import PHONE, WALL, Desk, browser, complaints, overflow, sit_down_at  # noqa: F401

CLEO = Agent(3, ring=2)
JOHN, MIKE = numbers("preview")[:2]


class Crm(BaseHTTPRequestHandler):
    """Shows what it was asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(f"CRM {self.path}".encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def crm() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Crm)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))  # how often it looks whether it is to stop, s
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def kitchen(cook: Cook, floor: Floor) -> Iterator[Kitchen]:
    kitchen = cook("preview")
    kitchen.hurry(answer_timeout_ms=1500, retry_after_s=600)  # the agent looks at one number after the other, in peace
    for command in kitchen.then[:3]:
        kitchen.do(command)
    yield kitchen
    floor.log_off(CLEO, "997")


@pytest.fixture(scope="module")
def desk(kitchen: Kitchen, browser: Browser) -> Iterator[Desk]:  # noqa: F811
    found = re.search(r"has the password (\S+)", kitchen.said)
    assert found
    with ExitStack() as stack:
        desk = sit_down_at(
            stack, browser, f"http://127.0.0.1:{kitchen.site.console_port}", "admin", width=PHONE, password=found[1]
        )
        yield desk
        assert desk.said == []


def test_the_agent_takes_dials_and_skips(kitchen: Kitchen, desk: Desk, crm: str) -> None:
    """By the address of the original, as a button of an agent's program opens it."""
    page = desk.page
    url = f"{crm}/card?id=%3CID%3E&n=%3CNUMBER%3E&name=%3CNAME%3E"
    desk.go(f"/wombat/agents/rd_pop.jsp?agent={CLEO.interface}&url={url.replace('&', '%26')}&inset=0")
    page.get_by_role("button", name="Take the next number").click()
    page.get_by_text(JOHN, exact=True).wait_for()
    assert page.get_by_text(re.compile(r"It is yours until \d\d:\d\d:\d\d\.$")).is_visible()
    link = page.get_by_role("link", name="Open in the CRM").get_attribute("href")
    assert link == f"{crm}/card?id=300&n={JOHN}&name=John"
    assert overflow(page) == 0
    assert complaints(page) == []
    page.get_by_label("Status, to skip with").fill("LATER")
    page.get_by_role("button", name="Skip").click()
    page.get_by_text("Skipped.").wait_for()
    page.get_by_role("button", name="Take the next number").click()
    page.get_by_text(MIKE, exact=True).wait_for()
    page.get_by_role("button", name="Dial").click()
    page.get_by_text("TERMINATED").wait_for(timeout=20_000)
    assert page.get_by_role("button", name="Take the next number").is_visible()
    rows = {row["number"]: (row["outcome"], row["extended_status"]) for row in kitchen.site.attempts("preview")}
    assert rows[JOHN] == ("RS_AGENTSKIP", "LATER")
    assert rows[MIKE] == ("TERMINATED", "")


def test_the_crm_in_a_frame(desk: Desk, crm: str) -> None:
    page = desk.page
    page.set_viewport_size({"width": WALL, "height": 900})
    desk.go(f"/agents/rd_pop.jsp?agent={CLEO.interface}&url={crm}/card/<NUMBER>&inset=1")
    page.get_by_role("button", name="Take the next number").click()
    number = page.locator(".dial-number").inner_text()
    page.frame_locator("iframe").get_by_text(f"CRM /card/{number}").wait_for()
    assert overflow(page) == 0
    page.get_by_role("button", name="Skip").click()
    page.get_by_text("Skipped.").wait_for()
    assert page.locator("iframe").count() == 0


def test_who_is_not_on_the_queue_is_told(kitchen: Kitchen, desk: Desk) -> None:
    desk.go("/preview?agent=PJSIP/nobody")
    desk.page.get_by_role("button", name="Take the next number").click()
    desk.page.get_by_text("agent PJSIP/nobody is on no preview queue, or busy, or paused").wait_for()
    until(lambda: not [call for call in kitchen.site.snapshot()["calls"] if call["state"] == "RD_RESERVED"], 5)
