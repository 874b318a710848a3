"""Files that somebody has uploaded and not decided about yet: a CSV that is looked at before it is imported.

They lie in files without a name, so nothing of them is left when the process ends. Each belongs to who uploaded it.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from wombat_ari.model.errors import UserError

KEPT_S = 1800.0
MOST = 20  #: at a time, of everybody together


@dataclass(frozen=True, slots=True)
class Upload:
    """``name``: as the file was called there, for people."""

    token: str
    owner: str
    list_id: int
    name: str
    file: BinaryIO
    at: float


class Uploads:
    """Of one process. Any thread may call."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Upload] = OrderedDict()

    def keep(self, source: BinaryIO, *, owner: str, list_id: int, name: str) -> Upload:
        """A copy of it; the oldest ones make room."""
        file = copied(source)
        upload = Upload(secrets.token_urlsafe(16), owner, list_id, name[:255], file, self._clock())
        with self._lock:
            self._known[upload.token] = upload
            while len(self._known) > MOST or self._is_old(next(iter(self._known.values()))):
                self._known.popitem(last=False)[1].file.close()
        return upload

    def find(self, token: str, *, owner: str, list_id: int) -> Upload:
        """At its beginning. UserError when it is gone, or somebody else's."""
        with self._lock:
            found = self._known.get(token)
        if found is None or found.owner != owner or found.list_id != list_id or self._is_old(found):
            raise UserError("this upload is not kept any more: choose the file again", code="missing")
        found.file.seek(0)
        return found

    def take(self, token: str, *, owner: str, list_id: int) -> Upload:
        """Not kept any more: who takes it closes its file."""
        found = self.find(token, owner=owner, list_id=list_id)
        with self._lock:
            self._known.pop(token, None)
        return found

    def _is_old(self, upload: Upload) -> bool:
        return self._clock() - upload.at > KEPT_S


def copied(source: BinaryIO) -> BinaryIO:
    """A file of our own with the same in it, at its beginning."""
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who reads it
    shutil.copyfileobj(source, file, 1 << 20)
    file.seek(0)
    return file
