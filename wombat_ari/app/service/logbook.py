"""What is noted in the system log of what people and programs do: who, what, from where."""

from wombat_ari.app.service.caller import Caller
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.store import syslog
from wombat_ari.store.database import Database


def note(caller: Caller, db: Database, action: str, *, about: str = "", detail: str = "") -> None:
    """One line. Texts are cut to what their columns hold."""
    where = f"from {caller.address}" if caller.address else ""
    text = "; ".join(filter(None, (detail, where)))
    syslog.write(db, [SystemLogEntry(caller.at, caller.login[:80], action[:80], about[:255], text)])
