"""The live page and the dynamic lists, with the whole engine behind them, in a session and in a real Chromium."""

from __future__ import annotations

import gc
import itertools
import re
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.store.conftest import NOW
from tests.webui.console.conftest import DESK, PHONE, XSS, Desk, Visitor
from tests.webui.console.engine import RINGS, TALKS, Engine
from wombat_ari.app.service import pictures
from wombat_ari.model.entities import CallList, Trunk
from wombat_ari.model.live import CallsWanted
from wombat_ari.store import campaigns, entities
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Person = Callable[..., str]
Desks = Callable[..., Desk]


@pytest.fixture
def dialer(tmp_path: Path, database: Database) -> Iterator[Engine]:
    """``Spring`` has three calls that were answered, ``Gold`` (key GOLD) two that ring on a trunk of its own; ``Next``
    can be started."""
    engine = Engine(tmp_path, database)
    world = engine.world
    few = world.add_trunk("Few", capacity=3)
    own = Trunk(None, world.server.id or 0, "Golden line", "Local/${num}@simulated-network/n", 2, "GOLD")
    own = entities.save_trunk(database, own, by="root", now=NOW)
    world.add_campaign("Spring", [TALKS % n for n in range(1, 10)], trunk_ids=(few.id,))
    world.add_campaign(
        "Gold", [RINGS % n for n in (1, 2, 3)], trunk_ids=(own.id,), answer_timeout_ms=60_000, security_key="GOLD"
    )
    world.add_campaign("Next", [TALKS % 20])
    engine.start()
    world.run("Spring")
    world.run("Gold")
    engine.advance_until(lambda: _states(engine) == {"CONNECTED": 3, "DIALLING": 2})
    yield engine
    world.stop()


def _states(engine: Engine) -> dict[str, int]:
    return engine.world.dialer.publish.snapshot(calls=False)["calls_by_state"]


def run_of(engine: Engine, campaign: str) -> int:
    return engine.world.dialer.board.run_of(campaign).id  # type: ignore[union-attr]


def call_of(engine: Engine, campaign: str) -> dict[str, Any]:
    return next(call for call in engine.snapshot()["calls"] if call["campaign"] == campaign)


