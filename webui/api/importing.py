"""Imports under way and done: jobs about a list (``app/service/jobs``), as long as this process lives.

Small ones are done at once, others in their turn. When the process ends, what was committed stays on the list, and a
new process knows nothing of the import.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from wombat_ari.app.room import WAITING
from wombat_ari.app.service import jobs
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.jobs import Job, Progress
from wombat_ari.model.entities import CallList
from wombat_ari.model.lists import ImportSummary

AT_ONCE_BYTES = 1 << 20  #: what is not longer is done before it is answered
KIND = "import"

Heard = Callable[[ImportSummary], None]
Work = Callable[[BinaryIO, Heard], ImportSummary]


@dataclass(frozen=True, slots=True)
class Import:
    """What its job says of an import."""

    id: str
    list_id: int
    state: str
    error: str
    began_at: float
    ended_at: float | None
    size: int  #: bytes
    summary: ImportSummary


def run(
    caller: Caller, db: Any, call_list: CallList, *, file: BinaryIO, work: Work, wait: bool = False
) -> Import:  # fmt: skip
    """Do it, at once when it is small or ``wait`` is said: its refusals are then raised. ``file`` is closed when it was
    read. UserError when too much waits already."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    WAITING.take_for(file, size)

    def watched(progress: Progress) -> ImportSummary:
        def heard(summary: ImportSummary) -> None:
            progress(summary.bytes_read, detail=summary)

        with file:
            return work(file, heard)

    begin = jobs.do if wait or size <= AT_ONCE_BYTES else jobs.begin
    title, about = f"Import into {call_list.name}", _about(call_list.id or 0)
    try:
        return _import_of(begin(caller, db, watched, kind=KIND, title=title, about=about, total=size))
    finally:
        if wait:
            jobs.let_go(db)


def find(db: Any, import_id: str) -> Import | None:
    """For whoever sees the list: that is asked by who calls."""
    found = jobs.of(db).find(import_id)
    return _import_of(found) if found is not None and found.kind == KIND else None


def of_list(db: Any, list_id: int) -> list[Import]:
    """The latest first."""
    return [_import_of(job) for job in jobs.of(db).all(kind=KIND, about=_about(list_id))]


def _about(list_id: int) -> str:
    return f"list {list_id}"


def _import_of(job: Job) -> Import:
    list_id = int(job.about.removeprefix("list "))
    summary = job.result or job.detail or ImportSummary()
    return Import(job.id, list_id, job.state, job.error, job.began_at, job.ended_at, job.total or 0, summary)
