"""Uploads that wait to be looked at: whose they are, how many, how much of the disk; who clicks twice."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from tests.store.conftest import NOW
from tests.webui.console.conftest import Desk, Visitor
from webui.console import uploads
from webui.console.uploads import KEPT_S, MOST, Uploads
from wombat_ari.app.room import NO_ROOM, Room
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError
from wombat_ari.store import entities, lists
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]


class World:
    """``keep("bob", 10)``: bob uploads 10 bytes; ``there("bob", token)``."""

    def __init__(self, room: int) -> None:
        self.now = NOW
        self.room = Room(room)
        self.uploads = Uploads(lambda: self.now, self.room)

    def keep(self, owner: str, size: int) -> str:
        return self.uploads.keep(io.BytesIO(b"x" * size), owner=owner, list_id=1, name="n.csv").token

    def there(self, owner: str, token: str) -> bool:
        try:
            return self.uploads.find(token, owner=owner, list_id=1).file.read(1) == b"x"
        except UserError:
            return False


def test_the_oldest_of_one_s_own_make_room_and_nobody_else_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 100)
    world = World(1000)
    bobs = world.keep("bob", 100)
    anns = [world.keep("ann", 10) for _ in range(MOST + 1)]
    assert [world.there("ann", token) for token in anns] == [False] + [True] * MOST
    large = world.keep("ann", 95)
    assert [world.there("ann", token) for token in anns] == [False] * (MOST + 1)
    assert world.there("ann", large)
    assert world.there("bob", bobs)
    assert not world.there("ann", bobs)
    assert world.room.taken == 195, "what is gone takes no room"


def test_the_disk_is_not_filled_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 100)
    world = World(250)
    kept = [world.keep(owner, 100) for owner in ("ann", "bob")]
    with pytest.raises(UserError, match="try again") as refused:
        world.keep("eve", 100)
    assert refused.value.code == NO_ROOM
    assert world.there("ann", kept[0])
    world.now += KEPT_S + 1
    eves = world.keep("eve", 100)
    assert world.there("eve", eves), "what nobody decided about in half an hour is gone"
    assert world.room.taken == 100


def test_what_is_taken_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(100)
    token = world.keep("ann", 10)
    taken = world.uploads.take(token, owner="ann", list_id=1)
    with pytest.raises(UserError):
        world.uploads.take(token, owner="ann", list_id=1)
    world.uploads.put_back(taken)
    assert world.there("ann", token)


@pytest.fixture
def numbers(database: Database) -> int:
    return entities.save_list(database, CallList(None, "Numbers"), by="admin", now=NOW).id or 0


def test_a_csv_is_imported_once_and_may_be_corrected(visitor: Visitors, database: Database, numbers: int) -> None:
    one = visitor()
    file: Any = (io.BytesIO(b"NUM,A\n5551,2\n"), "n.csv")
    address = one.post(f"/lists/{numbers}/upload", kind="csv", file=file).location
    assert one.post(address, delimiter=",", label=["A-B"]).status_code == 400
    assert one.post(address, delimiter=",", label=["A"]).status_code == 303
    assert one.post(address, delimiter=",", label=["A"]).status_code == 404
    assert lists.count_records(database, numbers) == 1


def test_no_room_is_said_on_a_page(
    visitor: Visitors, database: Database, numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.api.importing.WAITING", Room(5))
    answer = visitor().post(f"/lists/{numbers}/paste", numbers="5551\n5552\n")
    assert (answer.status_code, "try again when some are done" in answer.text) == (503, True)
    assert lists.count_records(database, numbers) == 0


SENT = (
    """(form) => [1, 2].map(() => form.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true })))"""
)


def test_a_form_on_its_way_is_not_sent_again(desk: Callable[..., Desk], numbers: int) -> None:
    """Each of two clicks before the answer is here: whether the browser sends the form."""
    page = desk().go(f"/lists/{numbers}/add")
    assert page.locator("form:has(textarea[name=numbers])").evaluate(SENT) == [True, False]
