"""The doctor at the database: version, charset, time zone, isolation, durability, disk."""

import re
import shutil
from pathlib import Path

from wombat_ari.app.config import Settings
from wombat_ari.app.doctor_words import Finding, bad, good, warning
from wombat_ari.model.errors import WombatError
from wombat_ari.store.database import Database
from wombat_ari.store.vitals import Vitals, vitals

LOW_DISK_MB = 500
OLDEST = {"SQLite": (3, 35), "MariaDB": (10, 11), "MySQL": (8, 0)}
CONNECTIONS = 32  #: threads of ours that may each have one


def examine_database(settings: Settings, database: Database) -> list[Finding]:
    """Blocks while the database answers."""
    about = f"database {database.name}"
    try:
        access = database.is_alive()
        said = vitals(database)
    except WombatError as error:
        return [bad(about, str(error), "see database.url in " + settings.source), _disk(settings.state_folder)]
    found = [_version(about, said, access), _charset(about, said), _zone_and_isolation(about, said)]
    if not said.durable:
        text = "what is committed may be lost in a power cut"
        found.append(
            warning(about, text, "set innodb_flush_log_at_trx_commit = 1: nobody is called twice because of it")
        )
    if 0 < said.connections < CONNECTIONS:
        text = f"takes {said.connections} connections, the dialer and the console may want {CONNECTIONS}"
        found.append(warning(about, text, "raise max_connections"))
    folders = dict.fromkeys(filter(None, (settings.state_folder, said.folder)))
    return [*found, *map(_disk, folders)]


def _version(about: str, said: Vitals, access: float) -> Finding:
    text = f"{said.product} {said.version}, answers in {access:.1f} ms"
    oldest = OLDEST[said.product]
    if tuple(map(int, re.findall(r"\d+", said.version)[:2])) < oldest:
        return warning(about, text, f"upgrade: tested from {'.'.join(map(str, oldest))} on")
    return good(about, text)


def _charset(about: str, said: Vitals) -> Finding:
    if said.charset.lower() in ("utf8mb4", "utf-8"):
        return good(about, f"charset {said.charset}")
    advice = "ALTER DATABASE ... CHARACTER SET utf8mb4: new tables would not take all letters"
    return warning(about, f"its default charset is {said.charset}", advice)


def _zone_and_isolation(about: str, said: Vitals) -> Finding:
    if said.product == "SQLite":
        if said.isolation == "WAL":
            return good(about, "journal mode WAL: readers do not wait for writers")
        return warning(
            about, f"journal mode {said.isolation}", "WAL is needed: is the file on a network drive? move it"
        )
    text = f"sessions have time zone {said.time_zone}, isolation {said.isolation}"
    if said.time_zone == "+00:00" and said.isolation == "READ-COMMITTED":
        return good(about, text)
    return bad(about, text, "something between us and the database changes sessions: +00:00, READ-COMMITTED are needed")


def _disk(folder: Path) -> Finding:
    about = f"disk of {folder}"
    try:
        free = shutil.disk_usage(folder).free // 2**20
    except OSError as error:
        return warning(about, f"could not be looked at: {error.strerror}")
    if free < LOW_DISK_MB:
        return warning(about, f"{free:,} MB free", "free some space: a full disk stops all calls")
    return good(about, f"{free:,} MB free")
