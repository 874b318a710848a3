"""The fake PBX itself: its calls, its sessions, and the knobs for its faults.

Rules of the place: a knob is an attribute or a method with one line of what it stands for; time is the clock's only.
"""

import random
import re
from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from zope.interface import implementer

from tools.fake_pbx.memory import MemoryTransport, join
from tools.fake_pbx.queues import FakeQueue
from tools.fake_pbx.reverse import FakeReverseCall
from tools.fake_pbx.scenes import FakeCall
from tools.fake_pbx.session import BANNER, FakeSession

COMMANDS = (
    *("Login", "Logoff", "Challenge", "Ping", "ListCommands", "CoreSettings", "Originate", "Hangup", "AbsoluteTimeout"),
    *("Status", "Getvar", "CoreShowChannels", "QueueStatus", "DBGet", "DBGetTree", "DBDel", "DBDelTree", "Command"),
)
_PRIVILEGE = re.compile(r"^Privilege: (\w+)", re.M)


class FakePbx:
    """``clock`` is a ``task.Clock`` or the reactor. See the package's docstring for how to use it."""

    def __init__(self, clock: Any, *, users: dict[str, str] | None = None, seed: int = 1) -> None:
        self.clock = clock
        self.users = users or {"wombat": "dials"}
        self.booted_at = clock.seconds()
        self.version = "22.10.1+dfsg"
        self.challenge = "123456789"
        # What tests look at
        self.live: dict[str, FakeCall] = {}  #: the calls that live, by channel id
        self.max_live = 0  #: the most that ever lived at once
        self.originates: list[dict[str, str]] = []  #: headers of every Originate taken, keys in lower case
        self.actions: list[tuple[str, dict[str, str]]] = []  #: every action that came
        self.received = bytearray()  #: every byte that came
        self.notes: dict[str, str] = {}  #: what the hang-up handler left, by channel id
        self.sessions: list[FakeSession] = []
        self.queues: dict[str, FakeQueue] = {}  #: by their extensions, which are their names
        # Knobs
        self.banner = BANNER
        self.commands: tuple[str, ...] = COMMANDS  #: the actions that the login may use
        self.refuse = False  #: connections are refused
        self.mute = False  #: connections are accepted, then silence
        self.ignores: frozenset[str] = frozenset()  #: actions that are never answered, nor done
        self.silent = False  #: after the log-in nothing is told any more: no answer, no event
        self.tells_boot = True  #: FullyBooted is sent (the login may read ``system``)
        self.answer_delay = 0.0  #: seconds from an action to its answer
        self.channel_delay = 0.0  #: seconds from an Originate that was taken to its channel
        self.cut_after: int | None = None  #: the next message is cut after so many bytes, and the connection closed
        self.originate_refusal = ""  #: the message of ``Response: Error`` to every Originate
        self.disorder = False  #: OriginateResponse and the hang-ups come at any place of their part
        self.twice = False  #: every event is sent two times
        self.leaves_notes = True  #: the hang-up handler is in the dialplan
        self.up_again_after = 0.0  #: seconds that ``restart`` takes
        self._random = random.Random(seed)
        self._serial = 0
        self._pipes: list[MemoryTransport] = []

    # Connecting

    def endpoint(self) -> "FakeEndpoint":
        """A client endpoint that leads here without a socket."""
        return FakeEndpoint(self)

    def connect_in_memory(self, factory: Any) -> Any:
        """Build the factory's protocol and connect it; returns the protocol."""
        protocol = factory.buildProtocol(None)
        self._pipes = [pipe for pipe in self._pipes if not pipe.disconnected]
        self._pipes += join(self.clock, protocol, FakeSession(self))
        return protocol

    def listen(self, port: int = 0) -> Any:
        """Serve on the loopback of the real reactor; returns the listening port (``getHost().port``)."""
        factory = Factory.forProtocol(lambda: FakeSession(self))
        return self.clock.listenTCP(port, factory, interface="127.0.0.1")

    # Faults

    def cut(self) -> None:
        """Every connection breaks; the calls live on."""
        for session in list(self.sessions):
            session.transport.abortConnection()

    def set_dead(self, dead: bool = True) -> None:
        """The network to the PBX is away: connections break and are refused; the calls live on unseen."""
        self.refuse = dead
        if dead:
            self.cut()

    def freeze(self, frozen: bool = True) -> None:
        """Nothing gets through any more in either direction, and nobody is told. ``False``: the rest arrives."""
        for pipe in self._pipes:
            pipe.frozen = frozen
            pipe.write(b"")

    def restart(self) -> None:
        """Killed and started again: every call of the moment is gone without a word or a note."""
        for call in self.live.values():
            call.die()
        self.live.clear()
        for queue in self.queues.values():
            queue.restart()
        self.set_dead()
        self.clock.callLater(self.up_again_after, self._boot)

    def shut_down(self) -> None:
        """``core stop now``: hang-ups with cause 0, ``Shutdown``, and the end of all connections 1.2 s later."""
        for call in list(self.live.values()):
            call.hang_up(0)
        self.say(["Event: Shutdown\nPrivilege: system,all\nShutdown: Cleanly\nRestart: False\n\n"])
        self.refuse = True
        self.clock.callLater(1.2, self.cut)

    def _boot(self) -> None:
        self.booted_at = self.clock.seconds()
        self._serial = 0
        self.set_dead(False)

    # Calls

    def originate(self, headers: dict[str, str], variables: dict[str, str]) -> None:
        self.originates.append(headers)
        kind = FakeReverseCall if headers["context"] == "wombat-reverse" else FakeCall
        call = kind(self, headers, variables)
        if call.unique_id in self.live:
            self.say([_failure(headers)])
        else:
            self.clock.callLater(self.channel_delay, call.begin)

    def find(self, name: str) -> FakeCall | None:
        return self.live.get(name) or next((call for call in self.live.values() if call.channel == name), None)

    def took(self, call: FakeCall) -> None:
        self.live[call.unique_id] = call
        self.max_live = max(self.max_live, len(self.live))

    def ended(self, call: FakeCall, cause: int) -> None:
        self.live.pop(call.unique_id, None)
        for queue in self.queues.values():
            queue.gone(call.unique_id)
        if self.leaves_notes:
            self.notes[call.unique_id] = call.note(cause)

    def next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def say(self, texts: Iterable[str]) -> None:
        """Send events to every session that may and wants to read them."""
        for text in self._in_order(list(texts)):
            found = _PRIVILEGE.search(text)
            event_class = found[1] if found else "call"
            spelled = text.replace("\n", "\r\n")
            for session in self.sessions:
                session.hear(spelled, event_class)

    def _in_order(self, texts: list[str]) -> list[str]:
        if self.disorder:
            movable = [text for text in texts if text.startswith(("Event: OriginateResponse", "Event: Hangup\n"))]
            texts = [text for text in texts if text not in movable]
            for text in movable:
                texts.insert(self._random.randint(0, len(texts)), text)
        return [text for text in texts for _ in range(2 if self.twice else 1)]


@implementer(IStreamClientEndpoint)
class FakeEndpoint:
    """Connects a factory to the fake PBX, on the clock's next turn."""

    def __init__(self, pbx: FakePbx) -> None:
        self._pbx = pbx

    def connect(self, factory: Any) -> "Deferred[Any]":
        attempt: Any = None
        done: Deferred[Any] = Deferred(lambda _: attempt.cancel())
        attempt = self._pbx.clock.callLater(0, self._connect, factory, done)
        return done

    def _connect(self, factory: Any, done: "Deferred[Any]") -> None:
        if self._pbx.refuse:
            done.errback(ConnectionRefusedError())
        else:
            done.callback(self._pbx.connect_in_memory(factory))


def _failure(headers: dict[str, str]) -> str:
    """What a second Originate with a ChannelId that lives gets: it fails, the first call is not harmed."""
    return (
        f"Event: OriginateResponse\nPrivilege: call,all\nActionID: {headers['actionid']}\nResponse: Failure\n"
        f"Channel: {headers['channel']}\nReason: 0\nUniqueid: {headers['channelid']}\n\n"
    )
