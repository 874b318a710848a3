"""Imports under way and done, as long as this process lives: small ones at once, others in threads of their own.

Two are worked on at a time, so that they leave the database to the dialer; the others wait in their order. When the
process ends, what was committed stays on the list, and a new process knows nothing of the import.
"""

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from twisted.logger import Logger

from wombat_ari.model.errors import UserError, WombatError
from wombat_ari.model.lists import ImportSummary

AT_ONCE_BYTES = 1 << 20  #: what is not longer is done before it is answered
WORKING = 2
MOST_WAITING = 20
KEPT = 100  #: that are over

Progress = Callable[[ImportSummary], None]
Work = Callable[[BinaryIO, Progress], ImportSummary]

NOTHING = ImportSummary()
log = Logger()


@dataclass(slots=True)
class Import:
    """``state``: WAITING, RUNNING, DONE, or FAILED with an ``error``: what was added before it stays."""

    id: str
    db: Any
    list_id: int
    size: int  #: bytes
    began_at: float
    state: str = "WAITING"
    summary: ImportSummary = NOTHING
    error: str = ""
    ended_at: float | None = None

    def show(self, summary: ImportSummary) -> None:
        self.summary = summary


class Imports:
    """One for the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Import] = OrderedDict()
        self._turns = threading.Semaphore(WORKING)

    def run(self, db: Any, list_id: int, *, file: BinaryIO, size: int, work: Work) -> Import:
        """Do it, at once when it is small: its refusals are then raised. ``file`` is closed when it was read."""
        one = Import(uuid.uuid4().hex, db, list_id, size, time.time())
        if size <= AT_ONCE_BYTES:
            self._work(one, file, work)
            self._keep(one)
            return one
        with self._lock:
            if sum(known.state in ("WAITING", "RUNNING") for known in self._known.values()) >= MOST_WAITING:
                raise UserError(f"{MOST_WAITING} imports are waiting: try again later", code="too-many-imports")
        self._keep(one)
        threading.Thread(target=self._work_in_turn, args=(one, file, work), name="import", daemon=True).start()
        return one

    def find(self, db: Any, import_id: str) -> Import | None:
        with self._lock:
            found = self._known.get(import_id)
        return found if found is not None and found.db is db else None

    def of_list(self, db: Any, list_id: int) -> list[Import]:
        """The latest first."""
        with self._lock:
            return [one for one in reversed(self._known.values()) if one.db is db and one.list_id == list_id]

    def _keep(self, one: Import) -> None:
        with self._lock:
            self._known[one.id] = one
            over = [known.id for known in self._known.values() if known.ended_at is not None]
            for old in over[: max(0, len(over) - KEPT)]:
                del self._known[old]

    def _work_in_turn(self, one: Import, file: BinaryIO, work: Work) -> None:
        with self._turns:
            try:
                self._work(one, file, work)
            except WombatError as error:
                log.info("import into list {list} failed: {error}", list=one.list_id, error=error)
            except Exception:  # noqa: BLE001 - fence: one import
                log.failure("mistake of ours in an import")
            finally:
                one.db.close()

    def _work(self, one: Import, file: BinaryIO, work: Work) -> None:
        one.state = "RUNNING"
        try:
            with file:
                one.summary = work(file, one.show)
            one.state = "DONE"
        except Exception as error:
            one.state = "FAILED"
            one.error = str(error) if isinstance(error, WombatError) else "this went wrong on our side, see the log"
            raise
        finally:
            one.ended_at = time.time()
