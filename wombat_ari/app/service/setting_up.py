"""Setting up a new system: how far it is, told by what there is, so that it goes on where somebody left.

The steps are server, trunk, end point, list, campaign, start. They save through the same services as the editors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from wombat_ari.app.service import campaigns, end_points, lists, records, runs, servers, trunks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand, may
from wombat_ari.model.entities import (
    CallList,
    Campaign,
    CampaignList,
    EndPoint,
    RescheduleRule,
    Server,
    Trunk,
)
from wombat_ari.model.errors import UserError
from wombat_ari.model.lists import ImportSummary
from wombat_ari.model.states import CampaignStatus, Outcome
from wombat_ari.store.database import Database

STEPS = ("server", "trunk", "end-point", "list", "campaign", "start")
NEEDED = (
    Right.CHANGE_PBX, Right.CHANGE_LISTS, Right.ADD_NUMBERS, Right.CHANGE_CAMPAIGNS, Right.CONTROL_RUNS, Right.SEE_LIVE,
)  # fmt: skip
AGAIN = (
    RescheduleRule(Outcome.RS_BUSY, max_attempts=2, retry_after_s=300),
    RescheduleRule(Outcome.RS_NOANSWER, max_attempts=2, retry_after_s=3600),
    RescheduleRule(Outcome.RS_REJECTED, max_attempts=2, retry_after_s=120),
)

T = TypeVar("T", Server, Trunk, EndPoint, CallList, Campaign)


@dataclass(frozen=True, slots=True)
class SetUp:
    """What there is; the first of each kind that the next steps go on with, None where there is none yet."""

    server: Server | None
    trunk: Trunk | None
    end_point: EndPoint | None
    call_list: CallList | None
    records: int  #: on that list
    campaign: Campaign | None
    has_run: bool

    @property
    def done(self) -> dict[str, bool]:
        """Of each step."""
        return {
            "server": self.server is not None,
            "trunk": self.trunk is not None,
            "end-point": self.end_point is not None,
            "list": self.records > 0,
            "campaign": self.campaign is not None,
            "start": self.has_run,
        }

    @property
    def current(self) -> str:
        """The first step that is not done; the last one when all are."""
        return next((step for step, done in self.done.items() if not done), STEPS[-1])

    def may_go_to(self, step: str) -> bool:
        """Back to what is done, and to what comes next."""
        return STEPS.index(step) <= STEPS.index(self.current)


def may_set_up(caller: Caller) -> bool:
    """Whoever may do all the steps."""
    return all(may(caller, right) for right in NEEDED)


def is_new(caller: Caller, db: Database) -> bool:
    """Nothing that the caller sees has ever run."""
    return not runs.page_of_runs(caller, db, limit=1)


def progress(caller: Caller, db: Database) -> SetUp:
    for right in NEEDED:
        demand(caller, right)
    all_trunks, all_end_points = trunks.list_trunks(caller, db), end_points.list_end_points(caller, db)
    server = _server(servers.list_servers(caller, db), all_trunks, all_end_points)
    on = server.id if server else None
    call_list, count = _filled_list(caller, db)
    complete = [each for each in campaigns.list_campaigns(caller, db) if _is_complete(each)]
    return SetUp(
        server,
        _first(trunk for trunk in all_trunks if trunk.server_id == on),
        _first(end_point for end_point in all_end_points if end_point.server_id == on),
        call_list,
        count,
        _first(complete),
        not is_new(caller, db),
    )


def fill_list(caller: Caller, db: Database, *, name: str, numbers: str) -> CallList:
    """Numbers, one a line, onto the list of that name. UserError when none of them can be dialled."""
    if not numbers.strip():
        raise UserError("list numbers: write at least one")
    lists.list_for_numbers(caller, db, name)
    call_list, summary = records.add_numbers(caller, db, name, source=numbers)
    if not summary.added:
        raise UserError(f"list numbers: none could be taken ({_why(summary)})")
    return call_list


def make_campaign(caller: Caller, db: Database, *, name: str, again: bool) -> Campaign:
    """Of what the steps before it made; ``again``: with the usual rules for those who were not reached."""
    found = progress(caller, db)
    if not (found.trunk and found.end_point and found.call_list):
        raise UserError("campaign: a trunk, an end point and a list with numbers come first")
    campaign = Campaign(
        None,
        name,
        trunk_ids=(found.trunk.id or 0,),
        end_point_ids=(found.end_point.id or 0,),
        lists=(CampaignList(found.call_list.id or 0, found.call_list.name),),
        rules=AGAIN if again else (),
    )
    return campaigns.save_campaign(caller, db, campaign)


def summary(caller: Caller, db: Database, campaign: Campaign) -> tuple[list[Trunk], list[EndPoint], list[CallList]]:
    """What the campaign that is to be started uses, made by these steps or not."""
    which = campaign.id or 0
    used = (campaigns.used_by(caller, db, which, kind)[0] for kind in ("trunks", "end points", "lists"))
    of_trunks, of_end_points, of_lists = used
    return of_trunks, of_end_points, of_lists


def _first(things: Iterable[T]) -> T | None:
    """That was made first."""
    return min(things, key=lambda thing: thing.id or 0, default=None)


def _server(known: list[Server], of_trunks: list[Trunk], of_end_points: list[EndPoint]) -> Server | None:
    """One that has both, else the first."""
    enabled = [server for server in known if server.enabled]
    both = {trunk.server_id for trunk in of_trunks} & {end_point.server_id for end_point in of_end_points}
    return _first(server for server in enabled if server.id in both) or _first(enabled)


def _filled_list(caller: Caller, db: Database) -> tuple[CallList | None, int]:
    shown = [each for each in lists.list_lists(caller, db) if not each.hidden]
    counts = records.counts(caller, db, shown)
    first = _first(each for each in shown if counts.get(each.id or 0)) or _first(shown)
    return first, counts.get(first.id or 0, 0) if first else 0


def _is_complete(campaign: Campaign) -> bool:
    startable = campaign.status is CampaignStatus.RUNNABLE
    return bool(startable and campaign.trunk_ids and campaign.end_point_ids and campaign.lists)


def _why(summary: ImportSummary) -> str:
    if not summary.refusals:
        return "they are there already"
    first = summary.refusals[0]
    return f"line {first.line}: {first.reason}"
