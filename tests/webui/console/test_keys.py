"""A user without a security key sees nothing that carries it: on no page, in no choice, API or export. The creator and
holders do. Everything of one kind carries the key, and is looked for by name in everything that can be asked."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html import unescape

import pytest
from argon2 import PasswordHasher
from flask import Flask

from tests.store.conftest import NOW
from tests.webui.api.conftest import Rest, basic
from tests.webui.api.test_rights import contents
from tests.webui.conftest import PASSWORD
from tests.webui.console.conftest import Visitor
from tests.webui.console.engine import Engine
from tests.webui.console.seeded import Seeded, looks_of, rules_of
from tests.webui.console.test_sweep import KEYS
from webui import create_app
from webui.api import PREFIX, ROUTES
from webui.api.frame import Route
from wombat_ari.app.config import load_settings
from wombat_ari.model.admin import User
from wombat_ari.model.entities import Campaign, CampaignList, Trunk
from wombat_ari.model.states import ListUse
from wombat_ari.store import campaigns, entities, users
from wombat_ari.store.database import open_database

SECRET, OPEN = "hush", "plain"  #: what the names of keyed things begin with, and of others
#: tell what was done with everything, to their own keys: docs/security.md
OF_ALL = {"syslog", "outbox", "jobs", "job", "job_part", "preview", "preview_part"}
QUERY = {
    "/reports/statistics": "?run={run over}", "/reports/attempts": "?run={run over}",
    "/reports/attempts/export": "?run={run over}", "/runs": "?live=false",
}  # fmt: skip
KINDS = (
    "server", "server away", "trunk", "end point", "queue", "list", "list over", "list black", "hours", "campaign",
    "campaign over",
)  # fmt: skip


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Seeded, Seeded]]:
    """One system with everything twice: with the key HUSH, and without."""
    folder = tmp_path_factory.mktemp("keys")
    database = open_database(f"sqlite:///{folder / 'wombat.db'}", key_file=folder / "secret.key")
    engine = Engine(folder, database)
    hidden = Seeded(engine, lambda what: f"{SECRET} {what}", key="HUSH", serial=1).configure()
    shown = Seeded(engine, lambda what: f"{OPEN} {what}", serial=2).configure()
    _used_by_others(hidden, shown)
    engine.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        users._nobody.cache_clear()
        users.create_admin(database, PASSWORD, now=NOW)
        for login, keys in (("nosy", KEYS), ("holder", [*KEYS, "HUSH"]), ("maker", KEYS)):
            user = users.save_user(database, User(None, login, own_keys=("USER", *keys)), by="admin", now=NOW)
            users.set_password(database, user.id or 0, password=PASSWORD, by="admin", now=NOW)
        hidden.live()
        shown.people().live()
        hidden.ids |= {name: shown.ids[name] for name in ("user", "class", "token")}
        hidden.job = shown.job
        settings = load_settings(environ={})
        yield create_app(settings=settings, database=database, ask=engine), hidden, shown
    engine.world.stop()
    database.close()


def _used_by_others(hidden: Seeded, shown: Seeded) -> None:
    """What everybody sees is used by a campaign that few see."""
    ids = shown.ids
    campaign = Campaign(
        None, f"{SECRET} campaign of all", security_key="HUSH", trunk_ids=(ids["trunk"],),
        end_point_ids=(ids["end point"],), opening_hours_ids=(ids["hours"],),
        lists=(CampaignList(ids["list"], "", ListUse.NORMAL, 1),),
    )  # fmt: skip
    by = {"by": hidden.by, "now": NOW}
    campaigns.save_campaign(hidden.database, campaign, **by)  # type: ignore[arg-type]
    trunk = Trunk(None, ids["server"], f"{SECRET} trunk of all", "Local/${num}@x/n", 1, "HUSH")
    entities.save_trunk(hidden.database, trunk, **by)  # type: ignore[arg-type]


def console_of(app: Flask, login: str, *worlds: Seeded) -> dict[str, str]:
    """Address -> text of every page that the console has of these worlds."""
    visitor = Visitor(app.test_client(), login)
    found = {}
    for rule in rules_of(app, "GET"):
        if rule.endpoint.removeprefix("console.") in OF_ALL or "<token>" in rule.rule:
            continue
        for world in worlds:
            for path in looks_of(rule, world):
                answer = visitor.get(path)
                assert answer.status_code < 500, path
                found[path] = unescape(answer.text) if answer.status_code < 400 else ""
    return found


def apis_of(app: Flask, login: str, *worlds: Seeded) -> dict[str, str]:
    """Address -> answer of everything that both APIs read."""
    client = app.test_client()
    credentials = base64.b64encode(f"{login}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    paths = {
        PREFIX + spelled(route, world) + QUERY.get(route.path, "").format(**world.ids)
        for route in ROUTES for world in worlds if route.method == "GET" and not of_all(route)
    }  # fmt: skip
    for what in ("edit/asterisk", "edit/trunk", "edit/ep", "edit/list", "edit/campaign", "edit/oh", "live/calls",
                 "live/runs", "live/campaigns"):  # fmt: skip
        paths.add(f"/wombat/api/{what}/?mode=L")
    paths |= {f"/wombat/api/inspect_dialer/?op={op}" for op in ("STATUS", "LIVE_RUNS", "LIVE_CALLS")}
    paths |= {"/metrics", "/healthz"}
    found = {}
    for path in sorted(paths):
        answer = client.get(path, headers=headers)
        assert answer.status_code < 500, path
        found[path] = answer.text if answer.status_code < 400 else ""
    return found


def of_all(route: Route) -> bool:
    """Tells of everything to keys of its own (docs/security.md); events: test_events."""
    return route.path in ("/system-log", "/events", "/imports/{import_id}") or route.tag == "Outbox"


def spelled(route: Route, world: Seeded) -> str:
    """Its path, of things of this world. A KeyError names a word that is not known here."""
    words = {
        "server_id": "server", "trunk_id": "trunk", "end_point_id": "end point", "list_id": "list",
        "record_id": "record of list", "campaign_id": "campaign", "opening_hours_id": "hours", "run_id": "run",
        "wombatid": "call", "user_id": "user", "class_id": "class", "token_id": "token",
    }  # fmt: skip
    return re.sub(r"{(\w+)}", lambda word: str(world.ids[words[word[1]]]), route.path)


def names_in(texts: dict[str, str], word: str) -> set[str]:
    """Kinds of which something is named somewhere."""
    return {kind for kind in KINDS if any(f"{word} {kind}" in text for text in texts.values())}


def test_without_the_key_nothing_of_it_is_anywhere(worlds: tuple[Flask, Seeded, Seeded]) -> None:
    app, hidden, shown = worlds
    for asked in (console_of(app, "nosy", hidden, shown), apis_of(app, "nosy", hidden, shown)):
        assert {path: text for path, text in asked.items() if SECRET in text} == {}
        assert names_in(asked, OPEN) == set(KINDS), "and what carries none is there"


@pytest.mark.parametrize("login", ["holder", "maker"])
def test_holders_and_the_creator_see_it(worlds: tuple[Flask, Seeded, Seeded], login: str) -> None:
    app, hidden, _ = worlds
    for asked in (console_of(app, login, hidden), apis_of(app, login, hidden)):
        assert names_in(asked, SECRET) == set(KINDS)


def test_what_is_not_seen_is_neither_touched_nor_named_by_what_refuses(worlds: tuple[Flask, Seeded, Seeded]) -> None:
    """Every button and every operation, on things without the key: as if they were not there."""
    app, hidden, _ = worlds
    visitor = Visitor(app.test_client(), "nosy")
    token, before = visitor.token(), contents(hidden.database)
    for rule in rules_of(app, "POST"):
        name = rule.endpoint.removeprefix("console.")
        if (
            "<" not in rule.rule
            or name in OF_ALL
            or any(word in name for word in ("token", "user", "class", "setup", "preview"))
        ):
            continue
        for path in looks_of(rule, hidden):
            answer = visitor.client.post(path, data={"csrf_token": token, "name": "x", "factor": "2"})
            if answer.status_code == 303:  # back to the page of what is not there
                answer = visitor.get(answer.location)
            assert (answer.status_code, SECRET in unescape(answer.text)) == (404, False), path
    client = Rest(app.test_client(), basic("nosy", PASSWORD))
    for route in ROUTES:
        if (
            route.method == "GET"
            or "{" not in route.path
            or of_all(route)
            or route.tag in ("Users", "Classes", "Tokens")
            or route.path.startswith("/preview")
        ):
            continue
        answer = client.ask(route.method, spelled(route, hidden), {})
        assert SECRET not in answer.get_data(as_text=True), route.path
        assert answer.status_code in (400, 404, 415, 422), route.path
    assert contents(hidden.database) == before


def test_what_cannot_be_deleted_names_only_users_that_are_seen(worlds: tuple[Flask, Seeded, Seeded]) -> None:
    app, _, shown = worlds
    said = {}
    for login in ("nosy", "holder"):
        visitor = Visitor(app.test_client(), login)
        for what in ("servers", "trunks", "end-points", "lists", "opening-hours"):
            of = {"servers": "server", "trunks": "trunk", "end-points": "end point", "lists": "list"}.get(what, "hours")
            answer = visitor.post(f"/{what}/{shown.ids[of]}/delete")
            text = unescape(answer.text if answer.status_code != 303 else visitor.get(answer.location).text)
            assert "cannot be deleted: it is used by" in text, (what, text)
            said[login, what] = SECRET in text, "what you do not see" in text, f"{OPEN} " in text
    assert {told for (login, _), told in said.items() if login == "nosy"} == {(False, True, True)}
    assert {told for (login, _), told in said.items() if login == "holder"} == {(True, False, True)}
