"""A small AMI client of the tests' own: what the dialer's does must not be what tells whether Asterisk did it."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable
from typing import Self

from tools.provision.asterisk import AsteriskInstance

Message = dict[str, str]
_attempts = itertools.count(int(time.time()) * 1000)
"""Fresh attempt numbers, also for two test runs on one Asterisk."""


class Ami:
    """One AMI session; ``messages`` is all it received. Of keys that come twice the first counts."""

    def __init__(self, pbx: AsteriskInstance, *, user: str = "", secret: str = "") -> None:
        self._socket = socket.create_connection((pbx.host, pbx.ami_port), timeout=10)
        self._rest = b""
        self.messages: list[Message] = []
        banner = self._socket.recv(100)
        self._rest = banner.partition(b"\r\n")[2]
        self.act("Login", Username=user or pbx.ami_user, Secret=secret or pbx.ami_secret)
        self.wait(lambda m: m.get("Message") == "Authentication accepted")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def act(self, action: str, *, variables: dict[str, str] | None = None, **headers: object) -> None:
        """Send an action."""
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"Variable: {name}={value}" for name, value in (variables or {}).items()]
        self._socket.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())

    def originate(
        self,
        number: str,
        *,
        trunk: str = "simulated-network",
        exten: str = "101",
        timeout: float = 10,
        variables: dict[str, str] | None = None,
    ) -> str:
        """Start an attempt as the dialer does; returns the 16 digits of its id."""
        attempt = f"{next(_attempts):016d}"
        self.act(
            "Originate",
            variables=variables,
            ActionID=f"wbt-{attempt}",
            Channel=f"Local/{number}@{trunk}/n",
            Context="simulated-endpoints",
            Exten=exten,
            Priority=1,
            Timeout=int(timeout * 1000),
            CallerID="Shop <0123>",
            Async="true",
            ChannelId=f"wbt-{attempt}",
            OtherChannelId=f"wbo-{attempt}",
        )
        return attempt

    def wait(self, wanted: Callable[[Message], bool], *, timeout: float = 15) -> Message:
        """The first message, of those received and those to come, that is ``wanted``."""
        seen = 0
        end = time.monotonic() + timeout
        while True:
            for message in self.messages[seen:]:
                if wanted(message):
                    return message
            seen = len(self.messages)
            self._receive(end - time.monotonic())

    def event(self, name: str, attempt: str, **values: str) -> Message:
        """The first event ``name`` of the first half of an attempt, with these values."""
        ours = f"wbt-{attempt}"
        return self.wait(
            lambda m: (
                m.get("Event") == name
                and ours in (m.get("Uniqueid"), m.get("DestUniqueid"))
                and all(m.get(key) == value for key, value in values.items())
            )
        )

    def ended(self, attempt: str) -> tuple[Message, Message]:
        """An attempt's OriginateResponse and the Hangup of its channel, once both are there."""
        return self.event("OriginateResponse", attempt), self.event("Hangup", attempt)

    def _receive(self, timeout: float) -> None:
        self._socket.settimeout(max(timeout, 0.001))
        received = self._socket.recv(65536)
        assert received, "Asterisk closed the AMI link"
        *texts, self._rest = (self._rest + received).split(b"\r\n\r\n")
        for text in texts:
            message: Message = {}
            for line in text.decode().split("\r\n"):
                key, _, value = line.partition(":")
                message.setdefault(key, value.strip())
            self.messages.append(message)
