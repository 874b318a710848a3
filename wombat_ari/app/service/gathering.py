"""Numbers onto a new list, as a job: those of a report, to be dialled again or to be used as a black list; or all of
another list."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
from wombat_ari.store import lists as list_store
from wombat_ari.store.database import Database

KIND, CLONE = "numbers", "clone"

Fill = Callable[[int, Progress], gathering.Gathered]  #: given the id of the new list

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

    def fill(list_id: int, progress: Progress) -> gathering.Gathered:
        progress(0, message="counting the calls")
        total = gathering.count(db, run_ids, wanted)
        if not total:
            raise UserError("no call of these runs has one of these outcomes: no list was made")
        progress(0, total=total, message="copying numbers")
        return gathering.fill(
            db, list_id, run_ids, wanted=wanted, by=caller.login, now=time.time(), heard=progress
        )  # fmt: skip

    made = _Made(caller, db, call_list, "numbers exported to a list", f"calls of {_named(chosen)}")
    return made.begin(KIND, f"Numbers to list {call_list.name}", fill, source=f"for numbers of {_named(chosen)}")


def clone_list(caller: Caller, db: Database, list_id: int, *, name: str) -> Job:
    """A new list with all that stands on this one, its key, hidden as it is; a job as ``numbers_to_list``."""
    demand(caller, Right.CHANGE_LISTS)
    demand(caller, Right.SEE_RECORDS)
    source = lists.seen_list(caller, db, list_id)
    total = list_store.count_records(db, list_id)

    def fill(new_id: int, progress: Progress) -> gathering.Gathered:
        progress(0, total=total, message="copying numbers")
        return gathering.copy(db, new_id, list_id, by=caller.login, now=time.time(), heard=progress)

    made = _Made(caller, db, replace(source, id=None, name=name), "list cloned", f"records of list {source.name}")
    return made.begin(CLONE, f"Clone of list {source.name}", fill, source=f"as a clone of {source.name}")


@dataclass(frozen=True, slots=True)
class _Made:
    """A list that is made and filled. ``action`` and ``origin`` are for the system log, when it is whole."""

    caller: Caller
    db: Database
    call_list: CallList
    action: str
    origin: str

    def begin(self, kind: str, title: str, fill: Fill, *, source: str) -> Job:
        by, at = self.caller.login, self.caller.at
        filled = gathering.begin(self.db, self.call_list, by=by, now=at)
        note(self.caller, self.db, "list made", about=filled.name, detail=source)
        try:
            return jobs.begin(
                self.caller, self.db, lambda progress: self._fill(filled, fill, progress), kind=kind, title=title,
                about=f"list {filled.id}",
            )  # fmt: skip
        except UserError:
            gathering.discard(self.db, filled.id or 0, by=by, now=at)
            raise

    def _fill(self, filled: CallList, fill: Fill, progress: Progress) -> gathering.Gathered:
        try:
            found = fill(filled.id or 0, progress)
            gathering.finish(self.db, filled.id or 0, self.call_list, by=self.caller.login, now=time.time())
        except BaseException:
            progress.note(message="taking the unfinished list away")
            _discard(self.caller, self.db, filled)
            progress.note(message="")
            raise
        progress.note(message="")
        detail = f"{found.added} of {found.read} {self.origin}"
        note(replace(self.caller, at=time.time()), self.db, self.action, about=self.call_list.name, detail=detail)
        return found


def _discard(caller: Caller, db: Database, filled: CallList) -> None:
    """With the database away it stays, under the name that says what it is."""
    try:
        gathering.discard(db, filled.id or 0, by=caller.login, now=time.time())
    except WombatError as error:
        log.warn("{list} stays: {error}", list=filled.name, error=error)


def _named(chosen: Sequence[RunRow]) -> str:
    return ", ".join(run.name for run in chosen)
