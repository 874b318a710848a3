"""The doctor says what keeps it from going on. What it finds on real servers: tests/system/test_doctor.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from wombat_ari.app import doctor
from wombat_ari.app.config import load_settings
from wombat_ari.app.doctor import Finding, Grade
from wombat_ari.model.errors import StoreError
from wombat_ari.store.database import Database


async def _inline(work: Callable[..., Any], *arguments: Any) -> Any:
    return work(*arguments)


async def _no_dialer(settings: Any, reactor: Any) -> AsyncIterator[Finding]:
    for finding in ():
        yield finding


def _examined(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, load: Callable[[Database], Any]) -> list[Finding]:
    """Without threads and a reactor: nothing is waited for."""
    monkeypatch.setattr(doctor, "_in_thread", _inline)
    monkeypatch.setattr(doctor, "_dialer", _no_dialer)
    monkeypatch.setattr(doctor, "examine_database", lambda settings, database: [])
    monkeypatch.setattr(doctor, "_mail", lambda settings, database: [])
    settings = load_settings(environ={"WOMBAT_ARI_STATE_FOLDER": str(tmp_path)})
    found: list[Finding] = []

    async def gather() -> None:
        found.extend([finding async for finding in doctor.examine(settings, None, None, load=load)])  # type: ignore[arg-type]

    with pytest.raises(StopIteration):
        gather().send(None)
    return found


def _fails(error: StoreError) -> Callable[[Database], Any]:
    def load(database: Database) -> Any:
        raise error

    return load


def test_a_lost_key_file_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = _examined(monkeypatch, tmp_path, _fails(StoreError("key file /x/secret.key is missing")))
    assert [(each.grade, each.text) for each in found] == [(Grade.BAD, "key file /x/secret.key is missing")]


def test_a_database_that_is_away_was_said_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _examined(monkeypatch, tmp_path, _fails(StoreError("away", transient=True))) == []
