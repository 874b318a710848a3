"""A plan file: servers, trunks, end points, lists, opening hours and campaigns as TOML, by name (docs/plan.md).

What is named in the file is made or changed; what is not named stays. A field that is left out has its default when the
thing is made, and stays as it is when it exists. Everything is checked before anything is written.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wombat_ari.app import plan_values as values
from wombat_ari.app.plan_values import Item, Value
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand_of_all
from wombat_ari.core import validate
from wombat_ari.model.entities import (
    CallList,
    Campaign,
    CampaignList,
    EndPoint,
    OpeningHours,
    Server,
    Trunk,
)
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import EndPointType, ListUse
from wombat_ari.store import campaigns, entities, opening_hours
from wombat_ari.store.database import Database

TABLES = ("server", "trunk", "end_point", "list", "opening_hours", "campaign")
SECRETS = ("password", "ari_password", "notify_secret")
PERIOD_KEYS = ("active_from", "active_to", "allowed_days", "time_zone")
LINK_KEYS = ("trunks", "end_points", "lists", "black_lists", "opening_hours", "rule", "disposition")


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that was made, changed, or was as wanted already."""

    kind: str
    name: str
    what: str
    warnings: tuple[str, ...] = ()


def read_plan(path: Path) -> dict[str, list[Item]]:
    """The tables of a plan file. UserError names file, table and key of a mistake."""
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the plan {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from None
    return tables_of(tree, str(path))


def tables_of(tree: dict[str, Any], where: str) -> dict[str, list[Item]]:
    """The tables of a plan that is TOML read already. UserError names ``where`` and the table of a mistake."""
    for name, table in tree.items():
        if name not in TABLES:
            raise UserError(
                f"{where}: unknown table {name!r}; known are {', '.join(TABLES)}{values.close(name, TABLES)}"
            )
        if not isinstance(table, list) or not all(isinstance(item, dict) for item in table):
            raise UserError(f"{where}: write [[{name}]] with double brackets: there may be several")
    return {name: tree.get(name, []) for name in TABLES}


def apply_plan(caller: Caller, db: Database, plan: dict[str, list[Item]]) -> list[Done]:
    """Make it so, servers first, campaigns last: all of it, or, when the database fails on the way, nothing.

    UserError at the first mistake, before anything is written. A plan is for who holds all keys: those of what it
    names are not asked one by one.
    """
    demand_of_all(caller, Right.CHANGE_PBX, Right.CHANGE_LISTS, Right.CHANGE_CAMPAIGNS)
    values.refuse_twice(plan)
    _Plan(db, caller, dry=True).apply(plan)
    with db.together():
        every = _Plan(db, caller).apply(plan)
        for done in every:
            if done.what != "unchanged":
                note(caller, db, f"{done.kind} {done.what}", about=done.name, detail="by a plan")
    return every


class _Plan:
    """Applies the tables. ``dry`` checks every value and name against what is stored and what the plan brings."""

    def __init__(self, database: Database, caller: Caller, *, dry: bool = False) -> None:
        self._db = database
        self._by = caller.login
        self._dry = dry
        self._now = caller.at
        # What exists, by name; in a dry run what the plan will make is added with ids that mean nothing.
        self._servers = {server.description: server for server in entities.list_servers(database)}
        self._trunks = {trunk.name: trunk for trunk in entities.list_trunks(database)}
        # End points are named within their server: two PBXs may both have a queue of that name.
        names = {server.id: name for name, server in self._servers.items()}
        self._end_points = {
            f"{names[end_point.server_id]}/{end_point.name}": end_point
            for end_point in entities.list_end_points(database)
        }
        self._lists = {call_list.name: call_list for call_list in entities.list_lists(database)}
        self._hours = {hours.name: hours for hours in opening_hours.list_opening_hours(database)}
        self._campaigns = {campaign.name: campaign for campaign in campaigns.list_campaigns(database)}
        self._next_id = -1

    def apply(self, plan: dict[str, list[Item]]) -> list[Done]:
        steps = {
            "server": self._server,
            "trunk": self._trunk,
            "end_point": self._end_point,
            "list": self._list,
            "opening_hours": self._opening_hours,
            "campaign": self._campaign,
        }
        return [_named(kind, item, step) for kind, step in steps.items() for item in plan[kind]]

    def _server(self, item: Item) -> Done:
        name = values.name_of("server", item)
        wanted = values.filled(self._servers.get(name) or Server(None, name), item, f"server {name!r}", leave=("name",))
        return self._save("server", name, wanted, self._servers, validate.check_server, entities.save_server)

    def _trunk(self, item: Item) -> Done:
        name = values.name_of("trunk", item)
        old = self._trunks.get(name) or Trunk(None, 0, name, "")
        wanted = values.filled(self._on_server(old, item, "trunk", name), item, f"trunk {name!r}", leave=("server",))
        return self._save("trunk", name, wanted, self._trunks, validate.check_trunk, entities.save_trunk)

    def _end_point(self, item: Item) -> Done:
        name = values.name_of("end_point", item)
        known = self._called(name)
        blank = EndPoint(None, 0, EndPointType.PHONE, name, "", "")
        placed = self._on_server(known[0][1] if len(known) == 1 else blank, item, "end_point", name)
        key = next(f"{server}/{name}" for server, one in self._servers.items() if one.id == placed.server_id)
        old = self._end_points.get(key) or replace(blank, server_id=placed.server_id)
        wanted = values.filled(old, item, f"end_point {name!r}", leave=("server",))
        check, save = validate.check_end_point, entities.save_end_point
        return replace(self._save("end_point", key, wanted, self._end_points, check, save), name=name)

    def _called(self, name: str) -> list[tuple[str, EndPoint]]:
        """The end points of that name, on whichever server."""
        return [(key, end_point) for key, end_point in self._end_points.items() if end_point.name == name]

    def _find_end_point(self, name: str, where: str) -> EndPoint:
        """By name when there is one, else by SERVER/NAME."""
        if name in self._end_points:
            return self._end_points[name]
        called = self._called(name)
        if len(called) > 1:
            keys = " or ".join(repr(key) for key, _ in called)
            raise UserError(f"{where}: there are several end points {name!r}, write {keys}")
        if not called:
            close = values.close(name, [end_point.name for end_point in self._end_points.values()])
            raise UserError(f"{where}: there is no end point {name!r}{close}")
        return called[0][1]

    def _list(self, item: Item) -> Done:
        name = values.name_of("list", item)
        wanted = values.filled(self._lists.get(name) or CallList(None, name), item, f"list {name!r}")
        return self._save("list", name, wanted, self._lists, validate.check_list, entities.save_list)

    def _opening_hours(self, item: Item) -> Done:
        name = values.name_of("opening_hours", item)
        where = f"opening_hours {name!r}"
        wanted = values.filled(self._hours.get(name) or OpeningHours(None, name), item, where, leave=("rule",))
        if "rule" in item:
            wanted = replace(wanted, rules=values.opening_rules(item["rule"], where))
        check, save = validate.check_opening_hours, opening_hours.save_opening_hours
        return self._save("opening_hours", name, wanted, self._hours, check, save)

    def _campaign(self, item: Item) -> Done:
        name = values.name_of("campaign", item)
        where = f"campaign {name!r}"
        old = self._campaigns.get(name) or Campaign(None, name)
        wanted = values.filled(old, item, where, leave=(*LINK_KEYS, *PERIOD_KEYS))
        wanted = replace(wanted, active_period=values.period(old.active_period, item, where))
        wanted = replace(wanted, **self._links(item, where))
        done = self._save("campaign", name, wanted, self._campaigns, validate.check_campaign, campaigns.save_campaign)
        if not self._dry and old.id is not None and done.what != "unchanged":
            self._relink(old.id, wanted)
        return done

    def _links(self, item: Item, where: str) -> dict[str, Any]:
        links: dict[str, Any] = {}
        if "trunks" in item:
            found = (values.find(self._trunks, name, "trunk", where) for name in values.names_of(item, "trunks", where))
            links["trunk_ids"] = tuple(trunk.id for trunk in found)
        if "end_points" in item:
            names = values.names_of(item, "end_points", where)
            links["end_point_ids"] = tuple(self._find_end_point(name, where).id for name in names)
        if "lists" in item or "black_lists" in item:
            links["lists"] = (
                *self._uses(values.names_of(item, "lists", where), ListUse.NORMAL, where),
                *self._uses(values.names_of(item, "black_lists", where), ListUse.BLACK, where),
            )
        if "opening_hours" in item:
            names = values.names_of(item, "opening_hours", where)
            found_hours = (values.find(self._hours, name, "opening hours", where) for name in names)
            links["opening_hours_ids"] = tuple(hours.id for hours in found_hours)
        if "disposition" in item:
            links["dispositions"] = values.dispositions(item["disposition"], where)
        if "rule" in item:
            links["rules"] = values.rules(item["rule"], where)
        return links

    def _uses(self, names: list[str], use: ListUse, where: str) -> list[CampaignList]:
        found = (values.find(self._lists, name, "list", where) for name in names)
        return [CampaignList(each.id or 0, each.name, use, place) for place, each in enumerate(found)]

    def _relink(self, campaign_id: int, wanted: Campaign) -> None:
        common: dict[str, Any] = {"by": self._by, "now": self._now}
        campaigns.set_campaign_trunks(self._db, campaign_id, trunk_ids=wanted.trunk_ids, **common)
        campaigns.set_campaign_end_points(self._db, campaign_id, end_point_ids=wanted.end_point_ids, **common)
        campaigns.set_campaign_lists(self._db, campaign_id, lists=wanted.lists, **common)
        campaigns.set_campaign_rules(self._db, campaign_id, rules=wanted.rules, **common)
        ids = wanted.opening_hours_ids
        campaigns.set_campaign_opening_hours(self._db, campaign_id, opening_hours_ids=ids, **common)
        campaigns.set_campaign_dispositions(self._db, campaign_id, dispositions=wanted.dispositions, **common)

    def _on_server(self, value: Value, item: Item, kind: str, name: str) -> Value:
        if "server" in item:
            server = values.find(self._servers, item["server"], "server", f"{kind} {name!r}")
        elif getattr(value, "server_id", 0):
            return value
        elif len(self._servers) == 1:
            server = next(iter(self._servers.values()))
        else:
            raise UserError(f"{kind} {name!r}: say on which server it is (server = ...)")
        return replace(value, server_id=server.id)  # type: ignore[type-var]

    def _save(
        self,
        kind: str,
        name: str,
        wanted: Any,
        known: dict[str, Any],
        check: Callable[..., Any],
        save: Callable[..., Any],
    ) -> Done:
        checked, warnings = check(wanted)
        old = known.get(name)
        what = "made" if old is None or old.id is None else "changed"
        if what == "changed" and values.comparable(old) == values.comparable(checked):
            what = "unchanged"
        if self._dry:
            if checked.id is None:
                checked = replace(checked, id=self._next_id)
                self._next_id -= 1
        elif what != "unchanged":
            checked = save(self._db, checked, by=self._by, now=self._now)
        known[name] = checked
        return Done(kind.replace("_", " "), name, what, tuple(warnings))


def _named(kind: str, item: Item, step: Callable[[Item], Done]) -> Done:
    """A refusal says whose it is."""
    try:
        return step(item)
    except UserError as refusal:
        name = str(item.get("name", "")).strip()
        if not name or name in str(refusal):
            raise
        raise UserError(f"{kind} {name!r}: {refusal}", code=refusal.code) from None
