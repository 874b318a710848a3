"""A user without a security key sees nothing that carries it: on no page, in no choice, API or export. The creator and
holders do. Everything of one kind carries the key, and is looked for by name in everything that can be asked."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import unescape

import pytest
from argon2 import PasswordHasher
from flask import Flask

from tests.store.conftest import NOW
from tests.webui.conftest import PASSWORD
from tests.webui.console.conftest import Visitor
from tests.webui.console.engine import Engine
from tests.webui.console.seeded import Seeded, looks_of, rules_of
from tests.webui.console.test_sweep import KEYS
from webui import create_app
from webui.api import PREFIX, ROUTES
from wombat_ari.app.config import load_settings
from wombat_ari.model.admin import User
from wombat_ari.store import users
from wombat_ari.store.database import open_database

SECRET, OPEN = "hush", "plain"  #: what the names of keyed things begin with, and of others
#: tell what was done with everything, to their own keys: docs/security.md
OF_ALL = {"syslog", "outbox", "jobs", "job", "job_part", "preview", "preview_part"}
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
    paths = {PREFIX + route.path for route in ROUTES if route.method == "GET" and "{" not in route.path}
    paths |= {f"{PREFIX}/reports/{what}?run={world.ids['run over']}" for what in ("attempts",) for world in worlds}
    for kind, of in (("servers", "server"), ("trunks", "trunk"), ("end-points", "end point"), ("lists", "list"),
                     ("campaigns", "campaign"), ("opening-hours", "hours"), ("runs", "run")):  # fmt: skip
        paths |= {f"{PREFIX}/{kind}/{world.ids[of]}" for world in worlds}
    for what in ("edit/asterisk", "edit/trunk", "edit/ep", "edit/list", "edit/campaign", "edit/oh", "live/calls",
                 "live/runs", "live/campaigns"):  # fmt: skip
        paths.add(f"/wombat/api/{what}/?mode=L")
    paths |= {f"/wombat/api/inspect_dialer/?op={op}" for op in ("STATUS", "LIVE_RUNS", "LIVE_CALLS")}
    paths -= {f"{PREFIX}/{what}" for what in ("system-log", "outbox", "metrics", "events", "audit")}
    found = {}
    for path in sorted(paths):
        answer = client.get(path, headers=headers)
        assert answer.status_code < 500, path
        found[path] = answer.text if answer.status_code < 400 else ""
    return found


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
