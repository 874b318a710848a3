"""What the engine needs of a PBX, whichever protocol carries it. Drivers are peers: one contract suite tests them all.

A driver never decides: it writes what it is told, at once, and reports what it sees to its listener in the order seen.
How fast it may be told is the engine's business (congestion control). Nothing it was told is ever written twice.
"""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.events import CallEvent, PbxEvent, Survey
from wombat_ari.model.queues import AnyQueueEvent

SetVariable = Callable[[str, str, str], Deferred[None]]
Heard = CallEvent | PbxEvent | AnyQueueEvent
Listener = Callable[[Heard], None]
Ear = Callable[[bool, bytes], None]  #: whether it was written by us, and the bytes


class Ari(Protocol):
    """The second way into a PBX, for calls that are in the hands of the dialer itself. Nobody needs it to dial."""

    app: str  #: name of our application there
    last_error: str  #: why it is not connected, in words for people; empty when it is

    @property
    def connected(self) -> bool: ...

    @property
    def calls(self) -> int:
        """How many are in our hands."""
        ...

    def start(self, listener: Listener) -> None:
        """Connect, and stay connected with back-off until ``stop``. The listener hears of calls only."""

    def stop(self) -> Deferred[None]:
        """Close. Fires when closed. Live calls go on in the PBX."""


class Driver(Protocol):
    """One PBX. ``listener`` is called on the reactor thread, never from inside one of the methods below."""

    server_id: int
    connected: bool  #: logged in and answering
    last_error: str  #: why it is not connected, in words for people; empty when it is
    version: str  #: ``22.10.1``, empty before the first log-in

    def start(self, listener: Listener) -> None:
        """Connect, and stay connected with back-off until ``stop``. LinkUp and LinkDown tell how it goes."""

    def stop(self) -> Deferred[None]:
        """Log off and close. Fires when closed. Live calls go on in the PBX."""

    def originate(self, request: OriginateRequest) -> None:
        """Place a call. The events are Sent (or NotSent with the reason), then Accepted or Refused, and what follows.

        When the link is down: NotSent. A value with CR, LF or NUL: NotSent naming it, nothing is written.
        """

    def hang_up(self, call: int, cause: int) -> None:
        """Hang up the channel of a call; an unknown channel is FoundGone."""

    def limit_life(self, call: int, seconds: int) -> None:
        """AbsoluteTimeout: the PBX itself hangs the call up after so many seconds."""

    def ask_alive(self, call: int) -> None:
        """Does its channel live? The answer is the event FoundLive, TraceFound or FoundGone."""

    def set_variable(self, channel: str, name: str, value: str) -> Deferred[None]:
        """Set a variable of a channel. Fails with PbxError (``no such channel``, the link is down), or with UserError
        for a value that cannot be written.
        """
        ...

    def survey(self) -> Deferred[Survey]:
        """What lives and what was left about ended calls, of whichever dialer. Events that come meanwhile are newer.

        Fails with PbxError when the link is or goes down, or without an answer in time.
        """

    def forget_traces(self, calls: list[int]) -> None:
        """Delete the notes about calls whose end is safely in the database."""

    def sweep_traces(self, series: int) -> None:
        """Delete all notes about calls of a series. While connected, the ends of calls are told by events; the notes
        would only pile up. Those of other dialers stay.
        """

    def list_queues(self) -> Deferred[None]:
        """Ask for all queues: QueuesListed is told, then what came meanwhile again. Fires then; fails as survey."""

    def overhear(self, ear: "Ear | None") -> None:
        """Have ``ear`` called with all bytes that are written and read, over reconnections too; None: no more."""

    def queue_log(self, queue: str, event: str, *, unique_id: str, interface: str, message: str) -> None:
        """Add a line to the PBX's queue_log, with Asterisk's time. Nothing is told; trouble is logged."""
