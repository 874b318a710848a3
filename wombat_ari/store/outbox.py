"""Errands: written in the transaction of what they are about, so that neither exists without the other."""

import json
from collections.abc import Iterable

from wombat_ari.model.errands import Errand, ErrandState
from wombat_ari.store.database import Transaction


def add(tx: Transaction, errands: Iterable[Errand]) -> None:
    rows = [
        (e.kind.value, ErrandState.WAITING.value, e.receiver[:255], e.sequence[:80], e.campaign_id, e.run_id,
         e.wombatid, json.dumps(e.payload, ensure_ascii=False), e.created_at, e.due_at, e.due_at)
        for e in errands
    ]  # fmt: skip
    tx.many(
        "INSERT INTO outbox (kind, state, receiver, sequence, campaign_id, run_id, wombatid, payload, created_at, "
        "due_at, first_due_at, tries, error) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '')",
        rows,
    )