def words(html: str) -> str:
    """What is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_it_shows_calls_totals_charts_and_campaigns(visitor: Visitors) -> None:
    page = visitor().get("/live").text
    shown = words(page)
    for text in (
        "5 open calls", "5 calls placed", "Spring", "Gold", "Few", "Golden line", "CONNECTED 3 60.0 %", "DIALLING 2",
        "pbx/Few 3", "pbx/Golden line 2", "RUNNING 2", "Can be started 1 Next",
    ):  # fmt: skip
        assert text in shown, text
    assert page.count('<tr data-key="call-') == 5


def test_who_lacks_the_key_of_a_campaign_finds_it_nowhere(visitor: Visitors, person: Person, dialer: Engine) -> None:
    one = visitor(person("ann", "LIVE"))
    run, call = run_of(dialer, "Gold"), call_of(dialer, "Gold")
    for path in ("/live", "/live/part", f"/live?run={run}", f"/live?call={call['id']}", f"/live?of={run}", "/status"):
        shown = one.get(path).text
        assert "Gold" not in shown, path
        assert call["number"] not in shown, path
    assert "3 open calls" in words(one.get("/live").text)
    assert one.get("/live/lists", run=run).status_code == 404
    for path in (f"/live/runs/{run}/pause", f"/live/runs/{run}/boost", f"/live/lists/{run}/pause"):
        assert one.post(path, factor="2", name="list 2").status_code == 404, path
    assert one.post(f"/live/calls/{call['id']}/hang-up").status_code == 404
    holder = visitor(person("kim", "LIVE", "GOLD"))
    assert "Golden line" in holder.get("/live").text


def test_without_its_key_a_page_is_not_there(visitor: Visitors, person: Person, dialer: Engine) -> None:
    run = run_of(dialer, "Spring")
    one = visitor(person("bo", "REPORT", "STATUS"))
    for path in ("/live", "/live/part", "/live/lists", "/live/lists/part"):
        assert one.get(path).status_code == 403, path
    posts = (
        "/live/campaigns/3/start", f"/live/runs/{run}/pause", f"/live/runs/{run}/boost", "/live/calls/1/hang-up",
        f"/live/lists/{run}/add", "/status/start", "/status/stop",
    )  # fmt: skip
    for path in posts:
        assert one.post(path).status_code == 403, path
    other = visitor(person("lo", "LIVE"))
    assert 'href="/live"' in other.get("/").text
    for path in ("/status/start", "/status/stop"):
        assert other.post(path).status_code == 403, path
    for path in posts:
        assert other.client.get(path).status_code in (404, 405), "nothing is changed by GET"
        assert other.client.post(path).status_code in (400, 403), "nor without a form of ours"
    assert dialer.world.dialer.board.run_of("Spring").machine.state == "RUNNING"  # type: ignore[union-attr]


def test_acting_on_runs(visitor: Visitors, person: Person, dialer: Engine) -> None:
    one, run = visitor(person("ann", "LIVE")), run_of(dialer, "Spring")

    def state() -> str:
        return str(dialer.world.dialer.board.runs[run].machine.state)

    def act(what: str, **fields: Any) -> str:
        answer = one.post(f"/live/runs/{run}/{what}", back=f"/live?run={run}", **fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/live?run={run}")
        return words(one.get("/live", run=run).text)

    assert "Spring is paused" in act("pause")
    assert state() == "PAUSED"
    assert "Spring places calls again" in act("resume")
    assert state() == "RUNNING"
    assert "Spring is boosted by 1.5" in act("boost", factor="1,5")
    assert dialer.world.dialer.board.runs[run].boost == 1.5
    assert "it must be a number" in act("boost", factor="x<b>")
    assert "above 0" in act("boost", factor="-3")
    assert "goes on as its campaign is configured now" in act("reload")
    assert "cannot be removed" in act("remove") or "RUNNING" in act("remove"), "a running one is not removed"
    assert state() == "RUNNING"
    act("pause")
    assert "is removed" in act("remove")
    dialer.advance(1)
    assert dialer.world.rows(f"SELECT state FROM run WHERE id = {run}") == [("REMOVED",)]
    assert one.post(f"/live/runs/{run}/explode").status_code == 404
    log = dialer.world.rows("SELECT login, action, object FROM system_log")
    assert ("ann", "pause run", "Spring") in log


def test_starting_a_campaign_and_hanging_up_a_call(visitor: Visitors, person: Person, dialer: Engine) -> None:
    one = visitor(person("ann", "LIVE"))
    campaign = next(each for each in campaigns.list_campaign_heads(dialer.world.database) if each.name == "Next")
    assert one.post(f"/live/campaigns/{campaign.id}/start").status_code == 303
    assert "Next has started." in words(one.get("/live").text)
    assert dialer.world.dialer.board.run_of("Next") is not None
    one.post(f"/live/campaigns/{campaign.id}/start")
    assert "has a live run already" in one.get("/live").text
    call = call_of(dialer, "Spring")
    shown = words(one.get("/live", call=call["id"]).text)
    for text in (call["number"], "Few", "Waits", "Hang up"):
        assert text in shown
    one.post(f"/live/calls/{call['id']}/hang-up")
    dialer.advance(3)
    assert call["id"] not in [each["id"] for each in dialer.snapshot()["calls"]]
    ended = words(one.get("/live", call=call["id"]).text)
    assert "TERMINATED" in ended
    assert "Hang up" not in ended.partition("Details")[2]


def test_orders_pages_and_finds(visitor: Visitors, dialer: Engine) -> None:
    one = visitor()

    def numbers(**asked: Any) -> list[str]:
        return re.findall(r'<tr data-key="call-\d+".*?>(\d{10})<', one.get("/live", **asked).text, re.DOTALL)

    everything = sorted(numbers())
    assert len(everything) == 5
    assert numbers(by="number") == everything
    assert numbers(by="number", down=1) == everything[::-1]
    assert numbers(number="5553") == [RINGS % 1, RINGS % 2] or len(numbers(number="5553")) == 2
    assert len(numbers(of=run_of(dialer, "Spring"))) == 3
    for nonsense in ({"by": "<x>"}, {"page": "9" * 30}, {"page": -3}, {"down": "x"}, {"of": "é"}, {"call": "1 OR 1"}):
        assert one.get("/live", **nonsense).status_code == 200
    assert numbers(page=99, by="number") == everything, "behind the end is the last page"
    assert "Spring" not in one.get("/live/part", q="gol").text.partition('id="campaigns"')[2]


def test_runs_that_have_ended_and_what_is_not_there(visitor: Visitors, dialer: Engine) -> None:
    one, run = visitor(), run_of(dialer, "Spring")
    dialer.world.command("pause", "Spring")
    dialer.world.command("remove", "Spring")
    for call in list(dialer.world.pbx.live.values()):
        call.hang_up(16)
    dialer.advance(5)
    page = words(one.get("/live", run=run).text)
    assert "REMOVED Spring" in page
    assert "Ended" in page
    assert "has ended (REMOVED)" in one.get("/live/lists", run=run).text
    assert one.post(f"/live/runs/{run}/pause").status_code == 303
    assert "has ended" in one.get("/live").text
    for nowhere in ({"run": 999}, {"call": 999}, {"campaign": 999}):
        answer = one.get("/live", **nowhere)
        assert (answer.status_code, "Not here" in answer.text) == (200, True)
    assert one.get("/live/lists", run="x").status_code == 404
    assert one.post("/live/campaigns/999/start").status_code == 404


def test_a_dialer_that_is_down_is_said_and_nothing_can_be_pressed(visitor: Visitors, dialer: Engine) -> None:
    one, run = visitor(), run_of(dialer, "Spring")
    dialer.down = True
    dialer_page = one.get("/live")
    assert dialer_page.status_code == 200
    assert "the dialer is not running" in dialer_page.text
    assert "<button" not in dialer_page.text.partition('id="startable"')[2]
    one.post(f"/live/runs/{run}/pause")
    assert "The dialer is not running." in one.get("/live").text
    assert "Nothing can be changed now" in one.get("/live/lists", run=run).text


def test_dynamic_lists(visitor: Visitors, person: Person, dialer: Engine, database: Database) -> None:
    one, run = visitor(person("ann", "LIVE")), run_of(dialer, "Spring")
    for name, values in (("Late", {}), ("Secret", {"security_key": "BOSS"}), ("Old", {"hidden": True})):
        entities.save_list(database, CallList(None, name, **values), by="root", now=NOW)

    def lists() -> list[str]:
        page = one.get("/live/lists", run=run).text
        return re.findall(r'<th scope="row">(.*?)</th>', page)

    page = one.get("/live/lists", run=run).text
    assert lists() == ["1. list 1"]
    offered = re.findall(r'<option value="(.*?)"', page)
    assert "Late" in offered
    assert not {"Secret", "Old", "list 1"} & set(offered)
    assert 'data-confirm="This is the last list' in page
    for act, name, said, after in (
        ("add", "Late", "List Late is added", ["1. list 1", "2. Late"]),
        ("up", "Late", "comes earlier", ["1. Late", "2. list 1"]),
        ("up", "Late", "comes earlier", ["1. Late", "2. list 1"]),
        ("down", "Late", "comes later", ["1. list 1", "2. Late"]),
        ("pause", "list 1", "is paused", ["1. list 1", "2. Late"]),
        ("resume", "list 1", "is dialled again", ["1. list 1", "2. Late"]),
        ("add", "Secret", "There is no list Secret", ["1. list 1", "2. Late"]),
        ("add", "Late", "already", ["1. list 1", "2. Late"]),
        ("down", XSS, "has no list", ["1. list 1", "2. Late"]),
    ):
        answer = one.post(f"/live/lists/{run}/{act}", name=name)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/live/lists?run={run}"), act
        shown = one.get("/live/lists", run=run).text
        assert said in words(shown), (act, name)
        assert "<img" not in shown.partition("<main")[2]
        assert lists() == after, (act, name)
    assert one.post(f"/live/lists/{run}/burn").status_code == 404
    assert "Whose lists?" in one.get("/live/lists").text


@pytest.fixture
def nasty(dialer: Engine) -> Engine:
    """Names that try to be HTML, everywhere."""
    world = dialer.world
    trunk = world.add_trunk(XSS[:60])
    point = world.add_end_point(XSS[10:70], exten="101")
    world.append(1, [])
    the_list = entities.save_list(world.database, CallList(None, XSS[:70]), by="root", now=NOW)
    world.append(the_list.id or 0, [TALKS % 77], '{"A<b>": "<script>1</script>"}')
    entry = replace(world.add_list([]), list_id=the_list.id or 0, name=the_list.name)
    dialer.advance(1)
    world._now(world.dialer.obey.reload("Spring"))
    campaign = world.add_campaign(XSS[:80], entry, trunk_ids=(trunk.id,), end_point_ids=(point.id,))
    world.run(campaign.name)
    world.advance_until(lambda: _states(dialer).get("CONNECTED") == 4)
    return dialer


def test_names_that_try_to_be_html_are_text(visitor: Visitors, nasty: Engine) -> None:
    one = visitor()
    call = call_of(nasty, XSS[:80])
    run = run_of(nasty, XSS[:80])
    for path in (
        "/live", f"/live?call={call['id']}", f"/live?run={run}", f"/live/lists?run={run}", "/live?q=<b>&number=<i>",
        "/status", "/",
    ):  # fmt: skip
        page = one.get(path).text.partition("<main")[2]
        for tag in ("<img", "<script", "A<b>", "<i>"):
            assert tag not in page, (path, tag)
    shown = one.get(f"/live?call={call['id']}").text
    assert "A&lt;b&gt;" in shown
    assert "&lt;script&gt;1" in shown


# In a real browser


def open_live(desk: Desks, path: str = "/live", **how: Any) -> Page:
    return desk(**how).go(path)


def test_it_follows_the_dialer_and_keeps_selection_scroll_and_focus(desk: Desks, dialer: Engine) -> None:
    page = open_live(desk, width=DESK)
    number = call_of(dialer, "Spring")["number"]
    page.get_by_role("link", name=number).click()
    details = page.locator("#details")
    expect(details).to_contain_text("WOMBATID")
    assert "call=" in page.url
    page.evaluate("scrollTo(0, 300)")
    page.locator("details#closed > summary").click()
    page.get_by_role("link", name=number).first.focus()
    marks = "[document.body.mark, document.activeElement.textContent, scrollY, document.querySelector('#closed').open]"
    page.evaluate("document.body.mark = 1")
    before = page.evaluate(marks)
    dialer.world.command("pause", "Spring")
    expect(page.locator("#running")).to_contain_text("PAUSED", timeout=5000)
    assert page.evaluate(marks) == before == [1, number, before[2], False]
    expect(details).to_contain_text(number)
    page.go_back()
    expect(details).to_have_count(0)
    assert page.evaluate("document.body.mark") == 1, "the page was not loaded anew"


def test_acting_in_the_browser_asks_first(desk: Desks, dialer: Engine) -> None:
    page = open_live(desk)
    call = call_of(dialer, "Spring")
    page.get_by_role("link", name=call["number"]).click()
    hang_up = page.get_by_role("button", name="Hang up")
    hang_up.click()
    page.get_by_role("button", name="No", exact=True).click()
    assert len(dialer.snapshot()["calls"]) == 5
    hang_up.click()
    expect(page.get_by_text(f"Hang up the call to {call['number']}?")).to_be_visible()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("The call is being hung up.")).to_be_visible()
    assert f"call={call['id']}" in page.url, "the same is selected"
    page.get_by_role("button", name="Pause Spring").click()
    expect(page.get_by_text("Spring is paused")).to_be_visible()
    page.get_by_role("button", name="Remove Spring").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Spring is removed")).to_be_visible()


def test_a_question_about_what_has_changed_meanwhile_does_nothing(desk: Desks, dialer: Engine) -> None:
    page = open_live(desk)
    dialer.world.command("pause", "Spring")
    remove = page.get_by_role("button", name="Remove Spring")
    remove.wait_for()
    remove.click()
    dialer.world.command("resume", "Spring")
    remove.wait_for(state="detached")
    page.get_by_role("button", name="Yes").click()
    page.wait_for_timeout(300)
    assert dialer.world.dialer.board.run_of("Spring").machine.state == "RUNNING"  # type: ignore[union-attr]


def test_sorting_keeps_the_page(desk: Desks, dialer: Engine) -> None:
    page = open_live(desk)
    page.evaluate("document.body.mark = 1")
    page.get_by_role("link", name="Number").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Number")
    page.get_by_role("link", name="Number").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Number")
    numbers = page.locator("tbody th a").all_inner_texts()
    assert numbers == sorted(numbers, reverse=True)
    assert page.evaluate("document.body.mark") == 1
    assert page.locator("select[name=by]").input_value() == "number", "what is sent with a search follows"
    page.get_by_label("Order").select_option("newest")
    page.wait_for_url("**order=newest**")
    assert "by=number" in page.url
    assert "down=1" in page.url


def test_on_a_phone_calls_are_sorted_by_a_choice(desk: Desks, dialer: Engine) -> None:
    page = open_live(desk, width=PHONE)
    page.get_by_label("Sort calls by").select_option("number")
    page.wait_for_url("**by=number**")
    numbers = page.locator("#calls tbody th a").all_inner_texts()
    assert numbers == sorted(numbers)


def test_lists_in_the_browser(desk: Desks, dialer: Engine, database: Database) -> None:
    entities.save_list(database, CallList(None, "Late"), by="root", now=NOW)
    page = open_live(desk)
    page.get_by_role("link", name="Lists of Spring").click()
    page.get_by_label("List", exact=True).fill("Late")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("rowheader", name="2. Late")).to_be_visible()
    page.get_by_role("button", name="Move Late up").click()
    expect(page.get_by_role("rowheader", name="1. Late")).to_be_visible()
    page.get_by_role("button", name="Pause list 1").click()
    expect(page.get_by_text("List list 1 is paused")).to_be_visible()


def test_a_button_is_known_by_what_it_does(desk: Desks, dialer: Engine) -> None:
    """And is never made into another one by a refresh."""
    page = open_live(desk, f"/live?run={run_of(dialer, 'Spring')}")
    buttons = page.locator("#live button[formaction]")
    assert buttons.count() >= 4
    for button in buttons.all():
        assert button.get_attribute("data-key") == button.get_attribute("formaction")


def test_hundreds_of_refreshes_leave_nothing_behind_in_the_browser(
    desk: Desks, dialer: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour is 1,800. Each time half of the calls are others, and all numbers."""
    monkeypatch.setattr(pictures, "FRESH_S", 0.0)
    picture, page_of_calls, turns = dialer.snapshot(calls=False), dialer.live_calls(CallsWanted()), itertools.count()

    def live_calls(wanted: CallsWanted) -> dict[str, Any]:
        turn = next(turns)
        rows = [call | {"id": turn + n, "number": str(turn + n)} for n, call in enumerate(page_of_calls["calls"] * 10)]
        picture["runs"][0]["placed"] = turn
        return page_of_calls | {"calls": rows[::2] + rows[1::2]}

    dialer.snapshot = lambda **_: picture  # type: ignore[method-assign]
    dialer.live_calls = live_calls  # type: ignore[method-assign]
    page = open_live(desk, f"/live?run={run_of(dialer, 'Spring')}")
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    page.evaluate("document.getElementById('live').dataset.every = 0.001")
    page.evaluate("window.count = 0; addEventListener('refreshed', () => window.count += 1)")

    def after(refreshes: int) -> dict[str, float]:
        while page.evaluate("window.count") < refreshes:
            page.wait_for_timeout(50)
        tools.send("HeapProfiler.collectGarbage")
        metrics = tools.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in metrics}

    elements = "document.querySelectorAll('*').length"
    # What is collected when is up to the browser: the most of the first looks, the least of the last ones.
    first, in_page = [after(refreshes) for refreshes in (20, 30, 40)], page.evaluate(elements)
    last = [after(refreshes) for refreshes in (130, 140, 150)]
    assert page.evaluate(elements) == in_page
    for name, more in (("Nodes", 200), ("JSEventListeners", 0), ("JSHeapUsedSize", 100_000)):
        assert min(look[name] for look in last) <= max(look[name] for look in first) + more, name


def test_refreshes_leave_nothing_behind_in_the_server(visitor: Visitors, dialer: Engine) -> None:
    """What the engine's own world does meanwhile (its journal, its clock) is not counted."""
    one, picture = visitor(), dialer.snapshot(calls=False)
    page = dialer.live_calls(CallsWanted())
    dialer.snapshot = lambda **_: picture  # type: ignore[method-assign]
    dialer.live_calls = lambda wanted: page  # type: ignore[method-assign]

    def refresh(times: int) -> int:
        for n in range(times):
            assert one.get(f"/live/part?page={n}&by=number&number={n}").status_code == 200
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = refresh(120)  # as many answers as are kept, and some
        assert refresh(120) - first < 20_000, "bytes of 120 refreshes"
    finally:
        tracemalloc.stop()
