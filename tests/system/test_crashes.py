"""``kill -9`` of the dialer, of Asterisk, of the database, and a database that does not answer, in mid-campaign.

The story (``ordeal``) is played once, on a MariaDB and an Asterisk of its own; each test judges one side of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system.ordeal import CAMPAIGN, FINAL, Ordeal, numbers, undergo
from tests.system.site import Site
from tests.system.witness import CONF, Witness
from tools.provision.asterisk import AsteriskInstance
from tools.provision.mariadb import NO_POWER_CUT, MariaDBInstance

pytestmark = pytest.mark.slow

CLOSE_S = 0.150
SETTLED_S = 1.0  #: after a freeze what was committed before it may still be dialled so long


@pytest.fixture(scope="module")
def ordeal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("ordeal")
        mariadb = MariaDBInstance(folder / "db", options=NO_POWER_CUT)
        stack.callback(mariadb.kill)
        mariadb.start()
        mariadb.create_database("ordeal")
        pbx = AsteriskInstance(folder / "pbx", name="pbx", extra_conf=CONF)
        stack.callback(pbx.kill)
        witness = Witness(pbx)
        pbx.start()
        site = Site(folder / "site", url=mariadb.url("ordeal"))
        stack.callback(site.close)
        story = undergo(site, witness, mariadb)
        print(story.summary())
        yield story


def test_the_campaign_ends(ordeal: Ordeal, capsys: pytest.CaptureFixture[str]) -> None:
    assert ordeal.site.rows("SELECT campaign_name, state FROM run") == [(CAMPAIGN, "COMPLETED")]
    with capsys.disabled():
        print(f"\n{ordeal.summary()}")


def test_every_record_is_accounted_for(ordeal: Ordeal) -> None:
    """Each is closed as it behaves, whatever happened on the way."""
    last = {row["number"]: row for row in ordeal.attempts}
    assert sorted(last) == sorted(numbers())
    ends = {number: row["outcome"] for number, row in last.items()}
    assert ends == {number: FINAL[number[3]] for number in numbers()}
    assert all(row["retry_in_s"] == 0 for row in last.values())


def test_each_was_handed_on_once_when_it_was_closed(ordeal: Ordeal) -> None:
    assert sorted(ordeal.handed_on) == sorted(numbers())


def test_attempts_are_counted_without_a_gap(ordeal: Ordeal) -> None:
    of_record: dict[str, list[int]] = {}
    for row in ordeal.attempts:
        of_record.setdefault(row["number"], []).append(row["attempt"])
    assert all(counted == list(range(1, len(counted) + 1)) for counted in of_record.values())
    again = [row for row in ordeal.attempts if row["retry_in_s"]]
    assert len(ordeal.attempts) == len(numbers()) + len(again)


def test_the_ledger_is_right_at_the_end_and_was_at_every_look(ordeal: Ordeal) -> None:
    (counted,) = ordeal.site.check_ledger()
    assert (counted.taken, counted.closed) == (len(numbers()), len(numbers()))
    assert (counted.open_attempts, counted.open_retries) == (0, 0)
    assert ordeal.watcher is not None
    assert ordeal.watcher.faults == []
    assert ordeal.watcher.looks > 60


def test_no_attempt_was_dialled_twice(ordeal: Ordeal) -> None:
    twice = {wombatid: seen.began for wombatid, seen in ordeal.seen.items() if len(seen.began) != 1}
    assert twice == {}


def test_every_call_is_in_the_log(ordeal: Ordeal) -> None:
    logged = {row["wombatid"]: row["number"] for row in ordeal.attempts}
    dialled = {wombatid: seen.number for wombatid, seen in ordeal.seen.items()}
    assert {wombatid: number for wombatid, number in dialled.items() if logged.get(wombatid) != number} == {}
    never = [row for row in ordeal.attempts if row["wombatid"] not in dialled]
    assert {row["outcome"] for row in never} <= {"RS_ERROR", "RS_LOST"}, "answered, but never dialled"


def test_no_record_had_two_live_calls(ordeal: Ordeal) -> None:
    """By Asterisk's own notes; a call that was up when Asterisk was killed ended there and then."""
    killed = ordeal.spans["Asterisk killed"][0]
    spans: dict[str, list[tuple[float, float]]] = {}
    for seen in ordeal.seen.values():
        end = max(seen.ended[0] if seen.ended else killed, seen.left or 0.0)
        spans.setdefault(seen.number, []).append((seen.began[0], end))
    for number, calls in spans.items():
        for before, after in itertools.pairwise(sorted(calls)):
            assert before[1] <= after[0], f"{number}: two calls at once: {before} and {after}"


