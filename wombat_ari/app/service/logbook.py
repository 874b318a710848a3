"""What is noted in the system log of what people and programs do: who, what, from where."""

from wombat_ari.app.service.caller import Caller
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.store import syslog
from wombat_ari.store.database import Database


def note(caller: Caller, db: Database, action: str, *, about: str = "", detail: str = "") -> None:
    """One line, written now."""
    syslog.write(db, [line(caller, action, about=about, detail=detail)])


def line(caller: Caller, action: str, *, about: str = "", detail: str = "") -> SystemLogEntry:
    """The same for the dialer to write behind, with what it did: what comes often has no commit of its own. Texts are
    cut to what their columns hold."""
    text = "; ".join(filter(None, (detail, origin(caller))))
    return SystemLogEntry(caller.at, caller.login[:80], action[:80], about[:255], text)


def origin(caller: Caller) -> str:
    return f"from {caller.address}" if caller.address else ""
