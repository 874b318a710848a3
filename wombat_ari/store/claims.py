"""Records into the hopper, durable before anything is dialled. What is taken is chosen in ``store/harvest``.

Every transaction here locks the row of the run first: two dialers, or a dialer and a console, queue there.
"""

import secrets
from collections.abc import Iterable, Sequence
from itertools import count

from wombat_ari.core.errands import errands_of, tells_nothing
from wombat_ari.model.calls import Claim, ClaimBatch, DialMark, OpenAttempt
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.ids import MAX_SERIES, SERIES, series_of
from wombat_ari.model.states import CallState
from wombat_ari.store import outbox
from wombat_ari.store.database import Database, Row, Transaction, chunks, marks
from wombat_ari.store.harvest import Harvest, Pick
from wombat_ari.store.rows import ATTEMPT_COLUMNS, RunNames, blacklist_row, blacklisted, claim_of, insert_log

_IN_HOPPER = CallState.IN_HOPPER.value
_YEAR_2025 = 1735689600


def take(
    db: Database, run_id: int, *, fresh: int, retries: int, now: float, campaign: Campaign | None = None
) -> ClaimBatch:
    """Claim up to ``retries`` retries that are due, oldest first, and ``fresh`` new records in the order of the lists.

    A record that was promised a WOMBATID gets it; one that is not to be dialled yet becomes an open retry.
    ``exhausted`` is certain when True; when False (always, when nothing fresh is wanted) the next call may still bring
    nothing. A run that has ended gives nothing. ``campaign``: those on a black list are told outside as it says.
    """
    with db.transaction() as tx:
        run = lock_run(tx, run_id)
        if not run.live:
            return ClaimBatch((), 0, True, None)
        harvest = Harvest(tx, run_id, campaign_id=run.campaign_id, now=now)
        harvest.take_due(retries)
        due = len(harvest.dial)
        exhausted = harvest.take_new(fresh)
        claims, closed = _store(tx, run_id, run, harvest=harvest, now=now)
        if campaign is not None and not tells_nothing(campaign):
            ended = (blacklisted(claim_of(head), now) for head in closed)
            outbox.add(tx, [each for one in ended for each in errands_of(one, campaign, run_name=run.name, now=now)])
        taken, black = sum(step[2] for step in harvest.steps), len(harvest.black)
        changes = (taken, black, black, harvest.more_retries)
        if any(changes):  # a look that finds nothing writes nothing, and its commit waits for no disk
            tx.run(
                "UPDATE run SET taken = taken + %s, closed = closed + %s, attempts = attempts + %s, "
                "open_retries = open_retries + %s WHERE id = %s",
                (*changes, run_id),
            )
        next_retry = tx.value("SELECT MIN(due_at) FROM open_retry WHERE run_id = %s", (run_id,))
        steps, more = tuple(harvest.steps), harvest.more_retries
        return ClaimBatch(claims, black, exhausted, next_retry, steps, due=due, open_retries=more)


def mark_requested(db: Database, dials: Sequence[DialMark], *, now: float) -> None:
    """Make durable that these attempts may be dialled now. Returns only after the commit; may be repeated.

    StoreError (not transient) when one of them is not open any more: then none is marked.
    """
    # Many calls go over few lines: one statement for each place, not a row of values for each call.
    places: dict[Row, set[int]] = {}
    for dial in dials:
        agent = (dial.agent[:80], dial.agent_interface[:255]) if dial.agent_interface else (None, None)
        place = (dial.server_id, dial.trunk_id, dial.end_point_id, dial.state.value, *agent)
        places.setdefault(place, set()).add(dial.wombatid)
    with db.transaction() as tx:
        for place, wombatids in places.items():
            for ids in chunks(sorted(wombatids), 1000):
                found = tx.run(
                    "UPDATE attempt SET server_id = %s, trunk_id = %s, end_point_id = %s, state = %s, agent = %s, "
                    "agent_interface = %s, state_at = %s, "
                    f"requested_at = %s WHERE wombatid IN ({marks(len(ids))})",
                    (*place, now, now, *ids),
                )
                if found != len(ids):
                    raise StoreError(f"{len(ids) - found} of the attempts {ids} are not open")


