"""0002: opening hours, disposition rules, outbox, tokens of the API, records due later, more of a campaign.

Columns of tables that exist are added one by one, each only where it is missing.
"""

# ruff: noqa: E501

from wombat_ari.store.database import Transaction

#: table, column, its definition on SQLite and on MySQL, what rows that exist have in it
_COLUMNS = (
    ("end_point", "description", "VARCHAR(255) NOT NULL", "VARCHAR(255) NOT NULL COMMENT 'free text'", "''"),
    (
        "end_point",
        "dial_find",
        "VARCHAR(255) NOT NULL",
        "VARCHAR(255) NOT NULL COMMENT 'QUEUE, reverse: regular expression looked for in the agent''s interface'",
        "''",
    ),
    (
        "end_point",
        "dial_replace",
        "VARCHAR(255) NOT NULL",
        "VARCHAR(255) NOT NULL COMMENT 'QUEUE, reverse: what is dialled in place of it'",
        "''",
    ),
    (
        "record",
        "wombatid",
        "INTEGER NULL",
        "BIGINT NULL COMMENT 'WOMBATID promised for its first attempt, until that is made'",
        None,
    ),
    ("record", "not_before", "REAL NULL", "DOUBLE NULL COMMENT 'not dialled before this (epoch seconds, UTC)'", None),
    (
        "campaign",
        "logging_attributes",
        "VARCHAR(1000) NOT NULL",
        "VARCHAR(1000) NOT NULL COMMENT 'attributes told in the queue_log: names, comma separated'",
        "''",
    ),
    (
        "campaign",
        "variables",
        "VARCHAR(4000) NOT NULL",
        "VARCHAR(4000) NOT NULL COMMENT 'channel variables of each call: NAME:value,NAME:value with ${ATTRIBUTE}'",
        "''",
    ),
    (
        "campaign",
        "boost",
        "REAL NOT NULL",
        "DOUBLE NOT NULL COMMENT 'factor on the end points'' boost with which a run begins'",
        "1",
    ),
    ("campaign", "starts_paused", "INTEGER NOT NULL", "TINYINT(1) NOT NULL COMMENT 'a run begins PAUSED'", "0"),
    ("open_retry", "wombatid", "INTEGER NULL", "BIGINT NULL COMMENT 'WOMBATID promised for that try'", None),
)

_SQLITE = r"""
CREATE TABLE IF NOT EXISTS opening_hours (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name VARCHAR(80) NOT NULL,
    comment VARCHAR(255) NOT NULL,
    default_open INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL
)
;
CREATE UNIQUE INDEX IF NOT EXISTS opening_hours_by_name ON opening_hours (name)
;
CREATE TABLE IF NOT EXISTS opening_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    opening_hours_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    from_date VARCHAR(10) NOT NULL,
    to_date VARCHAR(10) NOT NULL,
    days VARCHAR(7) NOT NULL,
    start_s INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    comment VARCHAR(80) NOT NULL,
    CONSTRAINT opening_rule_opening_hours_id FOREIGN KEY (opening_hours_id) REFERENCES opening_hours (id)
)
;
CREATE INDEX IF NOT EXISTS opening_rule_by_opening_hours_id ON opening_rule (opening_hours_id)
;
CREATE TABLE IF NOT EXISTS campaign_opening_hours (
    campaign_id INTEGER NOT NULL,
    opening_hours_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, opening_hours_id),
    CONSTRAINT campaign_opening_hours_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_opening_hours_opening_hours_id FOREIGN KEY (opening_hours_id) REFERENCES opening_hours (id)
)
;
CREATE INDEX IF NOT EXISTS campaign_opening_hours_by_opening_hours_id ON campaign_opening_hours (opening_hours_id)
;
CREATE TABLE IF NOT EXISTS disposition_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    campaign_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    extended_status VARCHAR(80) NOT NULL,
    with_retries INTEGER NOT NULL,
    verb VARCHAR(16) NOT NULL,
    destination VARCHAR(1000) NOT NULL,
    body TEXT NOT NULL,
    delay_s INTEGER NOT NULL,
    attributes VARCHAR(16) NOT NULL,
    extra VARCHAR(2000) NOT NULL,
    CONSTRAINT disposition_rule_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
)
;
CREATE INDEX IF NOT EXISTS disposition_rule_by_campaign_id ON disposition_rule (campaign_id)
;
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    receiver VARCHAR(255) NOT NULL,
    sequence VARCHAR(80) NOT NULL,
    campaign_id INTEGER NULL,
    run_id INTEGER NULL,
    wombatid INTEGER NULL,
    payload TEXT NOT NULL,
    created_at REAL NOT NULL,
    due_at REAL NOT NULL,
    first_due_at REAL NOT NULL,
    tries INTEGER NOT NULL,
    error VARCHAR(255) NOT NULL
)
;
CREATE INDEX IF NOT EXISTS outbox_by_state_receiver_due_at ON outbox (state, receiver, due_at)
;
CREATE INDEX IF NOT EXISTS outbox_by_sequence_id ON outbox (sequence, id)
;
CREATE TABLE IF NOT EXISTS api_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id INTEGER NOT NULL,
    name VARCHAR(80) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    scopes VARCHAR(255) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    expires_at REAL NULL,
    revoked_at REAL NULL,
    last_used_at REAL NULL,
    CONSTRAINT api_token_user_id FOREIGN KEY (user_id) REFERENCES user (id)
)
;
CREATE INDEX IF NOT EXISTS api_token_by_user_id ON api_token (user_id)
;
CREATE UNIQUE INDEX IF NOT EXISTS api_token_by_token_hash ON api_token (token_hash)
;
CREATE TABLE IF NOT EXISTS idempotency_key (
    login VARCHAR(80) NOT NULL,
    idempotency_key VARCHAR(200) NOT NULL,
    request_hash VARCHAR(64) NOT NULL,
    status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (login, idempotency_key)
)
;
CREATE INDEX IF NOT EXISTS idempotency_key_by_created_at ON idempotency_key (created_at)
"""

