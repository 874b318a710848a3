"""Calls of live runs: added, annotated, hung up. Who sees the campaign of a call sees the call."""

from typing import Any, Protocol

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.campaigns import infos_of
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand, missing, require_seen, sees
from wombat_ari.core.moments import moment_of
from wombat_ari.core.numbers import parse_pairs
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errors import UserError
from wombat_ari.store import campaigns
from wombat_ari.store.database import Database

Picture = dict[str, Any]


class Asks(Protocol):
    """What is asked of the dialer; UserError with the code ``dialer-down`` when none runs."""

    def add_call(
        self, campaign: str, number: str, *, attributes: dict[str, str] | None = None, due: float | None = None
    ) -> int: ...

    def call_info(self, wombatid: int) -> Picture: ...

    def set_status(self, wombatid: int, code: str) -> None: ...

    def set_attribute(self, wombatid: int, name: str, value: str) -> None: ...

    def append_attribute(self, wombatid: int, name: str, value: str) -> None: ...

    def clear_attribute(self, wombatid: int, name: str) -> None: ...

    def hang_up(self, wombatid: int) -> None: ...


def add_call(
    caller: Caller, db: Database, ask: Asks, *, campaign: str, number: str, attributes: dict[str, str] | str = "",
    when: str = "", zone: str = "UTC",
) -> int:  # fmt: skip
    """The WOMBATID of a call that is durable now.

    ``attributes`` may be native text (``NAME:value,NAME:value``); ``when`` is as ``core/moments`` reads it, by the
    clock of the campaign, or of ``zone`` where that has none.
    """
    demand(caller, Right.CONTROL_CALLS)
    found = _seen_head(caller, db, campaign)
    pairs = parse_pairs(attributes) if isinstance(attributes, str) else attributes
    due = moment_of(when, now=caller.at, zone=found.active_period.zone or zone) if when.strip() else None
    return ask.add_call(found.name, number, attributes=pairs, due=due)


def find_call(caller: Caller, db: Database, ask: Asks, wombatid: int) -> Picture:
    """What is known of a call, live or ended; fields of ``model.reports.CallInfo`` and ``is_live``."""
    demand(caller, Right.SEE_LIVE)
    return _seen_call(caller, db, ask, wombatid)


def set_status(caller: Caller, db: Database, ask: Asks, *, wombatid: int, code: str) -> None:
    """The extended status of a call that is live, or ended within a minute."""
    demand(caller, Right.CONTROL_CALLS)
    _seen_call(caller, db, ask, wombatid)
    ask.set_status(wombatid, code)


def set_attribute(caller: Caller, db: Database, ask: Asks, *, wombatid: int, name: str, value: str) -> None:
    demand(caller, Right.CONTROL_CALLS)
    _seen_call(caller, db, ask, wombatid)
    ask.set_attribute(wombatid, name, value)


def append_attribute(caller: Caller, db: Database, ask: Asks, *, wombatid: int, name: str, value: str) -> None:
    demand(caller, Right.CONTROL_CALLS)
    _seen_call(caller, db, ask, wombatid)
    ask.append_attribute(wombatid, name, value)


def clear_attributes(caller: Caller, db: Database, ask: Asks, *, wombatid: int, name: str = "") -> None:
    """One output attribute, or all that the call has."""
    demand(caller, Right.CONTROL_CALLS)
    known = _seen_call(caller, db, ask, wombatid)["output_attributes"]
    for each in [name] if name else list(known):
        ask.clear_attribute(wombatid, each)


def hang_up(caller: Caller, db: Database, ask: Asks, *, wombatid: int) -> None:
    demand(caller, Right.CONTROL_CALLS)
    call = _seen_call(caller, db, ask, wombatid)
    ask.hang_up(wombatid)
    note(caller, db, "hang up", about=call["campaign_name"], detail=f"call {wombatid} to {call['number']}")


def _seen_head(caller: Caller, db: Database, name: str) -> Campaign:
    """Its own fields are enough here, and quicker to come by."""
    found = next((head for head in campaigns.list_campaign_heads(db) if head.name == name), None)
    if found is None:
        raise missing("campaign", name)
    return require_seen(caller, found, "campaign", which=name, infos=infos_of(db))


def _seen_call(caller: Caller, db: Database, ask: Asks, wombatid: int) -> Picture:
    try:
        call = ask.call_info(wombatid)
    except UserError as refusal:
        if refusal.code == "dialer-down":
            raise
        raise missing("call", wombatid) from None
    heads = (head for head in campaigns.list_campaign_heads(db) if head.name == call["campaign_name"])
    if any(sees(caller, head, infos_of(db)) for head in heads):
        return call
    raise missing("call", wombatid)
