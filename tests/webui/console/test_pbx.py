"""Servers, trunks and end points: made, changed, cloned, deleted by clicks; secrets; two editors at once; keys."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.store.conftest import NOW
from tests.webui.console.conftest import Desk, Visitor
from wombat_ari.app.config import Settings, load_settings
from wombat_ari.model.entities import Server, Trunk
from wombat_ari.model.secret import Secret
from wombat_ari.store import entities
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
Desks = Callable[..., Desk]
BY: dict[str, Any] = {"by": "admin", "now": NOW}
SERVER = {
    "description": "HQ", "address": "10.0.0.20", "port": "5038", "login": "wombat", "enabled": "y",
    "unit_length_ms": "50", "max_messages_per_unit": "5",
}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = str(tmp_path / "flows")
    return load_settings(environ={"WOMBAT_ARI_DIALER_TIME_ZONE": "Europe/Rome", "WOMBAT_ARI_FLOWS_FOLDER": folder})


@pytest.fixture
def server(database: Database) -> Server:
    return entities.save_server(
        database, Server(None, "HQ", "10.0.0.20", login="wombat", password=Secret("of-its-manager.conf")), **BY
    )


def test_by_clicks(desk: Desks, database: Database) -> None:
    page = desk().go("/pbx")
    assert page.get_by_text("There is no server yet").is_visible()
    page.get_by_role("link", name="New server").click()
    page.get_by_label("Name", exact=True).fill("HQ")
    page.get_by_label("Address", exact=True).fill("10.0.0.20")
    page.get_by_label("AMI password").fill("secret-1")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Server HQ is saved.").wait_for()
    page.get_by_role("link", name="New trunk").click()
    page.get_by_label("Name", exact=True).fill("Carrier")
    page.get_by_label("Dial string").fill("PJSIP/carrier")
    page.get_by_label("Capacity").fill("20")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("its dial string has no ${num}").wait_for()
    page.get_by_label("Dial string").fill("PJSIP/${num}@carrier")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("its dial string has no").wait_for(state="hidden")
    page.get_by_role("link", name="New end point").click()
    page.get_by_label("Type").select_option("QUEUE")
    page.get_by_label("Name", exact=True).fill("999")
    page.get_by_label("Extension").fill("999")
    page.get_by_label("Context").fill("queues")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("End point 999 is saved.").wait_for()
    page.get_by_role("link", name="Clone").click()
    page.get_by_label("Name", exact=True).fill("998")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("End point 998 is saved.").wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="No").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes").click()
    page.get_by_text("End point 998 is deleted.").wait_for()
    stored = entities.list_servers(database)[0]
    assert (stored.description, stored.password.reveal()) == ("HQ", "secret-1")
    assert entities.list_trunks(database)[0].dial_string == "PJSIP/${num}@carrier"
    assert [point.name for point in entities.list_end_points(database)] == ["999"]


def test_what_was_filled_in_is_kept_when_it_is_wrong(visitor: Visitors, database: Database) -> None:
    answer = visitor().post("/servers/new", **{**SERVER, "port": "70000"})
    assert answer.status_code == 400
    assert 'value="70000"' in answer.text
    assert 'value="10.0.0.20"' in answer.text
    assert "Number must be between 1 and 65535." in answer.text
    assert entities.list_servers(database) == []


def test_what_the_model_refuses_is_said_on_the_form(visitor: Visitors, server: Server) -> None:
    answer = visitor().post("/trunks/new", server_id=str(server.id), name="x", dial_string="nonsense", capacity="1")
    assert answer.status_code == 400
    assert "it must be TECHNOLOGY/..." in answer.text
    taken = visitor().post("/servers/new", **SERVER)
    assert (taken.status_code, "there is one of that name already" in taken.text) == (409, True)


def test_a_secret_is_never_shown_and_stays_unless_it_is_cleared(
    visitor: Visitors, server: Server, database: Database
) -> None:
    one, path = visitor(), f"/servers/{server.id}"
    assert "of-its-manager.conf" not in one.get(path).text
    assert one.post(path, **SERVER).status_code == 303
    assert entities.load_server(database, server.id or 0).password.reveal() == "of-its-manager.conf"
    assert one.post(path, **SERVER, clear_password="1").status_code == 303
    assert not entities.load_server(database, server.id or 0).password


def test_the_second_save_is_told(visitor: Visitors, server: Server, database: Database) -> None:
    one, path = visitor(), f"/servers/{server.id}"
    assert 'name="version" value="1"' in one.get(path).text
    assert one.post(path, **{**SERVER, "address": "10.0.0.21"}, version="1").status_code == 303
    second = one.post(path, **{**SERVER, "address": "10.0.0.99"}, version="1")
    assert second.status_code == 409
    assert "was changed by admin in the meantime" in second.text
    assert 'value="10.0.0.99"' in second.text, "what was filled in is still there"
    assert 'name="version" value="1"' in second.text, "and is not saved by a second click either"
    assert entities.load_server(database, server.id or 0).address == "10.0.0.21"


def test_a_flow_that_is_not_there_is_told_and_saved(visitor: Visitors, server: Server, settings: Settings) -> None:
    one, missing = visitor(), "there is no flow survey in"
    form = {
        "server_id": str(server.id), "type": "FLOW", "name": "Survey", "extension": "survey", "max_channels": "9",
        "boost_factor": "1", "max_waiting": "0", "wrap_up_s": "0",
    }  # fmt: skip
    saved = one.post("/end-points/new", **form)
    assert saved.status_code == 303
    assert missing in one.get(saved.location).text
    settings.flows_folder.mkdir()
    file = settings.flows_folder / "site.py"
    file.write_text("async def survey(call):\n    oh no\n")
    page = one.get(saved.location).text
    assert missing in page
    assert "site.py:2: SyntaxError" in page
    file.write_text("async def survey(call):\n    await call.play('beep')\n")
    assert "flow survey" not in one.get(saved.location).text


def test_what_is_used_is_not_deleted(visitor: Visitors, server: Server, database: Database) -> None:
    entities.save_trunk(database, Trunk(None, server.id or 0, "Carrier", "PJSIP/${num}"), **BY)
    one = visitor()
    assert one.post(f"/servers/{server.id}/delete").status_code == 303
    assert "cannot be deleted: it is used by trunk Carrier" in one.get(f"/servers/{server.id}").text


def test_the_info_tells_who_changed_what_without_secrets(visitor: Visitors, server: Server) -> None:
    one = visitor()
    one.post(f"/servers/{server.id}", **{**SERVER, "address": "10.0.0.21", "password": "new-secret"})
    info = one.get(f"/servers/{server.id}/info").text
    for text in ("<del>10.0.0.20</del>", "<ins>10.0.0.21</ins>", "<ins>***</ins>", "changed</b>", "by admin"):
        assert text in info
    assert "new-secret" not in info


def test_without_the_key_there_is_no_link_and_no_page(
    visitor: Visitors, person: Persons, server: Server, database: Database
) -> None:
    bob = visitor(person("bob", "LIVE", "LISTS", "CAMPAIGNS"))
    assert "Servers and lines" not in bob.get("/").text
    for path in (
        "/pbx",
        "/servers",
        f"/servers/{server.id}",
        "/trunks/new",
        "/end-points",
        f"/servers/{server.id}/info",
    ):
        assert bob.get(path).status_code == 403, path
    assert bob.post(f"/servers/{server.id}", **SERVER).status_code == 403
    assert bob.post(f"/servers/{server.id}/delete").status_code == 403
    assert entities.load_server(database, server.id or 0).address == "10.0.0.20"


def test_a_thing_with_a_key_is_for_its_holders_and_its_maker(visitor: Visitors, person: Persons) -> None:
    ann, bob, eve = (visitor(person(*who)) for who in (("ann", "ADMIN"), ("bob", "ADMIN"), ("eve", "ADMIN", "VIP")))
    saved = ann.post("/servers/new", **{**SERVER, "security_key": "VIP"})
    assert ">HQ<" in ann.get("/pbx").text
    assert ">HQ<" in eve.get("/pbx").text
    assert ">HQ<" not in bob.get("/pbx").text
    assert bob.get(saved.location).status_code == 404
    assert bob.get(f"{saved.location}/info").status_code == 404
    assert bob.get("/trunks/new").location == "/servers/new", "there is no server to choose"


def test_nothing_filled_in_is_lost_silently(desk: Desks, server: Server) -> None:
    page = desk().go(f"/servers/{server.id}")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Address", exact=True).fill("10.0.0.99")
    page.get_by_role("link", name="Home").click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert page.get_by_label("Address", exact=True).input_value() == "10.0.0.99"


def test_each_table_is_searched_sorted_and_paged_by_itself(
    visitor: Visitors, server: Server, database: Database
) -> None:
    """Of a hundred trunks the last is found: by paging, by sorting the other way round, and by its name; what was done
    to one table stays when another is used or something is selected."""
    other = entities.save_server(database, Server(None, "other", "10.0.0.9"), **BY)
    for number in range(30):
        on = server if number % 2 else other
        entities.save_trunk(database, Trunk(None, on.id or 0, f"line {number:02}", "PJSIP/${num}@x", 1), **BY)
    ann = visitor()
    first = ann.get("/pbx").text
    assert "line 00" in first
    assert "line 29" not in first
    assert "page 1 of 3, 30 in all" in first
    found = ann.get("/pbx", **{"trunks-page": "3", "servers-q": "oth"}).text
    assert "line 29" in found
    assert "line 00" not in found
    assert ">other<" in found
    links = re.findall('href="(/trunks/[0-9]+[^"]*)"[^>]*>line 29<', found)
    assert len(links) == 1
    assert "trunks-page=3" in links[0]
    assert "servers-q=oth" in links[0]
    assert "line 29" in ann.get("/pbx", **{"trunks-sort": "-0"}).text
    assert "line 29" in ann.get("/pbx", **{"trunks-q": "29"}).text
    on_it = ann.get(f"/servers/{server.id}").text
    assert "15 in all" in on_it
    assert "line 01" in on_it
    assert "line 00" not in on_it
    sorted_there = re.findall(f'href="(/servers/{server.id}[^"]*trunks-sort=0[^"]*)"', on_it)
    assert sorted_there
    assert ann.get(html.unescape(sorted_there[0])).status_code == 200


def test_what_is_selected_is_on_the_page_that_is_shown(visitor: Visitors, server: Server, database: Database) -> None:
    trunks = [
        entities.save_trunk(database, Trunk(None, server.id or 0, f"line {n:02}", "X/${num}", 1), **BY)
        for n in range(30)
    ]
    page = visitor().get(f"/trunks/{trunks[-1].id}").text
    assert "page 3 of 3" in page
    assert page.count('aria-current="true"') == 1


def test_a_long_name_takes_no_more_room_than_there_is(visitor: Visitors, database: Database) -> None:
    name = "The PBX <of> the northern region, evening shift"
    server = entities.save_server(database, Server(None, name, "10.0.0.9"), **BY)
    entities.save_trunk(database, Trunk(None, server.id or 0, "line", "X/${num}", 1), **BY)
    row = re.findall('<td data-label="Server">(.*?)</td>', visitor().get("/pbx").text)
    assert row == [f'<span title="{html.escape(name)}">The PBX &lt;of&gt; the…</span>']
