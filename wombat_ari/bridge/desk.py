"""The named database jobs of the dialer, as Deferreds. The engine knows these names, never a table.

What changes who may be dialled (claims, marks, runs) is durable when its Deferred fires; see ``store/claims``.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from wombat_ari.bridge.pool import Pool
from wombat_ari.model.calls import AddedCall, ClaimBatch, DialMark, NewCall, OpenAttempt, RunList, RunRow
from wombat_ari.model.entities import Campaign, EndPoint, OpeningHours, Server, Trunk
from wombat_ari.model.errands import DueErrands, OutboxRow, Receipt, ReceiverCount, Undone
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import CallInfo
from wombat_ari.store import (
    calls,
    campaigns,
    claims,
    entities,
    journal,
    lease,
    opening_hours,
    outbox,
    outbox_acts,
    runs,
)
from wombat_ari.store.database import Database


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything configured that dialling needs."""

    servers: tuple[Server, ...]
    trunks: tuple[Trunk, ...]
    end_points: tuple[EndPoint, ...]


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """A live run with its campaign, its lists and what was open when the dialer last stopped."""

    row: RunRow
    campaign: Campaign
    lists: tuple[RunList, ...]
    open_attempts: tuple[OpenAttempt, ...]
    hours: tuple[OpeningHours, ...] = ()


class Desk:
    """Jobs that change something go to a thread that writes, in order; questions go beside them.

    Marks and releases have a lane of their own: an Originate waits for them.
    """

    def __init__(self, pool: Pool, database: Database) -> None:
        self._pool = pool
        self._db = database

    # Configuration

    def load_plan(self) -> Deferred[Plan]:
        return self._pool.read(_load_plan, self._db)

    def server_addresses(self) -> Deferred[list[str]]:
        return self._pool.read(entities.server_addresses, self._db)

    # Runs

    def unfinished_runs(self) -> Deferred[list[LoadedRun]]:
        """Live runs, and ended ones with calls still open: what a start has to take up."""
        return self._pool.write(_load_unfinished_runs, self._db)

    def start_run(self, campaign: str, *, now: float, by: str) -> Deferred[LoadedRun]:
        """Refused with a UserError that says why."""
        return self._pool.write(_start_run, self._db, campaign, now=now, by=by)

    def load_campaign(self, which: int | str) -> Deferred[Campaign]:
        """By its id or its name."""
        return self._pool.read(campaigns.load_campaign, self._db, which)

    def load_hours(self, campaign_id: int) -> Deferred[tuple[OpeningHours, ...]]:
        """The opening hours that a campaign keeps to."""
        return self._pool.read(opening_hours.hours_of_campaign, self._db, campaign_id)

    def run_lists(self, run_id: int) -> Deferred[list[RunList]]:
        return self._pool.read(runs.run_lists, self._db, run_id)

    def appended(self, ends: Iterable[tuple[int, int]]) -> Deferred[dict[tuple[int, int], tuple[int, int]]]:
        """Of pairs of a list and its last record known, those that have grown: (how many came, the last now)."""
        return self._pool.read(runs.appended, self._db, ends)

    def add_run_list(self, run_id: int, name: str) -> Deferred[list[RunList]]:
        return self._pool.write(_add_run_list, self._db, run_id, name)

    def pause_run_list(self, run_id: int, name: str, *, paused: bool) -> Deferred[list[RunList]]:
        return self._pool.write(_pause_run_list, self._db, run_id, name, paused=paused)

    def order_run_lists(self, run_id: int, names: list[str]) -> Deferred[list[RunList]]:
        return self._pool.write(_order_run_lists, self._db, run_id, names)

    def set_boost(self, run_id: int, factor: float) -> Deferred[RunRow]:
        return self._pool.write(runs.set_boost, self._db, run_id, factor=factor)

    # Claims and calls from outside

    def add_calls(self, new: Sequence[NewCall], *, now: float) -> Deferred[list[AddedCall | UserError]]:
        """Append them to their runs: durable, each under the id of its first try."""
        return self._pool.write(calls.add_calls, self._db, new, now=now)

    def find_call(self, wombatid: int) -> Deferred[CallInfo | None]:
        return self._pool.read(calls.find_call, self._db, wombatid)

    def take(
        self, run_id: int, *, fresh: int, retries: int, now: float, campaign: Campaign | None = None
    ) -> Deferred[ClaimBatch]:
        """Claim records: durable, under the ids of their next attempts. ``campaign`` says who is told of those on a
        black list.
        """
        job = {"fresh": fresh, "retries": retries, "now": now, "campaign": campaign}
        return self._pool.write(claims.take, self._db, run_id, **job)

    def series(self, *, now: float) -> Deferred[int]:
        """The series of all WOMBATIDs that this database gives out."""
        return self._pool.write(claims.series, self._db, now=now)

    def mark(self, marks: Sequence[DialMark], *, now: float) -> Deferred[None]:
        """Make durable that these may be dialled. Only then is their Originate written."""
        return self._pool.urgent(claims.mark_requested, self._db, marks, now=now)

    def release(self, wombatids: Sequence[int]) -> Deferred[None]:
        """These were marked and certainly not written: they wait in the hopper again."""
        return self._pool.urgent(claims.release, self._db, wombatids)

    def marks_through(self) -> Deferred[None]:
        """Fires when the marks and releases asked for before are written, or have failed."""
        return self._pool.urgent(_nothing)

    def give_up(self, run_id: int) -> Deferred[None]:
        """What came back to the hopper after its run was removed counts as closed."""
        return self._pool.write(runs.give_up, self._db, run_id)

    # Outbox

    def due_errands(self, *, now: float, held: Collection[str], limit: int) -> Deferred[DueErrands]:
        """What is to be told or done now, up to ``limit`` of each receiver that is not ``held``."""
        return self._pool.read(outbox.due, self._db, now=now, held=held, limit=limit)

    def settle_errands(self, *, done: Sequence[OutboxRow], undone: Sequence[Undone]) -> Deferred[bool]:
        """What came of them is written down; answers whether something waited behind one."""
        return self._pool.write(outbox.settle, self._db, done=done, undone=undone)

    def perform_errands(self, rows: Sequence[OutboxRow], *, now: float) -> Deferred[list[Receipt]]:
        """Do those that change our own database, and delete them with it."""
        return self._pool.write(outbox_acts.perform, self._db, rows, now=now)

    def give_up_errands(self, receiver: str, *, before: float, error: str, now: float) -> Deferred[int]:
        """Park some of what has waited since before the moment; answers how many."""
        return self._pool.write(outbox.give_up, self._db, receiver, before=before, error=error, now=now)

    def campaigns_with_mail(self) -> Deferred[list[str]]:
        """Names of the campaigns that may send e-mails."""
        return self._pool.read(outbox.campaigns_with_mail, self._db)

    def count_errands(self) -> Deferred[list[ReceiverCount]]:
        return self._pool.read(outbox.counts, self._db)

    # Journal and lease

    def write_journal(self, batch: list[Any]) -> Deferred[None]:
        return self._pool.write(journal.write, self._db, batch)

    def acquire_lease(self, node: str, pid: int, *, now: float) -> Deferred[lease.Lease]:
        """This process is the dialer of this database; UserError names the other that is."""
        return self._pool.write(lease.acquire, self._db, node, pid=pid, now=now)

    def lease_holder(self) -> Deferred[lease.Lease | None]:
        return self._pool.read(lease.holder, self._db)

    def renew_lease(self, node: str, pid: int, *, now: float) -> Deferred[None]:
        return self._pool.write(lease.renew, self._db, node, pid=pid, now=now)

    def release_lease(self, node: str, pid: int) -> Deferred[None]:
        return self._pool.write(lease.release, self._db, node, pid=pid)


