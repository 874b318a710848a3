"""Numbers of a report onto a new list, as a job: to be dialled again, or to be used as a black list."""

import time
from collections.abc import Sequence
from dataclasses import replace

from twisted.logger import Logger

from wombat_ari.app.service import jobs, lists, reports
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.jobs import Job, Progress
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand, require_key_kept
from wombat_ari.model.calls import RunRow
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError, WombatError
from wombat_ari.model.reports import Wanted
from wombat_ari.store import campaigns as campaign_store
from wombat_ari.store import gathering
from wombat_ari.store.database import Database

KIND = "numbers"

log = Logger()


def keys_of_runs(caller: Caller, db: Database, run_ids: Sequence[int]) -> list[str]:
    """Security keys of the campaigns of the runs: whoever may not see those should not see their numbers either."""
    chosen = {run.campaign_id for run in reports.chosen_runs(caller, db, run_ids)}
    heads = campaign_store.list_campaign_heads(db)
    return sorted({one.security_key for one in heads if one.id in chosen and one.security_key})


def numbers_to_list(
    caller: Caller, db: Database, run_ids: Sequence[int], *, wanted: Wanted, call_list: CallList
) -> Job:  # fmt: skip
    """A job whose result is ``store/gathering.Gathered`` and which is about ``list ID``.

    The list is new. It is called ``NAME (unfinished)`` until all numbers are on it; what fails or is called off is
    taken away again. UserError, and nothing done, when the name is taken or nothing was chosen.
    """
    demand(caller, Right.CHANGE_LISTS)
    chosen = reports.chosen_runs(caller, db, run_ids)
    if not chosen or not wanted.outcomes:
        raise UserError("choose at least one outcome whose numbers go to the list")
    require_key_kept(caller, CallList(None, ""), call_list, lists.infos_of(db))
    filled = gathering.begin(db, call_list, by=caller.login, now=caller.at)
    note(caller, db, "list made", about=filled.name, detail=f"for numbers of {_named(chosen)}")

    def work(progress: Progress) -> gathering.Gathered:
        return _fill(caller, db, filled, call_list, chosen=chosen, wanted=wanted, progress=progress)

    title, about = f"Numbers to list {call_list.name}", f"list {filled.id}"
    try:
        return jobs.begin(caller, db, work, kind=KIND, title=title, about=about)
    except UserError:
        gathering.discard(db, filled.id or 0, by=caller.login, now=caller.at)
        raise


def _fill(
    caller: Caller, db: Database, filled: CallList, call_list: CallList, *, chosen: Sequence[RunRow], wanted: Wanted,
    progress: Progress,
) -> gathering.Gathered:  # fmt: skip
    list_id, run_ids, by = filled.id or 0, [run.id for run in chosen], caller.login
    try:
        progress(0, message="counting the calls")
        total = gathering.count(db, run_ids, wanted)
        if not total:
            raise UserError("no call of these runs has one of these outcomes: no list was made")
        progress(0, total=total, message="copying numbers")
        found = gathering.fill(db, list_id, run_ids, wanted=wanted, by=by, now=time.time(), heard=progress)
        gathering.finish(db, list_id, call_list, by=by, now=time.time())
    except BaseException:
        progress.note(message="taking the unfinished list away")
        _discard(caller, db, filled)
        progress.note(message="")
        raise
    progress.note(message="")
    detail = f"{found.added} of {found.read} calls of {_named(chosen)}"
    note(replace(caller, at=time.time()), db, "numbers exported to a list", about=call_list.name, detail=detail)
    return found


def _discard(caller: Caller, db: Database, filled: CallList) -> None:
    """With the database away it stays, under the name that says what it is."""
    try:
        gathering.discard(db, filled.id or 0, by=caller.login, now=time.time())
    except WombatError as error:
        log.warn("{list} stays: {error}", list=filled.name, error=error)


def _named(chosen: Sequence[RunRow]) -> str:
    return ", ".join(run.name for run in chosen)
