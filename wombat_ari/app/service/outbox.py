"""What could not be told outside yet: seen, replayed, dropped. An errand is seen by who sees its campaign."""

from dataclasses import dataclass

from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.campaigns import infos_of
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand, missing, visible
from wombat_ari.model.errands import OutboxRow, ReceiverCount
from wombat_ari.model.errors import UserError
from wombat_ari.store import campaigns, outbox
from wombat_ari.store.database import Database


def page(
    caller: Caller, db: Database, *, after: int = 0, limit: int = 100, receiver: str = "", parked: bool = False
) -> list[OutboxRow]:
    """The oldest first, behind the errand with the id ``after``; those of campaigns that are not seen are left out."""
    demand(caller, Right.SEE_OUTBOX)
    seen = _seen_campaigns(caller, db)
    found: list[OutboxRow] = []
    while len(found) < limit:
        rows = outbox.listing(db, receiver=receiver or None, parked=parked, limit=limit, after=after)
        found += [row for row in rows if _is_seen(row, seen)]
        if len(rows) < limit:
            break
        after = rows[-1].id
    return found[:limit]


def find_errand(caller: Caller, db: Database, errand_id: int) -> OutboxRow:
    demand(caller, Right.SEE_OUTBOX)
    return _seen(caller, db, errand_id)


def counts(caller: Caller, db: Database) -> list[ReceiverCount]:
    """How much lies there for each receiver, of all campaigns."""
    demand(caller, Right.SEE_OUTBOX)
    return outbox.counts(db)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many are tried again; not ``told``: no dialer runs, the next one finds them."""

    count: int
    told: bool


def replay(caller: Caller, db: Database, ask: Asks, *, errand_id: int | None = None, receiver: str = "") -> Replayed:
    """Try one, all of a receiver, or all at once again."""
    demand(caller, Right.CHANGE_OUTBOX)
    if errand_id is not None:
        receiver = _seen(caller, db, errand_id).errand.receiver
    count = outbox.replay(db, now=caller.at, row_id=errand_id, receiver=receiver or None)
    note(caller, db, "outbox replayed", about=receiver, detail=f"{count}")
    try:
        ask.retry_errands(receiver)
    except UserError:
        return Replayed(count, told=False)
    return Replayed(count, told=True)


def drop(
    caller: Caller, db: Database, *, errand_id: int | None = None, receiver: str = "", waiting: bool = False,
    before: float | None = None,
) -> int:  # fmt: skip
    """Delete one, or what is parked for a receiver or for all; how many. ``waiting``: what is still tried, too;
    ``before``: only what was parked (or due) before the moment."""
    demand(caller, Right.CHANGE_OUTBOX)
    if errand_id is not None:
        _seen(caller, db, errand_id)
    count = outbox.drop(db, row_id=errand_id, receiver=receiver or None, waiting=waiting, before=before)
    note(caller, db, "outbox dropped", about=receiver or str(errand_id or ""), detail=f"{count}")
    return count


def _seen(caller: Caller, db: Database, errand_id: int) -> OutboxRow:
    row = outbox.one(db, errand_id)
    if not _is_seen(row, _seen_campaigns(caller, db)):
        raise missing("errand", errand_id)
    return row


def _is_seen(row: OutboxRow, seen: set[int | None]) -> bool:
    return row.errand.campaign_id is None or row.errand.campaign_id in seen


def _seen_campaigns(caller: Caller, db: Database) -> set[int | None]:
    return {campaign.id for campaign in visible(caller, campaigns.list_campaign_heads(db), infos_of(db))}
