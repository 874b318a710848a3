"""A private database with lists of millions, to be measured: MariaDB with a buffer pool of a given size, or SQLite.

Lists are filled by statements of the database itself (``INSERT ... SELECT`` over a sequence), not by the importer, so
ten millions take a minute. Everything is in one temporary folder, which is deleted at the end, however that comes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.provision.mariadb import MariaDBInstance
from wombat_ari.model.entities import CallList, Campaign, CampaignList, EndPoint, Server, Trunk
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import EndPointType, ListUse
from wombat_ari.store import entities
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.migrations import migrate

KINDS = ("mariadb", "sqlite")
POOL_MB = 1024  #: what docs/performance.md recommends for lists of ten millions
BY = "bench"
_STEP = 250_000  #: records of one transaction
_BYTES = 300  #: disk for a record with its indexes, undo and redo, generously
_ATTRIBUTES = '{"NAME":"A. N. Other","CITY":"Springfield","CASE":"0000000001"}'
_SEQUENCE = {
    "mysql": "seq_{first}_to_{last}",
    "sqlite": "(WITH RECURSIVE n(seq) AS (SELECT {first} UNION ALL SELECT seq + 1 FROM n WHERE seq < {last}) "
    "SELECT seq FROM n)",
}


class BenchStore:
    """Made by ``opened``."""

    def __init__(self, kind: str, folder: Path, pool_mb: int) -> None:
        self.kind = kind
        self.folder = folder
        self.server: MariaDBInstance | None = None
        self.version = ""
        url = f"sqlite:///{folder}/bench.db"
        if kind == "mariadb":
            options = [f"--innodb-buffer-pool-size={pool_mb}M", "--innodb-log-file-size=512M"]
            # A restart is to find an empty pool.
            options += ["--innodb-buffer-pool-dump-at-shutdown=OFF", "--innodb-buffer-pool-load-at-startup=OFF"]
            self.server = MariaDBInstance(folder / "db", options=options)
            self.version = self.server.version
            self.server.start()
            self.server.create_database("bench")
            url = f"{self.server.url('bench')}?read_timeout=600"
        self.database: Database = open_database(url, key_file=folder / "secret.key")
        migrate(self.database, now=time.time())

    def close(self) -> None:
        self.database.close()
        if self.server:
            self.server.stop(timeout=60)

    def cool(self) -> None:
        """Forget what is in memory: MariaDB starts anew with an empty pool, the files leave the system's cache."""
        self.database.close()
        if self.server:
            self.server.stop(timeout=120)
        for file in self.folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                handle = os.open(file, os.O_RDONLY)
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)
        if self.server:
            self.server.start()

    def disk_mb(self) -> int:
        blocks = sum(file.stat().st_blocks for file in self.folder.rglob("*") if file.is_file())
        return blocks // 2048 + 1

    def add_list(self, name: str, *, records: int, number: str, attributes: bool = True) -> int:
        """A list filled quickly; ``number`` is its number in SQL, of ``seq``, which is 1, 2, 3, ..."""
        list_id = entities.save_list(self.database, CallList(None, name), by=BY, now=time.time()).id
        assert list_id is not None
        insert = "INSERT INTO record (list_id, number, input_attributes, output_attributes)"
        began = time.monotonic()
        with self._without_flushing():
            for first in range(1, records + 1, _STEP):
                last = min(first + _STEP - 1, records)
                source = _SEQUENCE[self.database.kind].format(first=first, last=last)
                with self.database.transaction() as tx:
                    select = f"SELECT %s, {number}, %s, '{{}}' FROM {source} AS s ORDER BY seq"
                    tx.run(f"{insert} {select}", (list_id, _ATTRIBUTES if attributes else "{}"))
                    tx.run("UPDATE call_list SET records = %s WHERE id = %s", (last, list_id))
                if last % 1_000_000 == 0 or last == records:
                    say(f"{self.kind}, list {name}: {last:,} of {records:,}, {time.monotonic() - began:.0f} s")
        return list_id

    def analyse(self) -> None:
        """Statistics as a database at work has them."""
        with self.database.transaction() as tx:
            tx.rows("ANALYZE TABLE record" if self.server else "ANALYZE")

    def add_campaign(self, name: str, *, normal: int, black: int | None = None) -> int:
        now = time.time()
        server = entities.save_server(self.database, Server(None, f"pbx {name}", password=Secret("x")), by=BY, now=now)
        assert server.id is not None
        trunk = Trunk(None, server.id, f"trunk {name}", "PJSIP/${num}@carrier", 10)
        trunk_id = entities.save_trunk(self.database, trunk, by=BY, now=now).id
        end_point = EndPoint(None, server.id, EndPointType.PHONE, f"phone {name}", "100", "from-internal", 10)
        end_point_id = entities.save_end_point(self.database, end_point, by=BY, now=now).id
        assert trunk_id is not None
        assert end_point_id is not None
        lists = [CampaignList(normal, ""), *([CampaignList(black, "", ListUse.BLACK)] if black else [])]
        campaign = Campaign(None, name, trunk_ids=(trunk_id,), end_point_ids=(end_point_id,), lists=tuple(lists))
        campaign_id = entities.save_campaign(self.database, campaign, by=BY, now=now).id
        assert campaign_id is not None
        return campaign_id

    def value(self, sql: str, *params: object) -> int:
        with self.database.transaction(write=False) as tx:
            return int(tx.value(sql, params) or 0)

    @contextmanager
    def _without_flushing(self) -> Iterator[None]:
        """While it is filled a power cut would only cost the benchmark; measured is with flushing at each commit."""
        if self.server is None:
            yield
            return
        self.server.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
        try:
            yield
        finally:
            self.server.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")


@contextmanager
def opened(kind: str, *, records: int, pool_mb: int = POOL_MB) -> Iterator[BenchStore]:
    """A database of this kind, deleted afterwards."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="wombat-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        need, free = records * _BYTES + (2 << 30), shutil.disk_usage(folder).free
        if free < need:
            sys.exit(f"{folder}: {free >> 20} MB are free, {need >> 20} MB may be needed: choose fewer --records")
        store = BenchStore(kind, folder, pool_mb)
        stack.callback(store.close)
        yield store


def timed(job: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    job()
    return (time.perf_counter() - began) * 1000


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
