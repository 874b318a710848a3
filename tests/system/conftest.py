"""Sites for system tests, on both kinds of database, beside one Asterisk that tells what really happened."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.system.centre import Centre, opened
from tests.system.site import Site
from tests.system.witness import CONF, Witness
from tools.provision.asterisk import AsteriskInstance
from tools.provision.mariadb import MariaDBInstance

NewSite = Callable[..., Site]
_numbers = itertools.count(1)

#: Whole call centres with agents on a real Asterisk: minutes long, and their promises in milliseconds hold on a machine
#: that does nothing else. Not in the default suite: ``tools/test -m floor`` runs them.
FLOOR = ("test_queues", "test_queue_campaigns", "test_queue_load", "test_queue_break", "test_reverse", "test_preview")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "system" and item.path.stem.startswith(FLOOR):
            item.add_marker(pytest.mark.floor)


@pytest.fixture(scope="session")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witness]:
    """One Asterisk for all system tests that do not break it; its dialplan notes what it does."""
    pbx = AsteriskInstance(tmp_path_factory.mktemp("witness"), name="witness", extra_conf=CONF)
    with ExitStack() as stack:
        stack.callback(pbx.kill)
        witness = Witness(pbx)
        pbx.start()
        yield witness


@pytest.fixture(scope="session")
def whole_centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """One call centre for all tests of queues."""
    with ExitStack() as stack:
        centre = opened(stack, tmp_path_factory.mktemp("centre"))
        yield centre
        print(f"\n{centre.report()}")


@pytest.fixture
def centre(whole_centre: Centre) -> Iterator[Centre]:
    """The call centre, empty; left empty."""
    yield whole_centre
    whole_centre.clear()
    assert whole_centre.floor.trouble == []
    assert "Traceback" not in whole_centre.site.log()
    assert "mistake of ours" not in whole_centre.site.log()


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[NewSite]:
    """``new_site(url=..., settings=...)``: a site in a folder of its own; its processes are ended with the test."""
    with ExitStack() as stack:

        def new(**options: Any) -> Site:
            site = Site(tmp_path / f"site{next(_numbers)}", **options)
            stack.callback(site.close)
            return site

        yield new


@pytest.fixture(params=["sqlite", "mysql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of each kind: nothing for the embedded one, else the URL of one in the shared MariaDB."""
    if request.param == "sqlite":
        yield ""
        return
    server: MariaDBInstance = request.getfixturevalue("mariadb")
    name = f"system{next(_numbers)}"
    server.create_database(name)
    yield server.url(name)
    server.drop_database(name)
