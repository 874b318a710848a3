"""P8: the report of a run of a million attempts beside the one SQL aggregate that it needs.

    python -m tools.bench.p8_report [--attempts 1000000] [--database both|mariadb|sqlite] [--zone Europe/Rome]
                                    [--rounds 5] [--json]

Ours is what the report page asks: ``app/service/reports`` with its checks of rights, the statistics of the run
(outcomes with statuses, trunks, end points, agents, hours of the user's zone, talk and waits) and the latest page of
its attempts. The peer is one statement, run by the driver alone: all that is shown but the agents, grouped by ids.
Sides take turns; the first turn is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any
from zoneinfo import ZoneInfo

from tools.bench.machine import Load, median, spread
from tools.bench.stores import BY, KINDS, POOL_MB, BenchStore, opened, say, timed
from wombat_ari.app.service import reports
from wombat_ari.app.service.caller import machine_caller
from wombat_ari.store import runs
from wombat_ari.store.rows import ANSWERED, LOG_COLUMNS

REACH = 2.0
PAGE = 10  #: as the page shows them
ROME = ZoneInfo("Europe/Rome")
_STEP = 100_000
_SEQUENCE = {
    "mysql": "seq_{first}_to_{last}",
    "sqlite": "(WITH RECURSIVE n(seq) AS (SELECT {first} UNION ALL SELECT seq + 1 FROM n WHERE seq < {last}) "
    "SELECT seq FROM n)",
}
_OUTCOME = "CASE WHEN seq % 10 < 3 THEN 'RS_BUSY' WHEN seq % 10 < 6 THEN 'RS_NOANSWER' ELSE 'TERMINATED' END"
_DONE = "seq % 10 >= 6"
#: of each attempt, in the order of LOG_COLUMNS
_VALUES = (
    "1000000 + seq", "{run}", "'bench'", "{campaign}", "'bench'", "1", "'numbers'", "seq", "'39' || (1000000000 + seq)",
    "1", _OUTCOME, f"CASE WHEN {_DONE} THEN 'S' || (seq % 20) ELSE '' END", "1700000000.0 + seq / 10.0",
    "1700000010.0 + seq / 10.0", "seq % 1000", "seq % 20000", f"CASE WHEN {_DONE} THEN seq % 300000 ELSE 0 END",
    f"CASE WHEN {_DONE} THEN 0 ELSE 300 END", "1", "1 + seq % 4", "'trunk ' || (1 + seq % 4)", "1 + seq % 8",
    "'queue ' || (1 + seq % 8)", f"CASE WHEN {_DONE} THEN 'Agent/' || (seq % 97) ELSE '' END", "'PJSIP/x'", "''", "16",
    "''", "''", "''", "'{{\"NAME\":\"A. N. Other\"}}'", "'{{}}'",
)  # fmt: skip
_AGGREGATE = (
    "SELECT outcome, extended_status, server_id, trunk_id, end_point_id, {hour}, COUNT(*), SUM({answered}), "
    "SUM(retry_in_s > 0), SUM(talk_ms), SUM(wait_pre_ms), SUM(wait_after_ms) FROM call_log WHERE run_id = %s "
    "GROUP BY outcome, extended_status, server_id, trunk_id, end_point_id, {hour}"
)
_HOUR = {"mysql": "FLOOR(attempted_at / 3600)", "sqlite": "CAST(attempted_at / 3600 AS INTEGER)"}


def main() -> int:
    arguments = _arguments()
    kinds = KINDS if arguments.database == "both" else (arguments.database,)
    result = measure(
        kinds, attempts=arguments.attempts, rounds=arguments.rounds, pool_mb=arguments.pool, zone=arguments.zone
    )
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0


def measure(
    kinds: tuple[str, ...], *, attempts: int, rounds: int, pool_mb: int, zone: ZoneInfo = ROME
) -> dict[str, Any]:
    load = Load.now()
    databases = {}
    for kind in kinds:
        with opened(kind, records=2 * attempts, pool_mb=pool_mb) as store:
            run_id = _filled(store, attempts)
            databases[kind] = _measured(store, run_id, attempts=attempts, rounds=rounds, zone=zone)
    worst = max(found["ratio"] for found in databases.values())
    return {
        "row": "P8", "attempts": attempts, "rounds": rounds, "zone": zone.key, "buffer_pool_mb": pool_mb,
        "processors": load.processors,
        "load_before": load.average_1m, "databases": databases, "worst_ratio": worst, "reach": REACH,
        "reached": worst <= REACH,
    }  # fmt: skip


def _filled(store: BenchStore, attempts: int) -> int:
    list_id = store.add_list("numbers", records=1, number="'1'")
    campaign_id = store.add_campaign("bench", normal=list_id)
    run_id = runs.start_run(store.database, campaign_id, now=time.time(), by=BY).id
    values = ", ".join(_VALUES).format(run=run_id, campaign=campaign_id).replace("%", "%%")
    kind = store.database.kind
    began = time.monotonic()
    for first in range(1, attempts + 1, _STEP):
        last = min(first + _STEP - 1, attempts)
        source = _SEQUENCE[kind].format(first=first, last=last)
        with store.database.transaction() as tx:
            if kind == "mysql":
                tx.run("SET sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')")
            tx.run(f"INSERT INTO call_log ({LOG_COLUMNS}) SELECT {values} FROM {source} AS s", ())
    store.analyse()
    say(f"{store.kind}: {attempts:,} of {attempts:,} attempts, {time.monotonic() - began:.0f} s")
    return int(run_id)


def _measured(store: BenchStore, run_id: int, *, attempts: int, rounds: int, zone: ZoneInfo) -> dict[str, Any]:
    kind, db, caller = store.database.kind, store.database, machine_caller(BY, at=time.time())
    sql = _AGGREGATE.format(hour=_HOUR[kind], answered=ANSWERED)
    figures: dict[str, int] = {}

    def ours() -> None:
        found = reports.report(caller, db, [run_id], zone=zone).statistics
        page = reports.find_attempts(caller, db, [run_id], descending=True, limit=PAGE, total=found.calls).calls
        figures["ours"], figures["ours answered"], figures["page"] = found.calls, found.answered, len(page)

    def peer() -> None:
        with db.transaction(write=False) as tx:
            groups = tx.rows(sql, (run_id,))
        figures["peer"], figures["peer answered"] = sum(row[6] for row in groups), int(sum(row[7] for row in groups))

    times: dict[str, list[float]] = {"ours": [], "peer": []}
    for number in range(rounds + 1):
        for side, job in (("ours", ours), ("peer", peer)) if number % 2 else (("peer", peer), ("ours", ours)):
            took_ms = timed(job)
            if number:
                times[side].append(took_ms)
    same = figures["ours"] == figures["peer"] == attempts and figures["ours answered"] == figures["peer answered"]
    if not same or figures["page"] != min(PAGE, attempts):
        raise RuntimeError(f"the sides do not agree: {figures}")
    ratios = [ours / peer for ours, peer in zip(times["ours"], times["peer"], strict=True)]
    return {
        "version": store.version, **{f"{side}_ms": round(median(took), 1) for side, took in times.items()},
        "ratio": round(median(ratios), 2), "spread": round(spread(ratios), 2),
    }  # fmt: skip


def shown(result: dict[str, Any]) -> str:
    lines = [f"P8  the report of a run of {result['attempts']:,} attempts, hours of {result['zone']}"]
    lines += [
        f"  {kind:8} report {found['ours_ms']:>8.1f} ms, the one aggregate {found['peer_ms']:>8.1f} ms:"
        f" {found['ratio']:.2f} x (spread {found['spread']:.0%})"
        for kind, found in result["databases"].items()
    ]
    verdict = "reached" if result["reached"] else "NOT reached"
    lines.append(f"  P8: {result['worst_ratio']:.2f} x at worst (reach {REACH:g} x): {verdict}")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--attempts", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("both", *KINDS), default="both")
    parser.add_argument("--pool", type=int, default=POOL_MB, help="MariaDB's innodb_buffer_pool_size in MB")
    parser.add_argument("--zone", type=ZoneInfo, default=ROME, help="of who looks, as Asia/Kolkata")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.attempts < 1 or arguments.rounds < 1:
        parser.error("at least one attempt and one round")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
