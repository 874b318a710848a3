"""P11: ``addcall`` requests a second, each durable when it is answered, beside Flask and waitress doing one INSERT.

    python -m tools.bench.p11_addcall [--seconds 4] [--clients 16,64,200] [--database both|mariadb|sqlite] [--ahead]
        [--as trusted|token|password] [--json]

Ours is the real ``wombat-ari serve`` with its dialer and a live run; the caller is a trusted address, or (``--as
token``, ``--as password``) somebody who logs on with each request. The peer (``p11_peer``) commits one row for each
request, on the same server of the same kind. The same client asks both: so many connections that are kept, each with
one request at a time. Several numbers of connections are tried, sides in turns, and each side is counted at its own
best: ours shares commits among all who wait and is quicker the more there are, waitress looks through all of its
connections each time and is slower. Afterwards every answer must have its row.

Needs ``pip install -e '.[bench]'`` (waitress).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.site import Site, until
from tools.bench.machine import Load, cpu_seconds, go_ahead, median, spread
from tools.bench.stores import KINDS, say
from tools.provision.mariadb import MariaDBInstance
from tools.provision.ports import free_port
from tools.provision.process import ServerProcess, Spec, wait_until

REACH = 3.0
PASSWORD = "correct-horse-battery"
CALLERS = ("trusted", "token", "password")
PLAN = {
    "server": [{"name": "pbx", "address": "127.0.0.1", "port": 1, "login": "x", "password": "x"}],
    "trunk": [{"name": "t", "server": "pbx", "dial_string": "PJSIP/${num}@x", "capacity": 1}],
    "end_point": [{"name": "e", "server": "pbx", "type": "PHONE", "extension": "1", "context": "x"}],
    "list": [{"name": "empty"}],
    "campaign": [
        {"name": "bench", "trunks": ["t"], "end_points": ["e"], "lists": ["empty"], "idles_on_termination": True}
    ],
}


@dataclass(slots=True)
class Turn:
    """What a side did in its seconds."""

    answered: int = 0
    errors: int = 0
    first_error: str = ""
    seconds: float = 0.0
    slowest_ms: float = 0.0

    @property
    def rate(self) -> float:
        return self.answered / self.seconds if self.seconds else 0.0


class Client(asyncio.Protocol):
    """A kept connection: asks again as soon as it was answered, until the time is over."""

    def __init__(self, turn: Turn, ends_at: float, *, path: str, head: str, place: int) -> None:
        self._turn = turn
        self._ends_at = ends_at
        self._path = path
        self._head = head
        self._number = place * 10_000_000
        self._buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length_of(head):
            return
        self._buffer = b""
        turn, now = self._turn, time.perf_counter()
        turn.slowest_ms = max(turn.slowest_ms, (now - self._asked_at) * 1000)
        if b" 200 " in head[:16] and body.startswith(b"OK"):
            turn.answered += 1
        else:
            turn.errors += 1
            turn.first_error = turn.first_error or body.decode("utf-8", "replace")
        if now < self._ends_at:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._turn.errors += 1
            self._turn.first_error = self._turn.first_error or str(error)
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._number += 1
        path = self._path.format(3_000_000_000 + self._number)
        self._transport.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{self._head}\r\n".encode())


def _length_of(head: bytes) -> int:
    lower = head.lower()
    at = lower.index(b"content-length:") + 15
    return int(lower[at:].split(b"\r\n", 1)[0])


def ask(port: int, path: str, *, head: str, clients: int, seconds: float) -> Turn:
    """So many clients at once for so long."""

    async def all_of_them() -> Turn:
        turn, began = Turn(), time.perf_counter()
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(
                lambda place=place: Client(turn, began + seconds, path=path, head=head, place=place), "127.0.0.1", port
            )
            for place in range(clients)
        ]
        await asyncio.gather(*(client.done for _, client in made))
        turn.seconds = time.perf_counter() - began
        return turn

    return asyncio.run(all_of_them())


class Ours:
    """A served site with a live run."""

    path = "/wombat/api/calls/?op=addcall&campaign=bench&number={}&attrs=NAME:Ann,CITY:Rome"

    def __init__(self, folder: Path, url: str, caller: str) -> None:
        self.site = Site(folder, url=url, settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
        self.port = self.site.console_port
        self.site.wombat("init")
        self.site.apply(PLAN)
        self.head = self._head_of(caller)

    def start(self) -> None:
        self.site.serve()
        self.site.run("bench")
        until(lambda: self.site.snapshot()["runs"][0]["state"] in ("RUNNING", "IDLE"), 30, "the run is live")

    def close(self) -> None:
        with redirect_stdout(sys.stderr):
            self.site.close()

    def rows(self) -> int:
        return int(self.site.rows("SELECT COUNT(*) FROM record")[0][0])

    @property
    def dialer_pid(self) -> int:
        pid = self.site.dialer_pid()
        assert pid is not None, "the dialer runs"
        return pid

    def cpu(self) -> dict[str, float]:
        return {"web": cpu_seconds(self.site.supervisor_pid), "dialer": cpu_seconds(self.dialer_pid)}

    def _head_of(self, caller: str) -> str:
        if caller == "token":
            token = self.site.wombat("token", "add", "admin", "bench", "--scope", "CONTROL").stdout.strip()
            return f"Authorization: Bearer {token}\r\n"
        if caller == "password":
            return f"Authorization: Basic {base64.b64encode(f'admin:{PASSWORD}'.encode()).decode()}\r\n"
        return ""


class Peer:
    """The peer's process."""

    path = "/calls?campaign=bench&number={}&attrs=NAME:Ann,CITY:Rome"
    head = ""

    def __init__(self, folder: Path, mariadb: MariaDBInstance | None, store: Any) -> None:
        folder.mkdir()
        self.port = free_port()
        self._store = store
        key = "INTEGER PRIMARY KEY" if mariadb is None else "BIGINT AUTO_INCREMENT PRIMARY KEY"
        with store.transaction() as tx:
            tx.run(f"CREATE TABLE peer_call (id {key}, campaign VARCHAR(80), number VARCHAR(40), attrs TEXT)")
        kind, address, environment = "sqlite", store.name, dict(os.environ)
        if mariadb is not None:
            kind, address = "mariadb", f"127.0.0.1:{mariadb.port}:{mariadb.user}:bench"
            environment["MYSQL_PWD"] = mariadb.password
        argv = [sys.executable, "-m", "tools.bench.p11_peer", str(self.port), kind, address]
        self._spec = Spec(argv=argv, directory=str(Path(__file__).parents[2]), env=environment)
        self._log = folder / "peer.log"
        self.process = ServerProcess("the peer", output=self._log)

    def start(self) -> None:
        self.process.spawn(self._spec)
        if not wait_until(self._answers, timeout=30, pause=0.1):
            raise RuntimeError(f"the peer does not answer: {self._log.read_text()}")

    def rows(self) -> int:
        with self._store.transaction(write=False) as tx:
            return int(tx.value("SELECT COUNT(*) FROM peer_call"))

    def cpu(self) -> dict[str, float]:
        return {"web": cpu_seconds(self.process.pid)}

    def _answers(self) -> bool:
        try:
            return ask(self.port, self.path, head="", clients=1, seconds=0).answered == 1
        except OSError:
            return False


