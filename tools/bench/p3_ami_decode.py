"""P3: AMI bytes to typed events, over recorded transcripts, beside other libraries on the same bytes.

    python -m tools.bench.p3_ami_decode [--rounds 9] [--megabytes 4] [--json]

Each side gets the same bytes in pieces of 64 KiB and calls a function for each event a dialer needs, with its values
taken out: a typed event of ours, a dictionary of theirs. Sides take turns (A B C, A B C, ...), the median counts.
panoramisk: its ``AMIProtocol`` and ``Manager.dispatch``. pystrix: its ``read_message`` and event classes, without the
thread and the queue it puts behind them. starpy is in no package registry: it is measured when it can be imported, else
a stand-in that takes the same steps (Twisted's LineOnlyReceiver, one dictionary in lower case per message) is beside.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from twisted.protocols.basic import LineOnlyReceiver

from tests.wire.recordings import DATA, recorded
from tools.bench.machine import median, spread
from wombat_ari.wire.ami import Decoder
from wombat_ari.wire.ami_events import CALL_EVENTS, events_of

log = logging.getLogger(__name__)

PIECE = 65536
REACH_STARPY = 4.0  #: times starpy's speed
RATE = 200_000  #: events a second, what the design counts on; shown, not a condition: machines differ
BANNER = b"Asterisk Call Manager/11.0.0\r\n"

#: A side takes the bytes and says how many of the events a dialer needs it handed over.
Side = Callable[[bytes], int]


def transcript(megabytes: float) -> bytes:
    """Recorded sessions one after the other, as often as it takes; every id is one of the dialer's."""
    sessions = b"".join(whole(recorded(path.stem)) for path in sorted((DATA / "ami").glob("[os]*.txt")))
    return BANNER + sessions * max(1, round(megabytes * 1e6 / len(sessions)))


def whole(session: bytes) -> bytes:
    """A session without its banner and without the message that the recording cut."""
    body = session.partition(b"\n")[2]
    return body[: body.rfind(b"\r\n\r\n") + 4]


def pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


def ours(data: bytes) -> int:
    """As the driver does it: events that nobody needs are skipped by their first header."""
    decoder = Decoder()
    decoder.want(CALL_EVENTS)
    return _typed(decoder, data)


def ours_unskipped(data: bytes) -> int:
    """Every message decoded and looked up."""
    return _typed(Decoder(), data)


def ours_whole(data: bytes) -> int:
    """Every message as a dictionary of all its headers, as the others do, and typed events on top."""
    decoder, count = Decoder(), 0
    for piece in pieces(data):
        for message in decoder.feed(piece):
            message.headers()
            events_of(message)
            count += message.name in CALL_EVENTS
    return count


def _typed(decoder: Decoder, data: bytes) -> int:
    count = 0
    for piece in pieces(data):
        for message in decoder.feed(piece):
            events_of(message)
            count += message.name in CALL_EVENTS
    return count


def panoramisk() -> Side:
    module = importlib.import_module("panoramisk.manager")
    protocol_class = importlib.import_module("panoramisk.ami_protocol").AMIProtocol

    def read(data: bytes) -> int:
        seen: list[str] = []
        manager = module.Manager()
        for name in CALL_EVENTS:
            manager.register_event(name, lambda _, message: seen.append(message.event))
        protocol = protocol_class()
        protocol.connection_made(None)
        protocol.factory = manager
        for piece in pieces(data):
            protocol.data_received(piece)
        return len(seen)

    return read


def pystrix() -> Side:
    module: Any = importlib.import_module("pystrix.ami.ami")
    importlib.import_module("pystrix.ami.core_events")

    def read(data: bytes) -> int:
        link = module._SynchronisedSocket.__new__(module._SynchronisedSocket)
        link._socket_read_lock, link._socket_write_lock = threading.Lock(), threading.Lock()
        link._socket_file = io.BytesIO(data.partition(b"\n")[2])
        link._connected = True
        count, last = 0, data.count(b"\r\n\r\n")
        for _ in range(last):
            message = link.read_message()
            if module.KEY_EVENT in message:
                message.__class__ = module._EVENT_REGISTRY.get(message.name) or module._Event
                count += message.name in CALL_EVENTS
        return count

    return read


def starpy() -> tuple[str, Side]:
    """starpy itself if it is there, else the stand-in, under a name that says which."""
    try:
        protocol_class = importlib.import_module("starpy.manager").AMIProtocol
    except (ImportError, SyntaxError):
        return "stand-in for starpy", _line_by_line
    return "starpy", lambda data: _read_lines(protocol_class(), data)


