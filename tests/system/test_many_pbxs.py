"""Three real Asterisks at work for one campaign: one is killed, one frozen, and the third does not feel it.

The story (``trio``) is played once; each test judges one side of it. The long one, with the dialer killed as well, is
``floor``: several minutes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system.site import Site
from tests.system.trio import FINAL, FROZEN, KILLED, LINES, NAMES, RULES, SPARED, Trio, three, undergo
from tools.provision.mariadb import MariaDBInstance

pytestmark = pytest.mark.slow

KEEPS = 0.6  #: of its rate before, at least, the spared one has meanwhile; its lines stay in use for certain


@pytest.fixture(scope="module", params=["short", pytest.param("long", marks=pytest.mark.floor)])
def trio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    long = request.param == "long"
    with ExitStack() as stack:
        folder, url = tmp_path_factory.mktemp("trio"), ""
        if long:
            server: MariaDBInstance = request.getfixturevalue("mariadb")
            server.create_database("trio")
            url = server.url("trio")
        witnesses = stack.enter_context(three(folder))
        site = Site(folder / "site", url=url, settings={"COLUMNS": "200"})
        stack.callback(site.close)
        story = undergo(site, witnesses, long=long)
        print(story.summary())
        yield story


def test_the_campaign_ends(trio: Trio, capsys: pytest.CaptureFixture[str]) -> None:
    assert trio.site.rows("SELECT state FROM run") == [("COMPLETED",)]
    with capsys.disabled():
        print(f"\n{trio.summary()}")


def test_the_third_keeps_its_rate(trio: Trio) -> None:
    assert trio.rates["meanwhile"] >= KEEPS * trio.rates["before"]
    used = {name: sum(looks) / len(looks) for name, looks in trio.used.items()}
    assert used["meanwhile"] >= 0.9 * used["before"]
    assert max(trio.used["meanwhile"]) <= LINES


def test_both_losses_are_noticed_and_said(trio: Trio) -> None:
    assert set(trio.noticed) == {FROZEN, KILLED}
    assert "does not answer" in trio.noticed[FROZEN]["error"]
    assert trio.noticed[FROZEN]["since"] >= trio.lost_at[FROZEN]
    assert trio.noticed[KILLED]["error"]
    (line,) = [line for line in trio.status.splitlines() if line.startswith(FROZEN)]
    assert "down" in line
    assert "does not answer" in line


def test_each_loss_is_in_the_system_log_once(trio: Trio) -> None:
    said = {name: [] for name in NAMES}
    for action, thing, _ in trio.site.system_log():
        if thing.startswith("server ") and action in ("PBX up", "PBX down"):
            said[thing.removeprefix("server ")].append(action)
    for name in (FROZEN, KILLED):
        assert said[name][:3] == ["PBX up", "PBX down", "PBX up"]
    assert set(said[SPARED]) == {"PBX up"}
    assert len([action for action in said[FROZEN] if action == "PBX down"]) <= 2


def test_both_take_up_calls_again(trio: Trio) -> None:
    for name in (FROZEN, KILLED):
        assert [seen for seen in trio.seen[name].values() if seen.began[0] > trio.back_at]
    assert all(line["used"] == 0 for line in trio.site.snapshot()["trunks"])


def test_every_record_is_dialled_as_often_as_the_rules_allow(trio: Trio) -> None:
    of_record: dict[str, list[str]] = {}
    for row in trio.attempts:
        of_record.setdefault(row["number"], []).append(row["outcome"])
        assert row["attempt"] == len(of_record[row["number"]])
    assert sorted(of_record) == sorted(trio.records)
    allowed = {rule["status"]: rule["max_attempts"] for rule in RULES}
    stood_still = {
        row["number"]
        for row in trio.attempts
        for name, begin, end in trio.stood_still
        if row["trunk_name"] == f"to {name}" and row["attempted_at"] <= end and row["ended_at"] >= begin
    }
    for number, outcomes in of_record.items():
        again = [place < allowed.get(outcome, 0) for place, outcome in enumerate(outcomes)]
        assert again == [True] * (len(outcomes) - 1) + [False], (number, outcomes)
        # What rang when its PBX stood still has rung out when that goes on.
        allowed_ends = {FINAL[number[3]], *(("RS_NOANSWER", "TERMINATED") if number in stood_still else ())}
        assert outcomes[-1] in allowed_ends, (number, outcomes)


def test_no_attempt_was_dialled_twice_nor_on_two_pbxs(trio: Trio) -> None:
    began = [(wombatid, name) for name, seen in trio.seen.items() for wombatid, one in seen.items() for _ in one.began]
    ids = [wombatid for wombatid, _ in began]
    assert len(ids) == len(set(ids))
    logged = {row["wombatid"]: (row["number"], row["trunk_name"]) for row in trio.attempts}
    for wombatid, name in began:
        assert logged[wombatid] == (trio.seen[name][wombatid].number, f"to {name}")
    never = [row for row in trio.attempts if row["wombatid"] not in set(ids)]
    assert {row["outcome"] for row in never} <= {"RS_ERROR", "RS_LOST"}
    assert {row["trunk_name"] for row in never} <= {f"to {FROZEN}", f"to {KILLED}"}


def test_no_person_had_two_calls_at_once(trio: Trio) -> None:
    """On whichever PBX, by their own notes. What was up when an Asterisk was killed ended there and then."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for name, calls in trio.seen.items():
        for seen in calls.values():
            killed = next((moment for moment in trio.kills[name] if moment > seen.began[0]), seen.began[0])
            end = max(seen.ended[0] if seen.ended else killed, seen.left or 0.0)
            spans.setdefault(seen.number, []).append((seen.began[0], end))
    for number, calls_of in spans.items():
        for before, after in itertools.pairwise(sorted(calls_of)):
            assert before[1] <= after[0], f"{number}: {before} and {after}"


def test_what_the_frozen_one_had_begun_is_not_lost(trio: Trio) -> None:
    """It went on where it was: live calls are taken up, and what ended meanwhile left its note."""
    frozen_only = trio.kills[FROZEN] == []
    begun = [row for row in trio.attempts if row["wombatid"] in trio.seen[FROZEN]]
    assert not frozen_only or [row for row in begun if row["outcome"] in ("RS_LOST", "RS_ERROR")] == []
    spared = [row for row in trio.attempts if row["trunk_name"] == f"to {SPARED}"]
    assert [row for row in spared if row["outcome"] in ("RS_LOST", "RS_ERROR")] == []


def test_the_ledger_was_right_at_every_look(trio: Trio) -> None:
    (counted,) = trio.site.check_ledger()
    assert (counted.taken, counted.closed) == (len(trio.records), len(trio.records))
    assert trio.watcher is not None
    assert trio.watcher.faults == []
    assert trio.watcher.looks > 50


def test_nothing_is_left_and_no_mistake_of_ours_showed(trio: Trio) -> None:
    for witness in trio.witnesses.values():
        assert "0 active channels" in witness.pbx.cli("core show channels count")
    log = (trio.site.folder / "serve.log").read_text()
    assert "mistake of ours" not in log
    assert "Traceback" not in log