def main() -> int:
    arguments = _arguments()
    kinds = KINDS if arguments.database == "both" else (arguments.database,)
    result = measure(
        kinds, clients=arguments.clients, seconds=arguments.seconds, rounds=arguments.rounds, caller=arguments.caller,
        ahead=arguments.ahead,
    )  # fmt: skip
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0


def measure(
    kinds: tuple[str, ...], *, clients: list[int], seconds: float, rounds: int, caller: str, ahead: bool = False
) -> dict[str, Any]:
    load = Load.now()
    databases = {}
    for kind in kinds:
        with _sides(kind, caller, ahead=ahead) as sides:
            databases[kind] = _measured(sides, kind=kind, clients=clients, seconds=seconds, rounds=rounds)
    worst = min(found["ratio"] for found in databases.values())
    return {
        "row": "P11", "clients": clients, "seconds": seconds, "rounds": rounds, "caller": caller,
        "processors": load.processors, "load_before": load.average_1m, "ahead": ahead, "databases": databases,
        "worst_ratio": worst, "reach": REACH, "reached": worst >= REACH,
    }  # fmt: skip


@contextmanager
def _sides(kind: str, caller: str, *, ahead: bool = False) -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wombat-bench-")))
        folder.chmod(0o755)
        mariadb, url = None, ""
        if kind == "mariadb":
            mariadb = stack.enter_context(MariaDBInstance(folder / "db"))
            mariadb.create_database("bench")
            url = mariadb.url("bench")
        ours = Ours(folder / "site", url, caller)
        stack.callback(ours.close)
        peer = Peer(folder / "peer", mariadb, ours.site.database)
        stack.callback(peer.process.kill_group)
        ours.start()
        peer.start()
        if ahead:
            database = [mariadb.pid] if mariadb else []
            go_ahead([os.getpid(), ours.site.supervisor_pid, ours.dialer_pid, peer.process.pid, *database])
        yield {"ours": ours, "peer": peer}


