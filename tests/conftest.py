"""Real parts for tests: a private Asterisk and a private MariaDB.

They are made if they are missing (a minute, once per machine). A machine that cannot have them fails the tests that
need them, with the reason: such tests are never skipped. Use the shared `asterisk` and `mariadb` unless the test
breaks, stops or configures its own: then take `new_asterisk` or `new_mariadb`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import pages
from tools.provision.asterisk import AsteriskInstance
from tools.provision.errors import ProvisionError
from tools.provision.mariadb import NO_POWER_CUT, MariaDBInstance

NewAsterisk = Callable[..., AsteriskInstance]
NewMariaDB = Callable[..., MariaDBInstance]


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a script: what tests start would not hear Ctrl-C either.
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: The longest files, the longest first; then the folders of the long ones.
LONGEST = (
    *("system/test_commands", "system/test_crashes", "system/test_outcomes", "system/test_notifications"),
    *("system/test_processes", "system/test_flows", "system/test_calls", "system/test_full_disk"),
    *("bench/test_p9_p10_p12_dialer", "bench/test_p1_calls", "bench/test_p11_addcall", "system/test_addcall_killed"),
    *("recipes/test_callback", "recipes/test_social", "api/test_schema", "system/test_many_pbxs"),
    *("console/test_live", "console/test_sweep", "console/test_everywhere", "console/test_attacks"),
)
LONG = ("system", "bench", "recipes", "console", "api")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several workers the longest files go first, so that nobody waits for the last one."""
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder, name = item.path.parent.name, f"{item.path.parent.name}/{item.path.stem}"
    if name in LONGEST:
        return LONGEST.index(name)
    return len(LONGEST) + (folder not in LONG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails with a browser open says what its page showed."""
    report = yield
    if report.failed:
        report.sections += [(f"{address} shows", text) for address, text in pages.shown()]
    return report


def started(stack: ExitStack, make: Callable[[], Any]) -> Any:
    """Make an instance, start it, and have it stopped at the end; or fail in plain words."""
    try:
        instance = make()
        stack.callback(instance.kill)
        instance.start()
    except ProvisionError as error:
        pytest.fail(str(error), pytrace=False)
    return instance


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskInstance]:
    """One Asterisk for the whole test run; leave it as you found it, and choose channel ids of your own."""
    with ExitStack() as stack:
        yield started(stack, lambda: AsteriskInstance(tmp_path_factory.mktemp("asterisk")))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBInstance]:
    """One MariaDB for the whole test run; make a database of your own in it."""
    with ExitStack() as stack:
        yield started(stack, lambda: MariaDBInstance(tmp_path_factory.mktemp("mariadb"), options=NO_POWER_CUT))


@pytest.fixture
def new_asterisk(tmp_path: Path) -> Iterator[NewAsterisk]:
    """Start an Asterisk of the test's own: ``new_asterisk(name="pbx2", extra_conf=..., ...)``; ended with the test."""
    with ExitStack() as stack:

        def new(*, name: str = "pbx1", **options: Any) -> AsteriskInstance:
            return started(stack, lambda: AsteriskInstance(tmp_path / name, name=name, **options))

        yield new


@pytest.fixture
def new_mariadb(tmp_path: Path) -> Iterator[NewMariaDB]:
    """Start a MariaDB of the test's own: ``new_mariadb(name="db2", options=[...])``; ended with the test."""
    with ExitStack() as stack:

        def new(*, name: str = "db", options: Sequence[str] = ()) -> MariaDBInstance:
            return started(stack, lambda: MariaDBInstance(tmp_path / name, options=[*NO_POWER_CUT, *options]))

        yield new
