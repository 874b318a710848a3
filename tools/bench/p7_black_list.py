"""P7: 100,000 numbers against a black list of ten millions beside one of a thousand.

    python -m tools.bench.p7_black_list [--records 10000000] [--database both|mariadb|sqlite] [--pool 1024] [--json]

The numbers are asked as a refill asks them: in batches, each against the campaign's black list, by the function that
``store/claims.take`` calls. One in a hundred is on the list, the others lie anywhere between its numbers, so each
look-up goes to another place of the index. Sides take turns (small, large, large, small, ...); the ratio is that of the
two turns of a round, the median of all rounds. That is with warm memory: the index is in the buffer pool as far as it
fits (``--pool``). The first turn of each side is measured too, after the pool and the system's file cache were emptied.
Beside it stands what the refills as a whole take, claims and log of the black-listed included.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from typing import Any

from tools.bench.machine import Load, median, spread
from tools.bench.stores import BY, KINDS, POOL_MB, BenchStore, opened, say, timed
from wombat_ari.store import claims, harvest, runs

REACH = 2.0
BATCH = 100  #: the default batch size
SIDES = ("small", "large")
HITS = 100  #: one number in so many is on the list
GAP = 7  #: every seventh number of the range is on the large list
FIRST = 390_000_000_000  #: below the first number of the range


def main() -> int:
    arguments = _arguments()
    kinds = KINDS if arguments.database == "both" else (arguments.database,)
    result = measure(
        kinds, records=arguments.records, beside=arguments.beside, numbers=arguments.numbers, rounds=arguments.rounds,
        pool_mb=arguments.pool,
    )  # fmt: skip
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0


def measure(
    kinds: tuple[str, ...], *, records: int, beside: int, numbers: int, rounds: int, pool_mb: int
) -> dict[str, Any]:
    load = Load.now()
    databases = {}
    for kind in kinds:
        with opened(kind, records=records, pool_mb=pool_mb) as store:
            databases[kind] = _measured(store, records=records, beside=beside, numbers=numbers, rounds=rounds)
    worst = max(found["warm"]["ratio"] for found in databases.values())
    return {
        "row": "P7", "records": records, "beside": beside, "numbers": numbers, "batch": BATCH, "rounds": rounds,
        "buffer_pool_mb": pool_mb, "processors": load.processors, "load_before": load.average_1m,
        "databases": databases, "worst_ratio": worst, "reach": REACH, "reached": worst <= REACH,
    }  # fmt: skip


def _measured(store: BenchStore, *, records: int, beside: int, numbers: int, rounds: int) -> dict[str, Any]:
    began = time.monotonic()
    black = {}
    for name, count in zip(SIDES, (beside, records), strict=True):
        # Both cover the same range of numbers: the small one more thinly.
        step = GAP * max(1, records // count)
        number = {"mysql": f"CAST({FIRST} + seq * {step} AS CHAR)", "sqlite": f"CAST({FIRST} + seq * {step} AS TEXT)"}
        black[name] = store.add_list(f"black {name}", records=count, number=number[store.database.kind])
    store.analyse()
    built_s, disk_mb = time.monotonic() - began, store.disk_mb()
    asked = {name: _numbers(numbers, records=records, count=count) for name, count in _counts(beside, records)}
    store.cool()
    say(f"{store.kind}: measuring")
    cold = {name: timed(lambda name=name: _check(store, black[name], asked[name])) for name in SIDES}  # type: ignore[misc]
    return {
        "version": store.version,
        "built_in_s": round(built_s),
        "disk_mb": disk_mb,
        "cold": {**{f"{name}_ms": round(cold[name], 1) for name in SIDES}, "ratio": _ratio(cold)},
        "warm": _warm(store, black, asked, rounds=rounds),
        "refills": _refills(store, black, asked, rounds=max(1, rounds // 2)),
    }


def _counts(beside: int, records: int) -> list[tuple[str, int]]:
    return list(zip(SIDES, (beside, records), strict=True))


def _numbers(numbers: int, *, records: int, count: int) -> list[str]:
    """Different numbers of the range, each hundredth of them on the list of ``count``."""
    chance = random.Random(7)
    step = GAP * max(1, records // count)
    hits = chance.sample(range(1, count + 1), min(count, numbers // HITS))
    misses = chance.sample(range(1, records + 1), numbers - len(hits))
    # One more than a multiple of the gap is on neither list.
    asked = [FIRST + place * step for place in hits] + [FIRST + place * GAP + 1 for place in misses]
    chance.shuffle(asked)
    return [str(number) for number in asked]


def _check(store: BenchStore, black_list: int, numbers: list[str]) -> None:
    """As refills do it: a transaction and a question for each batch."""
    hits = 0
    for first in range(0, len(numbers), BATCH):
        with store.database.transaction() as tx:
            hits += len(harvest.on_black_list(tx, [black_list], set(numbers[first : first + BATCH])))
    if hits != len(numbers) // HITS:
        raise RuntimeError(f"{hits} numbers were found on the black list, must be {len(numbers) // HITS}")


def _warm(store: BenchStore, black: dict[str, int], asked: dict[str, list[str]], *, rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in SIDES}
    for number in range(rounds + 1):  # the first one is not counted
        for name in SIDES if number % 2 else SIDES[::-1]:
            took_ms = timed(lambda name=name: _check(store, black[name], asked[name]))  # type: ignore[misc]
            if number:
                times[name].append(took_ms)
    return _beside(times)


# Whole refills


def _refills(store: BenchStore, black: dict[str, int], asked: dict[str, list[str]], *, rounds: int) -> dict[str, float]:
    """All numbers as a list to dial, taken by runs of two campaigns, one for each black list."""
    times: dict[str, list[float]] = {name: [] for name in SIDES}
    campaigns = {}
    for name in SIDES:
        normal = store.add_list(f"normal {name}", records=0, number="seq")
        sql = "INSERT INTO record (list_id, number, input_attributes, output_attributes) VALUES (%s, %s, %s, %s)"
        with store.database.transaction() as tx:
            tx.many(sql, [(normal, number, "{}", "{}") for number in asked[name]])
            tx.run("UPDATE call_list SET records = %s WHERE id = %s", (len(asked[name]), normal))
        campaigns[name] = store.add_campaign(name, normal=normal, black=black[name])
    run_ids = {
        name: runs.start_run(store.database, campaign_id, now=time.time(), by=BY).id
        for name, campaign_id in campaigns.items()
    }
    for number in range(rounds):
        for name in SIDES if number % 2 else SIDES[::-1]:
            _put_back(store, run_ids[name])
            times[name].append(timed(lambda name=name: _take_all(store, run_ids[name], len(asked[name]))))  # type: ignore[misc]
    return _beside(times)


def _put_back(store: BenchStore, run_id: int) -> None:
    with store.database.transaction() as tx:
        tx.run("DELETE FROM attempt WHERE run_id = %s", (run_id,))
        tx.run("DELETE FROM call_log WHERE run_id = %s", (run_id,))
        tx.run("UPDATE run_list SET high_water = 0, taken = 0 WHERE run_id = %s", (run_id,))


def _take_all(store: BenchStore, run_id: int, numbers: int) -> None:
    taken = black = 0
    while True:
        batch = claims.take(store.database, run_id, fresh=BATCH, retries=BATCH, now=time.time())
        taken, black = taken + len(batch.claims), black + batch.blacklisted
        if batch.exhausted:
            break
    if (taken + black, black) != (numbers, numbers // HITS):
        raise RuntimeError(f"{taken} records were taken and {black} black-listed, of {numbers}")


# Telling


def _beside(times: dict[str, list[float]]) -> dict[str, float]:
    ratios = [large / small for small, large in zip(times["small"], times["large"], strict=True)]
    return {
        **{f"{name}_ms": round(median(took), 1) for name, took in times.items()},
        "ratio": round(median(ratios), 2),
        "spread": round(spread(ratios), 2),
    }


def _ratio(times: dict[str, float]) -> float:
    return round(times["large"] / times["small"], 2)


def shown(result: dict[str, Any]) -> str:
    numbers = f"{result['numbers']:,} numbers"
    lines = [f"P7  {numbers} against a black list of {result['records']:,}, in batches of {result['batch']}"]
    for kind, found in result["databases"].items():
        about = f"filled in {found['built_in_s']} s, {found['disk_mb']:,} MB of disk"
        pool = f", buffer pool {result['buffer_pool_mb']:,} MB" if found["version"] else ""
        lines.append(f"  {kind} {found['version']}{pool}: {about}")
        lines.append(f"    {'':36}{'beside ' + format(result['beside'], ','):>15}{result['records']:>15,}    ratio")
        for what, row in (
            (f"check, warm (spread {found['warm']['spread']:.0%})", found["warm"]),
            ("check, nothing in memory", found["cold"]),
            ("whole refills, warm", found["refills"]),
        ):
            lines.append(f"    {what:36}{row['small_ms']:>12.0f} ms{row['large_ms']:>12.0f} ms{row['ratio']:>8.2f}x")
    verdict = "reached" if result["reached"] else "NOT reached"
    lines.append(f"  P7: {result['worst_ratio']:.2f} x at worst, warm (reach {REACH:.0f} x): {verdict}")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=10_000_000, help="of the large black list")
    parser.add_argument("--beside", type=int, default=1000, help="records of the small one")
    parser.add_argument("--numbers", type=int, default=100_000, help="that are looked up")
    parser.add_argument("--database", choices=("both", *KINDS), default="both")
    parser.add_argument("--pool", type=int, default=POOL_MB, help="MariaDB's innodb_buffer_pool_size in MB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not HITS <= arguments.numbers <= min(arguments.records, arguments.beside * HITS):
        parser.error(f"--numbers: {HITS} to {HITS} times --beside, and no more than --records")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
