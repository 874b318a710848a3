"""The commands of a FastAGI session in starpy's words, and what may go wrong with one."""

from typing import Any

from twisted.internet.defer import Deferred

from wombat_ari.model.errors import PbxError
from wombat_ari.wire.agi import Reply, asking_variable


class AGICommandFailure(PbxError):
    """Asterisk answered a command with something else than 200, or with result -1."""

    code = "pbx.agi.refused"


class AGIHangup(PbxError):
    """The channel was hung up, or the connection ended, before the answer came."""

    code = "pbx.agi.hangup"


class AGITimeout(PbxError):
    """Asterisk did not answer a command in time."""

    code = "pbx.agi.timeout"


class AGICommands:
    """Of whoever can send one. ``commandTimeout`` is how long an answer may take."""

    factory: Any

    def sendCommand(self, name: str, *arguments: str | int, timeout: float | None = None) -> "Deferred[Reply]":
        """Write one command; fires with its answer whatever its code."""
        raise NotImplementedError

    def _checked(self, name: str, *arguments: str | int, timeout: float | None = None) -> "Deferred[Reply]":
        return self.sendCommand(name, *arguments, timeout=timeout).addCallback(_successful, name)

    def getVariable(self, variable: str) -> "Deferred[str]":
        """The value; empty when it is not set. Of a function Asterisk tells 1,023 bytes at most."""
        return self._checked(*asking_variable(variable)).addCallback(lambda reply: reply.value)

    def setVariable(self, variable: str, value: str) -> "Deferred[Reply]":
        return self._checked("SET VARIABLE", variable, value)

    def execute(self, application: str, *options: str, timeout: float = 3600) -> "Deferred[Reply]":
        return self._checked("EXEC", application, ",".join(options), timeout=timeout)

    def answer(self) -> "Deferred[Reply]":
        return self._checked("ANSWER")

    def hangup(self) -> "Deferred[Reply]":
        return self._checked("HANGUP")

    def verbose(self, message: str, level: int = 1) -> "Deferred[Reply]":
        return self._checked("VERBOSE", message, level)

    def streamFile(self, filename: str, escapeDigits: str = "") -> "Deferred[Reply]":
        return self._checked("STREAM FILE", filename, escapeDigits, timeout=3600)

    def sayDigits(self, digits: str, escapeDigits: str = "") -> "Deferred[Reply]":
        return self._checked("SAY DIGITS", digits, escapeDigits, timeout=600)

    def waitForDigit(self, timeout: float) -> "Deferred[str]":
        """The digit pressed within ``timeout`` seconds, or an empty text."""
        done = self._checked("WAIT FOR DIGIT", int(timeout * 1000), timeout=timeout + self.factory.commandTimeout)
        return done.addCallback(lambda reply: chr(int(reply.result)) if reply.result not in ("0", "") else "")


def _successful(reply: Reply, name: str) -> Reply:
    if reply.code != 200 or reply.result == "-1":
        raise AGICommandFailure(f"{name}: {reply.code} {reply.text}")
    return reply
