"""The life of a run (spec 02): its states in the engine, what it places in them, what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, maybeDeferred

from tests.engine.world import START, World, rule
from wombat_ari.model.entities import ActivePeriod
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.states import CampaignStatus
from wombat_ari.store import campaigns

SHORT = "5551010{:03}"  #: answers after a tenth of a second; the message ends the call


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def second_of_day(at: float) -> int:
    return int(at % 86400)


def hours(world: World, begin: float, end: float) -> ActivePeriod:
    """Open from ``begin`` to ``end`` seconds from now, UTC."""
    now = world.clock.seconds()
    return ActivePeriod(second_of_day(now + begin), second_of_day(now + end), "1234567", "UTC")


def states(world: World) -> list[str]:
    return [
        action for (action,) in world.rows("SELECT action FROM system_log WHERE object LIKE 'campaign %' ORDER BY id")
    ]


# The states


def test_a_whole_life(world: World) -> None:
    """Each state in its turn, each in the system log with who did it, the last one with the end in the database."""
    numbers = world.add_list([SHORT.format(n) for n in range(3)])
    campaign = world.add_campaign("c", numbers, active_period=hours(world, 5, 3600), idles_on_termination=True)
    world.start()
    run = world.run("c")
    assert run.machine.state == "WRONG_TIME", "before its first number is looked for"
    world.advance_until(lambda: run.machine.state == "RUNNING", 10)
    world.advance_until(lambda: run.machine.state == "IDLE", 30)
    world.append(numbers.list_id, [SHORT.format(9)])
    world.advance_until(lambda: run.machine.state == "RUNNING", 10)
    world.command("pause", "c")
    world.command("resume", "c")
    world.advance_until(lambda: run.machine.state == "IDLE", 30)
    world.command("pause", "c")
    world.command("remove", "c")
    assert states(world) == [
        "RUNNING", "WRONG_TIME", "RUNNING", "IDLE", "RUNNING", "PAUSED", "RUNNING", "IDLE", "PAUSED", "REMOVED",
    ]  # fmt: skip
    by_hand = world.rows("SELECT action FROM system_log WHERE login = 'test' AND object = 'campaign c' ORDER BY id")
    assert [action for (action,) in by_hand] == ["RUNNING", "PAUSED", "RUNNING", "PAUSED", "REMOVED"]
    ((state, ended),) = world.rows("SELECT state, ended_at FROM run")
    assert (state, round(ended - world.clock.seconds())) == ("REMOVED", 0)
    assert sorted(world.outcomes()) == [SHORT.format(n) for n in (0, 1, 2, 9)]
    assert campaign.id is not None
    world.check_ledger()


def test_it_completes_with_its_last_call_and_its_last_retry_not_before(world: World) -> None:
    world.add_campaign("c", ["5551000001", "5557000501"], rules=(rule("RS_BUSY", times=1, after=40),),
                       end_point_ids=(world.add_end_point("w", exten="101").id,), forced_closure_s=20)  # fmt: skip
    world.start()
    run = world.run("c")
    world.advance(10)
    assert (run.machine.state, run.tally.open_retries, len(run.flights)) == ("RUNNING", 1, 1)
    world.advance(20)
    assert (run.machine.state, run.tally.open_retries, len(run.flights)) == ("RUNNING", 1, 0), "a retry is work"
    world.advance_until(lambda: run.machine.state == "COMPLETED", 30)
    assert world.outcomes() == {"5551000001": ["RS_TIMEOUT"], "5557000501": ["RS_BUSY", "TERMINATED"]}
    (last,) = world.rows("SELECT MAX(ended_at) FROM call_log")[0]
    assert world.clock.seconds() - last <= 0.1, "at once when the last call has ended"
    world.finish()


def test_a_run_that_ends_by_itself_says_so_once(world: World) -> None:
    world.add_campaign("c", [SHORT.format(1)])
    world.start()
    world.run("c")
    world.finish()
    world.advance(5)
    assert states(world) == ["RUNNING", "COMPLETED"]


@pytest.mark.parametrize("numbers", [[], [SHORT.format(1)]])
def test_a_campaign_without_numbers_or_whose_lists_are_all_paused_is_out_of_numbers(
    world: World, numbers: list[str]
) -> None:
    world.add_campaign("c", numbers, batch_size=1)
    world.start()
    run = world.run("c")
    if numbers:
        world.command("pause", "c")
        world._now(world.dialer.obey.pause_list("c", "list 1", paused=True))
        world.command("resume", "c")
    world.finish()
    assert run.machine.state == "COMPLETED"


def test_with_all_lists_paused_retries_are_still_made(world: World) -> None:
    world.add_campaign("c", ["5552000001", "5552000002"], rules=(rule("RS_BUSY", times=1, after=20),), batch_size=1)
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.tally.open_retries == 1)
    world._now(world.dialer.obey.pause_list("c", "list 1", paused=True))
    world.finish()
    done = world.outcomes()
    assert set(map(tuple, done.values())) == {("RS_BUSY", "RS_BUSY")}
    assert len(done) == run.tally.closed == run.tally.taken


# Refusals


def test_a_campaign_has_one_live_run(world: World) -> None:
    world.add_campaign("c", ["5553000001"], answer_timeout_ms=60_000)
    world.start()
    world.run("c")
    for _ in range(3):
        with pytest.raises(UserError, match="campaign c has a live run already"):
            world.run("c")
        world.advance(1)
    assert world.rows("SELECT COUNT(*) FROM run") == [(1,)]
    assert len(world.dialer.board.runs) == 1


@pytest.mark.parametrize("status", [CampaignStatus.CLOSED, CampaignStatus.HIDDEN, CampaignStatus.ERROR])
def test_a_campaign_that_is_not_runnable_is_not_started(world: World, status: CampaignStatus) -> None:
    world.add_campaign("c", [SHORT.format(1)], status=status)
    world.start()
    with pytest.raises(UserError, match=f"campaign c is {status}; only a RUNNABLE one can be started"):
        world.run("c")
    world.advance(2)
    assert (world.rows("SELECT * FROM run"), world.dialer.publish.snapshot()["runs"], world.log()) == ([], [], [])


@pytest.mark.parametrize("status", [CampaignStatus.CLOSED, CampaignStatus.HIDDEN, CampaignStatus.ERROR])
def test_a_live_run_of_a_campaign_that_is_not_runnable_any_more_goes_on_and_is_shown(
    world: World, status: CampaignStatus
) -> None:
    """Phones ring: who looks at what the dialer is doing must see it. It is not started again."""
    campaign = world.add_campaign("c", [SHORT.format(n) for n in range(30)])
    world.start()
    world.run("c")
    campaigns.save_campaign(world.database, replace(campaign, status=status), by="test", now=START)
    world._now(world.dialer.obey.reload("c"))
    assert [run["campaign"] for run in world.dialer.publish.snapshot()["runs"]] == ["c"]
    world.finish()
    assert len(world.outcomes()) == 30
    with pytest.raises(UserError, match=status):
        world.run("c")


@pytest.mark.parametrize(
    ("missing", "said"),
    [(("trunk_ids",), "no trunk"), (("end_point_ids",), "no end point"),
     (("trunk_ids", "end_point_ids"), "no trunk and no end point")],
)  # fmt: skip
def test_what_a_campaign_lacks_is_said(world: World, missing: tuple[str, ...], said: str) -> None:
    world.add_campaign("c", [SHORT.format(1)], **dict.fromkeys(missing, ()))
    world.start()
    with pytest.raises(UserError, match=f"campaign c cannot start: it has {said}$"):
        world.run("c")


def test_what_a_state_does_not_allow_is_said(world: World) -> None:
    world.add_campaign("c", ["5551000001"])
    world.start()
    run = world.run("c")
    refusals = {"remove": "RUNNING and cannot be removed: pause it first", "resume": "RUNNING and cannot be resumed"}
    for command, said in refusals.items():
        with pytest.raises(UserError, match=f"the run of 'c' is {said}"):
            world.command(command, "c")
    world.command("pause", "c")
    with pytest.raises(UserError, match="is PAUSED and cannot be paused"):
        world.command("pause", "c")
    assert run.machine.state == "PAUSED"


def test_a_run_that_has_ended_is_not_commanded_while_its_end_is_being_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_campaign("c", [SHORT.format(1)])
    world.start()
    world.run("c")
    world.command("pause", "c")
    world.pool.trouble = StoreError("the database is away", transient=True)
    monkeypatch.setattr(world.pool, "urgent", maybeDeferred)  # to wait for marks needs no database
    removing = Deferred.fromCoroutine(world.dialer.obey.remove_run("c", "test"))
    world.advance(3)
    assert [run["state"] for run in world.dialer.publish.snapshot()["runs"]] == ["REMOVED"], "shown until it is written"
    with pytest.raises(UserError, match="no live run"):
        world.command("resume", "c")
    world.pool.trouble = None
    world.advance_until(lambda: removing.called)
    world.finish()


def test_a_second_run_begins_from_the_first_number(world: World) -> None:
    world.add_campaign("c", ["5552000001", SHORT.format(1)], rules=(rule("RS_BUSY", after=2),))
    world.start()
    titles = set()
    for _ in range(2):
        titles.add(world.run("c").title)
        world.finish()
    assert titles == {name for (name,) in world.rows("SELECT name FROM run")}
    assert all(title.startswith("c 20") for title in titles)
    assert len(titles) == 2, "a run's name is the campaign's and its start"
    assert world.log("run_id, number, attempt") == [
        (1, "5552000001", 1), (1, SHORT.format(1), 1), (1, "5552000001", 2),
        (2, "5552000001", 1), (2, SHORT.format(1), 1), (2, "5552000001", 2),
    ]  # fmt: skip
    world.check_ledger()