def _measured(sides: dict[str, Any], *, kind: str, clients: list[int], seconds: float, rounds: int) -> dict[str, Any]:
    by_clients = {
        count: _at(sides, label=f"{kind}, {count} clients", clients=count, seconds=seconds, rounds=rounds)
        for count in clients
    }
    best = {name: max(clients, key=lambda count: by_clients[count][name]["per_s"]) for name in sides}
    ours, peer = (by_clients[best[name]][name] for name in ("ours", "peer"))
    return {
        "ours_per_s": ours["per_s"],
        "peer_per_s": peer["per_s"],
        "ours_clients": best["ours"],
        "peer_clients": best["peer"],
        "ratio": round(ours["per_s"] / peer["per_s"], 2),
        "ratio_by_processor": round(sum(peer["cpu_ms"].values()) / sum(ours["cpu_ms"].values()), 2),
        "by_clients": by_clients,
    }


def _at(sides: dict[str, Any], *, label: str, clients: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Both sides asked by so many. Medians of the rounds; ``cpu_ms``: processor time of a request."""
    turns: dict[str, list[tuple[Turn, dict[str, float]]]] = {name: [] for name in sides}
    for number in range(rounds + 1):  # the first one warms up and is not counted
        for name in sides if number % 2 else reversed(sides):
            turn, cpu_ms = _turn(sides[name], label, clients=clients, seconds=seconds if number else 1)
            say(f"{label}, {name}, round {number} of {rounds}: {turn.rate:,.0f} a second")
            if number:
                turns[name].append((turn, cpu_ms))
    return {
        name: {
            "per_s": round(median([turn.rate for turn, _ in done])),
            "spread": round(spread([turn.rate for turn, _ in done]), 2),
            "slowest_ms": round(max(turn.slowest_ms for turn, _ in done)),
            "cpu_ms": {part: round(median([cpu_ms[part] for _, cpu_ms in done]), 3) for part in done[0][1]},
        }
        for name, done in turns.items()
    }


def _turn(side: Any, label: str, *, clients: int, seconds: float) -> tuple[Turn, dict[str, float]]:
    rows, cpu = side.rows(), side.cpu()
    turn = ask(side.port, side.path, head=side.head, clients=clients, seconds=seconds)
    used = side.cpu()
    if turn.errors:
        raise RuntimeError(f"{label}: {turn.errors} requests were refused: {turn.first_error}")
    if side.rows() - rows != turn.answered:
        raise RuntimeError(f"{label}: {turn.answered} answered, {side.rows() - rows} rows")
    return turn, {part: (used[part] - cpu[part]) * 1000 / turn.answered for part in used}


def shown(result: dict[str, Any]) -> str:
    lines = [f"P11  addcall, durable when answered, caller: {result['caller']}"]
    for kind, found in result["databases"].items():
        for count, both in found["by_clients"].items():
            told = ", ".join(
                f"{name} {one['per_s']:>6,} a second (spread {one['spread']:.0%}, slowest {one['slowest_ms']} ms, "
                f"processor ms a request {one['cpu_ms']})"
                for name, one in both.items()
            )
            lines.append(f"  {kind:8} {count:>3} clients: {told}")
        lines.append(
            f"  {kind:8} ours {found['ours_per_s']:,}, Flask and waitress {found['peer_per_s']:,}, each at its best: "
            f"{found['ratio']:.2f} x, by processor time {found['ratio_by_processor']:.2f} x"
        )
    verdict = "reached" if result["reached"] else "NOT reached"
    lines.append(f"  P11: {result['worst_ratio']:.2f} x at worst (reach {REACH:g} x): {verdict}")
    return "\n".join(lines)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each turn")
    parser.add_argument(
        "--clients", type=_numbers, default=[16, 64, 200], help="connections, each with one request at a time"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", choices=("both", *KINDS), default="both")
    parser.add_argument("--as", dest="caller", choices=CALLERS, default="trusted", help="who asks")
    parser.add_argument("--ahead", action="store_true", help="before what others run here (root, autogroup)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not all(1 <= count <= 400 for count in arguments.clients) or arguments.rounds < 1 or arguments.seconds <= 0:
        parser.error("at least one client (at most 400) and one round, and some seconds")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
