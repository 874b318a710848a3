"""A fresh database of each kind for every test of the store: the same tests hold on SQLite and on MariaDB."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.provision.mariadb import MariaDBInstance
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.migrations import migrate

NOW = 1_760_000_000.0
KINDS = ("sqlite", "mysql")
_numbers = itertools.count(1)


@pytest.fixture(params=KINDS)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes an empty database at each call and gives its URL."""
    server: MariaDBInstance | None = request.getfixturevalue("mariadb") if request.param == "mysql" else None
    names: list[str] = []

    def make() -> str:
        name = f"store{next(_numbers)}"
        if server is None:
            return f"sqlite:///{tmp_path}/{name}.db"
        server.create_database(name)
        names.append(name)
        return server.url(name)

    yield make
    for name in names:
        server.drop_database(name)


@pytest.fixture
def empty(new_url: Callable[[], str], tmp_path: Path) -> Iterator[Database]:
    """Without tables."""
    db = open_database(new_url(), key_file=tmp_path / "secrets.key")
    yield db
    db.close()


@pytest.fixture
def database(empty: Database) -> Database:
    migrate(empty, now=NOW)
    return empty
