"""The notes that the shipped hang-up handler leaves in the AstDB, and the lists that tell which of our channels live.

A note is family ``wombat-gone``, key ``SSS/wbt-...`` (SSS is the series of the id: each dialer has a tree of its own),
value ``cause|dialstatus|answered|ms|epoch``; see ``asterisk_conf/extensions.d/wombat.conf``. Asterisk 18 and later give
them by ``DBGetTree``, older ones by the CLI's ``database show wombat-gone``.
"""

from wombat_ari.model.events import AgentChannel, LiveChannel, Trace
from wombat_ari.model.ids import channel_id, series_of, wombatid_of
from wombat_ari.wire.ami import Message

FAMILY = "wombat-gone"


def tree_of(series: int) -> str:
    """``7`` -> ``007``: the part of the family where the notes of one dialer are."""
    return f"{series:03d}"


def key_of(call: int) -> str:
    """The key, within the family, of the note about a call."""
    return f"{tree_of(series_of(call))}/{channel_id(call)}"


def trace_of(key: str, value: str) -> Trace | None:
    """The note as a value; None when the key is not one of ours. A field that is missing or odd counts as 0."""
    call = wombatid_of(key.strip().rpartition("/")[2])
    if call is None:
        return None
    cause, dial_status, answered, talk_ms, ended_at = (*value.strip().split("|"), "", "", "", "", "")[:5]
    return Trace(
        wombatid=call,
        answered=answered == "1",
        cause=_whole(cause),
        dial_status=dial_status,
        ended_at=float(_whole(ended_at)),
        talk_ms=_whole(talk_ms),
    )


def traces_of_tree(messages: list[Message]) -> dict[int, Trace]:
    """From the DBGetTreeResponse events of a ``DBGetTree``."""
    notes = (trace_of(message.get("Key"), message.get("Val")) for message in messages)
    return {note.wombatid: note for note in notes if note}


def traces_of_cli(lines: list[str]) -> dict[int, Trace]:
    """From the lines of ``database show wombat-gone``: ``/wombat-gone/SSS/wbt-...   : value``."""
    pairs = (line.partition(": ") for line in lines)
    notes = (trace_of(key, value) for key, _, value in pairs)
    return {note.wombatid: note for note in notes if note}


def live_of(messages: list[Message]) -> tuple[LiveChannel, ...]:
    """Our channels in the events of a ``CoreShowChannels`` or a ``Status``."""
    return tuple(live for live in map(_live, messages) if live)


def agents_of(messages: list[Message]) -> tuple[AgentChannel, ...]:
    """The channels of queues' agents in the events of a ``CoreShowChannels``."""
    return tuple(
        AgentChannel(
            # Local/8001@agents-0000000a;1 and PJSIP/8001-0000000a: the address, a dash and a serial number.
            interface=message.get("Channel").rpartition("-")[0],
            caller=message.get("Linkedid"),
            up=message.get("ChannelState") == "6",
        )
        for message in messages
        if message.get("Application") == "AppQueue"
    )


def _live(message: Message) -> LiveChannel | None:
    call = wombatid_of(message.get("Uniqueid"))
    if call is None:
        return None
    return LiveChannel(
        wombatid=call,
        channel=message.get("Channel"),
        up=message.get("ChannelState") == "6",
        seconds=_whole(message.get("Seconds")) or _duration(message.get("Duration")),
        bridged=bool(message.get("BridgeId") or message.get("BridgeID")),
        queue=message.get("ApplicationData").partition(",")[0] if message.get("Application") == "Queue" else "",
    )


def _duration(text: str) -> int:
    """``00:01:05`` -> 65."""
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + _whole(part)
    return seconds


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0
