"""0004: sessions of people at the console, and each user's time zone."""

# ruff: noqa: E501

from wombat_ari.store.database import Transaction

_ZONE = "IANA name of the zone in which times are shown to them, empty: the dialer's own"

_SQLITE = """
CREATE TABLE IF NOT EXISTS web_session (
    token_hash VARCHAR(64) NOT NULL,
    user_id INTEGER NOT NULL,
    stamp VARCHAR(64) NOT NULL,
    address VARCHAR(64) NOT NULL,
    created_at REAL NOT NULL,
    seen_at REAL NOT NULL,
    PRIMARY KEY (token_hash),
    CONSTRAINT web_session_user_id FOREIGN KEY (user_id) REFERENCES user (id)
)
"""

_MYSQL = """
CREATE TABLE IF NOT EXISTS web_session (
    token_hash VARCHAR(64) NOT NULL COMMENT 'SHA-256 of what the cookie holds',
    user_id BIGINT NOT NULL COMMENT 'who logged on',
    stamp VARCHAR(64) NOT NULL COMMENT 'of the password then: with another one the session has ended',
    address VARCHAR(64) NOT NULL COMMENT 'where from',
    created_at DOUBLE NOT NULL COMMENT 'when (epoch seconds, UTC)',
    seen_at DOUBLE NOT NULL COMMENT 'last request, to the minute (epoch seconds, UTC)',
    PRIMARY KEY (token_hash),
    KEY web_session_by_user_id (user_id),
    KEY web_session_by_seen_at (seen_at),
    CONSTRAINT web_session_user_id FOREIGN KEY (user_id) REFERENCES user (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='People who are logged on at the console'
"""


def apply(tx: Transaction, *, now: float) -> None:
    """May run again over what an interrupted one left."""
    if tx.kind == "sqlite":
        tx.run("ALTER TABLE user ADD COLUMN time_zone VARCHAR(64) NOT NULL DEFAULT ''")
        tx.run(_SQLITE)
        tx.run("CREATE INDEX IF NOT EXISTS web_session_by_user_id ON web_session (user_id)")
        tx.run("CREATE INDEX IF NOT EXISTS web_session_by_seen_at ON web_session (seen_at)")
        return
    tx.run(
        f"ALTER TABLE user ADD COLUMN IF NOT EXISTS time_zone VARCHAR(64) NOT NULL DEFAULT '' COMMENT '{_quoted(_ZONE)}'"
    )
    tx.run(f"ALTER TABLE user MODIFY COLUMN time_zone VARCHAR(64) NOT NULL COMMENT '{_quoted(_ZONE)}'")
    tx.run(_MYSQL)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
