"""What the control socket may be asked: AMP commands with typed arguments.

Each is answered when what it did is durable; a refusal is a ``UserError`` with its code and text on the other side too
(AMP's error description is ``code: text``). Snapshots are JSON, sent in parts since an AMP value holds 64 KB at most.
"""

import json
from typing import Any, ClassVar

from twisted.protocols import amp

from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import StoreError, UserError

PART = 60_000  #: bytes of a snapshot in one answer
MOST = 0xFFFF  #: bytes of one value


class LogLine(amp.Argument):
    """What the system log says of it when it was done: written behind, with the dialer's own lines."""

    def toString(self, inObject: SystemLogEntry) -> bytes:
        return json.dumps([inObject.at, inObject.user, inObject.action, inObject.object, inObject.detail]).encode()

    def fromString(self, inString: bytes) -> SystemLogEntry:
        return SystemLogEntry(*json.loads(inString))


_LINE = (b"line", LogLine(optional=True))


class _Command(amp.Command):
    errors = {UserError: b"USER", StoreError: b"STORE"}


class StartRun(_Command):
    """Start a run of a campaign."""

    arguments = [(b"campaign", amp.Unicode()), (b"by", amp.Unicode())]
    response = [(b"run", amp.Unicode())]


class PauseRun(StartRun):
    """No new calls; those in progress go on."""


class ResumeRun(StartRun):
    """Place calls again."""


class RemoveRun(StartRun):
    """End the run for good; calls in progress go on."""


class Reload(_Command):
    """Take the campaign of a live run as it is configured now."""

    arguments = [(b"campaign", amp.Unicode())]
    response = [(b"run", amp.Unicode())]


class Boost(_Command):
    """A factor on the boost of a live run's QUEUE end points."""

    arguments = [(b"campaign", amp.Unicode()), (b"factor", amp.Float())]
    response = [(b"run", amp.Unicode())]


class RunLists(_Command):
    """The lists of a live run and how far they are."""

    arguments = [(b"campaign", amp.Unicode())]
    response = [(b"lists", amp.Unicode())]


class AddList(_Command):
    """Append a list to a live run."""

    arguments = [(b"campaign", amp.Unicode()), (b"name", amp.Unicode())]
    response = [(b"lists", amp.Unicode())]


class PauseList(_Command):
    """Take nothing new from a list of a live run, or (``paused`` False) take again."""

    arguments = [(b"campaign", amp.Unicode()), (b"name", amp.Unicode()), (b"paused", amp.Boolean())]
    response = [(b"lists", amp.Unicode())]


class OrderLists(_Command):
    """All lists of a live run in their new order."""

    arguments = [(b"campaign", amp.Unicode()), (b"names", amp.ListOf(amp.Unicode()))]
    response = [(b"lists", amp.Unicode())]


class HangUp(_Command):
    """Hang up a live call."""

    arguments = [(b"wombatid", amp.Integer()), _LINE]
    response: ClassVar[list[Any]] = []


class Reserve(_Command):
    """Preview: the next number for an agent, or the one they hold. The line is for a new one, which is told in it."""

    arguments = [(b"agent", amp.Unicode()), _LINE]
    response = [(b"call", amp.Unicode())]


class DialReserved(HangUp):
    """Preview: call the agent, then the callee."""


class SkipReserved(_Command):
    """Preview: do not dial it; ``code`` is its extended status."""

    arguments = [(b"wombatid", amp.Integer()), (b"code", amp.Unicode()), _LINE]
    response: ClassVar[list[Any]] = []


class RetryErrands(_Command):
    """Try a receiver that is held (an empty text: each) now, and see what was replayed."""

    arguments = [(b"receiver", amp.Unicode())]
    response: ClassVar[list[Any]] = []


class AddCall(_Command):
    """A call from outside; ``attributes`` is a JSON object of texts, ``due`` epoch seconds (left out: at once)."""

    arguments = [
        (b"campaign", amp.Unicode()),
        (b"number", amp.Unicode()),
        (b"attributes", amp.Unicode()),
        (b"due", amp.Float(optional=True)),
    ]
    response = [(b"wombatid", amp.Integer())]


class AddCalls(_Command):
    """Many of them. ``calls`` is a JSON array of ``[campaign, number, {attributes}, due or null, by, origin]``,
    ``answers`` one of a WOMBATID or ``[code, text]`` for each."""

    arguments = [(b"calls", amp.String())]
    response = [(b"answers", amp.String())]


class NumbersCame(_Command):
    """Somebody has appended to a list: runs that have it look at once."""

    arguments = [(b"name", amp.Unicode())]
    response: ClassVar[list[Any]] = []


class SetStatus(_Command):
    """Extended status of a call that lives or ended a moment ago."""

    arguments = [(b"wombatid", amp.Integer()), (b"code", amp.Unicode()), _LINE]
    response: ClassVar[list[Any]] = []


class SetAttribute(_Command):
    """Output attribute of such a call."""

    arguments = [(b"wombatid", amp.Integer()), (b"name", amp.Unicode()), (b"value", amp.Unicode()), _LINE]
    response: ClassVar[list[Any]] = []


class AppendAttribute(SetAttribute):
    """A text that continues it."""


class ClearAttribute(_Command):
    """It is empty from now on."""

    arguments = [(b"wombatid", amp.Integer()), (b"name", amp.Unicode()), _LINE]
    response: ClassVar[list[Any]] = []


class CallInfo(_Command):
    """What is known of a call, wherever it is."""

    arguments = [(b"wombatid", amp.Integer())]
    response = [(b"call", amp.Unicode())]


class EventsSince(_Command):
    """What has happened behind the id ``after``; waits for something. ``data`` is JSON (``engine/announce``)."""

    arguments = [(b"after", amp.Integer())]
    response = [(b"data", amp.String())]


class LiveCalls(_Command):
    """A part of a page of the live calls, as a snapshot has parts; ``wanted`` is JSON of ``model/live.CallsWanted``."""

    arguments = [(b"part", amp.Integer()), (b"wanted", amp.String())]
    response = [(b"data", amp.String()), (b"parts", amp.Integer())]


class Overhear(_Command):
    """A part of what was said to and by a PBX behind the id ``after`` (``engine/overhear``); ``begin``: from now on."""

    arguments = [
        (b"part", amp.Integer()),
        (b"server", amp.Integer()),
        (b"after", amp.Integer()),
        (b"begin", amp.Boolean()),
    ]
    response = [(b"data", amp.String()), (b"parts", amp.Integer())]


class Snapshot(_Command):
    """A part of the picture of now; part 0 makes it anew for this connection."""

    arguments = [(b"part", amp.Integer()), (b"calls", amp.Boolean())]
    response = [(b"data", amp.String()), (b"parts", amp.Integer())]
