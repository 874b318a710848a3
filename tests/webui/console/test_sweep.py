"""Every page of the console there is, asked of the application itself, so that a new one cannot be forgotten: who may
see and press it, and how it looks in a real Chromium when every name in the system tries to be HTML."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from html import unescape

import pytest
from argon2 import PasswordHasher
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.routing import Rule

from tests.store.conftest import NOW
from tests.webui.api.test_rights import contents
from tests.webui.conftest import PASSWORD, Switch
from tests.webui.console.conftest import PHONE, WALL, XSS, Visitor, complaints, overflow, serving, sit_down_at
from tests.webui.console.engine import Engine
from tests.webui.console.seeded import Seeded, looks_of, path_of, rules_of, texts_of_others
from webui import create_app
from wombat_ari.app.config import load_settings
from wombat_ari.app.service.rights import LOG_ON_KEY, Right
from wombat_ari.model.admin import User
from wombat_ari.store import users
from wombat_ari.store.database import open_database

#: pages and buttons of everybody who is logged on
FOR_ALL = {
    "home", "account", "account_zone", "account_password", "account_elsewhere", "log_off", "jobs", "job", "job_part",
    "job_cancel",
}  # fmt: skip
OPEN = {"log_on", "health"}  #: without a log-on
NOT_HTML = {"lists_export", "report_export"}
TOGETHER = {"setup", "setup_step", "setup_save", "numbers", "numbers_begin"}  #: need all of their keys
KEY_OF_ALL = "<img/src=x/onerror='document.title=1'>"  #: the security key of everything; all who look hold it
LINK = re.compile(r'(?:href|data-refresh)="(/[^"]*)"')
FORM = re.compile(r'<form[^>]* method="post"[^>]* action="([^"]+)"(.*?)</form>', re.DOTALL)
DEED = re.compile(r'<button form="deeds" formaction="([^"]+)"')
KEYS = sorted({key for right in Right for key in right.keys} - {LOG_ON_KEY})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """Every name is ``XSS``, as long as it may be."""
    folder = tmp_path_factory.mktemp("sweep")
    database = open_database(f"sqlite:///{folder / 'wombat.db'}", key_file=folder / "secret.key")
    engine = Engine(folder, database)
    seeded = Seeded(engine, lambda what: _hostile(what), key=KEY_OF_ALL).configure()
    engine.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        users._nobody.cache_clear()
        users.create_admin(database, PASSWORD, now=NOW)
        yield seeded.people().live().plant(PLANTED)
    engine.world.stop()
    database.close()


def test_all_that_is_stored_as_text_tries_to_be_html(world: Seeded) -> None:
    """Each column of the schema that people or PBXs write to: what it holds is on the pages that are swept."""
    planted = 0
    with world.database.transaction(write=False) as tx:
        for table, column in texts_of_others():
            found = [str(row[0]) for row in tx.rows(f"SELECT {column.column_name} FROM {table}")]
            assert all("<" in text for text in found if text != "None"), f"{table}.{column.column_name}"
            planted += bool(found)
    assert planted > 80


def _hostile(what: str) -> str:
    """Names of one kind differ."""
    return f"{XSS[:60]}{what}"[:80] if what != "disposition" else XSS


@pytest.fixture(scope="module")
def switch() -> Switch:
    return Switch()


@pytest.fixture(scope="module")
def app(world: Seeded, switch: Switch) -> Flask:
    settings = load_settings(environ={"WOMBAT_ARI_DIALER_TIME_ZONE": "Europe/Rome"})
    return create_app(settings=settings, database=world.database, ask=world.engine, engine=switch)


@pytest.fixture(scope="module")
def admin(app: Flask) -> Visitor:
    return Visitor(app.test_client(), "admin")


@pytest.fixture(scope="module")
def upload(admin: Visitor, world: Seeded) -> str:
    """The token of a CSV that waits to be looked at."""
    file = io.BytesIO(f"NUM;{XSS[:30]}\n1;{XSS.replace(chr(34), '')}\n".encode())
    answer = admin.post(f"/lists/{world.ids['list']}/upload", kind="csv", file=(file, f"{XSS[:60]}.csv"))
    return answer.location.partition("/csv/")[2].partition("?")[0]


def rights_of(app: Flask, rule: Rule) -> tuple[Right, ...]:
    return getattr(app.view_functions[rule.endpoint], "rights", ())


def name(rule: Rule) -> str:
    return rule.endpoint.removeprefix("console.")


def holder(world: Seeded, login: str, keys: list[str]) -> str:
    """A user with these keys, and the right to log on."""
    user = User(None, login, own_keys=(LOG_ON_KEY, KEY_OF_ALL, *keys), token="SIP/1")
    user = users.save_user(world.database, user, by="admin", now=NOW)
    users.set_password(world.database, user.id or 0, password=PASSWORD, by="admin", now=NOW)
    return login


def without(keys: tuple[str, ...]) -> str:
    return "lacks-" + "-".join(sorted(keys))


@pytest.fixture(scope="module")
def lacking(app: Flask, world: Seeded) -> dict[tuple[str, ...], Visitor]:
    """For each set of keys that opens a page, somebody who holds all but these."""
    found: dict[tuple[str, ...], Visitor] = {}
    for rule in (*rules_of(app, "GET"), *rules_of(app, "POST")):
        keys = _keys(rights_of(app, rule))
        if keys and keys not in found:
            login = holder(world, without(keys), [key for key in KEYS if key not in keys])
            found[keys] = Visitor(app.test_client(), login)
    return found


def _keys(rights: tuple[Right, ...]) -> tuple[str, ...]:
    return tuple(sorted({key for right in rights for key in right.keys}))


def test_each_page_says_what_it_needs(app: Flask) -> None:
    rules = [*rules_of(app, "GET"), *rules_of(app, "POST")]
    assert len(rules) > 100
    assert {name(rule) for rule in rules if not rights_of(app, rule)} == FOR_ALL | OPEN


def test_who_is_not_logged_on_gets_to_the_form_and_changes_nothing(
    app: Flask, world: Seeded, switch: Switch, upload: str
) -> None:
    before = contents(world.database)
    stranger = app.test_client()
    for method in ("GET", "POST"):
        for rule in rules_of(app, method):
            if name(rule) not in OPEN:
                answer = stranger.open(path_of(rule, world, upload), method=method)
                assert (answer.status_code, (answer.location or "").partition("?")[0]) == (303, "/log-on"), rule
                quiet = stranger.open(path_of(rule, world, upload), method=method, headers={"Sec-Fetch-Dest": "empty"})
                assert (quiet.status_code, quiet.text) == (401, "log on again"), rule
    assert contents(world.database) == before
    assert switch.done == []


def test_who_lacks_its_keys_finds_no_page_no_link_no_button(
    app: Flask, world: Seeded, switch: Switch, lacking: dict[tuple[str, ...], Visitor], upload: str
) -> None:
    tokens = {keys: visitor.token() for keys, visitor in lacking.items()}
    menus = {keys: visitor.get("/account").text for keys, visitor in lacking.items()}
    before = contents(world.database)
    for rule in rules_of(app, "GET"):
        if keys := _keys(rights_of(app, rule)):
            path = path_of(rule, world, upload)
            assert lacking[keys].get(path).status_code == 403, path
            assert f'href="{path}"' not in menus[keys], path
    for rule in rules_of(app, "POST"):
        if keys := _keys(rights_of(app, rule)):
            path = path_of(rule, world, upload)
            answer = lacking[keys].client.post(path, data={"csrf_token": tokens[keys]})
            assert answer.status_code == 403, path
    assert contents(world.database) == before
    assert switch.done == []


@pytest.mark.parametrize("form", [{}, {"csrf_token": "wrong"}])
def test_what_is_not_sent_by_our_form_does_nothing(
    app: Flask, world: Seeded, admin: Visitor, switch: Switch, upload: str, form: dict[str, str]
) -> None:
    before = contents(world.database)
    for rule in rules_of(app, "POST"):
        answer = admin.client.post(path_of(rule, world, upload), data=form)
        assert answer.status_code == 400, rule
        assert "not one of this console" in answer.text, rule
    assert contents(world.database) == before
    assert switch.done == []


@pytest.mark.parametrize("key", ["", *KEYS])
def test_one_key_opens_its_pages_and_no_page_leads_to_a_closed_one(app: Flask, world: Seeded, key: str) -> None:
    """Every link on every page that one sees can be followed, and each button there may be pressed."""
    visitor = Visitor(app.test_client(), holder(world, f"holds-{key}", [key] if key else []))
    links: dict[str, str] = {}
    buttons: dict[str, str] = {}
    for rule in rules_of(app, "GET"):
        keys = _keys(rights_of(app, rule))
        if name(rule) in TOGETHER | OPEN or (keys and key not in keys) or (not keys and "job_id" in rule.rule):
            continue
        for path in looks_of(rule, world):
            if "/csv/x" in path:
                continue
            answer = visitor.get(path)
            assert answer.status_code < 400, path
            if answer.mimetype == "text/html":
                links |= {unescape(link): path for link in LINK.findall(answer.text)}
                buttons |= {unescape(to): path for to, inside in FORM.findall(answer.text) if "<button" in inside}
                buttons |= {unescape(to): path for to in DEED.findall(answer.text)}
    for link, page in links.items():
        if not link.startswith("/static/"):
            answer = visitor.client.get(link, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code < 400, f"{page} leads to {link}"
    router = app.url_map.bind("localhost")
    for address, page in buttons.items():
        endpoint, _ = router.match(address.partition("?")[0], method="POST")
        keys = _keys(getattr(app.view_functions[endpoint], "rights", ()))
        assert not keys or key in keys, f"{page} has a button for {address}"


# In a real browser

FACTS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  const named = (id) => document.getElementById(id);
  const refers = ["aria-describedby", "aria-labelledby", "aria-controls", "for"].flatMap((attribute) =>
    [...document.querySelectorAll(`[${attribute}]`)].flatMap((one) => one.getAttribute(attribute).split(/\\s+/)));
  return {
    twice: ids.filter((id, place) => ids.indexOf(id) !== place),
    nowhere: refers.filter((id) => id && !named(id)),
    heads: document.querySelectorAll("h1").length,
    planted: document.querySelectorAll("img[src=x], s, main script:not([src])").length,
    title: document.title,
  };
}"""

