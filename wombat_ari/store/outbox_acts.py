"""What errands that change our own database do: in the transaction that deletes their row, so once.

Payloads are ``core/disposition``'s. A refusal is a UserError: it is tried again later, unless its code is HOPELESS.
"""

from collections.abc import Callable, Sequence
from typing import Any

from wombat_ari.core import validate
from wombat_ari.core.disposition import HOPS, MAX_HOPS
from wombat_ari.core.numbers import ParsedRecord, check_attributes, clean_number
from wombat_ari.model.calls import NewCall
from wombat_ari.model.entities import CallList
from wombat_ari.model.errands import DONE, ErrandKind, OutboxRow, Receipt
from wombat_ari.model.errors import UserError, WombatError
from wombat_ari.store import calls, lists, saving
from wombat_ari.store.database import Database, Transaction
from wombat_ari.store.entities import LIST

HOPELESS = "hopeless"
BY = "dialer"

Payload = dict[str, Any]


def perform(db: Database, rows: Sequence[OutboxRow], *, now: float) -> list[Receipt]:
    """Do what these errands say and delete their rows, in one transaction: once, whatever happens.

    When one of them cannot be done, each is done (or not) by itself. A StoreError that passes is raised.
    """
    try:
        with db.transaction() as tx:
            for row in rows:
                _perform(db, tx, row, now=now)
        return [DONE] * len(rows)
    except WombatError as error:
        if getattr(error, "transient", False):
            raise
        if len(rows) == 1:
            return [Receipt(str(error), hopeless=error.code == HOPELESS)]
    return [receipt for row in rows for receipt in perform(db, [row], now=now)]


def _perform(db: Database, tx: Transaction, row: OutboxRow, *, now: float) -> None:
    if tx.value(f"SELECT id FROM outbox WHERE id = %s{tx.for_update}", (row.id,)) is not None:
        _ACTS[row.errand.kind](db, tx, row.errand.payload, now)
        tx.run("DELETE FROM outbox WHERE id = %s", (row.id,))


def _add_list(db: Database, tx: Transaction, payload: Payload, now: float) -> None:
    """Append the record to the list, which is made if there is none of that name."""
    number, attributes = _record(payload)
    lists.append(tx, _list(db, tx, payload["list"], now), [ParsedRecord(number, attributes)])


def _black_list(db: Database, tx: Transaction, payload: Payload, now: float) -> None:
    """Append the number to the list, once."""
    lists.append(tx, _list(db, tx, payload["list"], now), [ParsedRecord(payload["number"])], dedupe=True)


def _reschedule(db: Database, tx: Transaction, payload: Payload, now: float) -> None:
    """Hand the record to the live run of another campaign, behind what it has."""
    number, attributes = _record(payload)
    campaign = str(payload["campaign"])
    sql = "SELECT r.id FROM run r JOIN campaign c ON c.id = r.live_campaign_id WHERE c.name = %s"
    run_id = tx.value(sql, (campaign,))
    answer = calls.add_within(db, tx, NewCall(run_id, number, attributes), now=now) if run_id is not None else None
    if answer is None or isinstance(answer, UserError):
        raise UserError(no_run(campaign))


def no_run(campaign: str) -> str:
    return f"campaign {campaign!r} has no live run that could take the record"


def _record(payload: Payload) -> tuple[str, dict[str, str]]:
    """Number and attributes. Hopeless when it goes round in a circle, or can be no record."""
    attributes = {str(name): str(value) for name, value in payload["attributes"].items()}
    if int(attributes.get(HOPS, "0")) > MAX_HOPS:
        raise UserError(
            f"the record was handed on {MAX_HOPS} times already: do campaigns hand it to each other?", code=HOPELESS
        )
    try:
        check_attributes(attributes)
        return clean_number(payload["number"]), attributes
    except UserError as error:
        raise UserError(str(error), code=HOPELESS) from None


def _list(db: Database, tx: Transaction, name: str, now: float) -> int:
    try:
        checked, _ = validate.check_list(CallList(None, name))
    except UserError as error:
        raise UserError(str(error), code=HOPELESS) from None
    list_id = tx.value("SELECT id FROM call_list WHERE name = %s", (checked.name,))
    return list_id if list_id is not None else saving.save(db, tx, LIST, checked, by=BY, now=now)


_ACTS: dict[ErrandKind, Callable[[Database, Transaction, Payload, float], None]] = {
    ErrandKind.ADD_LIST: _add_list,
    ErrandKind.BLACK_LIST: _black_list,
    ErrandKind.RESCHEDULE: _reschedule,
}