_MYSQL = r"""
CREATE TABLE IF NOT EXISTS opening_hours (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    name VARCHAR(80) NOT NULL COMMENT 'unique',
    comment VARCHAR(255) NOT NULL COMMENT 'free text',
    default_open TINYINT(1) NOT NULL COMMENT 'open where no rule fits',
    hidden TINYINT(1) NOT NULL COMMENT 'not shown unless asked for',
    security_key VARCHAR(80) NOT NULL COMMENT 'key that its viewers must hold, empty: everybody',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    UNIQUE KEY opening_hours_by_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='When calls may be placed, shared by campaigns'
;
CREATE TABLE IF NOT EXISTS opening_rule (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    opening_hours_id BIGINT NOT NULL COMMENT 'the opening hours',
    position INTEGER NOT NULL COMMENT 'order, from 0',
    is_open TINYINT(1) NOT NULL COMMENT 'open then, else closed',
    from_date VARCHAR(10) NOT NULL COMMENT 'first day, YYYY-MM-DD or MM-DD, empty: any',
    to_date VARCHAR(10) NOT NULL COMMENT 'last day, YYYY-MM-DD or MM-DD, empty: any',
    days VARCHAR(7) NOT NULL COMMENT 'days of the week, 1 is Sunday, 7 is Saturday',
    start_s INTEGER NOT NULL COMMENT 'begin, seconds since midnight',
    end_s INTEGER NOT NULL COMMENT 'last second since midnight; before the begin: it spans midnight',
    comment VARCHAR(80) NOT NULL COMMENT 'free text',
    PRIMARY KEY (id),
    KEY opening_rule_by_opening_hours_id (opening_hours_id),
    CONSTRAINT opening_rule_opening_hours_id FOREIGN KEY (opening_hours_id) REFERENCES opening_hours (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Lines of opening hours; the first that fits decides'
;
CREATE TABLE IF NOT EXISTS campaign_opening_hours (
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    opening_hours_id BIGINT NOT NULL COMMENT 'the opening hours',
    position INTEGER NOT NULL COMMENT 'order, from 0',
    PRIMARY KEY (campaign_id, opening_hours_id),
    KEY campaign_opening_hours_by_opening_hours_id (opening_hours_id),
    CONSTRAINT campaign_opening_hours_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_opening_hours_opening_hours_id FOREIGN KEY (opening_hours_id) REFERENCES opening_hours (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Opening hours that a campaign keeps to: all of them must be open'
;
CREATE TABLE IF NOT EXISTS disposition_rule (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    position INTEGER NOT NULL COMMENT 'order, from 0: all that fit are done, in it',
    status VARCHAR(16) NOT NULL COMMENT 'outcome it is for, * : any',
    extended_status VARCHAR(80) NOT NULL COMMENT 'empty: attempts without one; a code; * : any',
    with_retries TINYINT(1) NOT NULL COMMENT 'also for attempts that will be retried, else only for those that close their record',
    verb VARCHAR(16) NOT NULL COMMENT 'NONE, HTTP_GET, HTTP_POST, ADD_LIST, BLACK_LIST, EMAIL or RESCHEDULE',
    destination VARCHAR(1000) NOT NULL COMMENT 'URL, addresses, list or campaign, with ${ATTRIBUTE}',
    body MEDIUMTEXT NOT NULL COMMENT 'text of what is sent, with ${ATTRIBUTE}',
    delay_s INTEGER NOT NULL COMMENT 'seconds after the attempt ended',
    attributes VARCHAR(16) NOT NULL COMMENT 'which attributes go along: ALL, INPUT, OUTPUT or NONE',
    extra VARCHAR(2000) NOT NULL COMMENT 'more attributes: NAME:value,NAME:value with ${ATTRIBUTE}',
    PRIMARY KEY (id),
    KEY disposition_rule_by_campaign_id (campaign_id),
    CONSTRAINT disposition_rule_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='What is done about an attempt that ended so, besides retrying'
;
CREATE TABLE IF NOT EXISTS outbox (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity; rows of one sequence are done in its order',
    kind VARCHAR(16) NOT NULL COMMENT 'NOTIFY (the campaign''s URL), HTTP_GET, HTTP_POST, EMAIL, ADD_LIST, BLACK_LIST or RESCHEDULE',
    state VARCHAR(16) NOT NULL COMMENT 'WAITING, or PARKED: given up, until somebody replays or deletes it',
    receiver VARCHAR(255) NOT NULL COMMENT 'who it is for: host of the URL, mail server, list or campaign',
    sequence VARCHAR(80) NOT NULL COMMENT 'rows with the same one wait for each other; empty: it waits for none',
    campaign_id BIGINT NULL COMMENT 'the campaign',
    run_id BIGINT NULL COMMENT 'the run',
    wombatid BIGINT NULL COMMENT 'the attempt it is about',
    payload MEDIUMTEXT NOT NULL COMMENT 'JSON object: what is sent or done',
    created_at DOUBLE NOT NULL COMMENT 'when it was written (epoch seconds, UTC)',
    due_at DOUBLE NOT NULL COMMENT 'when it is tried next (epoch seconds, UTC)',
    first_due_at DOUBLE NOT NULL COMMENT 'when it was due first, or replayed: giving up counts from here (epoch seconds, UTC)',
    tries INTEGER NOT NULL COMMENT 'tries so far',
    error VARCHAR(255) NOT NULL COMMENT 'what went wrong last, in words',
    PRIMARY KEY (id),
    KEY outbox_by_state_receiver_due_at (state, receiver, due_at),
    KEY outbox_by_sequence_id (sequence, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='What is still to be told or done outside the calls: written with what it is about, deleted when done'
;
CREATE TABLE IF NOT EXISTS api_token (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    user_id BIGINT NOT NULL COMMENT 'whose rights it has',
    name VARCHAR(80) NOT NULL COMMENT 'what it is for',
    token_hash VARCHAR(64) NOT NULL COMMENT 'SHA-256 of the token, which is shown once',
    scopes VARCHAR(255) NOT NULL COMMENT 'what it may be used for, separated by blanks',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    expires_at DOUBLE NULL COMMENT 'after this moment it is refused (epoch seconds, UTC)',
    revoked_at DOUBLE NULL COMMENT 'when it was revoked (epoch seconds, UTC)',
    last_used_at DOUBLE NULL COMMENT 'when it was used last (epoch seconds, UTC)',
    PRIMARY KEY (id),
    KEY api_token_by_user_id (user_id),
    UNIQUE KEY api_token_by_token_hash (token_hash),
    CONSTRAINT api_token_user_id FOREIGN KEY (user_id) REFERENCES user (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Tokens with which programs call the API in the name of a user'
;
CREATE TABLE IF NOT EXISTS idempotency_key (
    login VARCHAR(80) NOT NULL COMMENT 'who asked',
    idempotency_key VARCHAR(200) NOT NULL COMMENT 'the key that was sent',
    request_hash VARCHAR(64) NOT NULL COMMENT 'SHA-256 of method, address and body: the same key with another request is refused',
    status INTEGER NOT NULL COMMENT 'status that was answered, 0 while it is being done',
    answer MEDIUMTEXT NOT NULL COMMENT 'body that was answered',
    created_at DOUBLE NOT NULL COMMENT 'when it was asked first (epoch seconds, UTC)',
    PRIMARY KEY (login, idempotency_key),
    KEY idempotency_key_by_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Answers of the API to requests with an Idempotency-Key, so that a repeated one is not done twice'
"""


