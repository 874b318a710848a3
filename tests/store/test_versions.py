"""Who changes or deletes what they have read, by its version, does so only while it is that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.store.builders import BY, add_list
from tests.store.conftest import NOW
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError
from wombat_ari.store import entities, lists, saving
from wombat_ari.store.database import Database

ACTS: dict[str, Callable[[Database, int, int], object]] = {
    "delete": lambda db, key, version: entities.delete_list(db, key, by=BY, now=NOW, version=version),
    "save": lambda db, key, version: entities.save_list(db, CallList(key, "c"), by=BY, now=NOW, version=version),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("late", [False, True])
def test_a_version_that_has_passed_is_refused(
    database: Database, act: str, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``late``: it passes after it was read, in the middle of the transaction."""
    key = add_list(database, "a", ["1"])
    entities.save_list(database, CallList(key, "b"), by="ada", now=NOW)
    if late:
        monkeypatch.setattr(saving, "_require_version", lambda *_: None)
    with pytest.raises(UserError, match="changed by ada in the meantime") as caught:
        ACTS[act](database, key, 1)
    assert caught.value.code == saving.CONFLICT
    assert entities.load_list(database, key).name == "b"
    assert lists.count_records(database, key) == 1, "nothing half done"
    monkeypatch.undo()
    ACTS[act](database, key, 2)
