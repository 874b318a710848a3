"""Calls of live runs: added, annotated, hung up. Who sees the campaign of a call sees the call."""

from dataclasses import asdict, dataclass
from typing import Any

from wombat_ari.app.service.asks import Asks, Picture
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.campaigns import infos_of
from wombat_ari.app.service.logbook import line, origin
from wombat_ari.app.service.rights import Right, demand, demand_any, missing, require_seen, sees
from wombat_ari.core.moments import moment_of
from wombat_ari.core.numbers import parse_pairs
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import LoggedCall, WaitingRetry
from wombat_ari.store import calls as call_store
from wombat_ari.store import campaigns, reports
from wombat_ari.store.database import Database


def add_call(
    caller: Caller, db: Database, ask: Asks, *, campaign: str, number: str, attributes: dict[str, str] | str = "",
    when: str = "", zone: str = "UTC",
) -> int:  # fmt: skip
    """The WOMBATID of a call that is durable now.

    ``attributes`` may be native text (``NAME:value,NAME:value``); ``when`` is as ``core/moments`` reads it, by the
    clock of the campaign, or of ``zone`` where that has none.
    """
    # At the machine all campaigns are seen: the database is asked for the clock only, the dialer knows the rest.
    known = caller.at_machine and not when.strip()
    place = _place(caller, campaign, zone) if known else place_for_calls(caller, db, campaign, zone=zone)
    return ask.add_call(place.campaign, number, **place.asked(attributes, when, now=caller.at))


@dataclass(frozen=True, slots=True)
class Place:
    """A campaign that somebody may add calls to, and who that is."""

    campaign: str
    zone: str
    by: str
    origin: str

    def asked(self, attributes: dict[str, str] | str, when: str, *, now: float) -> dict[str, Any]:
        """Attributes and moment as the dialer is asked, and who asks; UserError when they cannot be read."""
        pairs = parse_pairs(attributes) if isinstance(attributes, str) else attributes
        due = moment_of(when, now=now, zone=self.zone) if when.strip() else None
        return {"attributes": pairs, "due": due, "by": self.by, "origin": self.origin}


def place_for_calls(caller: Caller, db: Database, campaign: str, *, zone: str) -> Place:
    """What is checked of who adds calls. ``zone``: where the campaign has none."""
    demand(caller, Right.CONTROL_CALLS)
    found = call_store.campaign_of_calls(db, campaign)
    if found is None:
        raise missing("campaign", campaign)
    require_seen(caller, found, "campaign", which=campaign, infos=infos_of(db))
    return _place(caller, found.name, found.zone or zone)


def find_call(caller: Caller, db: Database, ask: Asks, wombatid: int) -> Picture:
    """What is known of a call, live or ended; fields of ``model.reports.CallInfo`` and ``is_live``."""
    demand(caller, Right.SEE_LIVE)
    return seen_call(caller, db, ask, wombatid)


@dataclass(frozen=True, slots=True)
class History:
    """A call, all attempts of its record in its run (the first first), and the next one if one is to come."""

    call: Picture  #: as ``find_call``; ``is_live`` is None while no dialer can tell
    attempts: list[LoggedCall]
    next_retry: WaitingRetry | None


def history(caller: Caller, db: Database, ask: Asks, wombatid: int) -> History:
    """Also of calls that ended long ago, and while no dialer runs."""
    demand_any(caller, Right.SEE_LIVE, Right.SEE_REPORTS)
    try:
        call = seen_call(caller, db, ask, wombatid)
    except UserError as refusal:
        if refusal.code != "dialer-down":
            raise
        call = _stored_call(caller, db, wombatid)
    place = call_store.record_of(db, wombatid)
    if place is None:
        return History(call, [], None)
    return History(call, reports.calls_of_record_in(db, *place), reports.retry_of(db, *place))


def set_status(caller: Caller, db: Database, ask: Asks, *, wombatid: int, code: str) -> None:
    """The extended status of a call that is live, or ended within a minute."""
    demand(caller, Right.CONTROL_CALLS)
    noted = _noted(caller, seen_call(caller, db, ask, wombatid), "status set", code)
    ask.set_status(wombatid, code, line=noted)


def set_attribute(caller: Caller, db: Database, ask: Asks, *, wombatid: int, name: str, value: str) -> None:
    demand(caller, Right.CONTROL_CALLS)
    noted = _noted(caller, seen_call(caller, db, ask, wombatid), "attribute set", name)
    ask.set_attribute(wombatid, name, value, line=noted)


def append_attribute(caller: Caller, db: Database, ask: Asks, *, wombatid: int, name: str, value: str) -> None:
    demand(caller, Right.CONTROL_CALLS)
    noted = _noted(caller, seen_call(caller, db, ask, wombatid), "attribute appended", name)
    ask.append_attribute(wombatid, name, value, line=noted)


def clear_attributes(caller: Caller, db: Database, ask: Asks, *, wombatid: int, name: str = "") -> None:
    """One output attribute, or all that the call has."""
    demand(caller, Right.CONTROL_CALLS)
    call = seen_call(caller, db, ask, wombatid)
    for each in [name] if name else list(call["output_attributes"]):
        ask.clear_attribute(wombatid, each, line=_noted(caller, call, "attribute cleared", each))


def hang_up(caller: Caller, db: Database, ask: Asks, *, wombatid: int) -> None:
    demand(caller, Right.CONTROL_CALLS)
    call = seen_call(caller, db, ask, wombatid)
    ask.hang_up(wombatid, line=_noted(caller, call, "hang up"))


def _noted(caller: Caller, call: Picture, action: str, what: str = "") -> SystemLogEntry:
    """Values of attributes are people's: their names are enough."""
    about_call = f"call {call['wombatid']} to {call['number']}"
    detail = f"{about_call}: {what[:200]}" if what else about_call
    return line(caller, action, about=call["campaign_name"], detail=detail)


def _place(caller: Caller, campaign: str, zone: str) -> Place:
    return Place(campaign, zone, caller.login[:80], origin(caller))


def seen_call(caller: Caller, db: Database, ask: Asks, wombatid: int) -> Picture:
    """As ``find_call``, for who has another right to ask."""
    try:
        call = ask.call_info(wombatid)
    except UserError as refusal:
        if refusal.code == "dialer-down":
            raise
        raise missing("call", wombatid) from None
    return _require_campaign(caller, db, call)


def _stored_call(caller: Caller, db: Database, wombatid: int) -> Picture:
    found = call_store.find_call(db, wombatid)
    if found is None:
        raise missing("call", wombatid)
    is_live = False if found.state in ("ON_LIST", "WAITING", "ENDED") else None
    return _require_campaign(caller, db, {**asdict(found), "is_live": is_live})


def _require_campaign(caller: Caller, db: Database, call: Picture) -> Picture:
    if sees_call(caller, db, call):
        return call
    raise missing("call", call["wombatid"])


def sees_call(caller: Caller, db: Database, call: Picture) -> bool:
    """Who sees its campaign."""
    heads = (head for head in campaigns.list_campaign_heads(db) if head.name == call["campaign_name"])
    return any(sees(caller, head, infos_of(db)) for head in heads)
