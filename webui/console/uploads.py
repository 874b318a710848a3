"""Files that somebody has uploaded and not decided about yet: a CSV that is looked at before it is imported.

They lie in files without a name, so nothing of them is left when the process ends. Each belongs to who uploaded it.
Somebody keeps a few, whose oldest make room for new ones; nobody's make room for others'.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from wombat_ari.app.room import WAITING, Room
from wombat_ari.model.errors import UserError

KEPT_S = 1800.0
MOST = 5  #: at a time, of one person
MOST_BYTES = 512 << 20  #: of one person, all together


@dataclass(frozen=True, slots=True)
class Upload:
    """``name``: as the file was called there, for people."""

    token: str
    owner: str
    list_id: int
    name: str
    file: BinaryIO
    at: float
    size: int


class Uploads:
    """Of one process. Any thread may call."""

    def __init__(self, clock: Callable[[], float] = time.time, room: Room = WAITING) -> None:
        self._clock = clock
        self._room = room
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Upload] = OrderedDict()

    def keep(self, source: BinaryIO, *, owner: str, list_id: int, name: str) -> Upload:
        """A copy of it. UserError when there is no room."""
        size = source.seek(0, os.SEEK_END)
        source.seek(0)
        with self._lock:
            self._make_room(owner, size)
        file = copied(source, self._room)
        upload = Upload(secrets.token_urlsafe(16), owner, list_id, name[:255], file, self._clock(), size)
        with self._lock:
            self._make_room(owner, size)
            self._known[upload.token] = upload
        return upload

    def find(self, token: str, *, owner: str, list_id: int) -> Upload:
        """At its beginning. UserError when it is gone, or somebody else's."""
        with self._lock:
            return self._found(token, owner, list_id)

    def take(self, token: str, *, owner: str, list_id: int) -> Upload:
        """The same; it is not kept any more, so nobody else takes it. ``put_back`` keeps it again."""
        with self._lock:
            found = self._found(token, owner, list_id)
            del self._known[token]
        return found

    def put_back(self, upload: Upload) -> None:
        with self._lock:
            self._known[upload.token] = upload

    def _found(self, token: str, owner: str, list_id: int) -> Upload:
        found = self._known.get(token)
        if found is None or found.owner != owner or found.list_id != list_id or self._is_old(found):
            raise UserError("this upload is not kept any more: choose the file again", code="missing")
        found.file.seek(0)
        return found

    def _make_room(self, owner: str, size: int) -> None:
        """For one more of this owner."""
        for one in [one for one in self._known.values() if self._is_old(one)]:
            self._drop(one)
        own = [one for one in self._known.values() if one.owner == owner]
        while own and (len(own) >= MOST or size + sum(one.size for one in own) > MOST_BYTES):
            self._drop(own.pop(0))

    def _drop(self, upload: Upload) -> None:
        del self._known[upload.token]  # its file goes when nobody reads it any more

    def _is_old(self, upload: Upload) -> bool:
        return self._clock() - upload.at > KEPT_S


def copied(source: BinaryIO, room: Room | None = None) -> BinaryIO:
    """A file of our own with the same in it, at its beginning. UserError when there is no ``room``."""
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who reads it
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    if room is not None:
        room.take_for(file, size)
    shutil.copyfileobj(source, file, 1 << 20)
    file.seek(0)
    return file
