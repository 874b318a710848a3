"""Room on the disk for what people send: bodies of requests, files that wait to be looked at or imported.

Each is bounded by itself; this bounds them all together, so that nobody fills the disk that the database lies on.
"""

import threading
import weakref
from typing import Any

from wombat_ari.model.errors import UserError

NO_ROOM = "no-room"  #: code of the refusal; it passes
MOST = 2 << 30  #: bytes, in each of the rooms of a process


class Room:
    """Any thread may call."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        return self._taken

    def take(self, size: int) -> "Share":
        """UserError when there is not so much left."""
        share = Share(self)
        share.more(size)
        return share

    def take_for(self, file: Any, size: int) -> None:
        """The same until nobody holds ``file`` any more."""
        weakref.finalize(file, self.take(size).give_back).atexit = False

    def _add(self, size: int) -> None:
        with self._lock:
            if size > 0 and self._taken + size > self._most:
                raise UserError(
                    f"{self._most >> 20} MB of files wait here to be read already: try again when some are done",
                    code=NO_ROOM,
                )
            self._taken += size


class Share:
    """What somebody takes of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def more(self, size: int) -> None:
        """UserError when there is not so much left."""
        self._room._add(size)
        self._size += size

    def give_back(self) -> None:
        """All of it; once more changes nothing."""
        size, self._size = self._size, 0
        self._room._add(-size)


WAITING = Room()  #: files of uploads and imports of this process
COMING = Room()  #: bodies of requests of this process
