"""Two people edit the same thing: the second save is told, and nothing of the first is lost; in every editor and for
everything that belongs to a campaign or to opening hours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask

from tests.store.conftest import NOW
from tests.webui.api.test_rights import contents
from tests.webui.conftest import PASSWORD, Switch
from tests.webui.console.conftest import Visitor
from tests.webui.console.engine import Engine
from tests.webui.console.filled import form_to, forms_of
from tests.webui.console.seeded import Seeded
from webui import create_app
from wombat_ari.app.config import load_settings
from wombat_ari.store import users
from wombat_ari.store.database import Database, open_database

#: which thing of a ``Seeded`` an editor is opened with, and the field that both change
EDITORS = {
    "servers": ("server", "description"), "trunks": ("trunk", "name"), "end-points": ("end point", "description"),
    "lists": ("list", "name"), "campaigns": ("campaign", "dial_account"), "opening-hours": ("hours", "comment"),
    "users": ("user", "comment"), "classes": ("class", "description"), "records": ("record of list", "attributes"),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    folder = tmp_path_factory.mktemp("two")
    database = open_database(f"sqlite:///{folder / 'wombat.db'}", key_file=folder / "secret.key")
    engine = Engine(folder, database)
    seeded = Seeded(engine, lambda what: what).configure()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        users._nobody.cache_clear()
        users.create_admin(database, PASSWORD, now=NOW)
        yield seeded.people()
    database.close()


@pytest.fixture(scope="module")
def app(world: Seeded) -> Flask:
    settings = load_settings(environ={})
    return create_app(settings=settings, database=world.database, ask=world.engine, engine=Switch())


@pytest.fixture
def ann(app: Flask) -> Visitor:
    return Visitor(app.test_client(), "admin")


@pytest.mark.parametrize("editor", EDITORS)
def test_the_second_save_is_told(ann: Visitor, world: Seeded, editor: str) -> None:
    thing, name = EDITORS[editor]
    path = f"/{editor}/{world.ids[thing]}"
    form = form_to(ann.get(path).text, path)
    first, second = ("FIRST:1", "SECOND:2")
    saved = ann.client.post(path, data={**form.fields, name: first})
    assert saved.status_code == 303, saved.text
    before = contents(world.database)
    told = ann.client.post(path, data={**form.fields, name: second})
    assert told.status_code == 409
    assert "in the meantime" in told.text
    assert second in told.text, "what was filled in is there still"
    assert contents(world.database) == before
    again = form_to(told.text, path)
    assert ann.client.post(path, data=again.fields).status_code == 409, "nor by pressing the button again"
    fresh = form_to(ann.get(path).text, path)
    assert first in str(fresh.fields[name])
    assert ann.client.post(path, data={**fresh.fields, name: second}).status_code == 303


@pytest.mark.parametrize(("editor", "thing", "least"), [("campaigns", "campaign", 15), ("opening-hours", "hours", 3)])
def test_what_belongs_to_it_is_not_changed_over_another_save(
    ann: Visitor, world: Seeded, editor: str, thing: str, least: int
) -> None:
    """Each button and form on the page, of a version that is not the latest any more."""
    path = f"/{editor}/{world.ids[thing]}"
    ann.client.post(f"{path}/rules/add", data={**rule_of(ann, path)})
    page = ann.get(path).text
    ann.client.post(f"{path}/rules/add", data={**rule_of(ann, path)})
    before = contents(world.database)
    parts = [form for form in forms_of(page) if form.action.startswith(f"{path}/") and is_of_a_part(form.action)]
    assert len(parts) >= least
    for form in parts:
        told = ann.client.post(form.action, data=form.fields)
        said = told.text if told.status_code == 409 else ann.get(told.location).text
        assert "in the meantime" in said, form
    assert contents(world.database) == before


def rule_of(ann: Visitor, path: str) -> dict[str, Any]:
    return dict(form_to(ann.get(path).text, f"{path}/rules/add").fields)


def is_of_a_part(action: str) -> bool:
    return action.rpartition("/")[2] in ("add", "change", "remove", "up", "down")


def test_a_call_changes_a_record_while_somebody_edits_it(ann: Visitor, world: Seeded) -> None:
    path = f"/records/{world.ids['record of list black']}"
    form = form_to(ann.get(path).text, path)
    with world.database.transaction() as tx:
        tx.run(
            "UPDATE record SET output_attributes = %s WHERE id = %s",
            ('{"APPT": "9:30"}', world.ids["record of list black"]),
        )
    told = ann.client.post(path, data=form.fields)
    assert (told.status_code, "in the meantime" in told.text) == (409, True)
    assert "APPT:9:30" in ann.get(path).text


def test_two_people_set_up_a_system(app: Flask, tmp_path: Path, database: Database) -> None:
    """What one has saved as the first server, the other does not overwrite with theirs."""
    users.create_admin(database, PASSWORD, now=NOW)
    settings = load_settings(environ={})
    both = Visitor(
        create_app(settings=settings, database=database, ask=Engine(tmp_path, database)).test_client(), "admin"
    )
    form = form_to(both.get("/setup/server").text, "/setup/server")
    assert (
        both.client.post("/setup/server", data={**form.fields, "address": "127.0.0.1", "port": "1"}).status_code == 303
    )
    told = both.client.post("/setup/server", data={**form.fields, "address": "10.0.0.9"})
    assert (told.status_code, "in the meantime" in told.text) == (409, True)
    assert "127.0.0.1" in both.get("/setup/server").text