def _nothing() -> None:
    """A job that is through when those before it are."""


def _load_plan(database: Database) -> Plan:
    plan = entities.load_plan(database)
    return Plan(plan.servers, plan.trunks, plan.end_points)


def _load_unfinished_runs(database: Database) -> list[LoadedRun]:
    return [_loaded(database, row) for row in runs.runs_with_open_attempts(database)]


def _start_run(database: Database, campaign: str, *, now: float, by: str) -> LoadedRun:
    found = campaigns.load_campaign(database, campaign)
    assert found.id is not None
    return _loaded(database, runs.start_run(database, found.id, now=now, by=by))


def _loaded(database: Database, row: RunRow) -> LoadedRun:
    return LoadedRun(
        row=row,
        campaign=campaigns.load_campaign(database, row.campaign_id),
        lists=tuple(runs.run_lists(database, row.id)),
        open_attempts=tuple(claims.open_attempts(database, row.id)),
        hours=opening_hours.hours_of_campaign(database, row.campaign_id),
    )


def _add_run_list(database: Database, run_id: int, name: str) -> list[RunList]:
    return runs.add_run_list(database, run_id, _list_id(database, name))


def _pause_run_list(database: Database, run_id: int, name: str, *, paused: bool) -> list[RunList]:
    return runs.pause_run_list(database, run_id, list_id=_list_id(database, name), paused=paused)


def _order_run_lists(database: Database, run_id: int, names: list[str]) -> list[RunList]:
    return runs.order_run_lists(database, run_id, list_ids=[_list_id(database, name) for name in names])


def _list_id(database: Database, name: str) -> int:
    return entities.load_list(database, name).id or 0
