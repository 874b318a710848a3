"""0006: passwords in URLs that were stored in clear (of notifications, rules, errands that wait) are encrypted as those
that are stored now; in the audit trail, which shows them to people, they are masked.

A URL that would be too long with its password encrypted stays as it is; it is refused when it is next changed.
"""

import json
from collections.abc import Callable
from typing import Any

from wombat_ari.core.urls import MASK, with_password
from wombat_ari.model.secret import Secret
from wombat_ari.store.database import Transaction

_CLEAR = "%://%:%@%"
_SEAL = "sealed."
_SEALED = _SEAL + "gAAAA"  #: as what Fernet makes begins
_MOST = 1000
_AT_ONCE = 500
_SECRETS = (("asterisk_server", "password"), ("asterisk_server", "ari_password"), ("campaign", "notify_secret"))
_HOLDERS = (("campaign", "http_notify_url"), ("disposition_rule", "destination"), ("outbox", "payload"))


def apply(tx: Transaction, *, now: float) -> None:
    """May run again over what an interrupted one left. StoreError when there is something to encrypt and the key file
    is away."""

    def seal(password: str) -> str:
        if password.startswith(_SEALED):
            return password
        return _SEAL + tx.secrets.seal(Secret(password), others_exist=lambda: _any_secret(tx))

    def column(url: str) -> str:
        found = with_password(url, seal)
        return found if len(found) <= _MOST else url

    _each(tx, "campaign", "http_notify_url", column)
    _each(tx, "disposition_rule", "destination", column)
    _each(tx, "outbox", "payload", lambda text: _with_url(text, lambda url: with_password(url, seal)))
    for name in ("old_values", "new_values"):
        _each(tx, "audit", name, lambda text: _in_json(text, lambda url: with_password(url, lambda _: MASK)))


def _each(tx: Transaction, table: str, column: str, change: Callable[[str], str]) -> None:
    last = 0
    while True:
        rows = tx.rows(
            f"SELECT id, {column} FROM {table} WHERE id > %s AND {column} LIKE %s ORDER BY id LIMIT {_AT_ONCE}",
            (last, _CLEAR),
        )
        for key, text in rows:
            changed = change(text)
            if changed != text:
                tx.run(f"UPDATE {table} SET {column} = %s WHERE id = %s", (changed, key))
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1][0]


def _with_url(text: str, change: Callable[[str], str]) -> str:
    """Of an errand: what else it holds is text of people."""
    payload = json.loads(text)
    if not isinstance(payload.get("url"), str) or change(payload["url"]) == payload["url"]:
        return text
    return json.dumps({**payload, "url": change(payload["url"])}, ensure_ascii=False)


def _in_json(text: str, change: Callable[[str], str]) -> str:
    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, list):
            return [walk(one) for one in value]
        return {name: walk(one) for name, one in value.items()} if isinstance(value, dict) else value

    before = json.loads(text)
    after = walk(before)
    return text if after == before else json.dumps(after, ensure_ascii=False)


def _any_secret(tx: Transaction) -> bool:
    if any(tx.value(f"SELECT COUNT(*) FROM {table} WHERE {column} <> ''") for table, column in _SECRETS):
        return True
    sealed = f"%:{_SEALED}%"
    return any(
        tx.value(f"SELECT COUNT(*) FROM {table} WHERE {column} LIKE %s", (sealed,)) for table, column in _HOLDERS
    )
