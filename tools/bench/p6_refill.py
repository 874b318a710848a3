"""P6: refilling the hopper at the end of a list of ten millions beside the end of one of ten thousand.

    python -m tools.bench.p6_refill [--records 10000000] [--database both|mariadb|sqlite] [--pool 1024] [--json]

Both lists are in one database, on the same disk, each with a live run whose position is set to so many batches before
the end. Sides take turns (small, large, large, small, ...), each refilling until its list is at its end; then both
positions are put back. A refill is ``store/claims.take``, with its commit. The figure is the median of the refills of a
turn, the ratio that of the two turns of a round, the median of all rounds. Beside it stand the other questions that
could grow with a list: how much remains, starting a run, pages of records, looking for appended records, and a refill
from the retries when a fifth of the list waits for one.

With ten millions it needs some 4 GB of disk for each database and some minutes to fill it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tools.bench.machine import Load, median, spread
from tools.bench.stores import BY, KINDS, POOL_MB, BenchStore, opened, say, timed
from wombat_ari.model.states import RunState
from wombat_ari.store import claims, lists, runs

REACH = 1.5
BATCHES = (100, 1000)  #: the default batch size, and a large one
SIDES = ("small", "large")
RETRIES = 100  #: asked for in one refill
WAITING = 5  #: one record in so many waits for a retry


@dataclass(slots=True)
class Side:
    """A list, the campaign that dials it, and its live run."""

    list_id: int
    records: int
    last_id: int
    campaign_id: int
    run_id: int


def main() -> int:
    arguments = _arguments()
    kinds = KINDS if arguments.database == "both" else (arguments.database,)
    result = measure(
        kinds, records=arguments.records, beside=arguments.beside, rounds=arguments.rounds, refills=arguments.refills,
        pool_mb=arguments.pool,
    )  # fmt: skip
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0


def measure(
    kinds: tuple[str, ...], *, records: int, beside: int, rounds: int, refills: int, pool_mb: int
) -> dict[str, Any]:
    load = Load.now()
    databases = {}
    for kind in kinds:
        with opened(kind, records=records, pool_mb=pool_mb) as store:
            databases[kind] = _measured(store, records=records, beside=beside, rounds=rounds, refills=refills)
    worst = max(batch["ratio"] for found in databases.values() for batch in found["refill"].values())
    return {
        "row": "P6", "records": records, "beside": beside, "rounds": rounds, "refills_a_turn": refills,
        "buffer_pool_mb": pool_mb, "processors": load.processors, "load_before": load.average_1m,
        "databases": databases, "worst_ratio": worst, "reach": REACH, "reached": worst <= REACH,
    }  # fmt: skip


def _measured(store: BenchStore, *, records: int, beside: int, rounds: int, refills: int) -> dict[str, Any]:
    began = time.monotonic()
    sides = {name: _side(store, name, count) for name, count in zip(SIDES, (beside, records), strict=True)}
    store.analyse()
    built_s = time.monotonic() - began
    say(f"{store.kind}: measuring")
    return {
        "version": store.version,
        "built_in_s": round(built_s),
        "disk_mb": store.disk_mb(),
        "refill": {
            str(batch): _rounds(store, sides, batch=batch, rounds=rounds, refills=refills)
            for batch in BATCHES
            if batch * refills <= beside
        },
        "others": _others(store, sides, rounds),
    }


def _side(store: BenchStore, name: str, records: int) -> Side:
    offset = 10**9 - records
    number = {"mysql": f"CONCAT('39', {offset - 1} + seq)", "sqlite": f"'39' || ({offset - 1} + seq)"}
    list_id = store.add_list(name, records=records, number=number[store.database.kind])
    campaign_id = store.add_campaign(name, normal=list_id)
    run_id = runs.start_run(store.database, campaign_id, now=time.time(), by=BY).id
    return Side(list_id, records, store.value("SELECT MAX(id) FROM record"), campaign_id, run_id)


# Refilling


def _rounds(store: BenchStore, sides: dict[str, Side], *, batch: int, rounds: int, refills: int) -> dict[str, Any]:
    turns: dict[str, list[float]] = {name: [] for name in SIDES}
    slowest = dict.fromkeys(SIDES, 0.0)
    for number in range(rounds + 1):  # the first one is not counted
        for name in SIDES if number % 2 else SIDES[::-1]:
            _to_the_end(store, sides[name], left=batch * refills)
            times = [_refill(store, sides[name], batch) for _ in range(refills)]
            if number:
                turns[name].append(median(times))
                slowest[name] = max(slowest[name], *times)
    ratios = [large / small for small, large in zip(turns["small"], turns["large"], strict=True)]
    return {
        **{f"{name}_ms": round(median(turns[name]), 3) for name in SIDES},
        **{f"{name}_slowest_ms": round(slowest[name], 1) for name in SIDES},
        "ratio": round(median(ratios), 2),
        "spread": round(spread(ratios), 2),
    }


def _to_the_end(store: BenchStore, side: Side, *, left: int) -> None:
    """The run has taken all but ``left`` records."""
    with store.database.transaction() as tx:
        tx.run("DELETE FROM attempt WHERE run_id = %s", (side.run_id,))
        tx.run("UPDATE run SET taken = %s, closed = %s WHERE id = %s", (*[side.records - left] * 2, side.run_id))
        tx.run(
            "UPDATE run_list SET high_water = %s, taken = %s WHERE run_id = %s",
            (side.last_id - left, side.records - left, side.run_id),
        )


def _refill(store: BenchStore, side: Side, batch: int) -> float:
    taken = 0

    def take() -> None:
        nonlocal taken
        taken = len(claims.take(store.database, side.run_id, fresh=batch, retries=batch, now=time.time()).claims)

    took_ms = timed(take)
    if taken != batch:
        raise RuntimeError(f"a refill brought {taken} records, not {batch}")
    return took_ms


# What else is asked of a list


def _others(store: BenchStore, sides: dict[str, Side], rounds: int) -> dict[str, dict[str, float]]:
    db = store.database
    page = min(sides["small"].records, 5000)

    def start(side: Side) -> None:
        runs.set_run_state(db, side.run_id, state=RunState.REMOVED, now=time.time())
        side.run_id = runs.start_run(db, side.campaign_id, now=time.time(), by=BY).id
        runs.run_lists(db, side.run_id)

    def look_again(side: Side) -> None:
        claims.take(db, side.run_id, fresh=100, retries=100, now=time.time())

    questions: dict[str, tuple[int, Callable[[Side], object]]] = {  # with how much left in each list, asked what
        "how much remains, near the begin": (9, lambda side: runs.run_lists(db, side.run_id)),
        "how much remains, at the end": (0, lambda side: runs.run_lists(db, side.run_id)),
        "ending a run and starting the next": (9, start),
        "a page of 100 records at the end": (0, lambda side: _page(store, side, 100)),
        f"a page of {page:,} at the end, as exported": (0, lambda side: _page(store, side, page)),
        "a page of what begins with 39999": (0, lambda side: _search(store, side)),
        "looking for more at the end": (0, look_again),
    }
    found = {}
    for what, (tenths, ask) in questions.items():
        for side in sides.values():
            _to_the_end(store, side, left=side.records * tenths // 10)
        found[what] = _beside({name: partial(ask, side) for name, side in sides.items()}, rounds)
    for side in sides.values():
        _let_wait(store, side)
    jobs = {name: partial(_retry, store, side) for name, side in sides.items()}
    found[f"a refill of {RETRIES} retries of many"] = _beside(jobs, rounds)
    return found


def _let_wait(store: BenchStore, side: Side) -> None:
    """Every fifth record waits for a retry that is due."""
    say(f"{store.kind}: {side.records // WAITING:,} retries")
    with store.database.transaction() as tx:
        tx.run(
            "INSERT INTO open_retry (run_id, record_id, due_at, attempt) "
            "SELECT %s, id, 1000000000 + (id * 7919) %% 1000003, 2 FROM record WHERE list_id = %s AND id %% %s = 0",
            (side.run_id, side.list_id, WAITING),
        )
        sql = "UPDATE run SET open_retries = (SELECT COUNT(*) FROM open_retry WHERE run_id = %s) WHERE id = %s"
        tx.run(sql, (side.run_id, side.run_id))


def _retry(store: BenchStore, side: Side) -> None:
    batch = claims.take(store.database, side.run_id, fresh=0, retries=RETRIES, now=time.time())
    if len(batch.claims) != RETRIES:
        raise RuntimeError(f"a refill brought {len(batch.claims)} retries, not {RETRIES}")


def _page(store: BenchStore, side: Side, limit: int) -> None:
    found = lists.page_of_records(store.database, side.list_id, after=side.last_id - limit, limit=limit)
    if len(found) != limit:
        raise RuntimeError(f"a page brought {len(found)} records, not {limit}")


def _search(store: BenchStore, side: Side) -> None:
    """The last numbers of both lists begin so."""
    lists.page_of_records(store.database, side.list_id, number="39999", after=side.last_id - 100)


def _beside(jobs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            took_ms = timed(job)
            if number:
                times[name].append(took_ms)
    middle = {name: median(took) for name, took in times.items()}
    ratio = middle["large"] / middle["small"]
    return {**{f"{name}_ms": round(value, 3) for name, value in middle.items()}, "ratio": round(ratio, 2)}


# Telling


def shown(result: dict[str, Any]) -> str:
    beside, records = f"at {result['beside']:,}", f"at {result['records']:,}"
    lines = [f"P6  refilling the hopper at the end of a list of {result['records']:,} records"]
    for kind, found in result["databases"].items():
        version = f" {found['version']}" if found["version"] else ""
        lines.append(f"  {kind}{version}: filled in {found['built_in_s']} s, {found['disk_mb']:,} MB of disk")
        lines.append(f"    {'':42}{beside:>14}{records:>16}   ratio")
        for batch, row in found["refill"].items():
            lines.append(_line(f"a refill of {batch} (spread {row['spread']:.0%})", row))
        lines += [_line(what, row) for what, row in found["others"].items()]
    verdict = "reached" if result["reached"] else "NOT reached"
    lines.append(f"  P6: {result['worst_ratio']:.2f} x at worst (reach {REACH} x): {verdict}")
    return "\n".join(lines)


def _line(what: str, row: dict[str, float]) -> str:
    return f"    {what:42}{row['small_ms']:>11.2f} ms{row['large_ms']:>13.2f} ms{row['ratio']:>7.2f}x"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=10_000_000, help="of the large list")
    parser.add_argument("--beside", type=int, default=10_000, help="records of the small list")
    parser.add_argument("--database", choices=("both", *KINDS), default="both")
    parser.add_argument("--pool", type=int, default=POOL_MB, help="MariaDB's innodb_buffer_pool_size in MB")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--refills", type=int, default=10, help="in each turn")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    least = max(BATCHES[0] * arguments.refills, WAITING * RETRIES * (arguments.rounds + 1))
    if not least <= arguments.beside <= arguments.records:
        parser.error(f"--beside: at least {least:,} for so many rounds and refills, and no more than --records")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
