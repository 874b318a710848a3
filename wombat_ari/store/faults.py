"""What a driver's error means: one ``StoreError`` whose text names the cause and what to do.

``transient`` is True when the same rows may pass later (away, locked, full, wrong password, read-only: somebody will
mend it) and False when these rows never will (data, constraint, SQL). The journal retries the first and isolates the
second. ``lost`` is True when the connection is of no more use.
"""

import sqlite3

from peewee import PeeweeException

from wombat_ari.model.errors import StoreError


class StoreFault(StoreError):
    """A StoreError made from a driver's error."""

    def __init__(self, message: str, *, code: str, transient: bool, lost: bool = False) -> None:
        super().__init__(message, code=code, transient=transient)
        self.lost = lost


# code, transient, lost, what to do
_AWAY = ("store_away", True, True, "check that the database server runs and that address and port are right")
_LOST = ("store_lost", True, True, "the connection broke or the server did not answer in time; it is made again")
_LOGIN = ("store_login", True, True, "check user and password in the database URL, and the grants of that user")
_MISSING = ("store_missing", True, True, "create the database, or correct its name in the database URL")
_SCHEMA = ("store_schema", True, False, "the tables are not those of this version: run 'wombat-ari init'")
_FULL = ("store_full", True, False, "the disk of the database is full: make room, nothing is lost meanwhile")
_LOCKED = ("store_locked", True, False, "another transaction holds the rows: try again")
_READ_ONLY = ("store_read_only", True, True, "the database is read-only: check the server's mode or the file's owner")
_OPEN = ("store_open", True, True, "check that the folder exists and that this user may write there")
_BROKEN = ("store_broken", True, True, "the file is damaged or no database: restore it from a backup")
_TOO_BIG = ("store_too_big", False, True, "the statement is larger than the server's max_allowed_packet")
_DUPLICATE = ("store_duplicate", False, False, "such a row exists already")
_CONSTRAINT = ("store_constraint", False, False, "a rule of the schema forbids these values")
_DATA = ("store_data", False, False, "a value does not fit its column")
_SQL = ("store_sql", False, False, "this is a fault of the program: please report it")
_OTHER = ("store", True, True, "see the database's own log")

_Meaning = tuple[str, bool, bool, str]

_MYSQL: dict[int, _Meaning] = {
    **dict.fromkeys((2002, 2003, 2005, 1040, 1203, 1129, 1130), _AWAY),
    **dict.fromkeys((2006, 2013, 2014, 2055, 4031, 1053, 1152, 1158, 1159, 1160, 1161, 1317, 1927, 1969, 3024), _LOST),
    **dict.fromkeys((1044, 1045, 1142, 1143, 1227, 1698), _LOGIN),
    1049: _MISSING,
    **dict.fromkeys((1054, 1146), _SCHEMA),
    **dict.fromkeys((1021, 1026, 1114), _FULL),
    **dict.fromkeys((1205, 1213, 3572), _LOCKED),
    **dict.fromkeys((1290, 1792, 1836), _READ_ONLY),
    1153: _TOO_BIG,
    **dict.fromkeys((1062, 1586), _DUPLICATE),
    **dict.fromkeys((1048, 1216, 1217, 1364, 1451, 1452, 3819, 4025), _CONSTRAINT),
    **dict.fromkeys((1264, 1265, 1292, 1366, 1406, 3140, 3141), _DATA),
}

_SQLITE: dict[str, _Meaning] = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": _OTHER,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_PERM": _OPEN,
    "SQLITE_CANTOPEN": _OPEN,
    "SQLITE_NOTADB": _BROKEN,
    "SQLITE_CORRUPT": _BROKEN,
    "SQLITE_CONSTRAINT": _CONSTRAINT,
    "SQLITE_MISMATCH": _DATA,
    "SQLITE_TOOBIG": _DATA,
}


def fault_of(error: BaseException, name: str) -> StoreFault | None:
    """The fault that a driver's or peewee's error means, None when it is neither. ``name``: of the database."""
    cause = _unwrap(error)
    if isinstance(cause, sqlite3.Error):
        return _fault(_sqlite_meaning(cause), str(cause), name)
    if isinstance(cause, UnicodeError | OverflowError):
        return _fault(_DATA, str(cause), name)
    if _is_mysql(cause):
        return _fault(_mysql_meaning(cause), _mysql_text(cause), name)
    if isinstance(cause, PeeweeException):
        return _fault(_OTHER, str(cause), name)
    return None


def _unwrap(error: BaseException) -> BaseException:
    """Peewee carries the driver's own error in ``orig``."""
    orig = getattr(error, "orig", None) if isinstance(error, PeeweeException) else None
    return orig if isinstance(orig, BaseException) else error


def _fault(meaning: _Meaning, text: str, name: str) -> StoreFault:
    code, transient, lost, advice = meaning
    return StoreFault(
        f"database {name}: {text.strip().rstrip('.')}; {advice}", code=code, transient=transient, lost=lost
    )


def _sqlite_meaning(error: sqlite3.Error) -> _Meaning:
    detail = getattr(error, "sqlite_errorname", "") or ""
    if detail in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"):
        return _DUPLICATE
    base = "_".join(detail.split("_")[:2])
    if base in _SQLITE:
        return _SQLITE[base]
    if str(error).startswith(("no such table", "no such column")):
        return _SCHEMA
    if isinstance(error, sqlite3.DataError | sqlite3.InterfaceError):
        return _DATA
    return _SQL if isinstance(error, sqlite3.ProgrammingError | sqlite3.OperationalError) else _OTHER


def _is_mysql(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "MySQLdb"


def _mysql_text(error: BaseException) -> str:
    return f"{error.args[1]} ({error.args[0]})" if len(error.args) > 1 else str(error)


def _mysql_meaning(error: BaseException) -> _Meaning:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if number in (3, 1030) and any(mark in _mysql_text(error) for mark in ("28", "122", "No space")):
        return _FULL
    if number in _MYSQL:
        return _MYSQL[number]
    kind = type(error).__name__
    if kind in ("DataError", "IntegrityError"):
        return _DATA if kind == "DataError" else _CONSTRAINT
    return _SQL if kind in ("ProgrammingError", "NotSupportedError") else _OTHER
