"""Preview: an agent reserves the next number, has it dialled or skips it. Refusals have codes of ``engine/preview``."""

from typing import Any

from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.calls import seen_call, sees_call
from wombat_ari.app.service.logbook import line
from wombat_ari.app.service.rights import FORBIDDEN, Right, demand
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import CallState
from wombat_ari.store import users
from wombat_ari.store.database import Database


def reserve(caller: Caller, db: Database, ask: Asks, *, agent: str) -> dict[str, Any]:
    """``id``, ``number`` and ``attributes`` of the number reserved for an agent (their channel as in Asterisk)."""
    demand(caller, Right.PREVIEW)
    _require_own(caller, db, agent)
    return ask.reserve(agent, line=line(caller, "number reserved"))


def dial(caller: Caller, db: Database, ask: Asks, *, wombatid: int) -> None:
    """Call the agent, then the callee."""
    demand(caller, Right.PREVIEW)
    _require_held(caller, db, ask, wombatid)
    ask.dial_reserved(wombatid, line=line(caller, "reserved number dialled"))


def skip(caller: Caller, db: Database, ask: Asks, *, wombatid: int, code: str = "") -> None:
    """Not dialled; ``code`` becomes its extended status."""
    demand(caller, Right.PREVIEW)
    _require_held(caller, db, ask, wombatid)
    ask.skip_reserved(wombatid, code, line=line(caller, "reserved number skipped"))


def follow(caller: Caller, db: Database, ask: Asks, *, wombatid: int, mine: bool) -> dict[str, Any]:
    """What is known of a call that was reserved, until it is over. ``mine``: the caller is known to have had it."""
    demand(caller, Right.PREVIEW)
    if not mine and _own_channels(caller, db) is None:
        return seen_call(caller, db, ask, wombatid)
    if not mine:
        _require_held(caller, db, ask, wombatid)
    return ask.call_info(wombatid)


def channels_of(caller: Caller, db: Database) -> list[str] | None:
    """The agents that the caller may be; None: any."""
    demand(caller, Right.PREVIEW)
    return _own_channels(caller, db)


def _require_own(caller: Caller, db: Database, agent: str) -> None:
    """Who has only the key AGENT reserves for the channels of their own token."""
    own = _own_channels(caller, db)
    if own is not None and agent not in own:
        raise UserError(
            f"agent {agent}: user {caller.login} may only be {' or '.join(own) or 'nobody'}", code=FORBIDDEN
        )


def _require_held(caller: Caller, db: Database, ask: Asks, wombatid: int) -> None:
    """A number that another agent holds is not there for who has only the key AGENT; nor is, for others, a call that
    is not reserved and whose campaign they do not see: who reserves for any agent may be given a number of any
    campaign, and must be able to go on with it."""
    own = _own_channels(caller, db)
    try:
        call = ask.call_info(wombatid)
    except UserError as refusal:
        if refusal.code == "dialer-down":
            raise
        call = {"state": CallState.RD_RESERVED, "agent_interface": ""}  # the dialer says that it is not there
    if own is not None:
        there = call["agent_interface"] in own
    else:
        there = call["state"] == CallState.RD_RESERVED or sees_call(caller, db, call)
    if not there:
        raise UserError(f"there is no call {wombatid}", code="ID_NOT_FOUND")


def _own_channels(caller: Caller, db: Database) -> list[str] | None:
    """None: any channel."""
    if caller.trusted or caller.keyring.holds("LIVE"):
        return None
    return users.load_user(db, caller.login).token.split()
