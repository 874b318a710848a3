"""The system log's pages, forth and back, filtered, on both databases."""

from __future__ import annotations

import pytest

from tests.app.service.conftest import BOTH, caller
from tests.store.conftest import NOW
from wombat_ari.app.service import syslog
from wombat_ari.app.service.syslog import PAGE, LogPage, LogWanted
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import UserError
from wombat_ari.store import syslog as store
from wombat_ari.store.database import Database

WHO = caller("sue", "SYSLOG")


def write(db: Database, count: int) -> None:
    """Three of each moment; ``who`` and ``what`` alternate; the number is the object."""
    store.write(
        db,
        [
            SystemLogEntry(NOW + number // 3, f"who{number % 2}", f"what{number % 5}", str(number), "")
            for number in range(count)
        ],
    )


def numbers(page: LogPage) -> list[int]:
    return [int(line.object) for line in page.lines]


@BOTH
def test_forth_to_the_end_and_back_again(database: Database) -> None:
    count = PAGE * 2 + 50
    write(database, count)
    pages, place = [], None
    while True:
        page = syslog.browse(WHO, database, LogWanted(), behind=place)
        pages.append(page)
        if page.earlier is None:
            break
        place = page.earlier
    assert [number for page in pages for number in numbers(page)] == list(reversed(range(count)))
    assert [len(page.lines) for page in pages] == [PAGE, PAGE, 50]
    assert pages[0].later is None
    back = syslog.browse(WHO, database, LogWanted(), before=pages[2].later)
    assert numbers(back) == numbers(pages[1])
    first = syslog.browse(WHO, database, LogWanted(), before=back.later)
    assert numbers(first) == numbers(pages[0])
    assert (first.later, first.earlier) == (None, pages[0].earlier)


@BOTH
def test_by_user_action_and_period(database: Database) -> None:
    write(database, 30)
    assert numbers(syslog.browse(WHO, database, LogWanted(user="who1", action="what0"))) == [25, 15, 5]
    period = LogWanted(from_at=NOW + 1, to_at=NOW + 3)
    assert numbers(syslog.browse(WHO, database, period)) == [8, 7, 6, 5, 4, 3]
    page = syslog.browse(WHO, database, LogWanted(user="nobody"))
    assert (page.lines, page.earlier, page.later) == ([], None, None)
    assert page.users == ["who0", "who1"]
    assert page.actions == [f"what{number}" for number in range(5)]


@BOTH
def test_the_indexes_are_used(database: Database) -> None:
    """What is asked for stands in an index: a log of years is not read through."""
    write(database, 3000)
    for column in ("login", "action"):
        sql = (
            f"SELECT id FROM system_log WHERE at >= 0 AND at < 1e12 AND {column} = %s ORDER BY at DESC, id DESC LIMIT 3"
        )
        with database.transaction(write=False) as tx:
            plan = str(tx.rows(("EXPLAIN QUERY PLAN " if database.kind == "sqlite" else "EXPLAIN ") + sql, ("who1",)))
        assert f"system_log_by_{column}_at" in plan
        assert "TEMP B-TREE" not in plan
        assert "filesort" not in plan


def test_it_needs_its_key(database: Database) -> None:
    with pytest.raises(UserError, match="SYSLOG"):
        syslog.browse(caller("eve", "ADMIN", "LIVE"), database, LogWanted())
