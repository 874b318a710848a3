"""``lists/?op=addToList``: numbers of an address or a body of many MB onto a list.

A long body is an import like any other: the JSON API and the console say how far it is, and may call it off. It is
answered when all is done, as the original did.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from twisted.logger import Logger

from webui.api import importing
from webui.api.importing import AT_ONCE_BYTES, Heard
from webui.compat.frame import Answer, Call
from wombat_ari.app.service import lists, records
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError
from wombat_ari.model.lists import ImportSummary

TELL_S = 5.0  #: how often the log says how far a long one is

log = Logger()


def add_to_list(call: Call, file: BinaryIO | None) -> Answer:
    """``file``: what the body has as ``numbers``; of the address and the body the address goes first."""
    params = call.params
    name, dedupe = params.name("list"), params.flag("dedupe")
    source: BinaryIO | str = params.text("numbers", "") or file or params.text("numbers")
    if isinstance(source, str) or source.seek(0, os.SEEK_END) <= AT_ONCE_BYTES:
        found, summary = _add(call, name, source, dedupe=dedupe, heard=None)
    else:
        found, summary = _import(call, name, source, dedupe=dedupe)
    if summary.added:
        _tell_runs(call, found.name)
    refused = "".join(f"refused: record {each.line}: {each.reason}\n" for each in summary.refusals)
    return f"OK: {_sum_of(summary)} list {found.name}\n{refused}"


def _import(call: Call, name: str, file: BinaryIO, *, dedupe: bool) -> tuple[CallList, ImportSummary]:
    def work(source: BinaryIO, heard: Heard) -> ImportSummary:
        return _add(call, name, source, dedupe=dedupe, heard=_logged(name, heard))[1]

    found = lists.list_for_numbers(call.caller, call.db, name)
    done = importing.run(call.caller, call.db, found, file=file, work=work, wait=True)
    if done.state != "DONE":
        raise UserError(f"list {name}: this was called off when {done.summary.added} numbers had been added")
    return found, done.summary


def _add(
    call: Call, name: str, source: BinaryIO | str, *, dedupe: bool, heard: Heard | None
) -> tuple[CallList, ImportSummary]:
    if not isinstance(source, str):
        source.seek(0)
    return records.add_numbers(call.caller, call.db, name, source=source, separator="|", dedupe=dedupe, progress=heard)


def _logged(name: str, heard: Heard) -> Callable[[ImportSummary], None]:
    """Tells, and says in the log every some seconds, how far it is."""
    told_at = time.monotonic()

    def tell(so_far: ImportSummary) -> None:
        nonlocal told_at
        heard(so_far)
        if time.monotonic() - told_at >= TELL_S:
            told_at = time.monotonic()
            log.info(
                "list {name}: {added} numbers added so far, of {read}", name=name, added=so_far.added, read=so_far.read
            )

    return tell


def _sum_of(summary: ImportSummary) -> str:
    parts = [f"{summary.added} of {summary.read} added to"]
    if summary.duplicates:
        parts.insert(0, f"{summary.duplicates} were there already,")
    if summary.refused:
        parts.insert(0, f"{summary.refused} refused,")
    return " ".join(parts)


def _tell_runs(call: Call, name: str) -> None:
    """Runs that have the list look at once; without a dialer there is none."""
    with suppress(UserError):
        call.ask.numbers_came(name)
