"""P5: importing CSV records with three attributes into MariaDB beside ``LOAD DATA INFILE`` of the same rows.

    python -m tools.bench.p5_import [--records 1000000] [--rounds 3] [--pool 1024] [--json]

Ours is the command a person uses (``wombat-ari import LIST FILE.csv``), start of Python included: it reads and checks
each cell, spells the attributes and commits every some thousand rows, so that a dialer at work is not held up. The peer
gets the finished rows, with the attributes spelled, in a file of its own, and loads them in one statement into a table
like ours with the same indexes. Sides take turns; before each turn its table is emptied. Memory is the most that the
command's process ever had.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from tools.bench.machine import Load, median, spread
from tools.bench.stores import POOL_MB, BenchStore, opened, say, timed

REACH = 4.0
MOST_MB = 150
PEER = "record_peer"
COLUMNS = "list_id, number, input_attributes, output_attributes"


def main() -> int:
    arguments = _arguments()
    result = measure(records=arguments.records, rounds=arguments.rounds, pool_mb=arguments.pool)
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0


def measure(*, records: int, rounds: int, pool_mb: int) -> dict[str, Any]:
    load = Load.now()
    with opened("mariadb", records=2 * records, pool_mb=pool_mb) as store:
        csv, rows = _files(store.folder, records)
        _prepare(store)
        times: dict[str, list[float]] = {"ours": [], "peer": []}
        memory_mb = 0.0
        for number in range(rounds):
            for side in ("ours", "peer") if number % 2 else ("peer", "ours"):
                _empty(store)
                if side == "peer":
                    took_s = timed(lambda: _load(store, rows)) / 1000
                    found = store.value(f"SELECT COUNT(*) FROM {PEER}")
                else:
                    took_s, used_mb = _import(store, csv)
                    memory_mb = max(memory_mb, used_mb)
                    found = store.value("SELECT COUNT(*) FROM record")
                    _compare(store, rows)
                if found != records:
                    raise RuntimeError(f"{side}: {found} of {records} records are there")
                times[side].append(took_s)
                say(f"{side}, round {number + 1} of {rounds}: {records:,} of {records:,} in {took_s:.1f} s")
    ratios = [ours / peer for ours, peer in zip(times["ours"], times["peer"], strict=True)]
    ratio = round(median(ratios), 2)
    return {
        "row": "P5", "records": records, "rounds": rounds, "buffer_pool_mb": pool_mb, "version": store.version,
        "processors": load.processors, "load_before": load.average_1m, "ours_s": round(median(times["ours"]), 2),
        "peer_s": round(median(times["peer"]), 2), "ratio": ratio, "spread": round(spread(ratios), 2),
        "memory_mb": round(memory_mb, 1), "reach": REACH, "most_mb": MOST_MB,
        "reached": ratio <= REACH and memory_mb < MOST_MB,
    }  # fmt: skip


def _compare(store: BenchStore, rows: Path) -> None:
    """The first and the last row are those that the peer loads."""
    with store.database.transaction(write=False) as tx:
        ends = tx.rows(
            "SELECT number, input_attributes FROM record WHERE id IN ((SELECT MIN(id) FROM record), "
            "(SELECT MAX(id) FROM record)) ORDER BY id"
        )
    # Not all of them at once: a child is said to have had the memory that its parent had when it was made.
    with rows.open() as lines:
        first = next(lines)
        last = (deque(lines, maxlen=1) or [first])[0]
    wanted = [tuple(line.rstrip().split("\t")[1:3]) for line in dict.fromkeys((first, last))]
    if [tuple(row) for row in ends] != wanted:
        raise RuntimeError(f"the import wrote {ends}, not {wanted}")


def _files(folder: Path, records: int) -> tuple[Path, Path]:
    """The CSV, and the same as rows of the table (its list is the first one)."""
    csv, rows = folder / "numbers.csv", folder / "numbers.tsv"
    with csv.open("w") as text, rows.open("w") as finished:
        text.write("NUMBER,NAME,CITY,CASE\n")
        for place in range(records):
            number, name, case = f"39{10**9 + place}", f"Ann Other {place % 1000}", f"{place:010}"
            text.write(f"{number},{name},Springfield,{case}\n")
            attributes = f'{{"NAME":"{name}","CITY":"Springfield","CASE":"{case}"}}'
            finished.write(f"1\t{number}\t{attributes}\t{{}}\n")
    return csv, rows


def _prepare(store: BenchStore) -> None:
    assert store.server is not None
    store.server.sql("SET GLOBAL local_infile = 1")
    with store.database.transaction() as tx:
        tx.run(f"CREATE TABLE {PEER} LIKE record")


def _empty(store: BenchStore) -> None:
    with store.database.transaction() as tx:
        tx.run("SET foreign_key_checks = 0")
        for table in ("record", PEER):
            tx.run(f"TRUNCATE TABLE {table}")
        tx.run("SET foreign_key_checks = 1")


def _load(store: BenchStore, rows: Path) -> None:
    """By a connection that may send a file."""
    import MySQLdb

    assert store.server is not None
    server = store.server
    connection = MySQLdb.connect(
        host="127.0.0.1", port=server.port, user=server.user, password=server.password, database="bench",
        local_infile=1, autocommit=True,
    )  # fmt: skip
    cursor = connection.cursor()
    cursor.execute(f"LOAD DATA LOCAL INFILE '{rows}' INTO TABLE {PEER} ({COLUMNS})")
    connection.close()


def _import(store: BenchStore, csv: Path) -> tuple[float, float]:
    """Seconds and the most memory (MB) of the command."""
    assert store.server is not None
    environment = {
        **os.environ,
        "WOMBAT_ARI_STATE_FOLDER": str(store.folder),
        "WOMBAT_ARI_DATABASE_URL": f"{store.server.url('bench')}?read_timeout=600",
    }
    argv = [sys.executable, "-m", "wombat_ari", "import", "numbers", str(csv)]
    began = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawn(argv[0], argv, environment, file_actions=silent)
    _, status, used = os.wait4(pid, 0)
    took_s = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"the import ended with status {os.waitstatus_to_exitcode(status)}")
    return took_s, used.ru_maxrss / 1024


def shown(result: dict[str, Any]) -> str:
    verdict = "reached" if result["reached"] else "NOT reached"
    return "\n".join([
        f"P5  importing {result['records']:,} CSV records with 3 attributes into MariaDB {result['version']}",
        f"  wombat-ari import     {result['ours_s']:>8.1f} s, at most {result['memory_mb']:.0f} MB of memory",
        f"  LOAD DATA INFILE      {result['peer_s']:>8.1f} s",
        f"  P5: {result['ratio']:.2f} x (spread {result['spread']:.0%}; reach {REACH:g} x, under {MOST_MB} MB):"
        f" {verdict}",
    ])  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pool", type=int, default=POOL_MB, help="MariaDB's innodb_buffer_pool_size in MB")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.records < 1 or arguments.rounds < 1:
        parser.error("at least one record and one round")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
