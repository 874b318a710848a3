"""Memory that was freed goes back to the system.

The C library keeps what a thread has freed for that thread. After long work, of which each of many threads may do some
(an import fills the page cache of SQLite: 16 MB), that would add up.
"""

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  #: glibc's; others have none, and keep less


def give_back() -> None:
    """All that no thread uses. Some milliseconds, in which others go on."""
    if _trim is not None:
        _trim(0)
