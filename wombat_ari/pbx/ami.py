"""AMI in starpy's vocabulary: ``AMIFactory(user, secret).login(host)`` gives an ``AMIProtocol`` with named actions.

Rules of the place: methods return Deferreds that fire with the answer (a ``wire.ami.Message``) or fail with a PbxError
that carries Asterisk's words. The mechanics are in ``ami_session``; staying connected is the business of ``link``.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Factory

from wombat_ari.model.secret import Secret
from wombat_ari.pbx.ami_session import (
    ACTION_TIMEOUT,
    AMICommandFailure,
    AMIConnectionLost,
    AMISession,
    AMITimeout,
    Headers,
    SessionFactory,
)
from wombat_ari.pbx.reach import plain_endpoint, the_reactor
from wombat_ari.wire.ami import Message
from wombat_ari.wire.ami_variables import encode_variable

__all__ = ["AMICommandFailure", "AMIConnectionLost", "AMIFactory", "AMIProtocol", "AMITimeout"]


class AMIProtocol(AMISession):
    """One AMI connection with the actions that a dialer needs."""

    factory: "AMIFactory"

    # Log-in

    def login(self, *, events: str = "on") -> "Deferred[Message]":
        """Log in, by challenge unless the factory says plain. ``events`` are the classes wanted (``call,user``)."""
        return Deferred.fromCoroutine(self._log_in(events))

    async def _log_in(self, events: str) -> Message:
        await self.whenGreeted()
        if self.factory.plaintextLogin:
            proof = {"secret": self.factory.secret.reveal()}
        else:
            proof = self._key(await self._ask({"action": "Challenge", "authtype": "MD5"}))
        return await self._ask({"action": "Login", "username": self.factory.username, **proof, "events": events})

    def _key(self, answer: Message) -> dict[str, str]:
        text = answer.get("Challenge") + self.factory.secret.reveal()
        return {"authtype": "MD5", "key": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}

    def logoff(self) -> "Deferred[Message]":
        return self.sendDeferred({"action": "Logoff"})

    # Actions

    def _ask(self, message: Headers) -> "Deferred[Message]":
        return self.sendDeferred(message).addCallback(self.errorUnlessResponse)

    def errorUnlessResponse(self, message: Message, expected: tuple[str, ...] = ("Success", "Goodbye")) -> Message:
        """A callback: lets a good answer through, raises AMICommandFailure with Asterisk's words for any other."""
        if message.name not in expected:
            raise AMICommandFailure(message.get("Message") or f"Response: {message.name}")
        return message

    def ping(self, *, timeout: float | None = None) -> "Deferred[Message]":
        return self.sendDeferred({"action": "Ping"}, timeout=timeout)

    def originate(
        self,
        channel: str,
        context: str = "",
        *,
        exten: str = "",
        priority: str = "1",
        timeout: float = 30,
        callerid: str = "",
        account: str = "",
        application: str = "",
        data: str = "",
        variable: Mapping[str, str] | None = None,
        channelid: str = "",
        otherchannelid: str = "",
    ) -> "Deferred[Message]":
        """Place a call, always asynchronously; ``timeout`` in seconds. Fires when Asterisk has queued it."""
        if timeout <= 0:
            return fail(AMICommandFailure("a timeout of 0 would wait for ever"))
        target = {"application": application, "data": data} if application else {"context": context, "exten": exten}
        headers = {**target, "callerid": callerid, "account": account, "channelid": channelid}
        given = {name: value for name, value in headers.items() if value}
        if otherchannelid:
            given["otherchannelid"] = otherchannelid
        if not application:
            given["priority"] = priority
        action = {"action": "Originate", "channel": channel, "async": "true", "timeout": str(int(timeout * 1000))}
        variables = [encode_variable(name, value)[1] for name, value in (variable or {}).items()]
        return self._ask({**action, **given, "variable": variables})

    def hangup(self, channel: str, *, cause: int | None = None) -> "Deferred[Message]":
        message = {"action": "Hangup", "channel": channel}
        return self._ask(message if cause is None else {**message, "cause": str(cause)})

    def absoluteTimeout(self, channel: str, timeout: int) -> "Deferred[Message]":
        return self._ask({"action": "AbsoluteTimeout", "channel": channel, "timeout": str(timeout)})

    def getVar(self, channel: str, variable: str) -> "Deferred[str]":
        done = self._ask({"action": "Getvar", "channel": channel, "variable": variable})
        return done.addCallback(lambda message: message.get("Value"))

    def setVar(self, channel: str, variable: str, *, value: str) -> "Deferred[Message]":
        return self._ask({"action": "Setvar", "channel": channel, "variable": variable, "value": value})

    def status(self, channel: str = "") -> "Deferred[list[Message]]":
        return self.collectDeferred({"action": "Status", **({"channel": channel} if channel else {})})

    def coreShowChannels(self) -> "Deferred[list[Message]]":
        return self.collectDeferred({"action": "CoreShowChannels"})

    def coreSettings(self) -> "Deferred[Message]":
        return self._ask({"action": "CoreSettings"})

    def listCommands(self) -> "Deferred[Message]":
        return self._ask({"action": "ListCommands"})

    def events(self, eventmask: str) -> "Deferred[Message]":
        return self.sendDeferred({"action": "Events", "eventmask": eventmask})

    def command(self, command: str) -> "Deferred[list[str]]":
        """The lines that a CLI command prints, also where it says that it found nothing, which is an error to AMI."""

        def printed(answer: Message) -> list[str]:
            return answer.output() or self.errorUnlessResponse(answer).output()

        return self.sendDeferred({"action": "Command", "command": command}).addCallback(printed)

    def dbGet(self, family: str, key: str) -> "Deferred[str]":
        done = self.collectDeferred({"action": "DBGet", "family": family, "key": key})
        return done.addCallback(lambda found: found[0].get("Val"))

    def dbPut(self, family: str, key: str, *, value: str) -> "Deferred[Message]":
        return self._ask({"action": "DBPut", "family": family, "key": key, "val": value})

    def dbDel(self, family: str, key: str) -> "Deferred[Message]":
        return self._ask({"action": "DBDel", "family": family, "key": key})

    def dbDelTree(self, family: str, key: str = "") -> "Deferred[Message]":
        """Delete a family, or of a family what is below ``key``."""
        return self._ask({"action": "DBDelTree", "family": family, **({"key": key} if key else {})})

    def dbGetTree(self, family: str) -> "Deferred[list[Message]]":
        return self.collectDeferred({"action": "DBGetTree", "family": family})

    def queueLog(self, queue: str, event: str, *, headers: Mapping[str, str]) -> "Deferred[Message]":
        return self._ask({"action": "QueueLog", "queue": queue, "event": event, **headers})


class AMIFactory(Factory, SessionFactory):
    """Makes AMI connections for one user of one PBX."""

    protocol: Any = AMIProtocol
    noisy = False

    def __init__(
        self,
        username: str,
        secret: str | Secret,
        *,
        plaintextLogin: bool = True,
        clock: Any = None,
        actionTimeout: float = ACTION_TIMEOUT,
    ) -> None:
        self.username = username
        self.secret = secret if isinstance(secret, Secret) else Secret(secret)
        self.plaintextLogin = plaintextLogin
        self.clock = clock or the_reactor()
        self.actionTimeout = actionTimeout

    def login(self, ip: str = "localhost", port: int = 5038, *, timeout: float = 5) -> "Deferred[AMIProtocol]":
        """Connect and log in; fires with the protocol, ready to be used."""
        endpoint = plain_endpoint(ip, port, clock=self.clock, timeout=timeout)
        connected: Deferred[AMIProtocol] = endpoint.connect(self)
        return connected.addCallback(lambda ami: ami.login().addCallback(lambda _: ami))