WIDEST = """() => [...document.querySelectorAll("main *")].filter((one) => {
  const edge = one.getBoundingClientRect().right;
  return edge > innerWidth + 1 && ![...one.children].some((each) => each.getBoundingClientRect().right >= edge);
}).slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""
GOOD_FACTS = {"twice": [], "nowhere": [], "heads": 1, "planted": 0}
ON_A_PHONE = ("color-contrast", "scrollable-region-focusable")  #: what depends on width and colours
PARTS = 4
#: for all that is stored; begins so that what is short is a tag, too, and holds no blank since some texts may not
PLANTED = "<s><img/src='x'/onerror=\"document.title='gone'\"><script>document.title='gone'</script>'\"&"


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    with serving(app) as address:
        yield address


def _whole_pages(app: Flask, admin: Visitor, world: Seeded, upload: str) -> list[str]:
    """Addresses of pages; not of what is fetched into one."""
    found = []
    for rule in rules_of(app, "GET"):
        if name(rule) in NOT_HTML | OPEN:
            continue
        for path in looks_of(rule, world, upload):
            answer = admin.get(path)
            if answer.status_code == 200 and answer.text.startswith("<!doctype"):
                found.append(path)
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_in_chromium(
    app: Flask, world: Seeded, admin: Visitor, browser: Browser, address: str, upload: str, part: int
) -> None:
    """On a wall in dark and on a phone in both: nothing is written to the console, refused by the policy, wider than
    the window, serious to axe, or HTML that was a name; ids are unique, and what refers to one finds it."""
    wrong: list[str] = []
    titles: dict[str, str] = {}
    paths = _whole_pages(app, admin, world, upload)
    assert len(paths) > 50
    with ExitStack() as stack:
        desk = sit_down_at(stack, browser, address, width=WALL, scheme="dark")
        desk.page.emulate_media(reduced_motion="reduce")  # colours are there at once
        for path in paths[part::PARTS]:
            page = desk.go(path)
            facts = page.evaluate(FACTS)
            titles[path] = facts.pop("title")
            wrong += [f"{path}: {facts}"] * (facts != GOOD_FACTS)
            wrong += [f"{path}: {fault}" for fault in (*_faults(page), *desk.said)]
            desk.said.clear()
    assert not wrong, "\n".join(wrong)
    assert [path for path, title in titles.items() if not title.endswith(" · Wombat ARI")] == []


def _faults(page: Page) -> Iterator[str]:
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    for width, scheme, rules in ((WALL, "dark", ()), (PHONE, "light", ON_A_PHONE), (PHONE, "dark", ON_A_PHONE[:1])):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if sticks_out := overflow(page):
            yield f"{width} px {scheme}: {sticks_out} px too wide: {page.evaluate(WIDEST)}"
        yield from (f"{width} px {scheme}: {one}" for one in complaints(page, *rules))
