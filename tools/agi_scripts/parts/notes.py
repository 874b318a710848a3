"""Who was called when: a file that several jobs share."""

import contextlib
import fcntl
import json
import os
import time

from tools.agi_scripts.parts.agi import Trouble

KEPT = 60 * 86400  #: seconds; older notes are forgotten


def is_due(call, note, now):
    """Not called since it was lost, and not today."""
    if note is None:
        return True
    return call["at"] > note["asked_at"] and time.localtime(note["asked_at"])[:3] != time.localtime(now)[:3]


@contextlib.contextmanager
def locked(path):
    """One at a time; another one is waited for, a minute at most."""
    try:
        file = open(path, "a")  # noqa: SIM115 - it is closed below
    except OSError as error:
        raise Trouble(f"{path} cannot be written: {error.strerror}") from None
    with file:
        end = time.monotonic() + 60
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise Trouble("another run has not ended for a minute") from None
                time.sleep(0.1)
        yield


def read_notes(path):
    """number -> {"asked_at": epoch, ...}. What cannot be read is never taken for empty: all would be called again."""
    try:
        with open(path, encoding="utf-8") as file:
            notes = json.load(file)
        return {number: dict(note, asked_at=float(note["asked_at"])) for number, note in notes.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Trouble(f"{path} cannot be read ({error}): mend it, or move it away to begin anew") from None


class Recalls:
    """The notes, on disk before anything depends on them."""

    def __init__(self, path, notes, now):
        self._path = path
        self._notes = {number: note for number, note in notes.items() if note["asked_at"] > now - KEPT}

    def note(self, number, **about):
        self._notes[number] = dict(about, asked_at=time.time())
        self._save()

    def forget(self, number, before):
        """It was not called after all."""
        self._notes.pop(number)
        if before is not None:
            self._notes[number] = before
        self._save()

    def of(self, number):
        return self._notes.get(number)

    def _save(self):
        new = self._path + ".new"
        try:
            with open(new, "w", encoding="utf-8") as file:
                json.dump(self._notes, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self._path)
            folder = os.open(os.path.dirname(os.path.abspath(self._path)), os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            raise Trouble(f"{self._path} cannot be written: {error.strerror}") from None
