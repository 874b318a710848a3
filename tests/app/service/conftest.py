"""People with keys, and a quick database: a migrated SQLite file is made once and copied; ``BOTH`` adds MariaDB."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.conftest import NOW
from wombat_ari.app.service.caller import Caller
from wombat_ari.model.admin import Keyring
from wombat_ari.model.tokens import ALL_SCOPES, Scope
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.migrations import migrate

BOTH = pytest.mark.parametrize("database", ["sqlite", "mysql"], indirect=True)
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables."""
    file = tmp_path_factory.mktemp("migrated") / "wombat.db"
    database = open_database(f"sqlite:///{file}")
    migrate(database, now=NOW)
    with database.transaction() as tx:
        tx.value("SELECT COUNT(*) FROM schema_version")
    database.close()
    return file


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Database]:
    """A fresh one, SQLite unless ``BOTH`` says more."""
    key_file = tmp_path / "secret.key"
    if getattr(request, "param", "sqlite") == "sqlite":
        for part in migrated.parent.iterdir():
            shutil.copy(part, tmp_path / part.name)
        database = open_database(f"sqlite:///{tmp_path / 'wombat.db'}", key_file=key_file)
        yield database
        database.close()
        return
    server, name = request.getfixturevalue("mariadb"), f"service{next(_numbers)}"
    server.create_database(name)
    database = open_database(server.url(name), key_file=key_file)
    migrate(database, now=NOW)
    yield database
    database.close()
    server.drop_database(name)


def caller(login: str, *keys: str, scopes: frozenset[Scope] = ALL_SCOPES, master: bool = False) -> Caller:
    """Somebody who may log on and holds these keys besides."""
    return Caller(login, Keyring(login, master, frozenset({"USER", *keys})), NOW, "192.0.2.7", scopes)


@pytest.fixture
def master() -> Caller:
    return caller("root", master=True)
