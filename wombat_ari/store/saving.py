"""How a configured thing is stored: one way for all kinds, with its audit trail, secrets and refusals.

A ``Kind`` says how a model value becomes columns and back, which columns are secrets, and what may refer to it.
An empty secret in a save means "as it is" (a password is never shown, so an editor sends it back empty).
"""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wombat_ari.core.urls import masked
from wombat_ari.model.admin import AuditEntry, EntityInfo
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.store import urls
from wombat_ari.store.database import Database, Transaction
from wombat_ari.store.faults import fault_of
from wombat_ari.store.tables import Audit, BaseTable, Described

T = TypeVar("T")
Columns = dict[str, Any]

CONFLICT = "conflict"  #: code of the UserError when somebody else saved in between
IN_USE = "in_use"  #: code of the UserError when something refers to what is to be deleted
NAME_TAKEN = "name_taken"  #: code of the UserError when the name is another's
MISSING = "missing"  #: code of the UserError when there is no such thing
_BOOKKEEPING = ("id", "created_at", "created_by", "changed_at", "changed_by", "version", "password_hash")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """``referrers``: what a refusal calls them, and a query (one parameter, the id) that gives some of their names."""

    label: str
    table: type[Described]
    name: str
    encode: Callable[[T], Columns]
    decode: Callable[[Columns], T]
    secrets: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()  #: columns with URLs whose passwords are secrets
    at_first: tuple[tuple[str, Any], ...] = ()  #: columns that are not in the value: what a new row has in them
    parents: tuple[tuple[str, str, type[BaseTable]], ...] = ()  #: column, what a refusal calls it, its table
    unique_in: tuple[str, ...] = ()  #: the name is unique among rows with the same values in these columns
    referrers: tuple[tuple[str, str], ...] = ()


def save(
    db: Database, tx: Transaction, kind: Kind[T], value: T, *, by: str, now: float, version: int | None = None,
    clear: Collection[str] = (),
) -> int:  # fmt: skip
    """Insert or update; returns the id. ``version``: refuse when it is not the stored one any more (UserError, code
    ``conflict``). ``clear`` names secrets to be emptied."""
    columns = kind.encode(value)
    entity_id = columns.pop("id")
    _require_parents(tx, kind, columns)
    _require_free_name(tx, kind, entity_id, columns=columns)
    try:
        if entity_id is None:
            return _insert(db, tx, kind, columns, by=by, now=now)
        old = _row(tx, kind, entity_id)
        _require_version(kind, old, version)
        _update(db, tx, kind, old=old, columns=columns, by=by, now=now, clear=clear, version=version)
        return int(entity_id)
    except Exception as error:
        fault = fault_of(error, db.name)
        if fault is None or fault.code != "store_duplicate":
            raise
        raise _name_taken(kind, columns) from None  # by somebody who was not committed when we looked


class InUse(UserError):
    """Something refers to what is to be deleted. ``users``: what kind of thing, and names of some of it."""

    def __init__(self, what: str, users: list[tuple[str, list[str]]]) -> None:
        told = "; ".join(f"{label} {', '.join(names)}".strip() for label, names in users)
        super().__init__(f"{what} cannot be deleted: it is used by {told}", code=IN_USE)
        self.what = what
        self.users = users


def load(db: Database, tx: Transaction, kind: Kind[T], which: int | str) -> T:
    """By id or exact name. UserError when there is none."""
    return kind.decode(_opened(db, kind, _row(tx, kind, which)))


def load_all(db: Database, tx: Transaction, kind: Kind[T]) -> list[T]:
    """In the order of their names."""
    column = getattr(kind.table, kind.name)
    return [kind.decode(_opened(db, kind, row)) for row in tx.dicts(kind.table.select().order_by(column))]


def delete(
    tx: Transaction, kind: Kind[T], entity_id: int, *, by: str, now: float, version: int | None = None
) -> Columns:
    """UserError naming what refers to it. Returns the row that was. ``version``: as for ``save``."""
    old = _row(tx, kind, entity_id)
    _require_version(kind, old, version)
    found = [(label, [str(row[0]) for row in tx.rows(sql, (entity_id,))]) for label, sql in kind.referrers]
    users = [(label, names) for label, names in found if names]
    if users:
        raise InUse(f"{kind.label} {old[kind.name]}", users)
    if not tx.do(kind.table.delete().where(_same(kind, old, version))):
        raise _conflict(kind, old)
    audit(tx, kind.table, entity_id, action="DELETED", old=_shown(kind, old), new={}, by=by, now=now)
    return old


def require_version(tx: Transaction, kind: Kind[T], entity_id: int, *, version: int | None) -> None:
    """As ``save`` does, for what belongs to a row and is written by itself."""
    if version is not None:
        _require_version(kind, _row(tx, kind, entity_id), version)


def infos(tx: Transaction, kind: Kind[T]) -> dict[int, EntityInfo]:
    """Who made and changed each."""
    table = kind.table
    names = [table.id, getattr(table, kind.name), table.created_at, table.created_by]
    rows = table.select(*names, table.changed_at, table.changed_by, table.version).tuples().execute(tx.peewee)
    return {row[0]: EntityInfo(*row) for row in rows}


def history(db: Database, entity: str, entity_id: int, *, limit: int = 100) -> list[AuditEntry]:
    """Changes of one thing, the latest first."""
    query = Audit.select().where((Audit.entity == entity) & (Audit.entity_id == entity_id))
    with db.transaction(write=False) as tx:
        rows = tx.dicts(query.order_by(Audit.id.desc()).limit(limit))
    return [_audit_of(row) for row in rows]


