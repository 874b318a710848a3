"""Passwords in URLs at rest: encrypted, within the URL, so that the rest of it can be read and searched."""

from wombat_ari.core.urls import MASK, with_password
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.store.database import Transaction
from wombat_ari.store.secrets import SecretBox

MOST = 1000  #: characters of a column
_SEAL = "sealed."
_COLUMNS = (("asterisk_server", "password"), ("asterisk_server", "ari_password"), ("campaign", "notify_secret"))
_HOLDERS = (("campaign", "http_notify_url"), ("disposition_rule", "destination"), ("outbox", "payload"))


def sealed(tx: Transaction, url: str, *, most: int | None = MOST) -> str:
    """UserError when it is longer than ``most`` then."""

    def seal(password: str) -> str:
        return _SEAL + tx.secrets.seal(Secret(password), others_exist=lambda: any_secret(tx))

    found = with_password(url, seal)
    if most is not None and len(found) > most:
        raise UserError(f"URL {with_password(url, lambda _: MASK)[:60]}...: with its password it is too long")
    return found


def opened(secrets: SecretBox, url: str) -> str:
    def open_(password: str) -> str:
        if not password.startswith(_SEAL):
            return password  # stored before passwords were encrypted
        return secrets.unseal(password.removeprefix(_SEAL)).reveal()

    return with_password(url, open_)


def any_secret(tx: Transaction) -> bool:
    """Whether anything was encrypted already: the key file must not be made anew then."""
    if any(tx.value(f"SELECT COUNT(*) FROM {table} WHERE {column} <> ''") for table, column in _COLUMNS):
        return True
    return any(
        tx.value(f"SELECT COUNT(*) FROM {table} WHERE {column} LIKE %s", (f"%:{_SEAL}gAAAA%",))
        for table, column in _HOLDERS
    )
