"""What runs did. A run is reported on to who sees its campaign."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from wombat_ari.app.service import campaigns
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand, missing, visible
from wombat_ari.core import breakdown
from wombat_ari.core.reschedule import deciding_rule, retry_delay
from wombat_ari.model.calls import RunRow
from wombat_ari.model.entities import Campaign, RescheduleRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import (
    AttemptFilter,
    AttemptOrder,
    AttemptStory,
    LoggedCall,
    Report,
    RunStatistics,
    WaitingRetry,
)
from wombat_ari.model.states import Outcome, RunState
from wombat_ari.store import attempts as attempt_store
from wombat_ari.store import campaigns as campaign_store
from wombat_ari.store import paging, reports, runs
from wombat_ari.store.database import Database

MOST_RUNS = 500  #: of one report

ALL = AttemptFilter()


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


def campaigns_to_choose(caller: Caller, db: Database) -> list[Campaign]:
    """Whose runs the caller may see, by name, without links."""
    demand(caller, Right.SEE_REPORTS)
    return visible(caller, campaign_store.list_campaign_heads(db), campaigns.infos_of(db))


def search_runs(
    caller: Caller, db: Database, *, from_at: float = 0.0, to_at: float = 1e12, campaign: str = "", limit: int = 200
) -> list[RunRow]:
    """Started in the period, of campaigns whose name holds the text (in any case), the latest first."""
    text = campaign.strip().casefold()
    ids = [one.id or 0 for one in campaigns_to_choose(caller, db) if text in one.name.casefold()]
    return runs.search(db, ids, from_at=from_at, to_at=to_at, limit=limit)


def chosen_runs(caller: Caller, db: Database, run_ids: Sequence[int]) -> list[RunRow]:
    """These runs, in the order in which they were started; UserError for the first that there is not, or not for the
    caller."""
    demand(caller, Right.SEE_REPORTS)
    if len(run_ids) > MOST_RUNS:
        raise UserError(f"{len(run_ids)} runs: at most {MOST_RUNS} can be reported on at once")
    seen = _seen_campaigns(caller, db)
    found = [run for run in runs.some(db, run_ids) if run.campaign_id in seen]
    known = {run.id for run in found}
    for run_id in run_ids:
        if run_id not in known:
            raise missing("run", run_id)
    return found


def statistics(caller: Caller, db: Database, run_ids: Sequence[int]) -> RunStatistics:
    """Hours are those of UTC."""
    chosen_runs(caller, db, run_ids)
    return reports.statistics(db, run_ids)


def report(caller: Caller, db: Database, run_ids: Sequence[int], *, zone: ZoneInfo) -> Report:
    """All that a report shows of the runs (at least one), by the wall clock of a zone."""
    chosen = chosen_runs(caller, db, run_ids)
    ended = [caller.at if run.ended_at is None else run.ended_at for run in chosen]
    slot_s = breakdown.slot_s(zone, min(run.started_at for run in chosen), max(ended))
    found = reports.statistics(db, run_ids, slot_s=slot_s)
    span, line = breakdown.timeline(found.hours, zone)
    return Report(
        runs=tuple(chosen),
        statistics=replace(found, hours=breakdown.local_hours(found.hours, zone)),
        hours_of_day=breakdown.hours_of_day(found.hours, zone),
        timeline=line,
        span=span,
    )


def attempts(
    caller: Caller, db: Database, run_ids: Sequence[int], where: AttemptFilter = ALL
) -> Iterator[LoggedCall]:  # fmt: skip
    """All of them that fit, run by run, streamed; the rights are checked before the first is read."""
    chosen_runs(caller, db, run_ids)
    return attempt_store.stream(db, run_ids, where)


def export_attempts(
    caller: Caller, db: Database, run_ids: Sequence[int], where: AttemptFilter = ALL
) -> Iterator[LoggedCall]:  # fmt: skip
    """The same for somebody who takes them away: it is in the system log."""
    chosen = chosen_runs(caller, db, run_ids)
    note(caller, db, "report exported", about=", ".join(run.name for run in chosen))
    return attempt_store.stream(db, run_ids, where)


def find_attempts(
    caller: Caller, db: Database, run_ids: Sequence[int], where: AttemptFilter = ALL, *,
    order: AttemptOrder = AttemptOrder.WOMBATID, descending: bool = False, skip: int = 0, limit: int = 100,
    total: int | None = None,
) -> "Slice":  # fmt: skip
    """A page of those that fit, sorted. ``total``: how many there are, when that is known already."""
    chosen_runs(caller, db, run_ids)
    if total is None:
        total = attempt_store.count(db, run_ids, where)
    found = attempt_store.page(db, run_ids, where, order=order, descending=descending, skip=skip, limit=limit)
    return Slice(found, total)


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


def attempt_story(caller: Caller, db: Database, wombatid: int) -> AttemptStory:
    """An attempt that has ended, with what its record went through before and after."""
    call = find_call(caller, db, wombatid)
    everything = reports.calls_of_record(db, call.record_id)[::-1]
    seen = _seen_campaigns(caller, db)
    siblings = tuple(one for one in everything if one.campaign_id in seen)
    return AttemptStory(
        call=call,
        run=_run(db, call.run_id),
        siblings=siblings,
        unseen=len(everything) - len(siblings),
        rule=_rule_of(db, call),
        waiting=reports.retry_of(db, call.run_id, call.record_id),
    )


def waiting_retries(caller: Caller, db: Database, run_id: int) -> list[WaitingRetry]:
    """The next ones first."""
    chosen_runs(caller, db, [run_id])
    return reports.waiting_retries(db, run_id)


def _rule_of(db: Database, call: LoggedCall) -> RescheduleRule | None:
    """The rule of now, if it says what was done then."""
    if not call.retry_in_s:
        return None
    rules = campaign_store.load_campaign(db, call.campaign_id).rules
    asked = (rules, Outcome(call.outcome), call.extended_status, call.attempt)
    return deciding_rule(*asked) if retry_delay(*asked) == call.retry_in_s else None


def _run(db: Database, run_id: int) -> RunRow:
    try:
        return runs.run(db, run_id)
    except UserError:
        raise missing("run", run_id) from None


def _seen_campaigns(caller: Caller, db: Database) -> set[int]:
    seen = visible(caller, campaign_store.list_campaign_heads(db), campaigns.infos_of(db))
    return {campaign.id for campaign in seen if campaign.id is not None}