class LineByLine(LineOnlyReceiver):
    """The steps of starpy: every line logged, kept and stripped; at a blank one each is taken from the front, stripped,
    held against two markers, split, its key put in lower case; then the handlers of the event get the dictionary."""

    def __init__(self) -> None:
        self.handlers: dict[str, list[Callable[[Any, dict[str, str]], object]]] = {}
        self.lines: list[str] = []
        self.version = ""

    def registerEvent(self, event: str, function: Callable[[Any, dict[str, str]], object]) -> None:
        self.handlers.setdefault(event, []).append(function)

    def lineReceived(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        log.debug("line in: %r", text)
        self.lines.append(text)
        if not text.strip():
            self._dispatch()

    def _dispatch(self) -> None:
        message: dict[str, str] = {}
        while self.lines:
            text = self.lines.pop(0).strip()
            if not text or text.endswith("--END COMMAND--"):
                continue
            if text.startswith("Asterisk Call Manager"):
                self.version = text
                continue
            key, value = text.split(":", 1)
            message[key.lower().strip()] = value.strip()
        log.debug("message in: %s", message)
        for handler in self.handlers.get(message.get("event", ""), ()):
            handler(self, message)


def _line_by_line(data: bytes) -> int:
    return _read_lines(LineByLine(), data)


def _read_lines(protocol: Any, data: bytes) -> int:
    seen: list[str] = []
    for name in CALL_EVENTS:
        protocol.registerEvent(name, lambda _, message: seen.append(message["event"]))
    protocol.transport = _Open()
    for piece in pieces(data):
        protocol.dataReceived(piece)
    return len(seen)


class _Open:
    disconnecting = False


def main() -> int:
    arguments = _arguments()
    logging.disable(logging.CRITICAL)
    data = transcript(arguments.megabytes)
    events = data.count(b"\r\nEvent: ")
    name, reader = starpy()
    sides: dict[str, Side] = {
        "wombat-ari": ours,
        "wombat-ari, nothing skipped": ours_unskipped,
        "wombat-ari, all headers": ours_whole,
        "panoramisk": panoramisk(),
        "pystrix": pystrix(),
        name: reader,
    }
    handed = {side: read(data) for side, read in sides.items()}  # warms up too
    if len(set(handed.values())) != 1:
        print(f"the sides did not see the same events: {handed}", file=sys.stderr)
        return 2
    seconds = measured(sides, data, arguments.rounds)
    report = result(seconds, events=events, megabytes=len(data) / 1e6, starpy_name=name)
    print(json.dumps(report, indent=2) if arguments.json else shown(report))
    return 0 if report["reached"] else 1


def measured(sides: dict[str, Side], data: bytes, rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for side, read in sides.items():
            began = time.perf_counter()
            read(data)
            seconds[side].append(time.perf_counter() - began)
    return seconds


def result(seconds: dict[str, list[float]], *, events: int, megabytes: float, starpy_name: str) -> dict[str, Any]:
    rates = {side: events / median(times) for side, times in seconds.items()}
    mine = rates["wombat-ari"]
    peers = {side: rate for side, rate in rates.items() if not side.startswith("wombat-ari")}
    # Each round has its own ratio: what slowed the machine then slowed both.
    pairs = zip(seconds[starpy_name], seconds["wombat-ari"], strict=True)
    ratio = median([theirs / own for theirs, own in pairs])
    return {
        "row": "P3",
        "events": events,
        "megabytes": round(megabytes, 2),
        "events_per_second": {side: round(rate) for side, rate in rates.items()},
        "spread": {side: round(spread(times), 3) for side, times in seconds.items()},
        "times_the_peer": {side: round(mine / rate, 1) for side, rate in peers.items()},
        "starpy": starpy_name if starpy_name == "starpy" else "in no registry: a stand-in was measured",
        "times_starpy": round(ratio, 1),
        "reach": {"times_starpy": REACH_STARPY, "fastest_of_all": True, "events_per_second": RATE},
        "reached": ratio >= REACH_STARPY and mine > max(peers.values()),
    }


def shown(report: dict[str, Any]) -> str:
    lines = [
        f"P3  AMI bytes to typed events: {report['events']:,} events, {report['megabytes']} MB recorded by a real PBX"
    ]
    for side, rate in report["events_per_second"].items():
        times = report["times_the_peer"].get(side)
        beside = f"   we are {times} x as fast" if times else ""
        lines.append(f"  {side:30} {rate:>10,} events/s{beside}")
    reach = report["reach"]
    lines.append(f"  starpy: {report['starpy']}; {report['times_starpy']} x it (reach {reach['times_starpy']:.0f} x)")
    verdict = "reached" if report["reached"] else "NOT reached"
    lines.append(f"  reach: {reach['times_starpy']:.0f} x starpy, fastest of all: {verdict} (counted on: {RATE:,}/s)")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--megabytes", type=float, default=4)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
