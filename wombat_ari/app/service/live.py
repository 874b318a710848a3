"""The live page: what goes on now, as far as the caller may see it.

Everything is counted from the calls and runs of campaigns that the caller sees: what belongs to others is in no chart,
table, name or sum. A campaign shows the trunks, end points and servers that it uses, whatever key they have.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from wombat_ari.app.service import lists
from wombat_ari.app.service.asks import Picture
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.campaigns import infos_of
from wombat_ari.app.service.pictures import Pictures
from wombat_ari.app.service.rights import Right, demand, may, missing, visible
from wombat_ari.core.run import TABLE, RunEvent
from wombat_ari.model.calls import RunRow
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import Act, CallsWanted, CampaignGlance
from wombat_ari.model.states import LIVE_RUN_STATES, CallState, CampaignStatus, ListUse, RunState
from wombat_ari.store import glances
from wombat_ari.store import runs as run_store
from wombat_ari.store.campaigns import load_campaign
from wombat_ari.store.database import Database
from wombat_ari.store.entities import list_lists

SHOWN_S = 86400.0  #: a run that has ended is shown for so long
MOST_CLOSED = 500  #: and of them the latest so many, seen or not
#: States of a call whose end point has somebody: the callee was answered, or the agent is called first.
AT_END_POINT = frozenset({CallState.CONNECTED, CallState.RD_AGENTREQ, CallState.RD_REQUESTED})
_ACTS = ((Act.PAUSE, RunEvent.PAUSED), (Act.RESUME, RunEvent.RESUMED), (Act.REMOVE, RunEvent.REMOVED))

Shares = tuple[tuple[str, int], ...]  #: names and how many, by name


class Sorted(StrEnum):
    """Order of campaigns and runs; NEWEST and OLDEST by when a campaign was made, a run started or ended."""

    NAME = "name"
    NAME_DOWN = "name_down"
    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Charts:
    """What the doughnuts show."""

    servers: Shares  #: calls on each
    states: Shares  #: calls in each
    trunk_use: Shares  #: calls that hold a line, by campaign
    trunks: Shares  #: the same by trunk
    end_point_use: Shares  #: calls whose end point has somebody, by campaign
    remaining: Shares  #: calls still to be placed, estimated, by campaign
    runs: Shares  #: in each state


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the live runs that are seen."""

    open_calls: int
    placed: int
    termination_rate: float | None  #: share of attempts that needed no retry
    backlog: int  #: in the hoppers, and open retries


@dataclass(frozen=True)
class Look:
    """The present, for one caller. ``runs`` are those of the picture; ``trouble``: why there is no picture, if so."""

    picture: Picture
    trouble: str
    campaigns: Mapping[int, CampaignGlance]  #: those that are seen
    runs: tuple[Picture, ...]
    may_act: bool
    sees_all: bool  #: whatever is started next, too

    @cached_property
    def counts(self) -> list[list[Any]]:
        """See ``engine/glance``."""
        seen = {run["id"] for run in self.runs}
        return [cell for cell in self.picture.get("counts", ()) if cell[0] in seen]

    @property
    def is_ready(self) -> bool:
        return self.picture.get("state") == "READY"

    def startable(self, *, order: Sorted = Sorted.NAME, search: str = "") -> list[CampaignGlance]:
        """Campaigns without a live run that would be started if they were asked to."""
        live = {run["campaign_id"] for run in self.runs if run["state"] in LIVE_RUN_STATES}
        able = [
            campaign
            for campaign in self.campaigns.values()
            if campaign.status is CampaignStatus.RUNNABLE and campaign.has_lines and campaign.id not in live
        ]
        return _in_order(able, order, search, name=lambda each: each.name, at=lambda each: (each.created_at, each.id))

    def running(self, *, order: Sorted = Sorted.NAME, search: str = "") -> list[Picture]:
        """Runs that live, and those that have just ended but whose calls go on."""
        return _in_order(
            self.runs, order, search, name=lambda run: run["campaign"], at=lambda run: (run["started_at"], run["id"])
        )

    def acts(self, run: Picture) -> tuple[Act, ...]:
        """What the caller may do to it as it is now."""
        state = RunState(run["state"])
        if not self.may_act or state not in LIVE_RUN_STATES:
            return ()
        return (*(act for act, event in _ACTS if event in TABLE[state]), Act.RELOAD)

    def run(self, run_id: int) -> Picture | None:
        return next((run for run in self.runs if run["id"] == run_id), None)

    def wanted(self, wanted: CallsWanted) -> CallsWanted:
        """Of what is wanted, what may be seen: of others the runs are named, for what is started a moment later may be
        a run that they do not see. Who sees the same shares an answer."""
        if self.sees_all:
            return wanted
        seen = frozenset(run["id"] for run in self.runs)
        return replace(wanted, runs=seen if wanted.runs is None else wanted.runs & seen)


