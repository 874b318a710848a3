"""A report exported to a new list and used as a black list: whoever did not exist yesterday is not dialled today."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.engine.world import World
from tests.webui.console.conftest import Desk
from wombat_ari.model.states import ListUse
from wombat_ari.store import entities
from wombat_ari.store.database import Database

ANSWERS, BUSY, NOBODY, UNKNOWN = "5551050001", "5552000002", "5554000003", "0000000004"


def placed(world: World) -> list[str]:
    """Numbers that the PBX was asked to dial, sorted."""
    return sorted(headers["channel"].partition("/")[2].partition("@")[0] for headers in world.pbx.originates)


def test_a_report_becomes_a_black_list(desk: Callable[..., Desk], database: Database, tmp_path: Path) -> None:
    world = World(tmp_path, database=database)
    numbers = [ANSWERS, BUSY, NOBODY, UNKNOWN]
    world.add_campaign("Yesterday", numbers)
    again = world.add_list(numbers)
    today = world.add_campaign("Today", again)
    world.start()
    world.run("Yesterday")
    world.finish()
    assert placed(world) == sorted(numbers)

    me = desk()
    page = me.go("/reports?from=2026-09-01")
    page.get_by_role("link", name="Report of Yesterday").click()
    page.get_by_role("link", name="Numbers to a list").click()
    page.get_by_role("checkbox", name="RS_NUMBER").check()
    page.get_by_label("Name of the new list").fill("Not in service")
    page.get_by_role("button", name="Make the list").click()
    page.get_by_text("numbers of 2 calls are on the").wait_for()

    page.get_by_role("link", name="link it to campaigns").click()
    page.get_by_role("link", name="Today", exact=True).click()
    of_campaign = page.locator("#lists")
    of_campaign.get_by_label("which to add").select_option("Not in service")
    of_campaign.get_by_label("What the list is").select_option("BLACK")
    of_campaign.get_by_role("button", name="Add").click()
    of_campaign.get_by_text("Not in service").wait_for()
    links = entities.load_campaign(database, today.id or 0).lists
    assert [(one.name, one.use) for one in links] == [(again.name, ListUse.NORMAL), ("Not in service", ListUse.BLACK)]

    world.pbx.originates.clear()
    world.run("Today")
    world.finish()
    assert placed(world) == sorted([ANSWERS, BUSY]), "nobody on the black list was dialled"
    outcomes = {number: found[-1] for number, found in world.outcomes().items()}
    assert outcomes == {
        ANSWERS: "TERMINATED", BUSY: "RS_BUSY", NOBODY: "RS_BLACKLIST", UNKNOWN: "RS_BLACKLIST"
    }  # fmt: skip
    world.check_ledger()
    world.stop()

    page = me.go("/reports?from=2026-09-01")
    page.get_by_role("link", name="Report of Today").click()
    assert "RS_BLACKLIST – 2 50.0 %" in " ".join(page.locator("section", has_text="Outcomes").inner_text().split())
