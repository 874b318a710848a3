"""Recorded bytes with our ids in them: the lab's ``wbt-name`` becomes call 1, 2, ..., in the order of appearance."""

import re
from pathlib import Path

from wombat_ari.model.events import CallEvent
from wombat_ari.model.ids import channel_id, other_channel_id
from wombat_ari.wire.ami import Decoder
from wombat_ari.wire.ami_events import events_of

DATA = Path(__file__).parent.parent / "data"


def recorded(name: str, *, folder: str = "ami", ids: str = "wbt-[a-z0-9_]+") -> bytes:
    """The recording, ``ids`` being the lab's ids of originated channels (``-b`` behind one is its other half)."""
    raw = (DATA / folder / f"{name}.txt").read_bytes()
    calls: dict[bytes, int] = {}

    def ours(match: re.Match[bytes]) -> bytes:
        call = calls.setdefault(match[1], len(calls) + 1)
        return (other_channel_id(call) if match[2] else channel_id(call)).encode()

    return re.sub(rf"(?i)(?<![\w@-])({ids})(-b)?(?![\w-])".encode(), ours, raw)


def events(raw: bytes) -> list[CallEvent]:
    """All that a recording tells about our calls."""
    return [event for message in Decoder().feed(raw) for event in events_of(message)]


def of_call(name: str, call: int = 1, *, folder: str = "ami", ids: str = "wbt-[a-z0-9_]+") -> list[CallEvent]:
    return [event for event in events(recorded(name, folder=folder, ids=ids)) if event.call == call]
