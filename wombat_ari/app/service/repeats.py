"""Requests with a key of their own (``Idempotency-Key``): one is done once, its answer is kept for a day."""

import threading

from wombat_ari.app.service.caller import Caller
from wombat_ari.store import repeats
from wombat_ari.store.database import Database
from wombat_ari.store.repeats import Repeat

KEPT_S = 86_400.0
_PRUNE_EVERY_S = 300.0

_turn = threading.Lock()
_pruned: dict[str, float] = {}


def begin(caller: Caller, db: Database, key: str, *, request_hash: str) -> Repeat | None:
    """None: do it, then ``finish`` or ``forget``. Else what is known of the first request with this key."""
    _prune_now_and_then(caller, db)
    return repeats.begin(db, caller.login, key, request_hash=request_hash, now=caller.at, kept_s=KEPT_S)


def finish(caller: Caller, db: Database, key: str, *, status: int, answer: str) -> None:
    repeats.finish(db, caller.login, key, status=status, answer=answer)


def forget(caller: Caller, db: Database, key: str) -> None:
    """Nothing was done."""
    repeats.forget(db, caller.login, key)


def _prune_now_and_then(caller: Caller, db: Database) -> None:
    with _turn:
        if caller.at - _pruned.get(db.name, 0.0) < _PRUNE_EVERY_S:
            return
        _pruned[db.name] = caller.at
    while repeats.prune(db, before=caller.at - KEPT_S):
        pass


__all__ = ["KEPT_S", "Repeat", "begin", "finish", "forget"]