def look(caller: Caller, db: Database, pictures: Pictures) -> Look:
    """Also while no dialer runs: then campaigns are known and nothing goes on."""
    demand(caller, Right.SEE_LIVE)
    seen = {campaign.id: campaign for campaign in visible(caller, glances.campaigns(db), infos_of(db))}
    try:
        picture, trouble = pictures.overview(), ""
    except UserError as refusal:
        picture, trouble = {}, str(refusal)
    runs = tuple(run for run in picture.get("runs", ()) if run["campaign_id"] in seen)
    can = not trouble and may(caller, Right.CONTROL_RUNS)
    return Look(picture, trouble, seen, runs, can, sees_all=caller.keyring.master)


def calls(look: Look, pictures: Pictures, wanted: CallsWanted) -> Picture:
    """A page of the live calls that are seen; empty while no dialer runs."""
    if look.trouble:
        return {"calls": [], "total": 0, "skip": 0, "now": 0.0}
    return pictures.calls(look.wanted(wanted))


def charts(look: Look) -> Charts:
    picture = look.picture
    servers = {pbx["id"]: pbx["name"] for pbx in picture.get("pbxs", ())}
    trunks = {trunk["id"]: f"{trunk['server']}/{trunk['name']}" for trunk in picture.get("trunks", ())}
    runs = {run["id"]: run["campaign"] for run in look.runs}
    placed = [cell for cell in look.counts if cell[2]]
    return Charts(
        servers=_shares((servers.get(server, "?"), n) for _, server, *_, n in placed),
        states=_shares((state, n) for *_, state, n in look.counts),
        trunk_use=_shares((runs[run], n) for run, *_, n in placed),
        trunks=_shares((trunks.get(trunk, "?"), n) for _, _, trunk, *_, n in placed),
        end_point_use=_shares((runs[run], n) for run, *_, state, n in placed if state in AT_END_POINT),
        remaining=_shares((run["campaign"], run["estimated_remaining"]) for run in look.runs),
        runs=_shares((run["state"], 1) for run in look.runs),
    )


def totals(look: Look) -> Totals:
    attempts = sum(run["attempts"] for run in look.runs)
    ended_well = sum(run["attempts"] * (run["termination_rate"] or 0.0) for run in look.runs)
    return Totals(
        open_calls=sum(run["open_calls"] for run in look.runs),
        placed=sum(run["placed"] for run in look.runs),
        termination_rate=ended_well / attempts if attempts else None,
        backlog=sum(run["cached"] for run in look.runs),
    )


def recently_closed(
    look: Look, db: Database, *, now: float, order: Sorted = Sorted.NEWEST, search: str = ""
) -> list[RunRow]:
    """Runs that have ended within a day, however."""
    closed = [
        run
        for run in run_store.recently_closed(db, since=now - SHOWN_S, limit=MOST_CLOSED)
        if run.campaign_id in look.campaigns
    ]
    return _in_order(
        closed, order, search, name=lambda run: run.campaign_name, at=lambda run: (run.ended_at or 0.0, run.id)
    )


def stored_run(look: Look, db: Database, run_id: int) -> RunRow:
    """A run as it is stored, if its campaign is seen."""
    try:
        found = run_store.run(db, run_id)
    except UserError:
        raise missing("run", run_id) from None
    if found.campaign_id not in look.campaigns:
        raise missing("run", run_id)
    return found


def lists_to_add(caller: Caller, db: Database, run: RunRow) -> list[str]:
    """Names of lists that may be added to this run: the caller sees them, and they are not to be kept from dialling."""
    demand(caller, Right.CONTROL_RUNS)
    taken = {each.list_id for each in run_store.run_lists(db, run.id)}
    black = {each.list_id for each in load_campaign(db, run.campaign_id).lists if each.use is ListUse.BLACK}
    seen = visible(caller, list_lists(db), lists.infos_of(db))
    return [each.name for each in seen if each.id not in taken | black and not each.hidden]


def _shares(parts: Iterable[tuple[str, int]]) -> Shares:
    found: dict[str, int] = {}
    for name, number in parts:
        if number:
            found[name] = found.get(name, 0) + number
    return tuple(sorted(found.items()))


def _in_order(
    things: Iterable[Any], order: Sorted, search: str, *, name: Callable[[Any], str], at: Callable[[Any], Any]
) -> list[Any]:
    wanted = search.casefold().strip()
    found = [thing for thing in things if wanted in name(thing).casefold()]
    by_name = order in (Sorted.NAME, Sorted.NAME_DOWN)
    key = (lambda thing: name(thing).casefold()) if by_name else at
    return sorted(found, key=key, reverse=order in (Sorted.NAME_DOWN, Sorted.NEWEST))
