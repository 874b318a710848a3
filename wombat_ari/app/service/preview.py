"""Preview: an agent reserves the next number, has it dialled or skips it. Refusals have codes of ``engine/preview``."""

from typing import Any

from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import FORBIDDEN, Right, demand
from wombat_ari.model.errors import UserError
from wombat_ari.store import users
from wombat_ari.store.database import Database


def reserve(caller: Caller, db: Database, ask: Asks, *, agent: str) -> dict[str, Any]:
    """``id``, ``number`` and ``attributes`` of the number reserved for an agent (their channel as in Asterisk)."""
    demand(caller, Right.PREVIEW)
    _require_own(caller, db, agent)
    return ask.reserve(agent)


def dial(caller: Caller, ask: Asks, *, wombatid: int) -> None:
    """Call the agent, then the callee."""
    demand(caller, Right.PREVIEW)
    ask.dial_reserved(wombatid)


def skip(caller: Caller, ask: Asks, *, wombatid: int, code: str = "") -> None:
    """Not dialled; ``code`` becomes its extended status."""
    demand(caller, Right.PREVIEW)
    ask.skip_reserved(wombatid, code)


def _require_own(caller: Caller, db: Database, agent: str) -> None:
    """Who has only the key AGENT reserves for the channels of their own token."""
    if caller.trusted or caller.keyring.holds("LIVE"):
        return
    own = users.load_user(db, caller.login).token.split()
    if agent not in own:
        raise UserError(
            f"agent {agent}: user {caller.login} may only be {' or '.join(own) or 'nobody'}", code=FORBIDDEN
        )