def release(db: Database, wombatids: Iterable[int]) -> None:
    """These were never written to a PBX: they are in the hopper again. Ids that are not open are ignored."""
    with db.transaction() as tx:
        for ids in chunks(wombatids, 1000):
            tx.run(
                "UPDATE attempt SET state = %s, server_id = NULL, trunk_id = NULL, end_point_id = NULL, "
                "requested_at = NULL, dialling_at = NULL, connected_at = NULL, agent = NULL, agent_interface = NULL "
                f"WHERE wombatid IN ({marks(len(ids))})",
                (_IN_HOPPER, *ids),
            )


def open_attempts(db: Database, run_id: int) -> list[OpenAttempt]:
    """All open attempts of a run in the order of their ids, as the database knows them."""
    columns = ATTEMPT_COLUMNS.removesuffix(", state_at")
    with db.transaction(write=False) as tx:
        rows = tx.rows(
            f"SELECT {columns}, server_id, trunk_id, end_point_id, requested_at, dialling_at, connected_at, "
            "COALESCE(agent, ''), COALESCE(agent_interface, '') FROM attempt WHERE run_id = %s ORDER BY wombatid",
            (run_id,),
        )
    return [OpenAttempt(claim_of(row), CallState(row[9]), *row[10:]) for row in rows]


def lock_run(tx: Transaction, run_id: int) -> RunNames:
    """Names of a run, its row locked until the commit. UserError when there is none."""
    found = lock_runs(tx, [run_id])
    if not found:
        raise UserError(f"there is no run {run_id}")
    return found[run_id]


def lock_runs(tx: Transaction, run_ids: Iterable[int]) -> dict[int, RunNames]:
    """In the order of their ids, so that two transactions never wait for each other."""
    ids = sorted(set(run_ids))
    rows = tx.rows(
        "SELECT id, campaign_id, campaign_name, name, live_campaign_id IS NOT NULL FROM run "
        f"WHERE id IN ({marks(len(ids))}) ORDER BY id{tx.for_update}",
        ids,
    )
    return {row[0]: RunNames(row[1], row[2], row[3], bool(row[4])) for row in rows}


def allocate_ids(tx: Transaction, count: int, now: float) -> int:
    """The first of ``count`` WOMBATIDs in a row.

    All are of the database's series, which is drawn at the first call. Never below the milliseconds since 2025, so that
    a database restored from an old backup does not give out again what was used after it.
    """
    free = int(tx.value(f"SELECT next_id FROM id_block WHERE name = 'wombatid'{tx.for_update}"))
    series = series_of(free) or secrets.randbelow(MAX_SERIES) + 1
    first = max(free, series * SERIES + max(0, int((now - _YEAR_2025) * 1000)))
    tx.run("UPDATE id_block SET next_id = %s WHERE name = 'wombatid'", (first + count,))
    return first


def series(db: Database, *, now: float) -> int:
    """The series of this database's WOMBATIDs (``model/ids``): its own, so that its dialer knows its calls."""
    with db.transaction() as tx:
        return series_of(allocate_ids(tx, 0, now))


def _store(
    tx: Transaction, run_id: int, run: RunNames, *, harvest: Harvest, now: float
) -> tuple[tuple[Claim, ...], list[Row]]:
    """Write attempts and retries, and the log rows of the black-listed: under the ids promised, else new ones. Answers
    the claims, and the first columns of the black-listed.
    """
    tx.many(
        "INSERT INTO open_retry (run_id, record_id, due_at, wombatid, attempt) VALUES (%s, %s, %s, %s, %s)",
        [(run_id, *later, 1) for later in harvest.later],
    )
    heads = _heads(tx, run_id, [*harvest.dial, *harvest.black], now=now)
    mine, black = heads[: len(harvest.dial)], heads[len(harvest.dial) :]
    tx.many(
        f"INSERT INTO attempt ({ATTEMPT_COLUMNS}) VALUES ({marks(11)})", [(*head, _IN_HOPPER, now) for head in mine]
    )
    insert_log(tx, [blacklist_row(head, run, now) for head in black])
    return tuple(claim_of(head) for head in mine), black


def _heads(tx: Transaction, run_id: int, picks: Sequence[Pick], *, now: float) -> list[Row]:
    """The first columns of their attempts."""
    unnamed = sum(pick.wombatid is None for pick in picks)
    ids = count(allocate_ids(tx, unnamed, now) if unnamed else 0)
    return [(next(ids) if pick.wombatid is None else pick.wombatid, run_id, *pick[:7]) for pick in picks]
