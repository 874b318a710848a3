"""The doctor at the database: what is right on both kinds, and each thing that may be wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.app.service.conftest import BOTH, database, migrated  # noqa: F401 - fixtures
from wombat_ari.app import doctor_database
from wombat_ari.app.config import Settings, load_settings
from wombat_ari.app.doctor_database import examine_database
from wombat_ari.app.doctor_words import Finding, Grade
from wombat_ari.model.errors import StoreError
from wombat_ari.store.database import Database
from wombat_ari.store.vitals import Vitals, vitals

WELL = Vitals("MariaDB", "10.11.6", "utf8mb4", "+00:00", "READ-COMMITTED", True, 151, None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(environ={"WOMBAT_ARI_STATE_FOLDER": str(tmp_path)})


@BOTH
def test_a_database_of_ours_is_well(database: Database, settings: Settings) -> None:  # noqa: F811
    found = examine_database(settings, database)
    assert [finding for finding in found if finding.grade is not Grade.GOOD] == []
    said = vitals(database)
    assert said.product in ("SQLite", "MariaDB")
    assert said.version[0].isdigit()
    assert said.folder is not None, "it is on this machine"
    assert any(finding.about == f"disk of {said.folder}" for finding in found)


@pytest.mark.parametrize(
    ("change", "grade", "text"),
    [
        ({"version": "10.5.1"}, Grade.WARNING, "MariaDB 10.5.1"),
        ({"product": "MySQL", "version": "5.7.9"}, Grade.WARNING, "MySQL 5.7.9"),
        ({"product": "SQLite", "version": "3.30.1", "isolation": "WAL"}, Grade.WARNING, "SQLite 3.30.1"),
        ({"product": "SQLite", "version": "3.40.1", "isolation": "DELETE"}, Grade.WARNING, "journal mode DELETE"),
        ({"charset": "latin1"}, Grade.WARNING, "latin1"),
        ({"time_zone": "SYSTEM"}, Grade.BAD, "time zone SYSTEM"),
        ({"isolation": "REPEATABLE-READ"}, Grade.BAD, "REPEATABLE-READ"),
        ({"durable": False}, Grade.WARNING, "power cut"),
        ({"connections": 10}, Grade.WARNING, "takes 10 connections"),
    ],
)
def test_what_is_wrong_is_said(
    settings: Settings,
    database: Database,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    grade: Grade,
    text: str,
) -> None:
    monkeypatch.setattr(doctor_database, "vitals", lambda db: replace(WELL, **change))
    (finding,) = _not_good(examine_database(settings, database))
    assert (finding.grade, text in finding.text) == (grade, True), finding
    assert finding.advice


def test_a_full_disk_is_said(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(doctor_database, "LOW_DISK_MB", 10**12)
    (finding,) = _not_good(examine_database(settings, database))
    assert "free some space" in finding.advice


def test_a_database_that_is_away_is_said(
    settings: Settings,
    database: Database,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(db: Database) -> Vitals:
        raise StoreError("connection refused", transient=True)

    monkeypatch.setattr(doctor_database, "vitals", away)
    (finding,) = _not_good(examine_database(settings, database))
    assert (finding.grade, finding.text) == (Grade.BAD, "connection refused")


def _not_good(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.grade is not Grade.GOOD]