def apply(tx: Transaction, *, now: float) -> None:
    for table, column, sqlite, mysql, default in _COLUMNS:
        if not _has(tx, table, column):
            _add(tx, table, column, sqlite if tx.kind == "sqlite" else mysql, default)
    for statement in (_SQLITE if tx.kind == "sqlite" else _MYSQL).split("\n;\n"):
        tx.run(statement)


def _add(tx: Transaction, table: str, column: str, definition: str, default: str | None) -> None:
    """With a default for the rows that exist. MySQL then forgets it; SQLite cannot, and there it does no harm."""
    if default is None:
        tx.run(f"ALTER TABLE {table} ADD COLUMN {column} {definition}")
        return
    first = definition.replace("NOT NULL", f"NOT NULL DEFAULT {default}", 1)
    tx.run(f"ALTER TABLE {table} ADD COLUMN {column} {first}")
    if tx.kind == "mysql":
        tx.run(f"ALTER TABLE {table} MODIFY COLUMN {column} {definition}")


def _has(tx: Transaction, table: str, column: str) -> bool:
    if tx.kind == "sqlite":
        return any(row[1] == column for row in tx.rows(f"PRAGMA table_info({table})"))
    where = "table_schema = DATABASE() AND table_name = %s AND column_name = %s"
    return bool(tx.value(f"SELECT COUNT(*) FROM information_schema.columns WHERE {where}", (table, column)))
