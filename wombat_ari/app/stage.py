"""Opening the database as every process and command does: settings, schema, clear words when something is wrong."""

import time

from wombat_ari.app.config import Settings
from wombat_ari.store import migrations
from wombat_ari.store.database import Database, open_database


def open_stage(settings: Settings, *, migrate: bool = False) -> Database:
    """The database, with its schema brought up to date (or only checked, when database.migrate is false, unless
    ``migrate`` is asked for)."""
    settings.make_state_folder()
    database = open_database(settings.database_url, key_file=settings.key_file)
    if migrate or settings["database.migrate"]:
        migrations.migrate(database, now=time.time())
    else:
        migrations.require_current(database)
    return database


def open_beside(settings: Settings) -> Database:
    """The same for who asks a running dialer, which has looked at the schema: nothing is connected before it is needed,
    so that the dialer can be asked while the database is away."""
    return open_database(settings.database_url, key_file=settings.key_file)
