"""0001: all tables, and the first WOMBATID.

Ids begin at the milliseconds since 2025: a database made anew beside a PBX that still remembers calls of an old one
(traces in the AstDB, log files, clients) does not use their ids again.
"""

from wombat_ari.store.database import Transaction
from wombat_ari.store.migrations import m0001_mysql, m0001_sqlite

_YEAR_2025 = 1735689600


def apply(tx: Transaction, *, now: float) -> None:
    script = m0001_sqlite.SQL if tx.kind == "sqlite" else m0001_mysql.SQL
    for statement in script.split("\n;\n"):
        tx.run(statement)
    if tx.value("SELECT COUNT(*) FROM id_block") == 0:
        first = max(1, int((now - _YEAR_2025) * 1000))
        tx.run("INSERT INTO id_block (name, next_id) VALUES (%s, %s)", ("wombatid", first))