def audit(
    tx: Transaction,
    table: type[BaseTable],
    entity_id: int,
    *,
    action: str,
    old: Columns,
    new: Columns,
    by: str,
    now: float,
) -> None:
    values = {"at": now, "login": by, "action": action, "entity": table._meta.table_name, "entity_id": entity_id}
    dumped = {"old_values": json.dumps(old, ensure_ascii=False), "new_values": json.dumps(new, ensure_ascii=False)}
    tx.do(Audit.insert(**values, **dumped))


def require(tx: Transaction, table: type[BaseTable], label: str, ids: Iterable[int]) -> None:
    """UserError unless all these exist."""
    wanted = set(ids)
    if wanted:
        key: Any = table._meta.primary_key
        found = {row[0] for row in table.select(key).where(key.in_(wanted)).tuples().execute(tx.peewee)}
        if wanted - found:
            raise UserError(f"there is no {label} {min(wanted - found)}", code=MISSING)


def _insert(db: Database, tx: Transaction, kind: Kind[T], columns: Columns, *, by: str, now: float) -> int:
    stored = {name: _sealed(db, tx, value) for name, value in columns.items()}
    stored |= {name: urls.sealed(tx, columns[name]) for name in kind.urls}
    marks = {"created_at": now, "created_by": by, "changed_at": now, "changed_by": by, "version": 1}
    entity_id = int(tx.do(kind.table.insert(**stored, **dict(kind.at_first), **marks)))
    audit(tx, kind.table, entity_id, action="CREATED", old={}, new=_shown(kind, columns), by=by, now=now)
    return entity_id


def _update(
    db: Database, tx: Transaction, kind: Kind[T], *, old: Columns, columns: Columns, by: str, now: float,
    clear: Collection[str], version: int | None,
) -> None:  # fmt: skip
    changed = {}
    for name, value in columns.items():
        if name in kind.secrets:
            if value or name in clear:
                changed[name] = _sealed(db, tx, value)
        elif name in kind.urls:
            if value != urls.opened(db.secrets, old[name]):
                changed[name] = urls.sealed(tx, value)
        elif value != old[name]:
            changed[name] = value
    if not changed:
        return
    marks = {"changed_at": now, "changed_by": by, "version": old["version"] + 1}
    if not tx.do(kind.table.update(**changed, **marks).where(_same(kind, old, version))):
        raise _conflict(kind, old)
    before = _shown(kind, {name: old[name] for name in changed})
    audit(tx, kind.table, old["id"], action="CHANGED", old=before, new=_shown(kind, changed), by=by, now=now)


def _require_version(kind: Kind[T], old: Columns, version: int | None) -> None:
    if version is not None and version != old["version"]:
        raise _conflict(kind, old)


def _same(kind: Kind[T], old: Columns, version: int | None) -> Any:
    """The row, and, where a version is asked for, only while it has that: another transaction may be quicker."""
    same = kind.table.id == old["id"]
    return same if version is None else same & (kind.table.version == version)


def _conflict(kind: Kind[T], old: Columns) -> UserError:
    return UserError(
        f"{kind.label} {old[kind.name]} was changed by {old['changed_by']} in the meantime; load it again",
        code=CONFLICT,
    )


def _row(tx: Transaction, kind: Kind[T], which: int | str) -> Columns:
    column = kind.table.id if isinstance(which, int) else getattr(kind.table, kind.name)
    found = tx.first(kind.table.select().where(column == which))
    if found is None:
        raise UserError(f"there is no {kind.label} {which}", code=MISSING)
    return found


def _require_parents(tx: Transaction, kind: Kind[T], columns: Columns) -> None:
    for column, label, table in kind.parents:
        if columns[column] is not None:
            require(tx, table, label, [columns[column]])


def _require_free_name(tx: Transaction, kind: Kind[T], entity_id: int | None, *, columns: Columns) -> None:
    table, name = kind.table, columns[kind.name]
    query = table.select(table.id).where(getattr(table, kind.name) == name)
    for column in kind.unique_in:
        query = query.where(getattr(table, column) == columns[column])
    if any(row["id"] != entity_id for row in tx.dicts(query)):
        raise _name_taken(kind, columns)


def _name_taken(kind: Kind[T], columns: Columns) -> UserError:
    return UserError(f"{kind.label} {columns[kind.name]}: there is one of that name already", code=NAME_TAKEN)


def _sealed(db: Database, tx: Transaction, value: Any) -> Any:
    if not isinstance(value, Secret):
        return value
    return db.secrets.seal(value, others_exist=lambda: urls.any_secret(tx))


def signing_key(db: Database, purpose: str) -> bytes:
    """Of this installation, from its key file; see ``SecretBox.derive``."""
    with db.transaction(write=False) as tx:
        exist = urls.any_secret(tx)
    return db.secrets.derive(purpose, others_exist=lambda: exist)


def _opened(db: Database, kind: Kind[T], row: Columns) -> Columns:
    for name in kind.secrets:
        row[name] = db.secrets.unseal(row[name])
    for name in kind.urls:
        row[name] = urls.opened(db.secrets, row[name])
    return row


def _shown(kind: Kind[T], columns: Columns) -> Columns:
    """Fit for the audit trail: without our own bookkeeping, secrets masked."""
    shown = {
        name: ("***" if value else "") if name in kind.secrets else value
        for name, value in columns.items()
        if name not in _BOOKKEEPING
    }
    return shown | {name: masked(shown[name]) for name in kind.urls if name in shown}


def _audit_of(row: Columns) -> AuditEntry:
    old, new = json.loads(row["old_values"]), json.loads(row["new_values"])
    return AuditEntry(row["at"], row["login"], row["action"], row["entity"], row["entity_id"], old, new)
