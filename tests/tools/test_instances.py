"""Life of the private servers: start, stop, kill, freeze, side by side, and the death of whoever started them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import MySQLdb
import pytest

from tests.conftest import NewAsterisk, NewMariaDB
from tests.tools.ami import Ami
from tools.provision.asterisk import AsteriskInstance
from tools.provision.errors import ProvisionError
from tools.provision.mariadb import MariaDBInstance
from tools.provision.process import wait_until

ROOT = Path(__file__).parents[2]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_asterisk_starts_again_where_it_was(new_asterisk: NewAsterisk, end: str) -> None:
    pbx = new_asterisk()
    first, wiring = pbx.pid, (pbx.ami_port, pbx.http_port, pbx.sip_port, pbx.ami_secret)
    pbx.cli("database put wombat test kept")
    if end == "kill":
        # The AstDB is written behind, within a second; a clean stop writes it at once.
        pbx.stop()
        pbx.start()
        first = pbx.pid
    getattr(pbx, end)()
    assert not pbx.alive
    assert not _runs(first)
    pbx.start()
    assert pbx.pid != first
    assert (pbx.ami_port, pbx.http_port, pbx.sip_port, pbx.ami_secret) == wiring
    assert "Value: kept" in pbx.cli("database get wombat test")


def test_a_second_object_takes_up_the_same_instance(new_asterisk: NewAsterisk) -> None:
    pbx = new_asterisk()
    pbx.stop()
    again = AsteriskInstance(pbx.directory)
    assert (again.ami_port, again.ami_secret) == (pbx.ami_port, pbx.ami_secret)
    with again, Ami(again):
        assert "uptime" in again.cli("core show uptime").lower()


def test_the_directory_may_be_long(tmp_path: Path) -> None:
    """Longer than the 108 bytes of a socket's path."""
    with AsteriskInstance(tmp_path.joinpath(*["folder"] * 20)) as pbx:
        assert "uptime" in pbx.cli("core show uptime").lower()
    with MariaDBInstance(tmp_path.joinpath(*["folder"] * 20, "db")) as db:
        assert db.sql("SELECT 1").strip() == "1"


def test_two_asterisks_side_by_side(new_asterisk: NewAsterisk, asterisk: AsteriskInstance) -> None:
    other = new_asterisk(name="pbx2")
    with Ami(asterisk) as here, Ami(other) as there:
        here.ended(here.originate("55520000"))
        attempt = there.originate("55510000", exten="101")
        there.event("Newstate", attempt, ChannelStateDesc="Up")
        assert f"wbt-{attempt}" not in asterisk.cli("core show channels concise")
        assert "simulated-network" in other.cli("core show channels concise")
    other.kill()
    assert asterisk.alive


def test_frozen_asterisk_is_silent_and_goes_on(new_asterisk: NewAsterisk) -> None:
    pbx = new_asterisk()
    with Ami(pbx) as ami:
        pbx.freeze()
        assert pbx.alive
        ami.act("Ping", ActionID="while-frozen")
        with pytest.raises(TimeoutError):
            ami.wait(lambda m: m.get("ActionID") == "while-frozen", timeout=0.3)
        pbx.thaw()
        ami.wait(lambda m: m.get("ActionID") == "while-frozen")


def test_frozen_asterisk_can_be_stopped(new_asterisk: NewAsterisk) -> None:
    pbx = new_asterisk()
    pbx.freeze()
    pbx.stop()
    assert not pbx.alive


def test_what_an_instance_tells(asterisk: AsteriskInstance) -> None:
    assert int(asterisk.version.split(".")[0]) >= 16
    assert Path(f"/proc/{asterisk.pid}/comm").read_text().strip() == "asterisk"
    before = asterisk.cpu_seconds()
    with Ami(asterisk) as ami:
        assert wait_until(
            lambda: bool(ami.ended(ami.originate("55520000"))) and asterisk.cpu_seconds() > before, timeout=20
        )
    assert "Asterisk" in asterisk.log_tail(1000)


def test_no_error_in_the_log_of_a_start(new_asterisk: NewAsterisk) -> None:
    """The shipped configuration loads without complaint."""
    pbx = new_asterisk()
    assert [line for line in pbx.log_tail(1000).splitlines() if "ERROR" in line or "WARNING" in line] == []


def test_own_configuration_replaces_and_adds(new_asterisk: NewAsterisk) -> None:
    queue = "[support]\nstrategy = ringall\n"
    pbx = new_asterisk(extra_conf={"queues.d/site.conf": queue}, manager_extra="[spy]\nsecret = s\nread = all\n")
    assert "support" in pbx.cli("queue show")
    with Ami(pbx, user="spy", secret="s"):
        pass


