"""Live runs: what the dialer is doing, and acting on it. A run is seen by who sees its campaign."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wombat_ari.app.service import campaigns, lists, standing
from wombat_ari.app.service.asks import Asks, Picture
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand, demand_any, demand_of_all, may, missing, visible
from wombat_ari.model.calls import RunList, RunRow
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import MOST_AT_ONCE, CallOrder, CallsWanted
from wombat_ari.model.states import LIVE_RUN_STATES
from wombat_ari.store import campaigns as campaign_store
from wombat_ari.store import runs as run_store
from wombat_ari.store.database import Database


def live_runs(caller: Caller, db: Database, ask: Asks) -> list[tuple[Campaign, Picture]]:
    """Each live run that the caller sees, with its campaign (without links)."""
    demand(caller, Right.SEE_LIVE)
    seen = _seen_by_name(caller, db)
    return [(seen[run["campaign"]], run) for run in ask.snapshot(calls=False)["runs"] if run["campaign"] in seen]


def live_calls(caller: Caller, db: Database, ask: Asks) -> list[tuple[Campaign, Picture]]:
    """Each live call of campaigns that the caller sees, by its WOMBATID. Asked for in pages: of what begins or ends
    meanwhile some is there and some is not, what goes on is there once.
    """
    demand(caller, Right.SEE_LIVE)
    seen = _seen_by_name(caller, db)
    return [(seen[call["campaign"]], call) for call in _all_calls(ask) if call["campaign"] in seen]


def status(caller: Caller, db: Database, ask: Asks) -> Picture:
    """State and figures of the dialer that the caller may see, without runs and calls."""
    demand(caller, Right.SEE_STATUS)
    picture = standing.seen_of(caller, db, ask.snapshot(calls=False))
    if not may(caller, Right.SEE_OUTBOX):
        picture |= {"outbox": picture["outbox"] | {"receivers": []}}
    return {name: value for name, value in picture.items() if name not in ("runs", "calls")}


def picture(caller: Caller, ask: Asks, *, calls: bool = True) -> Picture:
    """All that the dialer says of itself, runs and calls of every campaign too; the database is not asked."""
    demand_of_all(caller, Right.SEE_STATUS, Right.SEE_LIVE)
    return ask.snapshot(calls=calls)


def start(caller: Caller, db: Database, ask: Asks, *, campaign: str) -> Picture:
    return _act(caller, db, campaign, "start run", lambda name: ask.start_run(name, by=caller.login))


def pause(caller: Caller, db: Database, ask: Asks, *, campaign: str) -> Picture:
    return _act(caller, db, campaign, "pause run", lambda name: ask.pause_run(name, by=caller.login))


def resume(caller: Caller, db: Database, ask: Asks, *, campaign: str) -> Picture:
    return _act(caller, db, campaign, "resume run", lambda name: ask.resume_run(name, by=caller.login))


def remove(caller: Caller, db: Database, ask: Asks, *, campaign: str) -> Picture:
    return _act(caller, db, campaign, "remove run", lambda name: ask.remove_run(name, by=caller.login))


def reload(caller: Caller, db: Database, ask: Asks, *, campaign: str) -> Picture:
    """Take the campaign as it is configured now into its live run."""
    return _act(caller, db, campaign, "reload run", ask.reload)


def boost(caller: Caller, db: Database, ask: Asks, *, campaign: str, factor: float) -> Picture:
    return _act(caller, db, campaign, f"boost run to {factor:g}", lambda name: ask.boost(name, factor))


def run_lists(caller: Caller, db: Database, ask: Asks, *, campaign: str) -> list[Picture]:
    """Lists of a live run and how far they are."""
    demand(caller, Right.CONTROL_RUNS)
    return ask.run_lists(campaigns.name_of(caller, db, campaign))


def add_list(caller: Caller, db: Database, ask: Asks, *, campaign: str, name: str) -> list[Picture]:
    """Append a list, which the caller must see, to a live run."""
    demand(caller, Right.CONTROL_RUNS)
    found = lists.seen_list(caller, db, name)
    return _act(caller, db, campaign, f"add list {found.name}", lambda run: ask.add_list(run, found.name))


def pause_list(caller: Caller, db: Database, ask: Asks, *, campaign: str, name: str, paused: bool) -> list[Picture]:
    what = f"{'pause' if paused else 'resume'} list {name}"
    return _act(caller, db, campaign, what, lambda run: ask.pause_list(run, name, paused=paused))


def order_lists(caller: Caller, db: Database, ask: Asks, *, campaign: str, names: list[str]) -> list[Picture]:
    """All lists of a live run in their new order."""
    return _act(caller, db, campaign, "order lists", lambda run: ask.order_lists(run, names))


def page_of_runs(
    caller: Caller,
    db: Database,
    *,
    after: int = 0,
    limit: int = 100,
    live: bool = False,
    campaign_id: int | None = None,
) -> list[RunRow]:
    """The latest first, behind the run with the id ``after``."""
    demand_any(caller, Right.SEE_LIVE, Right.SEE_REPORTS)
    seen = [campaign.id or 0 for campaign in _seen_by_name(caller, db).values()]
    ids = [one for one in seen if campaign_id in (None, one)]
    return run_store.page_of_runs(db, ids, after=after, limit=limit, live=live)


def find_run(caller: Caller, db: Database, run_id: int) -> RunRow:
    """As the database has it, live or past; also for who may act on it."""
    demand_any(caller, Right.SEE_LIVE, Right.SEE_REPORTS, Right.CONTROL_RUNS)
    return _seen_run(caller, db, run_id)


def live_run(caller: Caller, db: Database, run_id: int) -> RunRow:
    """To act on: UserError with the code ``no-run`` when it has ended."""
    demand(caller, Right.CONTROL_RUNS)
    found = _seen_run(caller, db, run_id)
    if found.state not in LIVE_RUN_STATES:
        raise UserError(f"run {run_id} has ended: it is {found.state}", code="no-run")
    return found


def lists_of_run(caller: Caller, db: Database, run_id: int) -> list[RunList]:
    """In their order, with how far they are; live or past."""
    find_run(caller, db, run_id)
    return run_store.run_lists(db, run_id)


def _all_calls(ask: Asks) -> Iterator[Picture]:
    """To say thousands at once would keep the dialer from placing others."""
    wanted = CallsWanted(order=CallOrder.WOMBATID, limit=MOST_AT_ONCE)
    while True:
        page = ask.live_calls(wanted)["calls"]
        yield from page
        if len(page) < MOST_AT_ONCE:
            return
        wanted = replace(wanted, after=page[-1]["id"])


def _seen_run(caller: Caller, db: Database, run_id: int) -> RunRow:
    try:
        found = run_store.run(db, run_id)
    except UserError:
        raise missing("run", run_id) from None
    if found.campaign_id not in {campaign.id for campaign in _seen_by_name(caller, db).values()}:
        raise missing("run", run_id)
    return found


def _act(caller: Caller, db: Database, campaign: str, what: str, do: Any) -> Any:
    demand(caller, Right.CONTROL_RUNS)
    name = campaigns.name_of(caller, db, campaign)
    answer = do(name)
    note(caller, db, what, about=name)
    return answer


def _seen_by_name(caller: Caller, db: Database) -> dict[str, Campaign]:
    """One right is asked by who calls this; here the keys of the campaigns themselves."""
    seen = visible(caller, campaign_store.list_campaign_heads(db), campaigns.infos_of(db))
    return {campaign.name: campaign for campaign in seen}
