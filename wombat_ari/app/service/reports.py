"""What runs did. A run is reported on to who sees its campaign."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wombat_ari.app.service import campaigns
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand, missing, visible
from wombat_ari.model.calls import RunRow
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import LoggedCall, RunStatistics, WaitingRetry
from wombat_ari.model.states import RunState
from wombat_ari.store import campaigns as campaign_store
from wombat_ari.store import paging, reports, runs
from wombat_ari.store.database import Database


def recently_completed(caller: Caller, db: Database, *, since: float) -> list[RunRow]:
    """Runs that came to their end since then, the latest first."""
    demand(caller, Right.SEE_LIVE)
    seen = _seen_campaigns(caller, db)
    closed = runs.recently_closed(db, since=since)
    return [run for run in closed if run.state is RunState.COMPLETED and run.campaign_id in seen]


def find_runs(
    caller: Caller, db: Database, *, from_at: float = 0.0, to_at: float = 1e12, campaign_id: int | None = None
) -> list[RunRow]:
    """Started in the period, the latest first; of all campaigns, or of one."""
    demand(caller, Right.SEE_REPORTS)
    seen = _seen_campaigns(caller, db)
    found = runs.find_runs(db, from_at=from_at, to_at=to_at, campaign_id=campaign_id)
    return [run for run in found if run.campaign_id in seen]


def chosen_runs(caller: Caller, db: Database, run_ids: Sequence[int]) -> list[RunRow]:
    """These runs; UserError for the first that there is not, or not for the caller."""
    demand(caller, Right.SEE_REPORTS)
    seen = _seen_campaigns(caller, db)
    found = []
    for run_id in run_ids:
        run = _run(db, run_id)
        if run.campaign_id not in seen:
            raise missing("run", run_id)
        found.append(run)
    return found


def statistics(caller: Caller, db: Database, run_ids: Sequence[int]) -> RunStatistics:
    chosen_runs(caller, db, run_ids)
    return reports.statistics(db, run_ids)


def attempts(caller: Caller, db: Database, run_ids: Sequence[int], *, number: str = "") -> Iterator[LoggedCall]:
    """All of them (or those whose number holds ``number``), run by run, streamed; the rights are checked before the
    first is read."""
    chosen_runs(caller, db, run_ids)
    return reports.stream_attempts(db, run_ids, number=number)


@dataclass(frozen=True, slots=True)
class Slice:
    """Some attempts of runs, and how many there are in all."""

    calls: list[LoggedCall]
    total: int


def slice_of_attempts(
    caller: Caller, db: Database, run_ids: Sequence[int], *, skip: int = 0, limit: int = 100
) -> Slice:
    """In the order of their WOMBATIDs, by offset."""
    chosen_runs(caller, db, run_ids)
    total = paging.count_attempts(db, run_ids)
    after = paging.attempt_before(db, run_ids, skip=skip)
    return Slice([] if after is None else reports.page_of_attempts(db, run_ids, after=after, limit=limit), total)


def page_of_attempts(
    caller: Caller, db: Database, run_ids: Sequence[int], *, after: int = 0, limit: int = 100
) -> list[LoggedCall]:
    """Attempts behind the WOMBATID ``after``, in its order."""
    chosen_runs(caller, db, run_ids)
    return reports.page_of_attempts(db, run_ids, after=after, limit=limit)


def find_call(caller: Caller, db: Database, wombatid: int) -> LoggedCall:
    """An attempt that has ended."""
    demand(caller, Right.SEE_REPORTS)
    call = reports.logged_call(db, wombatid)
    if call.campaign_id not in _seen_campaigns(caller, db):
        raise missing("logged call", wombatid)
    return call


def waiting_retries(caller: Caller, db: Database, run_id: int) -> list[WaitingRetry]:
    """The next ones first."""
    chosen_runs(caller, db, [run_id])
    return reports.waiting_retries(db, run_id)


def _run(db: Database, run_id: int) -> RunRow:
    try:
        return runs.run(db, run_id)
    except UserError:
        raise missing("run", run_id) from None


def _seen_campaigns(caller: Caller, db: Database) -> set[int]:
    seen = visible(caller, campaign_store.list_campaign_heads(db), campaigns.infos_of(db))
    return {campaign.id for campaign in seen if campaign.id is not None}
