"""Agents, their queues and their callers on a real Asterisk, and what AMI says of them: by a client of the tests' own.

A ``Floor`` does what agents, callers and people at phones do, and keeps all that AMI tells, each with its time. A
``Referee`` counts from that stream who is free and who waits, in its own way: what the dialer says is held against it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import pytest

from tests.tools.ami import Ami, Message
from tools.provision.asterisk import AsteriskInstance

LOGIN = SECRET = "floor"
CONF = {"manager.d/floor.conf": f"[{LOGIN}]\nsecret = {SECRET}\nread = all\nwrite = all\nwritetimeout = 10000\n"}
"""An AMI user who hears and may do everything."""

_strangers = itertools.count(1)


@dataclass(frozen=True)
class Agent:
    """Somebody with a phone: a Local channel with a device state of its own, or a real phone (``interface`` given)."""

    serial: int
    ring: int = 2  #: tenths of a second until they answer, 99: never
    talk: int = 0  #: tenths of a second until they hang up, 0: never
    phone: str = ""

    @property
    def name(self) -> str:
        return f"Agent {self.serial:02}"

    @property
    def interface(self) -> str:
        return self.phone or f"Local/{self.serial:02}{self.ring:02}{self.talk:02}@simulated-agents/n"

    @property
    def device(self) -> str:
        return self.phone or f"Custom:agent{self.serial:02}"


@dataclass(frozen=True)
class Heard:
    """A message of AMI and when it came (monotonic)."""

    at: float
    said: Message

    def __getitem__(self, key: str) -> str:
        return self.said.get(key, "")

    @property
    def is_ours(self) -> bool:
        """Of a call of the dialer."""
        return self["Uniqueid"].startswith("wbt-")


class Floor(Ami):
    """``hooks`` are called with each message, in the thread that reads."""

    def __init__(self, pbx: AsteriskInstance) -> None:
        super().__init__(pbx, user=LOGIN, secret=SECRET)
        self.pbx = pbx
        self.heard: list[Heard] = []
        self.hooks: list[Callable[[Heard], None]] = []
        self.trouble: list[str] = []
        self._news = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self.act("Logoff")
        self._thread.join(10)
        super().__exit__()

    def __enter__(self) -> Self:
        return self

    def now(self) -> int:
        """How much has been heard: where to look from for what comes."""
        return len(self.heard)

    def await_event(self, name: str, *, since: int = 0, limit: float = 20, **values: str) -> Heard:
        """The first event of this name with these values that was or will be heard."""
        end = time.monotonic() + limit
        with self._news:
            while True:
                for place in range(since, len(self.heard)):
                    each = self.heard[place]
                    if each["Event"] == name and all(each[key] == value for key, value in values.items()):
                        return each
                since = len(self.heard)
                if not self._news.wait(end - time.monotonic()):
                    pytest.fail(f"{name} {values} was not heard within {limit:g} s")

    # What agents do

    def log_on(self, agent: Agent, queue: str = "999", **headers: object) -> None:
        state = {} if agent.phone else {"StateInterface": agent.device}
        self.act("QueueAdd", Queue=queue, Interface=agent.interface, MemberName=agent.name, **state, **headers)

    def log_off(self, agent: Agent, queue: str = "999") -> None:
        self.act("QueueRemove", Queue=queue, Interface=agent.interface)

    def pause(self, agent: Agent, paused: bool = True, queue: str = "999") -> None:
        self.act("QueuePause", Queue=queue, Interface=agent.interface, Paused=str(paused).lower(), Reason="lunch")

    def private_call(self, agent: Agent) -> str:
        """Somebody calls the agent's phone; answers the channel id, for ``hang_up``."""
        return self._call(agent.interface)[0]

    def stranger(self, queue: str = "999", context: str = "simulated-endpoints") -> str:
        """A caller who did not come from the dialer enters a queue; answers their unique id there."""
        return self._call(f"Local/{queue}@{context}/n")[1]

    def hang_up(self, channel: str) -> None:
        self.act("Hangup", Channel=channel, Cause=16)

    def _call(self, channel: str) -> tuple[str, str]:
        number = f"{next(_strangers):06}"
        one, other = f"one-{number}", f"two-{number}"
        self.act(
            "Originate", Channel=channel, Application="Wait", Data=3600, Async="true", Timeout=30000,
            CallerID=f'"Somebody" <77{number}>', ChannelId=one, OtherChannelId=other,
        )  # fmt: skip
        return one, other

    def _listen(self) -> None:
        while True:
            try:
                self._receive(3600)
            except (OSError, AssertionError) as trouble:
                if not self._closing:
                    self.trouble.append(f"the link of the test broke: {trouble!r}")
                return
            at = time.monotonic()
            fresh = [Heard(at, message) for message in self.messages]
            self.messages.clear()
            with self._news:
                self.heard += fresh
                self._news.notify_all()
            for each in fresh:
                for hook in self.hooks:
                    hook(each)


class Meter:
    """How many of the dialer's calls live, and at most lived, at once; when each began."""

    def __init__(self) -> None:
        self.live: set[str] = set()
        self.most = 0
        self.began: list[float] = []

    def __call__(self, heard: Heard) -> None:
        if heard["Event"] == "Newchannel" and heard.is_ours:
            self.live.add(heard["Uniqueid"])
            self.most = max(self.most, len(self.live))
            self.began.append(heard.at)
        elif heard["Event"] == "Hangup":
            self.live.discard(heard["Uniqueid"])


@dataclass
class Referee:
    """Who is free and who waits in one queue. Fed with what a ``Floor`` hears, in order, from the first log-on."""

    queue: str = "999"
    free: dict[str, bool] = field(default_factory=dict)  #: interface -> device free and not paused
    ringing: set[str] = field(default_factory=set)  #: interfaces whose device says that it rings
    rings: dict[str, str] = field(default_factory=dict)  #: interface -> caller
    talks: dict[str, str] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)

    def __call__(self, heard: Heard) -> None:
        event, interface, caller = heard["Event"], heard["Interface"], heard["Uniqueid"]
        if event in ("AgentCalled", "AgentConnect"):
            self.rings.pop(interface, None)
            (self.rings if event == "AgentCalled" else self.talks)[interface] = caller
        elif event in ("AgentRingNoAnswer", "AgentComplete"):
            (self.rings if event == "AgentRingNoAnswer" else self.talks).pop(interface, None)
        elif heard["Queue"] != self.queue:
            return
        elif event == "QueueMemberRemoved":
            self.free.pop(interface, None)
            self.ringing.discard(interface)
        elif event.startswith("QueueMember") and interface:
            self.free[interface] = heard["Paused"] == "0" and heard["Status"] in "01"
            (self.ringing.add if heard["Status"] == "6" else self.ringing.discard)(interface)
        elif event == "QueueCallerJoin":
            self.waiting.add(caller)
        elif event == "QueueCallerAbandon":
            self.rings = {agent: rung for agent, rung in self.rings.items() if rung != caller}
        elif event == "QueueCallerLeave":
            self.waiting.discard(caller)

    @property
    def idle(self) -> list[str]:
        """Agents who could take a call now."""
        return [each for each, free in self.free.items() if free and each not in self.rings and each not in self.talks]

    @property
    def unserved(self) -> int:
        """Callers for whom nobody rings. A phone may say that it rings a moment before the queue says for whom."""
        about_to = [each for each in self.ringing if each not in self.rings and each not in self.talks]
        return max(0, len(self.waiting - set(self.rings.values())) - len(about_to))
