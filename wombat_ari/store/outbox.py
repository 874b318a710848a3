"""Errands: written in the transaction of what they are about, so that neither exists without the other.

A row is deleted only after its errand was done, so a crash loses none; one that was done and not yet deleted is done
again under the same message id. Of each sequence only the first row that waits is given out. Rows are found by the
index (state, receiver, due_at), receiver by receiver: what lies there for one that is dead costs the others nothing.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from wombat_ari.core.urls import masked
from wombat_ari.model.errands import (
    DueErrands,
    Errand,
    ErrandKind,
    ErrandState,
    OutboxRow,
    ReceiverCount,
    Undone,
)
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import NO_SECRET, Secret
from wombat_ari.store import urls
from wombat_ari.store.database import Database, Row, Transaction, chunks, marks

_WAITING, _PARKED = ErrandState.WAITING.value, ErrandState.PARKED.value
_COLUMNS = (
    "o.id, o.kind, o.state, o.receiver, o.sequence, o.campaign_id, o.run_id, o.wombatid, o.payload, o.created_at, "
    "o.due_at, o.first_due_at, o.tries, o.error"
)
_INDEX = "outbox_by_state_receiver_due_at"
_STEP = 2000  #: rows changed in one transaction, so that nobody waits
_SIGNED = (ErrandKind.NOTIFY, ErrandKind.HTTP_POST)


def add(tx: Transaction, errands: Iterable[Errand]) -> None:
    rows = [
        (e.kind.value, _WAITING, e.receiver[:255], e.sequence[:80], e.campaign_id, e.run_id,
         e.wombatid, json.dumps(_sealed(tx, e.payload), ensure_ascii=False), e.created_at, e.due_at, e.due_at,
         0, "")
        for e in errands
    ]  # fmt: skip
    tx.many(
        "INSERT INTO outbox (kind, state, receiver, sequence, campaign_id, run_id, wombatid, payload, created_at, "
        f"due_at, first_due_at, tries, error) VALUES ({marks(13)})",
        rows,
    )


def due(db: Database, *, now: float, held: Collection[str] = (), limit: int = 100) -> DueErrands:
    """Up to ``limit`` rows of each receiver that is not ``held``, in the order in which they fell due."""
    found: list[OutboxRow] = []
    next_at: float | None = None
    with db.transaction(write=False) as tx:
        for receiver in _receivers(tx, _WAITING):
            if receiver in held:
                continue
            rows = _due(tx, receiver, now=now, limit=limit)
            found += rows
            upcoming = _next_due(tx, receiver, now=now)
            if upcoming is not None and (next_at is None or upcoming < next_at):
                next_at = upcoming
        secrets = _secrets(db, tx, {row.errand.campaign_id for row in found if row.errand.kind in _SIGNED})
    return DueErrands(tuple(_with_secret(_opened(db, row), secrets) for row in found), next_at)


def settle(db: Database, *, done: Sequence[OutboxRow], undone: Sequence[Undone]) -> bool:
    """Delete what is done, and write down what is not. May be repeated. Answers whether something waited behind it.

    Rows behind one that is put off are put off with it, so that a look at what is due need not pass over them.
    """
    with db.transaction() as tx:
        for part in chunks(done, 500):
            tx.run(f"DELETE FROM outbox WHERE id IN ({marks(len(part))})", [row.id for row in part])
        for each in undone:
            state = _PARKED if each.parked else _WAITING
            tx.run(
                "UPDATE outbox SET state = %s, due_at = %s, tries = %s, error = %s WHERE id = %s",
                (state, each.due_at, each.tries, each.error[:255], each.id),
            )
            if each.sequence and not each.parked:
                tx.run(
                    "UPDATE outbox SET due_at = %s WHERE sequence = %s AND id > %s AND state = %s AND due_at < %s",
                    (each.due_at, each.sequence, each.id, _WAITING, each.due_at),
                )
        freed = {row.errand.sequence for row in done} | {each.sequence for each in undone if each.parked}
        return any(_is_waited_in(tx, part) for part in chunks(sorted(freed - {""}), 500))


def _is_waited_in(tx: Transaction, sequences: Sequence[str]) -> bool:
    sql = f"SELECT id FROM outbox WHERE sequence IN ({marks(len(sequences))}) AND state = %s LIMIT 1"
    return tx.value(sql, (*sequences, _WAITING)) is not None


def give_up(db: Database, receiver: str, *, before: float, error: str, now: float) -> int:
    """Park a step of what has waited for a receiver since before the moment; returns how many, 0: there are no more."""
    with db.transaction() as tx:
        ids = _step(tx, _WAITING, receiver, "due_at < %s", before)
        if ids:
            sql = f"UPDATE outbox SET state = %s, due_at = %s, error = %s WHERE id IN ({marks(len(ids))})"
            tx.run(sql, (_PARKED, now, error[:255], *ids))
        return len(ids)


# For people


def listing(
    db: Database, *, receiver: str | None = None, parked: bool = False, limit: int = 50, after: int = 0
) -> list[OutboxRow]:
    """The oldest rows first, behind the one with the id ``after``; all receivers, or one."""
    wanted = {"o.receiver": receiver, "o.state": _PARKED if parked else None}
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join(["o.id > %s", *(f"{column} = %s" for column in given)])
    sql = f"SELECT {_COLUMNS} FROM outbox o WHERE {where} ORDER BY o.id LIMIT %s"
    with db.transaction(write=False) as tx:
        return [_masked(_row(row)) for row in tx.rows(sql, (after, *given.values(), limit))]


def one(db: Database, row_id: int) -> OutboxRow:
    with db.transaction(write=False) as tx:
        row = tx.row(f"SELECT {_COLUMNS} FROM outbox o WHERE o.id = %s", (row_id,))
    if row is None:
        raise UserError(f"there is no errand {row_id} in the outbox", code="missing")
    return _masked(_row(row))


def counts(db: Database) -> list[ReceiverCount]:
    """By receiver. Read from the index alone, yet it costs the more the more rows there are."""
    sql = "SELECT receiver, state, COUNT(*) FROM outbox GROUP BY state, receiver"
    found: dict[str, dict[str, int]] = {}
    with db.transaction(write=False) as tx:
        for receiver, state, count in tx.rows(sql):
            found.setdefault(receiver, {})[state] = count
    return [ReceiverCount(name, of.get(_WAITING, 0), of.get(_PARKED, 0)) for name, of in sorted(found.items())]


def replay(db: Database, *, now: float, row_id: int | None = None, receiver: str | None = None) -> int:
    """Try again at once, with the whole time before giving up: one row, or all of a receiver (None: of all) that are
    parked or put off. Returns how many. UserError when the row is not there.
    """
    if row_id is not None:
        with db.transaction() as tx:
            if not _revive(tx, [row_id], now=now):
                raise UserError(f"there is no errand {row_id} in the outbox: see wombat-ari outbox list")
            return 1
    count = 0
    for state in (_PARKED, _WAITING):
        for name in [receiver] if receiver is not None else _names(db, state):
            # What was put off lies ahead and is drawn to now; what is not due yet for the first time stays there.
            where = "due_at < 1e12 + %s" if state == _PARKED else "due_at > %s AND due_at > first_due_at"
            while part := _revive_step(db, state, name, where=where, now=now):
                count += part
    return count


def drop(
    db: Database,
    *,
    row_id: int | None = None,
    receiver: str | None = None,
    waiting: bool = False,
    before: float | None = None,
) -> int:
    """Delete one row; or what is parked for a receiver (None: for all), with ``waiting`` also what waits; ``before``:
    only what was parked (or due) before the moment. Returns how many. UserError when the row is not there.
    """
    if row_id is not None:
        with db.transaction() as tx:
            if not tx.run("DELETE FROM outbox WHERE id = %s", (row_id,)):
                raise UserError(f"there is no errand {row_id} in the outbox: see wombat-ari outbox list")
            return 1
    count = 0
    for state in (_PARKED, _WAITING) if waiting else (_PARKED,):
        for name in [receiver] if receiver is not None else _names(db, state):
            while part := _drop_step(db, state, name, before=1e12 if before is None else before):
                count += part
    return count


def campaigns_with_mail(db: Database) -> list[str]:
    """Names of the campaigns that may send e-mails."""
    sql = (
        "SELECT name FROM campaign WHERE (email_events <> 'NONE' AND email_addresses <> '') "
        "OR id IN (SELECT campaign_id FROM disposition_rule WHERE verb = 'EMAIL') ORDER BY name"
    )
    with db.transaction(write=False) as tx:
        return [row[0] for row in tx.rows(sql)]


def _receivers(tx: Transaction, state: str) -> list[str]:
    """A seek in the index for each, however many rows they have."""
    sql = f"SELECT MIN(receiver) FROM outbox {tx.by_index(_INDEX)} WHERE state = %s AND receiver > %s"
    names: list[str] = []
    name = tx.value(f"SELECT MIN(receiver) FROM outbox {tx.by_index(_INDEX)} WHERE state = %s", (state,))
    while name is not None:
        names.append(name)
        name = tx.value(sql, (state, name))
    return names


def _names(db: Database, state: str) -> list[str]:
    with db.transaction(write=False) as tx:
        return _receivers(tx, state)


def _due(tx: Transaction, receiver: str, *, now: float, limit: int) -> list[OutboxRow]:
    sql = (
        f"SELECT {_COLUMNS} FROM outbox o {tx.by_index(_INDEX)} "
        "WHERE o.state = %s AND o.receiver = %s AND o.due_at <= %s AND (o.sequence = '' OR NOT EXISTS "
        "(SELECT 1 FROM outbox p WHERE p.sequence = o.sequence AND p.id < o.id AND p.state = %s)) "
        "ORDER BY o.due_at, o.id LIMIT %s"
    )
    return [_row(row) for row in tx.rows(sql, (_WAITING, receiver, now, _WAITING, limit))]


def _next_due(tx: Transaction, receiver: str, *, now: float) -> float | None:
    sql = f"SELECT MIN(due_at) FROM outbox {tx.by_index(_INDEX)} WHERE state = %s AND receiver = %s AND due_at > %s"
    found: float | None = tx.value(sql, (_WAITING, receiver, now))
    return found


def _row(row: Row) -> OutboxRow:
    id_, kind, state, receiver, sequence, campaign_id, run_id, wombatid, payload, created_at, due_at = row[:11]
    errand = Errand(
        kind=ErrandKind(kind),
        receiver=receiver,
        payload=json.loads(payload),
        created_at=created_at,
        due_at=due_at,
        sequence=sequence,
        campaign_id=campaign_id,
        run_id=run_id,
        wombatid=wombatid,
    )
    return OutboxRow(id_, errand, ErrandState(state), tries=row[12], error=row[13], first_due_at=row[11])


def _sealed(tx: Transaction, payload: dict[str, object]) -> dict[str, object]:
    return payload if "url" not in payload else {**payload, "url": urls.sealed(tx, str(payload["url"]), most=None)}


def _opened(db: Database, row: OutboxRow) -> OutboxRow:
    return _with_url(row, lambda url: urls.opened(db.secrets, url))


def _masked(row: OutboxRow) -> OutboxRow:
    return _with_url(row, masked)


def _with_url(row: OutboxRow, change: Callable[[str], str]) -> OutboxRow:
    payload = row.errand.payload
    if "@" not in str(payload.get("url", "")):
        return row
    return replace(row, errand=replace(row.errand, payload={**payload, "url": change(str(payload["url"]))}))


def _secrets(db: Database, tx: Transaction, campaign_ids: set[int | None]) -> dict[int, Secret]:
    ids = sorted(each for each in campaign_ids if each is not None)
    if not ids:
        return {}
    rows = tx.rows(f"SELECT id, notify_secret FROM campaign WHERE id IN ({marks(len(ids))})", ids)
    return {campaign_id: db.secrets.unseal(text) for campaign_id, text in rows}


def _with_secret(row: OutboxRow, secrets: dict[int, Secret]) -> OutboxRow:
    secret = secrets.get(row.errand.campaign_id or 0, NO_SECRET) if row.errand.kind in _SIGNED else NO_SECRET
    return replace(row, secret=secret) if secret else row


def _step(tx: Transaction, state: str, receiver: str, where: str, moment: float) -> list[int]:
    sql = f"SELECT id FROM outbox {tx.by_index(_INDEX)} WHERE state = %s AND receiver = %s AND {where} LIMIT {_STEP}"
    return [row[0] for row in tx.rows(sql, (state, receiver, moment))]


def _revive_step(db: Database, state: str, receiver: str, *, where: str, now: float) -> int:
    with db.transaction() as tx:
        ids = _step(tx, state, receiver, where, now)
        return _revive(tx, ids, now=now) if ids else 0


def _revive(tx: Transaction, ids: Sequence[int], *, now: float) -> int:
    return tx.run(
        f"UPDATE outbox SET state = %s, due_at = %s, first_due_at = %s, tries = 0 WHERE id IN ({marks(len(ids))})",
        (_WAITING, now, now, *ids),
    )


def _drop_step(db: Database, state: str, receiver: str, *, before: float) -> int:
    with db.transaction() as tx:
        ids = _step(tx, state, receiver, "due_at < %s", before)
        return tx.run(f"DELETE FROM outbox WHERE id IN ({marks(len(ids))})", ids) if ids else 0