def test_live_calls_were_taken_up(ordeal: Ordeal) -> None:
    """All that still lived when the new dialer had looked, under the same WOMBATIDs."""
    lived = ordeal.connected_before - ordeal.gone_between
    assert len(lived) >= 5
    assert lived <= ordeal.connected_after
    rows = {row["wombatid"]: row for row in ordeal.attempts}
    lost = ordeal.spans["Asterisk killed"][0]
    for wombatid in lived:
        seen = ordeal.seen[wombatid]
        if seen.ended and seen.ended[0] < lost:
            assert rows[wombatid]["outcome"] == "TERMINATED"


def test_calls_that_ended_while_no_dialer_looked_are_known_by_their_notes(ordeal: Ordeal) -> None:
    begin, end = ordeal.spans["the dialer killed"]
    rows = {row["wombatid"]: row for row in ordeal.attempts}
    ended = [wombatid for wombatid, seen in ordeal.seen.items() if seen.ended and begin < seen.ended[0] < end - 0.5]
    assert ended
    assert [rows[wombatid]["number"] for wombatid in ended if rows[wombatid]["outcome"] == "RS_LOST"] == []


def test_talk_times_are_right(ordeal: Ordeal) -> None:
    """Of all answered calls but those whose answer nobody could see; also of those that ended unseen."""
    checked = through = 0
    for row in ordeal.attempts:
        seen = ordeal.seen.get(row["wombatid"])
        blind = ("the dialer killed", "the dialer killed again", "Asterisk killed")
        if row["outcome"] != "TERMINATED" or seen is None or seen.answered is None or not seen.ended:
            continue
        if ordeal.during(seen.answered, *blind):
            continue
        really = seen.ended[0] - seen.answered
        unseen_end = ordeal.during(seen.ended[0], *blind)
        through += unseen_end
        assert abs(row["talk_ms"] / 1000 - really) <= CLOSE_S + ordeal.stall_s, (row, seen)
        checked += 1
    assert checked >= 100
    assert through >= 3


def test_nobody_was_called_while_the_database_was_away(ordeal: Ordeal) -> None:
    for name, begin_after in (("the database frozen", SETTLED_S), ("the database killed", SETTLED_S)):
        begin, end = ordeal.spans[name]
        called = [seen.number for seen in ordeal.seen.values() if begin + begin_after < seen.began[0] < end - 0.5]
        assert called == [], name
    begin, end = ordeal.spans["the database frozen"]
    assert end - begin >= 20


def test_nobody_was_called_while_there_was_no_dialer(ordeal: Ordeal) -> None:
    for name in ("the dialer killed", "the dialer killed again"):
        begin, _ = ordeal.spans[name]
        assert [seen.number for seen in ordeal.seen.values() if begin + 0.5 < seen.began[0] < begin + 1.0] == []


def test_trouble_with_the_database_was_said(ordeal: Ordeal) -> None:
    assert "the database has not answered for" in ordeal.trouble_said
    status, text = ordeal.health
    assert status == 503
    assert "the database has not answered for" in text


def test_crashes_are_in_the_system_log(ordeal: Ordeal) -> None:
    log = ordeal.site.system_log()
    crashes = [detail for action, thing, detail in log if (action, thing) == ("dialer crashed", "dialer")]
    assert len(crashes) == 2
    assert all("killed by SIGKILL" in detail for detail in crashes)
    actions = [action for action, *_ in log]
    assert actions.count("PBX down") == 1
    assert actions.count("PBX up") == 4


def test_nothing_was_left_on_the_pbx(ordeal: Ordeal) -> None:
    assert "0 active channels" in ordeal.witness.pbx.cli("core show channels count")


def test_no_mistake_of_ours_showed(ordeal: Ordeal) -> None:
    log = (ordeal.site.folder / "serve.log").read_text()
    assert "mistake of ours" not in log
    assert "Traceback" not in log