def test_ari_answers(asterisk: AsteriskInstance) -> None:
    request = f"GET /ari/asterisk/ping?api_key={asterisk.ari_user}:{asterisk.ari_password} HTTP/1.0\r\n\r\n"
    with socket.create_connection((asterisk.host, asterisk.http_port), timeout=10) as link:
        link.sendall(request.encode())
        assert b"200 OK" in link.recv(1000)


@pytest.mark.parametrize("make", [AsteriskInstance, MariaDBInstance])
def test_taken_port_is_named(make: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        instance = make(tmp_path / "x", **{"ami_port" if make is AsteriskInstance else "port": port})
        with pytest.raises(ProvisionError, match=rf"port {port} .* taken[\s\S]*What to do"):
            instance.start()


def test_broken_configuration_is_told_with_the_log(tmp_path: Path) -> None:
    pbx = AsteriskInstance(tmp_path, extra_conf={"modules.conf": "[modules]\nrequire = no_such.so\n"})
    with pytest.raises(ProvisionError, match=r"Asterisk pbx1 ended while it started[\s\S]*\| "):
        pbx.start()
    assert not pbx.alive


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_mariadb_keeps_its_data(new_mariadb: NewMariaDB, end: str) -> None:
    db = new_mariadb(options=["--max-connections=77"])
    db.create_database("work")
    db.sql("CREATE TABLE t (a TEXT)", database="work")
    db.sql("INSERT INTO t VALUES ('Ünïcode ☎ 📞')", database="work")
    first, url = db.pid, db.url("work")
    getattr(db, end)()
    assert not _runs(first)
    db.start()
    assert db.url("work") == url
    assert db.sql("SELECT a FROM t", database="work").strip() == "Ünïcode ☎ 📞"
    assert db.sql("SELECT @@max_connections").strip() == "77"
    db.drop_database("work")
    assert "work" not in db.sql("SHOW DATABASES").split()


def test_mariadb_by_its_url(mariadb: MariaDBInstance) -> None:
    address, _, database = mariadb.url("information_schema").removeprefix("mysql://").partition("/")
    credentials, _, place = address.partition("@")
    user, _, password = credentials.partition(":")
    host, _, port = place.partition(":")
    client = ["mariadb", "--no-defaults", f"-h{host}", f"-P{port}", f"-u{user}", "--protocol=TCP", "-Ne", "SELECT 7"]
    answer = subprocess.run([*client, database], env={"MYSQL_PWD": password, "PATH": os.environ["PATH"]},
                            capture_output=True, text=True, check=True)  # fmt: skip
    assert answer.stdout.strip() == "7"


def test_a_mariadb_leaves_temporary_tables_of_another(new_mariadb: NewMariaDB, mariadb: MariaDBInstance) -> None:
    with MySQLdb.connect(host=mariadb.host, port=mariadb.port, user=mariadb.user, password=mariadb.password) as link:
        cursor = link.cursor()
        cursor.execute("CREATE DATABASE IF NOT EXISTS apart")
        cursor.execute("CREATE TEMPORARY TABLE apart.here (a INT) ENGINE=Aria")
        new_mariadb(name="db2")
        cursor.execute("ALTER TABLE apart.here ADD COLUMN b INT")
        cursor.execute("DROP DATABASE apart")


def test_two_mariadbs_freeze_apart(new_mariadb: NewMariaDB, mariadb: MariaDBInstance) -> None:
    other = new_mariadb(name="db2")
    other.freeze()
    assert mariadb.sql("SELECT 1").strip() == "1"
    other.thaw()
    assert other.sql("SELECT 1").strip() == "1"
    assert other.cpu_seconds() >= 0


STARTER = """
import sys, threading
from pathlib import Path
from tools.provision.asterisk import AsteriskInstance
from tools.provision.mariadb import MariaDBInstance
servers = [AsteriskInstance(Path(sys.argv[1]) / "pbx"), MariaDBInstance(Path(sys.argv[1]) / "db")]
for server in servers:
    # From a thread that ends at once: that must not end the server.
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
print(*(server.pid for server in servers), flush=True)
sys.stdin.read()
"""


def test_nothing_outlives_who_started_it(tmp_path: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)], cwd=ROOT,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert starter.stdout is not None
    pids = [int(pid) for pid in starter.stdout.readline().split()]
    assert len(pids) == 2
    assert all(_runs(pid) for pid in pids)
    starter.send_signal(signal.SIGKILL)
    starter.communicate()
    assert wait_until(lambda: not any(_runs(pid) for pid in pids), timeout=10)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_run_asterisk_for_people(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.provision", "run-asterisk", "--dir", str(tmp_path / "pbx")]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stderr is not None
    pid = int(running.stdout.readline().partition("process ")[2].partition(";")[0])
    assert "secret" in running.stdout.readline()
    running.send_signal(signal.SIGINT)
    try:
        _, errors = running.communicate(timeout=90)
    finally:
        running.kill()
    assert (running.returncode, errors.strip()) == (0, "provision: stopped")
    assert not _runs(pid)
